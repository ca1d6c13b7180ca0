"""The feature contract: what an encoder leaves for training, on disk and memory-mapped.

    <modality>.npy              f32 [N, T, d]   T is 1 for a modality that is one vector
    <modality>_mask.npy         bool [N, T]     which steps are there; a modality is present where any is
    <modality>_tokens.npy       f32 [N, L, d]   a second view of it, token by token, where the encoder gives it
    <modality>_tokens_mask.npy  bool [N, L]
    index.parquet               utterance_id, split, label of each row
    media.parquet               of every utterance of the corpus, those left out of the rows above too: MEDIA_SCHEMA
    features.json               FeatureInfo

media.parquet says how many frames a clip has, a hash of the middle one, why the clip could not be read, and how many
tokens of the text the encoder did not see.
"""

import mmap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trml.base.artifacts import read_json
from trml.base.errors import ContractError
from trml.missing.modalities import in_order

TOKENS = "_tokens"  # ends the name of a second view
MEDIA_SCHEMA = {
    "utterance_id": pl.String,
    "frames": pl.Int32,
    "hash": pl.String,
    "reason": pl.String,
    "tokens_cut": pl.Int32,
}
SLAB = 512  # rows that are checked at a time: memory does not grow with the corpus


@dataclass(frozen=True)
class FeatureInfo:
    """features.json.

    Attributes:
        encoder: The encoder's name.
        weights: Where its weights come from, in words.
        aligned: Whether the modalities share one space.
        retrieval: What its pretraining reached, None where the workflow did not train it.
        task: `regression` or `classification`.
        classes: Names of the classes, empty for regression.
        digest: Name of the feature folder.
        modalities: In order.
        views: The modalities that have a second view, token by token.
    """

    encoder: str
    weights: str
    aligned: bool
    retrieval: dict[str, Any] | None
    task: Literal["regression", "classification"]
    classes: list[str]
    digest: str
    modalities: list[str]
    views: list[str] = field(default_factory=list)


class View(NamedTuple):
    """One modality as a sequence: values f32 [N, T, d] and mask bool [N, T]."""

    values: NDArray[np.float32]
    mask: NDArray[np.bool_]


@dataclass(frozen=True)
class FeatureSet:
    """The features of one corpus by one encoder, rows as in `index`.

    Attributes:
        info: features.json.
        index: utterance_id, split, label.
        signals: Modality -> its view, in order.
        tokens: Modality -> its second view, for those that have one.
    """

    info: FeatureInfo
    index: pl.DataFrame
    signals: Mapping[str, View]
    tokens: Mapping[str, View] = field(default_factory=dict)

    def rows(self, split: str) -> NDArray[np.int64]:
        """Return the row numbers of a split, in order."""
        return np.flatnonzero((self.index["split"] == split).to_numpy())

    def real(self, rows: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
        """Return which steps the corpus has of some rows: modality -> bool [n, T]."""
        return {modality: np.asarray(view.mask[rows]) for modality, view in self.signals.items()}

    @property
    def outputs(self) -> int:
        """What a method puts out for an utterance: 1, or the number of classes."""
        return 1 if self.info.task == "regression" else len(self.info.classes)

    def named_views(self) -> dict[str, View]:
        """Return every view by the name of its files."""
        return {**self.signals, **{f"{modality}{TOKENS}": view for modality, view in self.tokens.items()}}


def read_features(folder: Path) -> FeatureSet:
    """Return the features of a folder, memory-mapped and checked. Raises ContractError that says what is wrong."""
    info = FeatureInfo(**read_json(folder / "features.json"))

    def view(name: str) -> View:
        arrays = (np.load(folder / f"{file}.npy", mmap_mode="r", allow_pickle=False) for file in (name, f"{name}_mask"))
        return View(*arrays)

    signals = {modality: view(modality) for modality in info.modalities}
    tokens = {modality: view(f"{modality}{TOKENS}") for modality in info.views}
    features = FeatureSet(info, pl.read_parquet(folder / "index.parquet"), signals, tokens)
    check_features(features, folder)
    return features


def read_media(folder: Path) -> pl.DataFrame:
    """Return what became of the media of every utterance (MEDIA_SCHEMA)."""
    return pl.read_parquet(folder / "media.parquet").match_to_schema(MEDIA_SCHEMA)


def check_features(features: FeatureSet, folder: Path) -> None:
    """Raise ContractError unless shapes, types and values hold to the contract."""

    def require(condition: bool, message: str) -> None:
        if not condition:
            raise ContractError(f"features {folder.name}: {message}")

    n, modalities = features.index.height, list(features.signals)
    require(bool(modalities), "there is no modality")
    require(
        list(in_order(modalities)) == modalities,
        f"modalities are {modalities}; expected in the order of text, vision, audio",
    )
    for name, (values, mask) in features.named_views().items():
        for file, array, dtype, ndim in ((name, values, "float32", 3), (f"{name}_mask", mask, "bool", 2)):
            require(array.dtype == dtype, f"{file}.npy is {array.dtype}; expected {dtype}")
            require(array.ndim == ndim, f"{file}.npy has {array.ndim} dimensions; expected {ndim}")
            require(len(array) == n, f"{file}.npy has {len(array)} rows; index.parquet has {n}")
        require(mask.shape == values.shape[:2], f"{name}_mask.npy and {name}.npy disagree on [N, T]")
        require(_all_finite(values), f"{name}.npy holds values that are not finite")
    present = {modality: view.mask.any(axis=1) for modality, view in features.signals.items()}
    for modality, view in features.tokens.items():
        require(
            view.values.shape[2] == features.signals[modality].values.shape[2],
            f"{modality}: its tokens have another width",
        )
        same = bool((view.mask.any(axis=1) == present[modality]).all())
        require(same, f"{modality} is present exactly where a token is, but not here")
    require(
        bool(np.logical_or.reduce(list(present.values())).all()), f"an utterance has none of {', '.join(modalities)}"
    )


def _all_finite(array: NDArray[np.float32]) -> bool:
    """Return whether all values are finite, read in slabs that are let go again where the array is memory-mapped."""
    for i in range(0, len(array), SLAB):
        if not np.isfinite(array[i : i + SLAB]).all():
            return False
        if isinstance(array, np.memmap):
            array._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]
    return True
