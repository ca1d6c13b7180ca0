"""Write feature folders incrementally: no more of an array is in memory than a slab of rows."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trml.base.artifacts import write_json
from trml.features.contract import (
    MASK,
    MEDIA_SCHEMA,
    SLAB,
    FeatureInfo,
    FeatureSet,
    View,
    check_features,
    read_features,
)


class FeatureWriter:
    """The writer of one feature folder.

    Args:
        folder: An existing folder.
        info: features.json.
        index: utterance_id, split, label, draw of all rows.
        shapes: Name of each view -> (T, d).
    """

    def __init__(
        self, folder: Path, info: FeatureInfo, index: pl.DataFrame, shapes: Mapping[str, tuple[int, int]]
    ) -> None:
        self.folder, self.info, self.index, self.shapes = folder, info, index, shapes
        for name, (steps, width) in shapes.items():
            _start(self._file(name), np.dtype(np.float32), (index.height, steps, width))
            _start(self._file(f"{name}{MASK}"), np.dtype(bool), (index.height, steps))

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.npy"

    def append(self, views: Mapping[str, View], kept: NDArray[np.bool_]) -> None:
        """Write the next rows.

        Args:
            views: By name, values [n, T', d'] and mask [n, T'] with T' <= T. Absent views and missing steps are
                written as zeros.
            kept: bool [n], the rows to write.
        """
        rows = np.flatnonzero(kept)
        for start in range(0, len(rows), SLAB):
            slab = rows[start : start + SLAB]
            for name, (steps, width) in self.shapes.items():
                values = np.zeros((len(slab), steps, width), dtype=np.float32)
                mask = np.zeros((len(slab), steps), dtype=bool)
                if name in views and views[name].values.shape[2] > 0:
                    given = views[name]
                    length = given.mask.shape[1]
                    values[:, :length], mask[:, :length] = given.values[slab], given.mask[slab]
                for file, array in ((name, values), (f"{name}{MASK}", mask)):
                    with self._file(file).open("ab") as opened:
                        opened.write(array.tobytes())

    def finish(self, media: pl.DataFrame) -> None:
        """Write the tables (media: MEDIA_SCHEMA), and check the whole folder."""
        self.index.write_parquet(self.folder / "index.parquet")
        media.write_parquet(self.folder / "media.parquet")
        write_json(self.folder / "features.json", asdict(self.info))
        read_features(self.folder)


def _start(path: Path, dtype: np.dtype, shape: tuple[int, ...]) -> None:
    """Begin a .npy file with its header."""
    with path.open("wb") as file:
        header = {"descr": dtype.str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)


def write_features(folder: Path, features: FeatureSet, media: pl.DataFrame | None = None) -> None:
    """Check and write a feature folder.

    Args:
        folder: An existing folder.
        features: What to write.
        media: MEDIA_SCHEMA; None writes an empty table.

    Raises:
        ContractError: If the features violate the contract.
    """
    check_features(features, folder)
    views = features.named_views()
    shapes = {name: (view.values.shape[1], view.values.shape[2]) for name, view in views.items()}
    writer = FeatureWriter(folder, features.info, features.index, shapes)
    writer.append(views, np.ones(features.index.height, dtype=bool))
    writer.finish(pl.DataFrame(schema=MEDIA_SCHEMA) if media is None else media)
