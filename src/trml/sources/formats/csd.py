"""Read computational sequences (.csd), the HDF5 files of the CMU Multimodal SDK.

They hold a list of intervals for each video, each with a row of features.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from trml.base.errors import ContractError


@dataclass(frozen=True)
class Sequence:
    """The sequence of a video: intervals f64 [n, 2] in seconds, and features [n, d], numbers or (for words) bytes."""

    intervals: NDArray[np.float64]
    features: NDArray[Any]


def read_csd(path: Path) -> dict[str, Sequence]:
    """Return the sequences by video, in the file's order; raise ContractError if the file is not a .csd."""
    try:
        with h5py.File(path, "r") as file:
            if len(file) != 1:
                raise ContractError(
                    f"{path} has {len(file)} groups at its root; expected one, the name of the sequence"
                )
            (root,) = file.values()
            return {video: _sequence(path, video, entry) for video, entry in root["data"].items()}
    except (OSError, KeyError, AttributeError, TypeError) as error:
        reason = (str(error).splitlines() or [""])[0]
        raise ContractError(
            f"{path} is not a computational sequence ({reason}); expected HDF5: <name>/data/<video>/intervals, features"
        ) from None


def _sequence(path: Path, video: str, entry: Any) -> Sequence:
    intervals, features = np.asarray(entry["intervals"], dtype=np.float64), np.asarray(entry["features"])
    if intervals.ndim != 2 or intervals.shape[1] != 2 or features.ndim != 2 or len(features) != len(intervals):
        raise ContractError(
            f"{path}: {video} has intervals {intervals.shape} and features {features.shape}; expected [n, 2] and [n, d]"
        )
    return Sequence(intervals, features)
