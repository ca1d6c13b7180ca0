"""Read computational sequences (.csd), the HDF5 files of the CMU Multimodal SDK.

They hold a list of intervals for each video, each with a row of features. HDF5 can do more: refer to other files and to
other places in the file, and state sizes that nothing stands for. None of that is followed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, NoReturn

import h5py
import numpy as np
from numpy.typing import NDArray

from trml.base.confined import memory_for, try_first
from trml.base.errors import ContractError
from trml.base.files import not_a_file
from trml.base.printable import one_line, shortened
from trml.sources.formats.numbers import SECONDS

_DAMAGE = (OSError, KeyError, AttributeError, TypeError, ValueError, RuntimeError, OverflowError, UnicodeError)


@dataclass(frozen=True)
class Sequence:
    """The sequence of a video: intervals f64 [n, 2] in seconds, and features [n, d], numbers or (for words) bytes."""

    intervals: NDArray[np.float64]
    features: NDArray[Any]


def read_csd(path: Path) -> dict[str, Sequence]:
    """Return the sequences by video, in the file's order.

    Raises:
        ContractError: If the file is not a .csd, refers to other files, has other than finite times within eleven days,
            or needs more memory than the budget; it names the video.
    """
    if (kind := not_a_file(path)) is not None:
        raise ContractError(f"{path} {kind}; expected a computational sequence")
    try_first(path, __name__)
    return attempt(path)


def attempt(path: Path) -> dict[str, Sequence]:
    """Read a file, which another process has tried."""
    place = ""
    try:
        with h5py.File(path, "r") as file:
            names = [name for name, _ in _own(path, file, "")]
            if len(names) != 1:
                raise ContractError(
                    f"{path} has {len(names)} groups at its root; expected one, the name of the sequence"
                )
            root = file[names[0]]
            left, sequences, seen = memory_for(path), dict[str, Sequence](), dict[int, str]()
            data = next((child for name, child in _own(path, root, names[0]) if name == "data"), None)
            if not isinstance(data, h5py.Group):
                raise KeyError("there is no group 'data'")
            for video, entry in _own(path, data, "data"):
                place = f" at {shortened(video)}"
                _once(path, seen, video, entry)
                sequences[video] = _sequence(path, video, entry, left, seen)
                left -= sequences[video].intervals.nbytes + sequences[video].features.nbytes
            return sequences
    except MemoryError:
        raise ContractError(f"{path} cannot be read in {memory_for(path) >> 20} MB of memory{place}") from None
    except _DAMAGE as error:
        reason = one_line((str(error).splitlines() or [""])[0][:200])
        raise ContractError(
            f"{path} is not a computational sequence{place} ({reason}); expected HDF5: "
            "<name>/data/<video>/intervals, features"
        ) from None


def _own(path: Path, group: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Yield what lies in a group itself; refuse links to other places and files."""
    for name in group:
        where = shortened(f"{place}/{name}".lstrip("/"))
        if not isinstance(name, str) or any("\ud800" <= character <= "\udfff" for character in name):
            _refuse(path, f"the name {where} is not UTF-8")
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            _refuse(path, f"{where} is a link to another place or file; links are never followed")
        yield name, group[name]


def _once(path: Path, seen: dict[int, str], name: str, item: Any) -> None:
    """Refuse a group or an array that is another's under a second name: one video's features would count as two's."""
    earlier = seen.setdefault(h5py.h5o.get_info(item.id).addr, name)
    if earlier != name:
        _refuse(path, f"{shortened(name)} is {shortened(earlier)} under another name; expected each once")


def _sequence(path: Path, video: str, entry: Any, left: int, seen: dict[int, str]) -> Sequence:
    if not isinstance(entry, h5py.Group):
        _refuse(path, f"{shortened(video)} is no group; expected intervals and features in it")
    children = dict(_own(path, entry, video))
    for name in ("intervals", "features"):
        if isinstance(children.get(name), h5py.Dataset):
            _once(path, seen, f"{video}/{name}", children[name])
    arrays = [_array(path, f"{video}/{name}", children.get(name), left) for name in ("intervals", "features")]
    intervals, features = arrays
    if intervals.ndim != 2 or intervals.shape[1] != 2 or features.ndim != 2 or len(features) != len(intervals):
        _refuse(
            path,
            f"{shortened(video)} has intervals {intervals.shape} and features {features.shape}; expected [n, 2] and "
            "[n, d]",
        )
    if intervals.dtype.kind not in "fiu":
        _refuse(path, f"{shortened(f'{video}/intervals')} are {intervals.dtype}; expected seconds")
    times = intervals.astype(np.float64)
    wrong = np.flatnonzero(~(np.abs(times) <= SECONDS).all(axis=1))  # NaN too
    if wrong.size:
        row = int(wrong[0])
        _refuse(
            path,
            f"row {row} of {shortened(video)} has the times {times[row].tolist()}; expected seconds, between "
            f"-{SECONDS:,} and {SECONDS:,}",
        )
    return Sequence(times, features)


def _array(path: Path, place: str, dataset: Any, left: int) -> NDArray[Any]:
    """Return an array whose bytes are in this file, and not more of them than the budget has left."""
    where = shortened(place)
    if not isinstance(dataset, h5py.Dataset):
        _refuse(path, f"there is no array {where}")
    if dataset.external or dataset.is_virtual:
        _refuse(path, f"the bytes of {where} are in other files; only this file is read")
    if dataset.dtype.kind not in "fiuS":
        _refuse(path, f"{where} holds {one_line(str(dataset.dtype)[:80])}; expected numbers, or texts of fixed length")
    if dataset.shape is None:
        _refuse(path, f"{where} is empty; expected rows")
    size = prod(dataset.shape) * dataset.dtype.itemsize
    if size > left:
        _refuse(
            path,
            f"{where} states {list(dataset.shape)} of {dataset.dtype}, {size:,} bytes; reading the file may take "
            f"{memory_for(path):,}",
        )
    _stored(path, where, dataset)
    return np.asarray(dataset[()])


def _stored(path: Path, where: str, dataset: Any) -> None:
    """Refuse an array of which something was never written: HDF5 makes it up, of any value, at no cost of bytes."""
    if dataset.size == 0:
        return
    stated, there = 1, int(dataset.id.get_storage_size() > 0)
    if dataset.chunks is not None:
        stated = prod(-(-size // chunk) for size, chunk in zip(dataset.shape, dataset.chunks, strict=True))
        there = dataset.id.get_num_chunks()
    if there < stated:
        words = f"states {list(dataset.shape)} of {dataset.dtype}, and {there:,} of its {stated:,} pieces were written"
        _refuse(path, f"{where} {words}. The file is not complete")


def _refuse(path: Path, reason: str) -> NoReturn:
    raise ContractError(f"{path}: {reason}")
