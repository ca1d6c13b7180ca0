"""The cells: what one training is, and the cell store, one folder a training, written whole or not at all.

    predictions.parquet     utterance_id, split, present, prediction, spread, p_<class>
    history.parquet         epoch, train_loss, dev_loss
    checkpoint.safetensors  the weights of the best epoch on dev
    cell.json               the whole recipe, versions, wall time, and `failed`: why a training that diverged has
                            no predictions and no weights, else null
    SHA256SUMS              their checksums

`present` names what the prediction was made from (missing/conditions.py): every non-empty set of modalities, as
`text+vision` or `vision`, and lost steps, as `frames@0.3`. `spread` is the standard deviation of a score where the
method gives one; `p_<class>` are the probabilities of the classes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trml.base.artifacts import damage, new_folder, read_json, write_json
from trml.base.commands import run_again
from trml.base.errors import StoreError
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
        """The readable part of the cell's folder."""
        missing = f"{self.missing or 'none'}-{self.rate:g}"
        missing += "" if self.dev_rate == self.rate else f"-dev-{self.dev_rate:g}"
        missing += "" if self.labels is None else f"-labels-{self.labels}"
        missing += f"-noise-{self.label_noise:g}" if self.label_noise else ""
        missing += "-by-label" if self.absence == "by_label" else ""
        missing += "-weighted" if self.weighted else ""
        return f"{self.method}/{self.variant}-{missing}-{self.seed}"


@dataclass(frozen=True)
class Cell:
    """A training with the digest of its recipe and its folder in the cell store."""

    spec: CellSpec
    digest: str
    folder: Path

    @property
    def name(self) -> str:
        """The cell's folder below the cell store."""
        return f"{self.spec.name}-{self.digest}"

    @property
    def is_done(self) -> bool:
        """Whether the store holds the cell."""
        return (self.folder / "cell.json").is_file()


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
        finished: The file that says that all its cells are in the store.
        cells: What is to be in the store.
        features: The feature folder.
        unfinished: Where chunks that are in training are saved.
        settings: How they are trained.
        about: What cell.json says beside the spec: configuration, corpus, features.
        threads: How many threads torch runs, as the cells' recipes say.
        device: The kind of device that it runs on, as they say: `cpu` or `cuda`.
    """

    name: str
    finished: Path
    cells: Sequence[Cell]
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
        weights: The best ones, as the bytes of a safetensors file.
        parameters: How many numbers they are.
        failed: Why the training ended early; then there are neither predictions nor weights.
    """

    predictions: Mapping[tuple[str, str], Predicted]
    history: list[dict[str, float]]
    best_epoch: int
    weights: bytes
    parameters: int
    failed: str | None = None


def write_cell(
    cell: Cell, outcome: Outcome, ids: Mapping[str, list[str]], classes: Sequence[str], about: Mapping[str, Any]
) -> None:
    """Put a finished training into the store.

    Args:
        cell: The training.
        outcome: What it left.
        ids: Split -> the utterances of its predictions, in order.
        classes: Names of the classes, empty for regression.
        about: What cell.json says beside spec and outcome.
    """
    with new_folder(cell.folder, "cell.json") as folder:
        pl.DataFrame(outcome.history).write_parquet(folder / "history.parquet")
        if outcome.failed is None:
            _predictions(outcome, ids, classes).write_parquet(folder / "predictions.parquet")
            (folder / "checkpoint.safetensors").write_bytes(outcome.weights)
        write_json(
            folder / "cell.json",
            {
                **asdict(cell.spec),
                "digest": cell.digest,
                "failed": outcome.failed,
                "best_epoch": outcome.best_epoch,
                "epochs_run": len(outcome.history),
                "parameters": outcome.parameters,
                **about,
            },
        )


def _predictions(outcome: Outcome, ids: Mapping[str, list[str]], classes: Sequence[str]) -> pl.DataFrame:
    def part(split: str, present: str, predicted: Predicted) -> pl.DataFrame:
        columns: dict[str, Any] = {"utterance_id": ids[split], "split": split, "present": present}
        columns |= {"prediction": predicted.value, "spread": predicted.spread}
        if predicted.probabilities is not None:
            columns |= {f"p_{name}": predicted.probabilities[:, i] for i, name in enumerate(classes)}
        return pl.DataFrame(columns, schema_overrides={"prediction": pl.Float32, "spread": pl.Float32})

    return pl.concat(part(*key, predicted) for key, predicted in outcome.predictions.items())


def read_cell(cell: Cell) -> tuple[dict[str, Any], pl.DataFrame | None]:
    """Return cell.json and the predictions, None where the training failed.

    Raises:
        StoreError: If the cell is absent, another's, or damaged; a damaged one is withdrawn, so that the next run
            trains it again.
    """
    fault = damage(cell.folder) if cell.is_done else None
    if fault is None:
        record = read_json(cell.folder / "cell.json")
        if record["digest"] == cell.digest:
            return record, None if record["failed"] else pl.read_parquet(cell.folder / "predictions.parquet")
        fault = f"it holds cell {record['digest']}; expected {cell.digest}"
    (cell.folder / "cell.json").unlink(missing_ok=True)
    raise StoreError(f"{cell.folder}: {fault}. Have it trained again: {run_again()}")
