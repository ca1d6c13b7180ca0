"""Trains many cells as one program: their modules stacked, their losses under torch.vmap, one backward pass.

Every chunk has the same shape, `chunk` cells and one idle one; where there are fewer, more idle copies of the last
fill it. So no kernel changes with the company a cell keeps, and a cell's numbers are the same bytes alone or in any
block. The idle one is at the end because element-wise kernels treat the last few numbers of an array apart (scalar
instead of vector code, which may round tanh or exp otherwise): there it touches no cell that counts.
"""

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.func import functional_call, stack_module_state, vmap

from trml.config import Params
from trml.features import FeatureSet
from trml.methods.base import Batch, Method, Shape
from trml.missingness import PATTERNS, pattern_victim, presence
from trml.objectives.task import task_loss
from trml.seeding import stream_seed
from trml.training import schedule
from trml.training.data import SplitData, as_prediction, data_shape, gather, load_split


class Trainable(Protocol):
    """What the trainer needs to know of a cell."""

    @property
    def target(self) -> str: ...
    @property
    def options(self) -> dict[str, Any]: ...
    @property
    def victim(self) -> str | None: ...
    @property
    def rate(self) -> float: ...
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
    chunk: int

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
            chunk=training.chunk,
        )


@dataclass(frozen=True)
class Outcome:
    """What training one cell leaves: predictions by (split, pattern), the history, the best weights."""

    predictions: dict[tuple[str, str], NDArray[np.float32]]
    history: list[dict[str, float]]
    best_epoch: int
    state: dict[str, Tensor]


def method_class(target: str) -> type[Method]:
    """The class that a dotted path names, inside the package or outside."""
    module, _, name = target.rpartition(".")
    return getattr(import_module(module), name)


def new_method(cell: Trainable, shape: Shape, settings: Settings, dtype: torch.dtype) -> Method:
    """A cell's module with its initial weights, which depend on the seeds alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(settings.experiment_seed, "init", cell.seed))
        return method_class(cell.target)(shape, **cell.options).to(dtype)


def patterns(victim: str | None) -> list[str]:
    """The evaluation conditions of a cell: complete, and the loss of what may be missing."""
    return [p for p in PATTERNS if p == "complete" or victim in (None, pattern_victim(p))]


def train(
    cells: list[Any],
    features: FeatureSet,
    settings: Settings,
    device: torch.device,
    done: Callable[[Any, Outcome], None],
    *,
    dtype: torch.dtype = torch.float32,
    fill: float = 0.0,
    said: Callable[[Iterable[Any], int], Iterable[Any]] = lambda chunks, n: chunks,
) -> None:
    """Train the cells, chunk after chunk, and call `done(cell, outcome)` for each as its chunk ends.

    `fill` stands in place of every masked value (NaN in tests). `said` wraps the chunks to show progress.
    """
    splits = {split: load_split(features, split, device, dtype) for split in ("train", "valid", "test")}
    groups: dict[str, list[Any]] = {}
    for cell in cells:
        groups.setdefault(_structure(cell), []).append(cell)
    size = settings.chunk
    chunks = [group[i : i + size] for group in groups.values() for i in range(0, len(group), size)]
    for part in said(chunks, len(chunks)):
        padded = part + [part[-1]] * (size + 1 - len(part))
        chunk = _Chunk(padded, features, splits, settings, device, dtype, fill)
        chunk.fit()
        for i, cell in enumerate(part):
            done(cell, chunk.outcome(i))


def _victim_of_shape(cell: Trainable) -> str | None:
    return cell.victim if method_class(cell.target).shaped_by_victim else None


def _structure(cell: Trainable) -> str:
    """Cells that may share a stack have the same: their class, and all options but those that are tensors."""
    tensors = method_class(cell.target).tensors
    options = sorted((k, v) for k, v in cell.options.items() if k not in tensors)
    return repr((cell.target, options, _victim_of_shape(cell)))


class _Chunk:
    """A stack of cells in training. Arrays have the cell as their first dimension, C."""

    def __init__(
        self,
        cells: list[Any],
        features: FeatureSet,
        splits: dict[str, SplitData],
        settings: Settings,
        device: torch.device,
        dtype: torch.dtype,
        fill: float,
    ) -> None:
        self.cells, self.splits, self.settings, self.device, self.fill = cells, splits, settings, device, fill
        modules = [
            new_method(cell, data_shape(features, _victim_of_shape(cell)), settings, dtype).to(device) for cell in cells
        ]
        self.parameters, self.buffers = stack_module_state(modules)
        self.module = copy.deepcopy(modules[0]).to("meta")
        self.options = {
            name: torch.tensor([cell.options[name] for cell in cells], dtype=dtype, device=device)
            for name in modules[0].tensors
        }
        self.present = {
            split: torch.from_numpy(
                np.stack([data.masked(settings.corpus, c.victim, c.rate, c.seed) for c in cells])
            ).to(device)
            for split, data in splits.items()
        }
        self.best = {name: value.detach().clone() for name, value in self.parameters.items()}
        self.stopping = [schedule.EarlyStopping(settings.patience) for _ in cells]
        self.history: list[list[dict[str, float]]] = [[] for _ in cells]

    def fit(self) -> None:
        settings, train = self.settings, self.splits["train"]
        steps = train.n // min(settings.batch_size, train.n)
        optimizer = torch.optim.AdamW(self.parameters.values(), lr=0.0, weight_decay=settings.weight_decay, fused=True)
        for epoch in range(settings.epochs):
            rows, draws = self._epoch_inputs(epoch, steps)
            total = torch.zeros(len(self.cells), device=self.device, dtype=torch.float64)
            for step in range(steps):
                rate = schedule.learning_rate(settings.learning_rate, epoch * steps + step, steps, settings.epochs)
                total += self._step(optimizer, rate, rows[step], draws[step])
            self._end_epoch(epoch, total / steps)
            if all(stopping.finished for stopping in self.stopping):
                break

    def _epoch_inputs(self, epoch: int, steps: int) -> tuple[Tensor, Tensor]:
        """Rows [steps, C, B] and draws [steps, C, B, 2]; cells of one seed get the same."""
        settings, n = self.settings, self.splits["train"].n
        seeds = sorted({cell.seed for cell in self.cells})
        rows = {s: schedule.batch_rows(settings.experiment_seed, s, epoch, n, settings.batch_size) for s in seeds}
        draws = {s: schedule.draws(settings.experiment_seed, s, epoch, *rows[s].shape) for s in seeds}
        of_cells = [cell.seed for cell in self.cells]
        return (
            torch.from_numpy(np.stack([rows[s] for s in of_cells], axis=1)).to(self.device),
            torch.from_numpy(np.stack([draws[s] for s in of_cells], axis=1)).to(self.device),
        )

    def _step(self, optimizer: torch.optim.Optimizer, rate: float, rows: Tensor, draws: Tensor) -> Tensor:
        """One step of every cell; their losses [C]."""
        present = self.present["train"].gather(1, rows.unsqueeze(-1).expand(-1, -1, 2))
        batch = gather(self.splits["train"], rows, present, draws, self.fill)
        losses = vmap(self._loss)(self.parameters, self.buffers, batch, self.options)
        optimizer.zero_grad()
        losses.sum().backward()  # the cells share no parameter, so each gets the gradient of its own loss
        self._clip_gradients()
        optimizer.param_groups[0]["lr"] = rate
        optimizer.step()
        return losses.detach()

    def _loss(
        self, parameters: dict[str, Tensor], buffers: dict[str, Tensor], batch: Batch, options: dict[str, Tensor]
    ) -> Tensor:
        return functional_call(_Loss(self.module), _prefixed(parameters, buffers), (batch, options))

    def _forward(self, parameters: dict[str, Tensor], buffers: dict[str, Tensor], batch: Batch) -> Tensor:
        return functional_call(self.module, {**parameters, **buffers}, (batch,))

    def _clip_gradients(self) -> None:
        """Scale each cell's gradient to at most `clip_norm`."""
        gradients = [p.grad for p in self.parameters.values() if p.grad is not None]
        squares = torch.stack([g.flatten(1).square().sum(dim=1) for g in gradients]).sum(dim=0)
        scale = (self.settings.clip_norm / (squares.sqrt() + 1e-6)).clamp(max=1.0)
        for g in gradients:
            g.mul_(scale.view(-1, *[1] * (g.ndim - 1)))

    def _end_epoch(self, epoch: int, train_loss: Tensor) -> None:
        """Dev loss of every cell under its own protocol; keep the weights of those that are at their best."""
        dev = self.splits["valid"]
        outputs = self._predict(self.parameters, dev, self.present["valid"])
        everyone = torch.ones(dev.n, device=self.device, dtype=outputs.dtype)
        losses = vmap(task_loss, in_dims=(0, None, None))(outputs, dev.label, everyone)
        for i, (dev_loss, loss) in enumerate(zip(losses.tolist(), train_loss.tolist(), strict=True)):
            if self.stopping[i].finished:
                continue
            self.history[i].append({"epoch": epoch, "train_loss": loss, "dev_loss": dev_loss})
            if self.stopping[i].update(dev_loss):
                for name, value in self.parameters.items():
                    self.best[name][i] = value.detach()[i]

    @torch.no_grad()
    def _predict(self, parameters: dict[str, Tensor], split: SplitData, present: Tensor) -> Tensor:
        """Outputs [C, N, outputs] under presence [C, N, 2]."""
        parts = []
        for rows in torch.arange(split.n, device=self.device).split(self.settings.batch_size):
            here = present[:, rows]
            batch = gather(
                split,
                rows.expand(len(self.cells), -1),
                here,
                torch.zeros_like(here, dtype=split.text.dtype),
                self.fill,
            )
            parts.append(vmap(self._forward)(parameters, self.buffers, batch))
        return torch.cat(parts, dim=1)

    def outcome(self, i: int) -> Outcome:
        """What cell i leaves."""
        return Outcome(
            {key: values[i] for key, values in self._final.items() if key[1] in patterns(self.cells[i].victim)},
            self.history[i],
            self.stopping[i].best_epoch,
            {name: value[i].cpu().contiguous() for name, value in self.best.items()},
        )

    @cached_property
    def _final(self) -> dict[tuple[str, str], NDArray[np.float32]]:
        """Predictions [C, N] of the best weights by split and pattern."""
        return {
            (name, pattern): as_prediction(self._predict(self.best, split, self._pattern(split, pattern)))
            for name, split in self.splits.items()
            if name != "train"
            for pattern in PATTERNS
        }

    def _pattern(self, split: SplitData, pattern: str) -> Tensor:
        victim = pattern_victim(pattern)
        lost = np.full(split.n, victim is not None)
        return torch.from_numpy(presence(split.real, victim, lost)).to(self.device).expand(len(self.cells), -1, -1)


class _Loss(torch.nn.Module):
    """Lets functional_call reach a method's `loss`."""

    def __init__(self, method: Method) -> None:
        super().__init__()
        self.method = method

    def forward(self, batch: Batch, options: dict[str, Tensor]) -> Tensor:
        return self.method.loss(batch, options)


def _prefixed(*states: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"method.{name}": value for state in states for name, value in state.items()}
