"""The feature contract: what an encoder leaves for training, on disk and memory-mapped.

text.npy        f32 [N, d_t]
frames.npy      f32 [N, T, d_v]
frame_mask.npy  bool [N, T]     which frames are there
tokens.npy      f32 [N, L, d_t] the text token by token, where the encoder gives it
token_mask.npy  bool [N, L]     which tokens are there, beside tokens.npy
present.npy     bool [N, 2]     text, vision: there for real (before any protocol takes them away)
index.parquet   utterance_id, split, label of each row
media.parquet   of every utterance of the corpus, those left out of the rows above too: how many frames it has, a hash
of
                the middle one, why its clip could not be read, how many tokens of its text the encoder did not see
features.json   encoder, weights, task, classes, digest
"""

import mmap
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trml.errors import ContractError
from trml.store import read_json, write_json

_ARRAYS = {
    "text": ("float32", 2),
    "frames": ("float32", 3),
    "frame_mask": ("bool", 2),
    "present": ("bool", 2),
}
_OPTIONAL = {
    "tokens": ("float32", 3),
    "token_mask": ("bool", 2),
}
MEDIA_SCHEMA = {
    "utterance_id": pl.String,
    "frames": pl.Int32,
    "hash": pl.String,
    "reason": pl.String,
    "tokens_cut": pl.Int32,
}
_SLAB = 4096  # rows that are read at a time


@dataclass(frozen=True)
class FeatureInfo:
    """features.json. `weights` says in words where the encoder's weights come from."""

    encoder: str
    weights: str
    aligned: bool
    retrieval: dict[str, Any] | None
    task: Literal["regression", "classification"]
    classes: list[str]
    digest: str


@dataclass(frozen=True)
class FeatureSet:
    """The features of one corpus by one encoder; arrays as in the module's table, rows as in `index`."""

    info: FeatureInfo
    index: pl.DataFrame
    text: NDArray[np.float32]
    frames: NDArray[np.float32]
    frame_mask: NDArray[np.bool_]
    present: NDArray[np.bool_]
    tokens: NDArray[np.float32] | None = None
    token_mask: NDArray[np.bool_] | None = None

    def rows(self, split: str) -> NDArray[np.int64]:
        """The row numbers of a split, in order."""
        return np.flatnonzero((self.index["split"] == split).to_numpy())


def write_features(folder: Path, features: FeatureSet, media: pl.DataFrame | None = None) -> None:
    """Check and write a feature folder. `media` (MEDIA_SCHEMA) may be left out where nothing is known of it."""
    check_features(features, folder)
    arrays = {name: getattr(features, name) for name in _ARRAYS | _OPTIONAL}
    shapes = {name: array.shape[1:] for name, array in arrays.items() if array is not None}
    writer = FeatureWriter(folder, features.info, features.index, shapes)
    writer.append(arrays)
    writer.finish(pl.DataFrame(schema=MEDIA_SCHEMA) if media is None else media)


class FeatureWriter:
    """Writes a feature folder piece by piece, the rows of `index` in order: no more of an array is in memory than a
    piece, nor mapped. `shapes` has the shape of each array without its rows; a piece with fewer tokens than that is
    filled up with zeros, and so is one without any features."""

    def __init__(
        self, folder: Path, info: FeatureInfo, index: pl.DataFrame, shapes: dict[str, tuple[int, ...]]
    ) -> None:
        self.folder, self.info, self.index, self.shapes = folder, info, index, shapes
        for name, shape in shapes.items():
            dtype = np.dtype((_ARRAYS | _OPTIONAL)[name][0])
            header = {"descr": dtype.str, "fortran_order": False, "shape": (index.height, *shape)}
            with (folder / f"{name}.npy").open("wb") as file:
                np.lib.format.write_array_header_1_0(file, header)

    def append(self, arrays: Mapping[str, NDArray[Any] | None]) -> None:
        """Add the next rows; an array that is None or absent counts as zeros."""
        rows = len(next(array for array in arrays.values() if array is not None))
        for name, shape in self.shapes.items():
            dtype, given = (_ARRAYS | _OPTIONAL)[name][0], arrays.get(name)
            whole = np.zeros((rows, *shape), dtype=dtype)
            if given is not None:
                whole[tuple(slice(size) for size in given.shape)] = given
            with (self.folder / f"{name}.npy").open("ab") as file:
                file.write(whole.tobytes())

    def finish(self, media: pl.DataFrame) -> None:
        """Write the tables, and check all of it."""
        self.index.write_parquet(self.folder / "index.parquet")
        media.write_parquet(self.folder / "media.parquet")
        write_json(self.folder / "features.json", asdict(self.info))
        read_features(self.folder)


def read_features(folder: Path) -> FeatureSet:
    """The features of a folder, memory-mapped and checked. Raises ContractError that says what is wrong."""
    info = FeatureInfo(**read_json(folder / "features.json"))
    names = [*_ARRAYS, *(name for name in _OPTIONAL if (folder / f"{name}.npy").is_file())]
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in names}
    features = FeatureSet(info, pl.read_parquet(folder / "index.parquet"), **arrays)
    check_features(features, folder)
    return features


def read_media(folder: Path) -> pl.DataFrame:
    """What became of the media of every utterance (MEDIA_SCHEMA)."""
    return pl.read_parquet(folder / "media.parquet").match_to_schema(MEDIA_SCHEMA)


def _all_finite(array: NDArray[np.float32]) -> bool:
    """Read in slabs, and where the array is memory-mapped each is let go again, so that memory does not grow with
    it."""
    for i in range(0, len(array), _SLAB):
        if not np.isfinite(array[i : i + _SLAB]).all():
            return False
        if isinstance(array, np.memmap):
            array._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]
    return True


def check_features(features: FeatureSet, folder: Path) -> None:
    """Raise ContractError unless shapes, types and values hold to the contract."""

    def require(condition: bool, message: str) -> None:
        if not condition:
            raise ContractError(f"features {folder.name}: {message}")

    n = features.index.height
    for name, (dtype, ndim) in (_ARRAYS | _OPTIONAL).items():
        array = getattr(features, name)
        if array is None and name in _OPTIONAL:
            continue
        require(array.dtype == dtype, f"{name}.npy is {array.dtype}; expected {dtype}")
        require(array.ndim == ndim, f"{name}.npy has {array.ndim} dimensions; expected {ndim}")
        require(len(array) == n, f"{name}.npy has {len(array)} rows; index.parquet has {n}")
        if dtype == "float32":
            require(_all_finite(array), f"{name}.npy holds values that are not finite")
    require(
        features.frame_mask.shape == features.frames.shape[:2],
        "frame_mask.npy and frames.npy disagree on [N, T]",
    )
    require(
        (features.tokens is None) == (features.token_mask is None),
        "tokens.npy and token_mask.npy: one without the other",
    )
    if features.tokens is not None and features.token_mask is not None:
        require(
            features.tokens.shape == (*features.token_mask.shape, features.text.shape[1]),
            f"tokens.npy is {features.tokens.shape}; expected (*token_mask, text) = "
            f"{(*features.token_mask.shape, features.text.shape[1])}",
        )
        require(
            bool((features.token_mask.any(axis=1) == features.present[:, 0]).all()),
            "text is present exactly where a token is, but not here",
        )
    require(features.present.shape == (n, 2), f"present.npy is {features.present.shape}; expected ({n}, 2)")
    seen = features.frame_mask.any(axis=1)
    require(
        bool((seen == features.present[:, 1]).all()),
        "vision is present exactly where a frame is, but not here",
    )
    require(bool(features.present.any(axis=1).all()), "an utterance has neither text nor vision")
