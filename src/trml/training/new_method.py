"""TODO docstring."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

import numpy as np
import torch

from trml.config.params import Params
from trml.features.contract import FeatureSet
from trml.methods.config import OF_TRAINER
from trml.methods.contract import Method, Shape
from trml.seeding import stream_seed
from trml.training import schedule
from trml.training.data import Data


def data_shape(features: FeatureSet, victim: str | None) -> Shape:
    """The sizes a method is built for."""
    outputs = 1 if features.info.task == "regression" else len(features.info.classes)
    tokens = 1 if features.tokens is None else features.tokens.shape[1]
    return Shape(features.text.shape[1], features.frames.shape[2], outputs, victim, tokens, features.frames.shape[1])


class Trainable(Protocol):
    """What the trainer needs to know of a cell. Cells of one digest are the same training."""

    @property
    def digest(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def options(self) -> dict[str, Any]: ...
    @property
    def victim(self) -> str | None: ...
    @property
    def rate(self) -> float: ...
    @property
    def dev_rate(self) -> float: ...
    @property
    def seed(self) -> int: ...


@dataclass(frozen=True)
class Settings:
    """The training part of the configuration, and the experiment it belongs to."""

    experiment_seed: int
    corpus: str
    epochs: int
    patience: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    clip_norm: float
    chunk: int | None  # cells trained as one stack, at most; None leaves it to memory and device

    @classmethod
    def of(cls, params: Params) -> "Settings":
        """The settings of a configuration."""
        training = params.training
        return cls(
            experiment_seed=params.seed,
            corpus=params.corpus.name,
            epochs=training.epochs,
            patience=training.patience,
            batch_size=training.batch_size,
            learning_rate=training.learning_rate,
            weight_decay=training.weight_decay,
            clip_norm=training.clip_norm,
            chunk=None if training.chunk == "auto" else training.chunk,
        )


def method_class(target: str) -> type[Method]:
    """The class that a dotted path names, inside the package or outside."""
    module, _, name = target.rpartition(".")
    return getattr(import_module(module), name)


def victim_of_shape(cell: Trainable) -> str | None:
    """The victim, for methods whose module differs by it."""
    if not method_class(cell.target).shaped_by_victim:
        return None
    return "vision" if cell.victim == "frames" else cell.victim


def new_method(cell: Trainable, features: FeatureSet, data: Data, settings: Settings) -> Method:
    """A cell's module before training: its initial weights, which depend on the seeds alone, and what it takes from the
    complete utterances of its training split."""
    options = {name: value for name, value in cell.options.items() if name not in OF_TRAINER}
    seed = stream_seed(settings.experiment_seed, "init", cell.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        method = method_class(cell.target)(data_shape(features, victim_of_shape(cell)), **options).to(data.dtype)
    if type(method).prepare is not Method.prepare:
        train = data.splits["train"]
        present = train.masked(settings.corpus, cell.victim, cell.rate, cell.seed)
        rows = torch.from_numpy(np.flatnonzero(schedule.usable("complete", present)))
        here, no_draws = torch.from_numpy(present)[rows], torch.zeros(len(rows), method.draws)
        method.prepare(data.batch(train, *(x.to(data.device) for x in (rows, here, no_draws))), seed)
    return method
