"""The feature contract: what an encoder leaves for training, on disk and memory-mapped.

text.npy        f32 [N, d_t]
frames.npy      f32 [N, T, d_v]
frame_mask.npy  bool [N, T]     which frames are there
tokens.npy      f32 [N, L, d_t] the text token by token, where the encoder gives it
token_mask.npy  bool [N, L]     which tokens are there, beside tokens.npy
present.npy     bool [N, 2]     text, vision: there for real (before any protocol takes them away)
index.parquet   utterance_id, split, label
features.json   encoder, weights, task, classes, digest
"""

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


def write_features(folder: Path, features: FeatureSet) -> None:
    """Check and write a feature folder."""
    check_features(features, folder)
    for name in _ARRAYS | _OPTIONAL:
        if getattr(features, name) is not None:
            np.save(folder / f"{name}.npy", getattr(features, name))
    features.index.write_parquet(folder / "index.parquet")
    write_json(folder / "features.json", asdict(features.info))


def read_features(folder: Path) -> FeatureSet:
    """The features of a folder, memory-mapped and checked. Raises ContractError that says what is wrong."""
    info = FeatureInfo(**read_json(folder / "features.json"))
    names = [*_ARRAYS, *(name for name in _OPTIONAL if (folder / f"{name}.npy").is_file())]
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in names}
    features = FeatureSet(info, pl.read_parquet(folder / "index.parquet"), **arrays)
    check_features(features, folder)
    return features


def _all_finite(array: NDArray[np.float32]) -> bool:
    """Read in slabs, so that memory does not grow with a memory-mapped array."""
    return all(bool(np.isfinite(array[i : i + 4096]).all()) for i in range(0, len(array), 4096))


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
