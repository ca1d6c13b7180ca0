"""The plain trainer of one cell: no stacking, no vmap, an ordinary module and ordinary optimizers.

Slow, and easy to read; the stacked trainer is tested against it. It shares the schedule (orders, masks, draws,
learning rates, early stopping) and nothing of how the numbers are computed. No batch is cut to its longest sequence.
"""

import copy
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from trml.features.contract import FeatureSet
from trml.methods.contract import Batch, Labelled, Method, Pass, Step
from trml.methods.losses.task import task_loss
from trml.missing.pattern import Presence
from trml.training import schedule
from trml.training.contract import Cell, Outcome, Predicted, Settings
from trml.training.data import Data, Split, load_data, on_device
from trml.training.draws import draws_of_pass, draws_of_split
from trml.training.new_method import new_method, pattern_of, shape_of, shaping_options
from trml.training.predict import as_predicted, words
from trml.training.stack import copied_names, gives_spread, unlabelled


def train_one(
    cell: Cell, features: FeatureSet, settings: Settings, *, dtype: torch.dtype, fill: float = 0.0
) -> Outcome:
    """Train one cell on the CPU and return what the stacked trainer would."""
    data, spec, settings = load_data(features, torch.device("cpu"), dtype, fill), cell.spec, settings.of(cell.spec)
    dev = data.splits["valid"]
    method = new_method(cell, data, settings)
    options = {name: torch.tensor(spec.options[name], dtype=dtype) for name in method.tensors}
    base = spec.options.get("learning_rate", settings.learning_rate)
    optimizers: dict[object, torch.optim.AdamW] = {}
    course, best = schedule.Course(settings.epochs, settings.patience, []), copy.deepcopy(method)
    while not course.finished:
        epoch = len(course.history)
        _copy(method, epoch, cell)
        batches = list(_epoch(cell, method, data, settings, course))
        losses = [0.0]
        for done, (each, batch) in enumerate(batches):
            rate = schedule.learning_rate(base, epoch, done, len(batches), settings.epochs)
            for step in each.steps:
                if step.moves not in optimizers:
                    optimizers[step.moves] = _optimizer(method, step, settings)
                loss = getattr(method, step.loss)(batch, options)
                _move(optimizers[step.moves], method, loss, rate, settings.clip_norm)
                losses.append(loss.item() / len(each.steps))
        masked = dev.masked(settings.corpus, pattern_of(spec, data), spec.dev_rate, spec.seed, spec.absence)
        with torch.no_grad(), unlabelled(spec.target, "forward"):
            outputs = method(_whole(cell, method, data, settings, dev, masked))
        dev_loss = float(task_loss(outputs, dev.label, _weights(cell, dev, masked, dtype)))
        if course.update(float(np.sum(losses)) / max(1, len(batches)), dev_loss):
            best = copy.deepcopy(method)
    if course.failed:
        return Outcome({}, course.history, -1, {}, 0, course.failed)
    predictions = {(name, word): _predict(best, cell, data, settings, name, word) for name, word in words(cell, data)}
    weights = {name: value.numpy() for name, value in best.state_dict().items()}
    parameters = sum(value.size for value in weights.values())
    return Outcome(predictions, course.history, course.best_epoch, weights, parameters)


def _epoch(
    cell: Cell, method: Method, data: Data, settings: Settings, course: schedule.Course
) -> Iterator[tuple[Pass, Labelled]]:
    spec, train, epoch = cell.spec, data.splits["train"], len(course.history)
    present = train.masked(settings.corpus, pattern_of(spec, data), spec.rate, spec.seed, spec.absence)
    shared = shaping_options(spec)
    wanted = method.draws(shape_of(spec, data), shared)
    losses = schedule.losses_so_far([course], data.dtype)[0]
    labels = train.given_labels(settings.corpus, spec.labels, spec.label_noise, spec.seed)
    weights, buckets = _weights(cell, train, present, data.dtype), data.lengths(method.views, train).bucket
    for which, each in enumerate(method.passes(epoch, shared)):
        size = each.batch_size or settings.batch_size
        usable = schedule.usable(each.rows, train.of_draw(spec.seed), present)
        order, _ = schedule.batch_rows(settings.experiment_seed, epoch, which, spec.seed, usable, buckets, size)
        steps, size = order.shape
        drawn = draws_of_pass(wanted, settings.experiment_seed, epoch, which, (steps, size), cell)
        for i, rows in enumerate(order):
            at = torch.from_numpy(rows)
            here = on_device({modality: mask[rows] for modality, mask in present.items()}, data.device)
            signals = data.signals(method.views, train, at, here)
            numbers = {name: torch.from_numpy(values[i]) for name, values in drawn.items()}
            yield each, Labelled(signals, numbers, labels[at], weights[at], losses)


def _weights(cell: Cell, split: Split, present: Presence, dtype: torch.dtype) -> Tensor:
    """Return the weight of each row in the losses."""
    return split.weights(present, cell.spec.seed).to(dtype) if cell.spec.weighted else torch.ones(split.n, dtype=dtype)


def _copy(method: Method, epoch: int, cell: Cell) -> None:
    """Set parameters to the values of others, as the method wishes before an epoch."""
    parameters, target = dict(method.named_parameters()), cell.spec.target
    copies = method.between(epoch, shaping_options(cell.spec))
    with torch.no_grad():
        for source, to in copied_names(list(parameters), copies, target):
            parameters[to].copy_(parameters[source])


def _optimizer(method: Method, step: Step, settings: Settings) -> torch.optim.AdamW:
    groups: dict[float, list[torch.nn.Parameter]] = {}
    for name, parameter in method.named_parameters():
        factors = [factor for prefix, factor in step.moves if name.startswith(prefix)]
        if factors:
            groups.setdefault(factors[0], []).append(parameter)
    return torch.optim.AdamW(
        [{"params": parameters, "factor": factor} for factor, parameters in groups.items()],
        lr=0.0,
        weight_decay=settings.weight_decay,
    )


def _move(optimizer: torch.optim.AdamW, method: Method, loss: Tensor, rate: float, clip_norm: float) -> None:
    method.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_([p for group in optimizer.param_groups for p in group["params"]], clip_norm)
    for group in optimizer.param_groups:
        group["lr"] = rate * group["factor"]
    optimizer.step()


@torch.no_grad()
def _predict(method: Method, cell: Cell, data: Data, settings: Settings, name: str, word: str) -> Predicted:
    split, target = data.splits[name], cell.spec.target
    batch = _whole(cell, method, data, settings, split, split.under(word, settings.corpus, cell.spec.seed))
    with unlabelled(target, "forward"):
        outputs = method(batch)
    with unlabelled(target, "spread"):
        return as_predicted(outputs, method.spread(batch) if gives_spread(method) else None)


def _whole(cell: Cell, method: Method, data: Data, settings: Settings, split: Split, present: Presence) -> Batch:
    """Return a split as one batch."""
    wanted = method.draws(shape_of(cell.spec, data), shaping_options(cell.spec))
    drawn = draws_of_split(wanted, settings.experiment_seed, split.name, split.n, cell)
    signals = data.signals(method.views, split, torch.arange(split.n), on_device(present, data.device))
    return Batch(signals, {name: torch.from_numpy(values) for name, values in drawn.items()})
