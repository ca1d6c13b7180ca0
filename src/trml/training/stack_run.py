"""A chunk: cells that are trained as one stack, from their initial weights to what they leave.

No kernel's result for one cell depends on how many others there are (a test holds it), so cells that are finished
leave the stack and the others go on with the same bits. Two things make it so: MKL is told to round alike whatever
the alignment of its arguments (trml/__init__.py), and the last place of a stack is always an idle copy, because
element-wise kernels treat the last few numbers of an array apart (scalar instead of vector code, which may round
otherwise): there it touches no cell that counts. On a GPU kernels are chosen by shape, so there a stack keeps its
shape, and cells that are finished idle.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.func import vmap

from trml.features.contract import FeatureSet
from trml.methods.contract import Batch, Pass, Step
from trml.methods.losses.task import task_loss
from trml.missing.conditions import conditions
from trml.training import schedule
from trml.training.data import Data, Split, as_prediction
from trml.training.memory import Made
from trml.training.new_method import Settings, Trainable
from trml.training.optimizer import Optimizer
from trml.training.schedule import Course
from trml.training.stack import Stack


@dataclass(frozen=True)
class Outcome:
    """What training one cell leaves: predictions by (split, condition), the history, the best weights. `failed` says
    why a training ended early; then there are neither predictions nor weights."""

    predictions: dict[tuple[str, str], NDArray[np.float32]]
    history: list[dict[str, float]]
    best_epoch: int
    state: dict[str, Tensor]
    failed: str | None = None


class _Walk(NamedTuple):
    """A pass of one epoch: rows [steps, S, B], draws [steps, S, B, D], and which of the S each cell has, [C]."""

    steps: tuple[Step, ...]
    rows: Tensor
    draws: Tensor
    owner: Tensor


class Chunk:
    """Cells in training. Arrays have the cell as their first dimension, C, at least one more than there are cells.

    `shape` is C where it must not change, None where it may. `fit` can be left after any batch; what `state` gave then
    goes on, by `resume` on a new chunk of the same cells, to the same bytes.
    """

    def __init__(
        self, cells: Sequence[Any], features: FeatureSet, data: Data, settings: Settings, *, shape: int | None = None
    ) -> None:
        self.cells, self.data, self.settings, self.fixed = list(cells), data, settings, shape is not None
        self.device = data.device
        stacked = self.cells + self.cells[-1:] * ((shape or len(cells) + 1) - len(cells))
        self.stack = Stack(stacked, features, data, settings)
        self.best = self.stack.values.clone()
        self.courses = [Course(settings.epochs, settings.patience, []) for _ in cells]
        self.optimizers: dict[str, Optimizer] = {}
        self.epoch, self.batches_done = 0, 0
        self.total = torch.zeros(len(stacked), device=self.device, dtype=torch.float64)
        self._protocols(stacked)

    def _protocols(self, stacked: Sequence[Trainable]) -> None:
        """What follows from the cells alone."""
        settings = self.settings
        self.seeds = [cell.seed for cell in stacked]
        rates = [cell.options.get("learning_rate", settings.learning_rate) for cell in stacked]
        self.rates = torch.tensor(rates, device=self.device, dtype=self.data.dtype) / settings.learning_rate
        self.present = {
            name: self._stacked(
                [self.data.splits[name].masked(settings.corpus, c.victim, rate, c.seed) for c, rate in at]
            )
            for name, at in (
                ("train", [(c, c.rate) for c in stacked]),
                ("valid", [(c, c.dev_rate) for c in stacked]),
            )
        }

    def _stacked(self, arrays: Sequence[NDArray[np.bool_]]) -> Tensor:
        return torch.from_numpy(np.stack(arrays)).to(self.device)

    # --- training ----------------------------------------------------------------------------------------

    def fit(self, pause: Callable[[], None]) -> Iterator[tuple[Any, Outcome]]:
        """Train to the end, and give out each cell when it leaves. `pause` is called after each batch; it may raise."""
        while self.cells:
            if not all(course.finished for course in self.courses):
                self._train_epoch(pause)
                self._end_epoch(pause)
            yield from self._leave()

    def bytes_a_cell(self) -> int:
        """About how much memory one cell of this structure takes in training: its weights in six arrays (value,
        gradient, two moments, the best, a copy) and all that the losses of a batch make on the way."""
        made = Made()
        for which, each in enumerate(self.stack.module.passes(self.settings.epochs - 1)):
            walk = self._walk(which, each)
            for step in each.steps if len(walk.rows) else ():
                batch = self._batch(
                    self.data.splits["train"], walk.rows[0], self.present["train"], walk.draws[0], walk.owner
                )
                with made:
                    self.stack.losses(step.loss, batch)
        return (6 * self.best.nbytes + sum(made.storages.values())) // len(self.seeds)

    def _train_epoch(self, pause: Callable[[], None]) -> None:
        walks = [self._walk(which, each) for which, each in enumerate(self.stack.module.passes(self.epoch))]
        batches = [(walk, i) for walk in walks for i in range(len(walk.rows))]
        train, settings = self.data.splits["train"], self.settings
        for done, (walk, i) in enumerate(batches):
            if done < self.batches_done:
                continue
            rate = schedule.learning_rate(settings.learning_rate, self.epoch, done, len(batches), settings.epochs)
            batch = self._batch(train, walk.rows[i], self.present["train"], walk.draws[i], walk.owner)
            for step in walk.steps:
                losses = self.stack.losses(step.loss, batch)
                self._optimizer(step).step(self.stack, losses, rate)
                self.total += losses.detach() / (len(batches) * len(walk.steps))
            self.batches_done = done + 1
            pause()

    def _walk(self, which: int, each: Pass) -> _Walk:
        """A pass as the arrays it goes through. Where all rows are walked over, cells of one seed share theirs."""
        key = self.settings.experiment_seed, self.epoch, which
        owners = self.seeds if each.rows == "all" else list(range(len(self.seeds)))
        places = list(dict.fromkeys(owners))
        rows, draws = [], []
        for place in (owners.index(owner) for owner in places):
            usable = schedule.usable(each.rows, self.present["train"][place].cpu().numpy())
            rows.append(schedule.batch_rows(*key, self.seeds[place], usable, self.settings.batch_size))
            draws.append(schedule.draws(*key, self.seeds[place], (*rows[-1].shape, self.stack.module.draws)))
        return _Walk(
            each.steps,
            torch.from_numpy(np.stack(rows, axis=1)).to(self.device),
            torch.from_numpy(np.stack(draws, axis=1)).to(self.device),
            torch.tensor([places.index(owner) for owner in owners], device=self.device),
        )

    def _batch(self, split: Split, rows: Tensor, present: Tensor, draws: Tensor, owner: Tensor) -> Batch:
        """The batch of rows [S, B] for every cell, under presence [C, N, 2] or [C, N, 1 + T]."""
        here = present.gather(1, rows[owner].unsqueeze(-1).expand(-1, -1, present.shape[-1]))
        return self.data.batch(split, rows, here, draws, owner, tokens=self.stack.module.needs_tokens)

    def _optimizer(self, step: Step) -> Optimizer:
        """The optimizer of all steps that move the same parameters; made when first needed."""
        name = json.dumps(step.moves)
        if name not in self.optimizers:
            settings = self.settings
            self.optimizers[name] = Optimizer(
                step,
                self.stack,
                self.rates,
                weight_decay=settings.weight_decay,
                clip_norm=settings.clip_norm,
            )
        return self.optimizers[name]

    def _end_epoch(self, pause: Callable[[], None]) -> None:
        """Dev loss of every cell under its own protocol; keep the weights of those that are at their best."""
        dev = self.data.splits["valid"]
        outputs = self._predict(self.stack.values, dev, self.present["valid"], pause)
        everyone = torch.ones(dev.n, device=self.device, dtype=outputs.dtype)
        losses = vmap(task_loss, in_dims=(0, None, None))(outputs, dev.label, everyone)
        both = torch.stack([self.total, losses.double()]).tolist()
        better = [
            i
            for i, (course, *of_cell) in enumerate(zip(self.courses, *both, strict=False))
            if not course.finished and course.update(*of_cell)
        ]
        self.best[better] = self.stack.values[better]
        self.epoch, self.batches_done = self.epoch + 1, 0
        self.total.zero_()

    @torch.no_grad()
    def _predict(
        self, values: Tensor, split: Split, present: Tensor, pause: Callable[[], None] = lambda: None
    ) -> Tensor:
        """Outputs [C, N, outputs] under presence [C, N, 2] or [C, N, 1 + T]."""
        parts = []
        owner = torch.zeros(len(self.seeds), dtype=torch.int64, device=self.device)
        for rows in torch.arange(split.n, device=self.device).split(self.settings.batch_size):
            draws = torch.zeros(1, len(rows), self.stack.module.draws, device=self.device)
            batch = self._batch(split, rows.unsqueeze(0), present, draws, owner)
            parts.append(self.stack.outputs(values, batch))
            pause()
        return torch.cat(parts, dim=1)

    # --- leaving -----------------------------------------------------------------------------------------

    def _leave(self) -> Iterator[tuple[Any, Outcome]]:
        """Give out the finished cells and go on with the others: when all are finished, or when the stack without them
        would take at most three quarters of the time and may change its shape."""
        finished = [course.finished for course in self.courses]
        stay = [i for i, is_finished in enumerate(finished) if not is_finished]
        if stay and (self.fixed or len(stay) + 1 > 0.75 * len(self.seeds)):
            return
        predictions = self._final()
        for i, cell in enumerate(self.cells):
            if finished[i]:
                yield cell, self._outcome(i, predictions)
        self.keep(stay)

    def _final(self) -> dict[tuple[str, str], NDArray[np.float32]]:
        """Predictions [C, N] of the best weights by split and condition, those that any of the cells has."""
        found = {}
        for split, condition in dict.fromkeys(key for cell in self.cells for key in conditions(cell)):
            data = self.data.splits[split]
            present = [data.under(condition, self.settings.corpus, seed) for seed in self.seeds]
            found[split, condition] = as_prediction(self._predict(self.best, data, self._stacked(present)))
        return found

    def _outcome(self, i: int, predictions: dict[tuple[str, str], NDArray[np.float32]]) -> Outcome:
        course = self.courses[i]
        if course.failed:
            return Outcome({}, course.history, -1, {}, course.failed)
        return Outcome(
            {key: predictions[key][i] for key in conditions(self.cells[i])},
            course.history,
            course.best_epoch,
            {
                n: value[i].cpu().contiguous()
                for n, value in {**self.stack.views(self.best), **self.stack.buffers}.items()
            },
        )

    def keep(self, places: Sequence[int]) -> None:
        """Go on with these cells alone; in a chunk of fixed shape the others idle."""
        if not places:
            self.cells = []
            return
        idle = len(self.seeds) - len(places) if self.fixed else 1
        members = torch.tensor([*places, *[len(self.seeds) - 1] * idle], device=self.device)
        self.cells = [self.cells[i] for i in places]
        self.courses = [self.courses[i] for i in places]
        self.stack.keep(members)
        self.best = self.best[members]
        for optimizer in self.optimizers.values():
            optimizer.keep(members)
        self.total = self.total[members]
        self._protocols(self.cells + self.cells[-1:] * idle)

    # --- state -------------------------------------------------------------------------------------------

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """All that has changed since the start: tensors by name, and the rest as JSON."""
        tensors = {"values": self.stack.values, "best": self.best, "total": self.total}
        optimizers = {}
        for moves, optimizer in self.optimizers.items():
            arrays, optimizers[moves] = optimizer.state()
            tensors |= {f"{moves}/{name}": value for name, value in arrays.items()}
        return tensors, {
            "epoch": self.epoch,
            "batches_done": self.batches_done,
            "courses": [asdict(course) for course in self.courses],
            "optimizers": optimizers,
        }

    def resume(self, tensors: dict[str, Tensor], rest: dict[str, Any], places: Sequence[int]) -> None:
        """Go on from what `state` gave on a chunk that had this one's cells at these places."""
        members = [*places, *[-1] * (len(self.seeds) - len(places))]
        own = {name: value[members].to(self.device) for name, value in tensors.items()}
        self.stack.set(own["values"])
        self.best, self.total = own["best"], own["total"]
        self.epoch, self.batches_done = rest["epoch"], rest["batches_done"]
        self.courses = [Course(**rest["courses"][i]) for i in places]
        for moves, state in rest["optimizers"].items():
            step = Step(moves=tuple((prefix, factor) for prefix, factor in json.loads(moves)))
            self._optimizer(step).load({n: own[f"{moves}/{n}"] for n in ("mean", "square")}, state)
