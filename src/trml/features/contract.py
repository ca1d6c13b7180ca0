"""The contract of features: the arrays that training reads, memory-mapped.

    <modality>.npy              f32 [N, T, d]   T is 1 for a modality that is one vector
    <modality>_mask.npy         bool [N, T]     which steps exist; a modality is present if any does
    <modality>_tokens.npy       f32 [N, L, d]   a second view, token by token, if the encoder gives it
    <modality>_tokens_mask.npy  bool [N, L]
    index.parquet               utterance_id, split, label, draw of each row
    media.parquet               one row for every utterance of the corpus, left-out ones too: MEDIA_SCHEMA
    features.json               FeatureInfo

Values are zero where the mask is False. In media.parquet, `frames` counts the frames read, `hash` is that of the middle
one, `reason` says why a clip is unreadable, and `tokens_cut` counts the tokens beyond the text model's limit.
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

TOKENS, MASK = "_tokens", "_mask"  # end the names of a second view, and of a mask
MEDIA_SCHEMA = {
    "utterance_id": pl.String,
    "frames": pl.Int32,
    "hash": pl.String,
    "reason": pl.String,
    "tokens_cut": pl.Int32,
}
SLAB = 512  # rows written or checked at a time, so that memory does not grow with the corpus


@dataclass(frozen=True)
class FeatureInfo:
    """features.json.

    Attributes:
        encoder: Name of the encoder.
        weights: Where its weights come from, in words.
        aligned: Whether the modalities share one space.
        retrieval: The record of its pretraining, None if there is none.
        task: `regression` or `classification`.
        classes: Names of the classes, empty for regression.
        digest: Name of the feature folder.
        modalities: In the project's order.
        views: The modalities with a second view, token by token.
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
    """A modality as sequences: values f32 [N, T, d] and mask bool [N, T]."""

    values: NDArray[np.float32]
    mask: NDArray[np.bool_]


@dataclass(frozen=True)
class FeatureSet:
    """The features of one corpus through one encoder.

    Attributes:
        info: features.json.
        index: utterance_id, split, label, draw; the other tables have the same rows.
        signals: Modality -> its view, in order.
        tokens: Modality -> its second view, if it has one.
    """

    info: FeatureInfo
    index: pl.DataFrame
    signals: Mapping[str, View]
    tokens: Mapping[str, View] = field(default_factory=dict)

    def rows(self, split: str) -> NDArray[np.int64]:
        """Return the row numbers of a split, in order."""
        return np.flatnonzero((self.index["split"] == split).to_numpy())

    def real(self, rows: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
        """Return which steps of some rows exist in the corpus: modality -> bool [n, T]."""
        return {modality: np.asarray(view.mask[rows]) for modality, view in self.signals.items()}

    @property
    def outputs(self) -> int:
        """The numbers that a method predicts for an utterance: 1, or one a class."""
        return 1 if self.info.task == "regression" else len(self.info.classes)

    def named_views(self) -> dict[str, View]:
        """Return every view by the name of its file."""
        return {**self.signals, **{f"{modality}{TOKENS}": view for modality, view in self.tokens.items()}}


def read_features(folder: Path) -> FeatureSet:
    """Open the features of a folder, memory-mapped.

    Raises:
        ContractError: If they violate the contract.
    """
    info = FeatureInfo(**read_json(folder / "features.json"))

    def view(name: str) -> View:
        files = (name, f"{name}{MASK}")
        return View(*(np.load(folder / f"{file}.npy", mmap_mode="r", allow_pickle=False) for file in files))

    signals = {modality: view(modality) for modality in info.modalities}
    tokens = {modality: view(f"{modality}{TOKENS}") for modality in info.views}
    features = FeatureSet(info, pl.read_parquet(folder / "index.parquet"), signals, tokens)
    check_features(features, folder)
    return features


def read_media(folder: Path) -> pl.DataFrame:
    """Read media.parquet (MEDIA_SCHEMA)."""
    return pl.read_parquet(folder / "media.parquet").match_to_schema(MEDIA_SCHEMA)


def check_features(features: FeatureSet, folder: Path) -> None:
    """Raise ContractError unless names, shapes, types and values keep the contract. `folder` is for messages."""

    def require(condition: bool, message: str) -> None:
        if not condition:
            raise ContractError(f"features {folder.name}: {message}")

    n, modalities, info = features.index.height, list(features.signals), features.info
    require(bool(modalities), "there is no modality")
    ordered = list(in_order(modalities))
    require(modalities == ordered, f"modalities are {modalities}; expected the order {', '.join(ordered)}")
    for key, listed, views in (
        ("modalities", info.modalities, modalities),
        ("views", info.views, list(features.tokens)),
    ):
        require(listed == views, f"features.json lists {key} {listed}; the arrays are of {views}")
    for name, (values, mask) in features.named_views().items():
        for file, array, dtype, ndim in ((name, values, "float32", 3), (f"{name}{MASK}", mask, "bool", 2)):
            require(array.dtype == dtype, f"{file}.npy is {array.dtype}; expected {dtype}")
            require(array.ndim == ndim, f"{file}.npy has {array.ndim} dimensions; expected {ndim}")
            require(len(array) == n, f"{file}.npy has {len(array)} rows; index.parquet has {n}")
        shapes = f"{name}{MASK}.npy is {mask.shape}; {name}.npy is {values.shape}"
        require(mask.shape == values.shape[:2], f"{shapes}; expected the same [N, T]")
        require(_all_finite(values), f"{name}.npy holds values that are not finite")
    present = {modality: view.mask.any(axis=1) for modality, view in features.signals.items()}
    for modality, (tokens, mask) in features.tokens.items():
        width, expected = tokens.shape[2], features.signals[modality].values.shape[2]
        require(width == expected, f"{modality}{TOKENS}.npy has width {width}; {modality}.npy has {expected}")
        agree = bool((mask.any(axis=1) == present[modality]).all())
        require(agree, f"{modality} must be present exactly where it has a token")
    some = np.logical_or.reduce(list(present.values()))
    require(bool(some.all()), f"{(~some).sum()} utterances have none of {', '.join(modalities)}")


def _all_finite(array: NDArray[np.float32]) -> bool:
    """Return whether all values are finite; slabs of a memory-mapped array are released again."""
    for i in range(0, len(array), SLAB):
        if not np.isfinite(array[i : i + SLAB]).all():
            return False
        if isinstance(array, np.memmap):
            array._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]
    return True
