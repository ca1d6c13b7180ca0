"""Trained cells run again: on test utterances that were changed, and epoch by epoch. Nothing here trains a cell anew.

`by_epoch` repeats a training to see what it predicts on the way; the cell in the store stays what it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from trml.features.contract import TOKENS, FeatureSet, View
from trml.methods.contract import Batch, Method
from trml.training.contract import Cell, Settings
from trml.training.data import Data, Source, Views, load_data
from trml.training.draws import draws_of_split
from trml.training.new_method import new_method, shape_of, shaping_options
from trml.training.predict import as_predicted, outputs_of
from trml.training.stack_run import StackRun
from trml.training.store import weights_of
from trml.training.walk import draws_at_evaluation, stacked

SPLIT = "test"


def restored(cell: Cell, data: Data, settings: Settings) -> Method:
    """Return a cell's module with its best weights, where the data lie."""
    method = new_method(cell, data, settings)
    method.load_state_dict({name: torch.from_numpy(value) for name, value in weights_of(cell).items()})
    return method.to(data.device)


def batches(
    method: Method, cell: Cell, data: Data, settings: Settings, places: NDArray[np.int64] | None = None
) -> Iterator[Batch]:
    """Yield utterances of the test split, with all that they have, in batches.

    Args:
        method: Of the cell.
        cell: Whose draws they get.
        data: With the test split.
        settings: How the cell was trained.
        places: Of the utterances within the split; None for all.
    """
    split = data.splits[SPLIT]
    wanted = method.draws(shape_of(cell.spec, data), shaping_options(cell.spec))
    drawn = draws_of_split(wanted, settings.experiment_seed, SPLIT, split.n, cell)
    places = np.arange(split.n) if places is None else places
    for rows in np.split(places, range(settings.batch_size, len(places), settings.batch_size)):
        at = torch.from_numpy(rows).to(data.device)
        everything = torch.ones(len(rows), 1, dtype=torch.bool, device=data.device)
        numbers = {
            name: torch.from_numpy(values[rows] if wanted[name].varies == "row" else values).to(data.device)
            for name, values in drawn.items()
        }
        yield Batch(
            data.signals(method.views, split, at, dict.fromkeys(data.modalities, everything)),
            numbers,
        )


@dataclass(frozen=True)
class Changed:
    """A corpus as it is, and with each of several changes of its test utterances."""

    whole: Data
    each: Sequence[Data]

    @classmethod
    def of(cls, features: FeatureSet, device: torch.device, changes: Sequence[Mapping[str, View]]) -> "Changed":
        """Return the data of features on a device; a change has views of the test utterances, named as their files."""
        data = load_data(features, device, torch.float32)
        rows = features.rows(SPLIT)
        named = {name: View(view.values[rows], view.mask[rows]) for name, view in features.named_views().items()}
        return cls(data, [_with_test(data, {**named, **views}) for views in changes])

    @torch.no_grad()
    def predicted(self, cell: Cell, settings: Settings, places: Sequence[int]) -> list[NDArray[np.float32]]:
        """Return what a cell in the store predicts of the test utterances of the changes at some places, [N] each."""
        method = restored(cell, self.whole, settings)
        return [
            as_predicted(torch.cat([method(b) for b in batches(method, cell, self.each[i], settings)]), None).value
            for i in places
        ]


def _with_test(data: Data, named: Mapping[str, View]) -> Data:
    """Return data whose test split has these views."""
    sources = {name: Source(*(torch.from_numpy(x).to(data.device) for x in view)) for name, view in named.items()}
    pooled = {name: sources[name] for name in data.modalities}
    tokens = {name.removesuffix(TOKENS): each for name, each in sources.items() if name.endswith(TOKENS)}
    views: dict[Views, dict[str, Source]] = {"pooled": pooled, "sequence": {**pooled, **tokens}}
    split = data.splits[SPLIT]
    test = replace(split, rows=torch.arange(split.n, device=data.device))
    return replace(data, views=views, splits={**data.splits, SPLIT: test})


@torch.no_grad()
def operations(cell: Cell, features: FeatureSet, settings: Settings) -> float:
    """Return the floating-point operations of matrix products in one prediction of one test utterance, on the CPU.

    Its sequences are as long as the corpus's longest.
    """
    data = load_data(features, torch.device("cpu"), torch.float32)
    method = new_method(cell, data, settings).requires_grad_(False)  # the counter looks for gradients of modules
    batch = next(batches(method, cell, data, settings))
    with FlopCounterMode(display=False) as counter:
        method(batch)
    return counter.get_total_flops() / min(settings.batch_size, data.splits[SPLIT].n)


def by_epoch(
    cells: Sequence[Cell], features: FeatureSet, settings: Settings, device: torch.device, words: Sequence[str]
) -> dict[str, tuple[int, dict[str, list[NDArray[np.float32]]]]]:
    """Repeat trainings; return by digest the best epoch on dev, and what is predicted of test: word -> epoch -> [N].

    Args:
        cells: That may share a stack; none of them failed.
        features: They were trained on.
        settings: How they were trained.
        device: Where they run.
        words: What is present, as `missing.conditions.predicted_under` has it.
    """
    data = load_data(features, device, torch.float32)
    run = StackRun(cells, data, settings)
    made: dict[str, dict[str, list[NDArray[np.float32]]]] = {c.digest: {word: [] for word in words} for c in cells}
    batches_of_epoch = {run.epoch: sum(len(each.rows) for each in run.walks(run.epoch))}

    def pause() -> None:
        """After the last batch of an epoch the weights are those that the dev loss is taken of."""
        epoch = run.epoch
        if epoch not in batches_of_epoch:
            batches_of_epoch[epoch] = sum(len(each.rows) for each in run.walks(epoch))
        if run.batches_done == batches_of_epoch[epoch] and len(made[run.cells[0].digest][words[0]]) == epoch:
            for word in words:
                for cell, outputs in zip(run.cells, _on_test(run, data, word), strict=False):
                    made[cell.digest][word].append(as_predicted(outputs, None).value)

    left = (each for together in run.train(pause) for each in together)
    return {cell.digest: (outcome.best_epoch, made[cell.digest]) for cell, outcome in left}


def _on_test(run: StackRun, data: Data, word: str) -> Tensor:
    """Return the outputs [C, N, outputs] of a run's present weights."""
    test = data.splits[SPLIT]
    corpus = run.settings.corpus
    present = stacked([test.under(word, corpus, cell.spec.seed) for cell in run.stacked], data.device)
    draws = draws_at_evaluation(run.stack.draws, test, run.stacked, run.settings)
    return outputs_of(run.stack, run.stack.values, data, test, present, draws, run.settings.batch_size, lambda: None)
