"""A stack's run: cells that are trained as one, from their initial weights to what they leave.

No kernel's result for one cell depends on how many others there are (a test holds it), so cells that are finished
leave the stack and the others go on with the same bits. Two things make it so: MKL is told to round alike whatever
the alignment of its arguments (trml/__init__.py), and the last place of a stack is always an idle copy, because
element-wise kernels treat the last few numbers of an array apart (scalar instead of vector code, which may round
otherwise): there it touches no cell that counts. On a GPU kernels are chosen by shape, so there a stack keeps its
shape, and cells that are finished idle.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor
from torch.func import vmap

from trml.methods.contract import Labelled, Step
from trml.methods.losses.task import task_loss
from trml.training import schedule
from trml.training.contract import Cell, Outcome, Predicted, Settings
from trml.training.data import Data
from trml.training.optimizer import Optimizer
from trml.training.predict import final_predictions, outputs_of, words
from trml.training.schedule import Course
from trml.training.stack import Stack
from trml.training.walk import OwnedDraws, Walk, draws_at_evaluation, labels_of, presence_of, walk, weights_of


class StackRun:
    """Cells in training. Arrays have the cell as their first dimension, C, at least one more than there are cells.

    `train` can be left after any batch. What resume.py saved then goes on, on a new run of the same cells, to the same
    bytes.
    """

    def __init__(self, cells: Sequence[Cell], data: Data, settings: Settings, *, shape: int | None = None) -> None:
        """Start from the initial weights; `shape` is C where it must not change, None where it may."""
        settings = settings.of(cells[0].spec)  # the same number of epochs for all
        self.cells, self.data, self.settings, self.fixed = list(cells), data, settings, shape is not None
        self.device = data.device
        self.stacked = self.cells + self.cells[-1:] * ((shape or len(cells) + 1) - len(cells))
        self.stack = Stack(self.stacked, data, settings)
        self.best = self.stack.values.clone()
        self.courses = [Course(settings.epochs, settings.patience, []) for _ in cells]
        self.optimizers: dict[str, Optimizer] = {}
        self.epoch, self.batches_done = 0, 0
        self.total = torch.zeros(len(self.stacked), device=self.device, dtype=torch.float64)
        self._follow_cells()

    def train(self, pause: Callable[[], None]) -> Iterator[list[tuple[Cell, Outcome]]]:
        """Train to the end; yield the cells that leave together. `pause` is called after each batch, and may raise."""
        while self.cells:
            if not all(course.finished for course in self.courses):
                self._train_epoch(pause)
                self._end_epoch(pause)
            yield from self._leave()

    def walks(self, epoch: int) -> list[Walk]:
        """Return the passes of an epoch."""
        passes = self.stack.module.passes(epoch, self.stack.shared)
        train = self.data.splits["train"]
        lengths = self.data.lengths(self.stack.module.views, train)
        key = self.stacked, train, lengths, self.present["train"], self.stack.draws, self.settings
        return [walk(each, which, epoch, *key) for which, each in enumerate(passes)]

    def batch(self, of_pass: Walk, i: int, losses: Tensor) -> Labelled:
        """Return batch i of a pass for every cell; `losses` [C, epochs, 2] are those of the epochs before."""
        rows, train = of_pass.rows[i], self.data.splits["train"]
        of_cell = rows[of_pass.owner].unsqueeze(-1)
        here = {
            modality: mask.gather(1, of_cell.expand(-1, -1, mask.shape[-1]))
            for modality, mask in self.present["train"].items()
        }
        signals = self.data.signals(
            self.stack.module.views, train, rows, here, of_pass.owner, lengths=of_pass.lengths[i]
        )
        labels, weights = (each.gather(1, of_cell.squeeze(-1)) for each in (self.labels, self.weights["train"]))
        return Labelled(signals, of_pass.draws_of(i), labels, weights, losses)

    def losses_so_far(self) -> Tensor:
        """Return the train and dev losses of the epochs that ended, [C, epochs, 2]."""
        courses = self.courses + self.courses[-1:] * (len(self.stacked) - len(self.cells))
        return schedule.losses_so_far(courses, self.data.dtype).to(self.device)

    def optimizer(self, step: Step) -> Optimizer:
        """Return the optimizer of all steps that move the same parameters; it is made when first needed."""
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

    def keep(self, places: Sequence[int]) -> None:
        """Go on with these cells alone; in a run of fixed shape the others idle."""
        if not places:
            self.cells = []
            return
        idle = len(self.stacked) - len(places) if self.fixed else 1
        members = torch.tensor([*places, *[len(self.stacked) - 1] * idle], device=self.device)
        self.cells = [self.cells[i] for i in places]
        self.courses = [self.courses[i] for i in places]
        self.stack.keep(members)
        self.best = self.best[members]
        for optimizer in self.optimizers.values():
            optimizer.keep(members)
        self.total = self.total[members]
        self.stacked = self.cells + self.cells[-1:] * idle
        self._follow_cells()

    def _follow_cells(self) -> None:
        """Work out what follows from the cells alone."""
        base = self.settings.learning_rate
        rates = [cell.spec.options.get("learning_rate", base) for cell in self.stacked]
        self.rates = torch.tensor(rates, device=self.device, dtype=self.data.dtype) / base
        self.present = presence_of(self.stacked, self.data, self.settings)
        self.labels = labels_of(self.stacked, self.data, self.settings)
        self.weights = {
            name: weights_of(self.stacked, self.data.splits[name], present, self.data.dtype)
            for name, present in self.present.items()
        }
        self.dev_draws: Mapping[str, OwnedDraws] = draws_at_evaluation(
            self.stack.draws, self.data.splits["valid"], self.stacked, self.settings
        )

    def _train_epoch(self, pause: Callable[[], None]) -> None:
        settings = self.settings
        batches = [(each, i) for each in self.walks(self.epoch) for i in range(len(each.rows))]
        if self.batches_done == 0:
            self.stack.copy_parameters(self.stack.module.between(self.epoch, self.stack.shared))
        so_far = self.losses_so_far()
        for done, (each, i) in enumerate(batches):
            if done < self.batches_done:
                continue
            rate = schedule.learning_rate(settings.learning_rate, self.epoch, done, len(batches), settings.epochs)
            batch = self.batch(each, i, so_far)
            for step in each.steps:
                losses = self.stack.losses(step.loss, batch)
                self.optimizer(step).step(self.stack, losses, rate)
                self.total += losses.detach() / (len(batches) * len(each.steps))
            self.batches_done = done + 1
            pause()

    def _end_epoch(self, pause: Callable[[], None]) -> None:
        """Take the dev loss of every cell under its own pattern; keep the weights of those that are at their best."""
        dev = self.data.splits["valid"]
        on_dev = self.data, dev, self.present["valid"], self.dev_draws, self.settings.batch_size
        outputs = outputs_of(self.stack, self.stack.values, *on_dev, pause)
        losses = vmap(task_loss, in_dims=(0, None, 0))(outputs, dev.label, self.weights["valid"])
        both = torch.stack([self.total, losses.double()]).tolist()
        better = [
            i
            for i, (course, *of_cell) in enumerate(zip(self.courses, *both, strict=False))
            if not course.finished and course.update(*of_cell)
        ]
        self.best[better] = self.stack.values[better]
        self.epoch, self.batches_done = self.epoch + 1, 0
        self.total.zero_()

    def _leave(self) -> Iterator[list[tuple[Cell, Outcome]]]:
        """Yield the finished cells, and go on with the others.

        That is when all are finished, or when the stack without them would take at most three quarters of the time and
        may change its shape.
        """
        finished = [course.finished for course in self.courses]
        stay = [i for i, is_finished in enumerate(finished) if not is_finished]
        if stay and (self.fixed or len(stay) + 1 > 0.75 * len(self.stacked)):
            return
        predictions = final_predictions(self.stack, self.best, self.stacked, self.data, self.settings)
        weights = {**self.stack.named(self.best), **self.stack.buffers}
        yield [(cell, self._outcome(i, predictions, weights)) for i, cell in enumerate(self.cells) if finished[i]]
        self.keep(stay)

    def _outcome(
        self, i: int, predictions: Mapping[tuple[str, str], Sequence[Predicted]], weights: Mapping[str, Tensor]
    ) -> Outcome:
        course = self.courses[i]
        if course.failed:
            return Outcome({}, course.history, -1, {}, 0, course.failed)
        own = {name: value[i].cpu().numpy() for name, value in weights.items()}
        return Outcome(
            {key: predictions[key][i] for key in words(self.cells[i], self.data)},
            course.history,
            course.best_epoch,
            own,
            sum(value.size for value in own.values()),
        )
