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
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trml.base.artifacts import read_json
from trml.base.errors import ContractError

ARRAYS = {
    "text": ("float32", 2),
    "frames": ("float32", 3),
    "frame_mask": ("bool", 2),
    "present": ("bool", 2),
}

OPTIONAL = {
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


def read_features(folder: Path) -> FeatureSet:
    """The features of a folder, memory-mapped and checked. Raises ContractError that says what is wrong."""
    info = FeatureInfo(**read_json(folder / "features.json"))
    names = [*ARRAYS, *(name for name in OPTIONAL if (folder / f"{name}.npy").is_file())]
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
    for name, (dtype, ndim) in (ARRAYS | OPTIONAL).items():
        array = getattr(features, name)
        if array is None and name in OPTIONAL:
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
