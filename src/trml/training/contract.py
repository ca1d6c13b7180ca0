"""The cells: what one training is, and what it leaves. The store that keeps that is training/store.py."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trml.missing.pattern import Absence

# The options that the trainer reads, which every method has: instead of training.learning_rate, and at most
# training.epochs. Option -> its type.
OF_TRAINER = {"learning_rate": "Positive", "epochs": "Count"}


class Training(NamedTuple):
    """A training that an experiment asks for. Several may be the same cell."""

    method: str
    variant: str
    victim: str
    rate: float
    dev_rate: float
    seed: int


@dataclass(frozen=True)
class CellSpec:
    """One training, worked out.

    Attributes:
        method: Name of the method in the configuration.
        variant: `default`, a named variant, or `option=value` of a sweep.
        target: The method's class, as a dotted path.
        options: Every option's value.
        missing: The missing pattern in training, None where nothing is missing and the method does not care.
        rate: Its rate in the training split.
        dev_rate: Its rate in the dev split.
        seed: Of masks, initial weights and batch orders, and of the training set where a corpus has several.
        labels: How many training utterances keep their labels, None for all.
        label_noise: The share of these whose labels change places among each other.
        absence: What decides which utterances of train and dev lack something.
        weighted: Whether training utterances are weighted by what they lack given their labels.
    """

    method: str
    variant: str
    target: str
    options: Mapping[str, Any]
    missing: str | None
    rate: float
    dev_rate: float
    seed: int
    labels: int | None = None
    label_noise: float = 0.0
    absence: Absence = "by_chance"
    weighted: bool = False

    @property
    def name(self) -> str:
        """What was trained, in words."""
        missing = f"{self.missing or 'none'}-{self.rate:g}"
        missing += "" if self.dev_rate == self.rate else f"-dev-{self.dev_rate:g}"
        missing += "" if self.labels is None else f"-labels-{self.labels}"
        missing += f"-noise-{self.label_noise:g}" if self.label_noise else ""
        missing += "-by-label" if self.absence == "by_label" else ""
        missing += "-weighted" if self.weighted else ""
        return f"{self.method}/{self.variant}-{missing}-{self.seed}"


@dataclass(frozen=True)
class Cell:
    """A training with the digest of its recipe and the folder of its store."""

    spec: CellSpec
    digest: str
    store: Path

    @property
    def name(self) -> str:
        """What was trained, in words, and the digest."""
        return f"{self.spec.name}-{self.digest}"


@dataclass(frozen=True)
class Settings:
    """How cells are trained, and the experiment they belong to.

    chunk: cells trained as one stack, at most; None leaves it to memory and device.
    """

    experiment_seed: int
    corpus: str
    epochs: int
    patience: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    clip_norm: float
    chunk: int | None

    def of(self, spec: CellSpec) -> "Settings":
        """Return the settings of a cell, whose options may say that it is trained for fewer epochs."""
        return replace(self, epochs=min(self.epochs, spec.options.get("epochs", self.epochs)))


@dataclass(frozen=True)
class BlockJob:
    """The cells that one process trains.

    Attributes:
        name: The block's name.
        finished: The files that say that all its cells are in the store, and that the weights of `restored` are.
        cells: What is to be in the store.
        restored: The digests of those whose weights a later stage reads.
        features: The feature folder.
        unfinished: Where chunks that are in training are saved.
        settings: How they are trained.
        about: What records.json says beside the spec: configuration, corpus, features.
        threads: How many threads torch runs, as the cells' recipes say.
        device: The kind of device that it runs on, as they say: `cpu` or `cuda`.
    """

    name: str
    finished: Sequence[Path]
    cells: Sequence[Cell]
    restored: Collection[str]
    features: Path
    unfinished: Path
    settings: Settings
    about: Mapping[str, Any]
    threads: int
    device: str


@dataclass(frozen=True)
class Pairs:
    """What one cell makes up for its victim: virtual and real vectors [N, h] of the same utterances, in order."""

    victim: str
    seed: int
    virtual: NDArray[np.float32]
    real: NDArray[np.float32]


class Trial(NamedTuple):
    """A trial of the search on dev: the options that it moves, and its trainings."""

    options: Mapping[str, Any]
    cells: Sequence[Cell]


class Predicted(NamedTuple):
    """Predictions of a split from what is present.

    Attributes:
        value: Scores or class numbers, [N].
        spread: Standard deviations of the scores, [N]; None for methods that give none.
        probabilities: Of the classes, [N, K]; None for regression.
    """

    value: NDArray[np.float32]
    spread: NDArray[np.float32] | None = None
    probabilities: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Outcome:
    """What training one cell leaves.

    Attributes:
        predictions: By (split, present).
        history: Epoch by epoch.
        best_epoch: On dev.
        weights: The best ones, by name.
        parameters: How many numbers they are.
        failed: Why the training ended early; then there are neither predictions nor weights.
    """

    predictions: Mapping[tuple[str, str], Predicted]
    history: list[dict[str, float]]
    best_epoch: int
    weights: Mapping[str, NDArray[Any]]
    parameters: int
    failed: str | None = None
