"""The plain trainer of one cell: no stacking, no vmap, an ordinary module and ordinary optimizers.

Slow, and easy to read; the grid trainer is tested against it. It shares the schedule (orders, masks, learning
rates, early stopping) and nothing of how the numbers are computed.
"""

import copy
from collections.abc import Iterator

import numpy as np
import torch

from trml.features.contract import FeatureSet
from trml.methods.contract import Batch, Method, Pass, Step
from trml.methods.losses.task import task_loss
from trml.missing.conditions import conditions
from trml.training import schedule
from trml.training.data import Data, Split, as_prediction, load_data
from trml.training.new_method import Settings, Trainable, new_method
from trml.training.stack_run import Outcome


def train_one(
    cell: Trainable, features: FeatureSet, settings: Settings, *, dtype: torch.dtype, fill: float = 0.0
) -> Outcome:
    """Train one cell on the CPU and return what the grid trainer would."""
    data = load_data(features, torch.device("cpu"), dtype, fill)
    dev = data.splits["valid"]
    method = new_method(cell, features, data, settings)
    options = {name: torch.tensor(cell.options[name], dtype=dtype) for name in method.tensors}
    base = cell.options.get("learning_rate", settings.learning_rate)
    optimizers: dict[object, torch.optim.AdamW] = {}
    course, best = schedule.Course(settings.epochs, settings.patience, []), copy.deepcopy(method)
    while not course.finished:
        epoch = len(course.history)
        batches = list(_epoch(cell, method, data, settings, epoch))
        losses = [0.0]
        for done, (each, batch) in enumerate(batches):
            rate = schedule.learning_rate(base, epoch, done, len(batches), settings.epochs)
            for step in each.steps:
                if step.moves not in optimizers:
                    optimizers[step.moves] = _optimizer(method, step, settings)
                loss = getattr(method, step.loss)(batch, options)
                _move(optimizers[step.moves], method, loss, rate, settings.clip_norm)
                losses.append(loss.item() / len(each.steps))
        outputs = _outputs(method, data, dev, dev.masked(settings.corpus, cell.victim, cell.dev_rate, cell.seed))
        dev_loss = float(task_loss(outputs, dev.label, torch.ones(dev.n, dtype=dtype)))
        if course.update(float(np.sum(losses)) / max(1, len(batches)), dev_loss):
            best = copy.deepcopy(method)
    if course.failed:
        return Outcome({}, course.history, -1, {}, course.failed)
    predictions = {
        (name, condition): as_prediction(
            _outputs(best, data, data.splits[name], data.splits[name].under(condition, settings.corpus, cell.seed))
        )
        for name, condition in conditions(cell)
    }
    return Outcome(predictions, course.history, course.best_epoch, dict(best.state_dict()))


def _epoch(cell: Trainable, method: Method, data: Data, settings: Settings, epoch: int) -> Iterator[tuple[Pass, Batch]]:
    train = data.splits["train"]
    present = train.masked(settings.corpus, cell.victim, cell.rate, cell.seed)
    for which, each in enumerate(method.passes(epoch)):
        key = settings.experiment_seed, epoch, which, cell.seed
        order = schedule.batch_rows(*key, schedule.usable(each.rows, present), settings.batch_size)
        draws = schedule.draws(*key, (*order.shape, method.draws))
        for rows, of_batch in zip(order, draws, strict=True):
            arrays = (torch.from_numpy(x) for x in (rows, present[rows], of_batch))
            yield each, data.batch(train, *arrays, tokens=method.needs_tokens)


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


def _move(optimizer: torch.optim.AdamW, method: Method, loss: torch.Tensor, rate: float, clip_norm: float) -> None:
    method.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_([p for group in optimizer.param_groups for p in group["params"]], clip_norm)
    for group in optimizer.param_groups:
        group["lr"] = rate * group["factor"]
    optimizer.step()


@torch.no_grad()
def _outputs(method: Method, data: Data, split: Split, present: np.ndarray) -> torch.Tensor:
    rows = torch.arange(split.n)
    draws = torch.zeros(split.n, method.draws)
    return method(data.batch(split, rows, torch.from_numpy(present), draws, tokens=method.needs_tokens))
