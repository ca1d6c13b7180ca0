"""The plain trainer of one cell: no stacking, no vmap, an ordinary module and an ordinary optimizer.

Slow, and easy to read; the grid trainer is tested against it. It shares the schedule (orders, masks, learning
rates, early stopping) and nothing of how the numbers are computed.
"""

import copy

import numpy as np
import torch

from trml.features import FeatureSet
from trml.methods.base import Method
from trml.missingness import pattern_victim, presence
from trml.objectives.task import task_loss
from trml.training import schedule
from trml.training.data import SplitData, as_prediction, data_shape, gather, load_split
from trml.training.grid import Outcome, Settings, Trainable, method_class, new_method, patterns


def train_one(
    cell: Trainable, features: FeatureSet, settings: Settings, *, dtype: torch.dtype, fill: float = 0.0
) -> Outcome:
    """Train one cell on the CPU and return what the grid trainer would."""
    device = torch.device("cpu")
    splits = {split: load_split(features, split, device, dtype) for split in ("train", "valid", "test")}
    shape = data_shape(features, cell.victim if method_class(cell.target).shaped_by_victim else None)
    method = new_method(cell, shape, settings, dtype)
    options = {name: torch.tensor(cell.options[name], dtype=dtype) for name in method.tensors}
    present = {
        name: torch.from_numpy(split.masked(settings.corpus, cell.victim, cell.rate, cell.seed))
        for name, split in splits.items()
    }
    optimizer = torch.optim.AdamW(method.parameters(), lr=0.0, weight_decay=settings.weight_decay)
    stopping = schedule.EarlyStopping(settings.patience)
    best, history = copy.deepcopy(method), []
    train, dev = splits["train"], splits["valid"]
    for epoch in range(settings.epochs):
        order = schedule.batch_rows(settings.experiment_seed, cell.seed, epoch, train.n, settings.batch_size)
        draws = schedule.draws(settings.experiment_seed, cell.seed, epoch, *order.shape)
        losses = []
        for step, rows in enumerate(torch.from_numpy(order)):
            batch = gather(train, rows, present["train"][rows], torch.from_numpy(draws[step]), fill)
            loss = method.loss(batch, options)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(method.parameters(), settings.clip_norm)
            at = epoch * len(order) + step
            optimizer.param_groups[0]["lr"] = schedule.learning_rate(
                settings.learning_rate, at, len(order), settings.epochs
            )
            optimizer.step()
            losses.append(loss.item())
        outputs = _outputs(method, dev, present["valid"], fill)
        dev_loss = float(task_loss(outputs, dev.label, torch.ones(dev.n, dtype=dtype)))
        history.append({"epoch": epoch, "train_loss": float(np.mean(losses)), "dev_loss": dev_loss})
        if stopping.update(dev_loss):
            best = copy.deepcopy(method)
        if stopping.finished:
            break
    predictions = {
        (name, pattern): as_prediction(_outputs(best, split, _pattern(split, pattern), fill))
        for name, split in splits.items()
        if name != "train"
        for pattern in patterns(cell.victim)
    }
    return Outcome(predictions, history, stopping.best_epoch, dict(best.state_dict()))


def _pattern(split: SplitData, pattern: str) -> torch.Tensor:
    victim = pattern_victim(pattern)
    return torch.from_numpy(presence(split.real, victim, np.full(split.n, victim is not None)))


@torch.no_grad()
def _outputs(method: Method, split: SplitData, present: torch.Tensor, fill: float) -> torch.Tensor:
    rows = torch.arange(split.n)
    return method(gather(split, rows, present, torch.zeros(split.n, 2, dtype=split.text.dtype), fill))
