"""A cell's module before training: its initial weights, and what it takes from the training split."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trml.base.errors import ConfigError
from trml.methods.contract import Labelled, Method, Shape
from trml.missing.pattern import Missing
from trml.missing.registry import missing_pattern
from trml.seeding import stream_seed
from trml.training.contract import OF_TRAINER, Cell, CellSpec, Settings
from trml.training.data import Data, on_device
from trml.training.draws import draws_of_split
from trml.training.schedule import Course, losses_so_far, usable


def method_class(target: str) -> type[Method]:
    """Return the class that a dotted path names, inside the package or outside."""
    module, _, name = target.rpartition(".")
    return getattr(import_module(module), name)


def pattern_of(spec: CellSpec, data: Data) -> Missing | None:
    """Return the missing pattern of a cell, None where nothing is missing."""
    return None if spec.missing is None else missing_pattern(spec.missing, data.modalities)


def shape_of(spec: CellSpec, data: Data) -> Shape:
    """Return the sizes that a cell's module is built for.

    Raises:
        ConfigError: If the method is not defined for so many modalities.
    """
    method = method_class(spec.target)
    shape = data.shape(method.views, pattern_of(spec, data) if method.shaped_by_missing else None)
    if method.modalities not in (None, len(shape.modalities)):
        raise ConfigError(
            f"method {spec.method}: {spec.target} is defined for {method.modalities} modalities; the features have "
            f"{', '.join(shape.modalities)}. Remove the method from `methods`"
        )
    return shape


def shaping_options(spec: CellSpec) -> dict[str, Any]:
    """Return the options that all cells of a stack share: neither tensors nor the trainer's."""
    tensors = method_class(spec.target).tensors
    return {name: value for name, value in spec.options.items() if name not in (*tensors, *OF_TRAINER)}


def new_method(cell: Cell, data: Data, settings: Settings) -> Method:
    """Return a cell's module before training.

    Its initial weights depend on the seeds alone; what `prepare` sets follows from the complete utterances of its
    training split. It lies on the CPU.
    """
    spec = cell.spec
    seed = stream_seed(settings.experiment_seed, "init", spec.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        method = method_class(spec.target)(shape_of(spec, data), **shaping_options(spec)).to(data.dtype)
    if type(method).prepare is not Method.prepare:
        method.prepare(_complete(cell, data, settings), seed)
    return method


def _complete(cell: Cell, data: Data, settings: Settings) -> Labelled:
    """Return the complete training utterances of a cell as one batch."""
    spec, train, settings = cell.spec, data.splits["train"], settings.of(cell.spec)
    method = method_class(spec.target)
    masked = train.masked(settings.corpus, pattern_of(spec, data), spec.rate, spec.seed, spec.absence)
    complete = np.flatnonzero(usable("complete", train.of_draw(spec.seed), masked))
    rows = torch.from_numpy(complete).to(data.device)
    present = on_device({modality: mask[complete] for modality, mask in masked.items()}, data.device)
    wanted = method.draws(shape_of(spec, data), shaping_options(spec))
    drawn: Mapping[str, Tensor] = {
        name: torch.from_numpy(numbers[complete] if wanted[name].varies == "row" else numbers).to(data.device)
        for name, numbers in draws_of_split(wanted, settings.experiment_seed, "train", train.n, cell).items()
    }
    signals = data.signals(method.views, train, rows, present)
    none_yet = losses_so_far([Course(settings.epochs, settings.patience, [])], data.dtype)[0].to(data.device)
    labels = train.given_labels(settings.corpus, spec.labels, spec.label_noise, spec.seed)[rows]
    weights = torch.ones(len(rows), device=data.device, dtype=data.dtype)
    return Labelled(signals, dict(drawn), labels, weights, none_yet)
