"""Trained cells applied to new utterances, which are in no corpus and have no label."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from math import factorial
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from trml.features.contract import TOKENS, View
from trml.training.again import SPLIT, batches, restored
from trml.training.contract import Cell, Predicted, Settings
from trml.training.data import Data, Source, Views
from trml.training.predict import as_predicted
from trml.training.virtual import makes_virtual

Present = frozenset[str]  # the modalities that an utterance has


class Neighbours(NamedTuple):
    """The real vectors that are nearest to virtual ones.

    Attributes:
        rows: Of the known utterances, nearest first, [N, K].
        cosine: Their cosine similarities, [N, K].
    """

    rows: NDArray[np.int64]
    cosine: NDArray[np.float64]


def with_new(data: Data, views: Mapping[str, View]) -> Data:
    """Return data whose test split is new utterances.

    Args:
        data: What the cells were trained on.
        views: Of the new utterances, named as the files of a feature folder, [N, T, d] each. A modality that none of
            them has may have d = 0, or be absent. T is cut or padded to what the cells were built for.
    """
    n = len(next(iter(views.values())).mask)
    fitted: dict[Views, dict[str, Source]] = {}
    for kind, sources in data.views.items():
        fitted[kind] = {}
        for name, source in sources.items():
            tokens = f"{name}{TOKENS}"
            is_tokens = kind == "sequence" and data.views["pooled"][name] is not source
            # Encoders give no view of what no utterance has.
            fitted[kind][name] = _fitted(views.get(tokens if is_tokens else name, _nothing(n)), source)
    split = data.splits[SPLIT]
    new = replace(
        split,
        rows=torch.arange(n, device=data.device),
        label=torch.zeros(n, dtype=split.label.dtype, device=data.device),
        draw=np.zeros(n, dtype=np.int64),
        real={name: source.mask.cpu().numpy() for name, source in fitted["pooled"].items()},
    )
    return replace(data, views=fitted, splits={**data.splits, SPLIT: new})


def _nothing(n: int) -> View:
    return View(np.zeros((n, 1, 0), dtype=np.float32), np.zeros((n, 1), dtype=bool))


def _fitted(view: View, like: Source) -> Source:
    steps, width = like.values.shape[1:]
    kept = min(steps, view.mask.shape[1])
    values = torch.zeros(len(view.mask), steps, width)
    mask = torch.zeros(len(view.mask), steps, dtype=torch.bool)
    mask[:, :kept] = torch.from_numpy(np.array(view.mask[:, :kept]))
    if view.values.shape[2]:
        values[:, :kept] = torch.from_numpy(np.array(view.values[:, :kept]))
    return Source(values.to(like.values.device), mask.to(like.mask.device))


def without(data: Data, gone: Collection[str]) -> Data:
    """Return data whose new utterances lack some modalities."""
    if not gone:
        return data
    split = data.splits[SPLIT]
    views: dict[Views, dict[str, Source]] = {
        kind: {
            name: source._replace(mask=torch.zeros_like(source.mask)) if name in gone else source
            for name, source in sources.items()
        }
        for kind, sources in data.views.items()
    }
    real = {name: np.zeros_like(mask) if name in gone else mask for name, mask in split.real.items()}
    return replace(data, views=views, splits={**data.splits, SPLIT: replace(split, real=real)})


@torch.no_grad()
def predicted(cell: Cell, data: Data, settings: Settings) -> Predicted:
    """Return what a cell in the store predicts of the new utterances.

    Raises:
        StoreError: If the store lacks the cell or its weights.
    """
    method = restored(cell, data, settings)
    return as_predicted(torch.cat([method(batch) for batch in batches(method, cell, data, settings)]), None)


def numbers(predictions: Sequence[Predicted]) -> NDArray[np.float64]:
    """Return scores [S, N, 1], or probabilities [S, N, K], of the same utterances by several seeds."""
    parts = [each.value[:, None] if each.probabilities is None else each.probabilities for each in predictions]
    return np.stack(parts).astype(float)


@torch.no_grad()
def neighbours(cell: Cell, new: Data, known: Data, victim: str, settings: Settings, count: int) -> Neighbours | None:
    """Return the real vectors nearest to what a cell makes up for a missing modality.

    Args:
        cell: Trained with `victim` missing.
        new: Data whose test split is the new utterances, which lack `victim`.
        known: The same with complete utterances, whose vectors are looked through.
        victim: The modality.
        settings: How the cell was trained.
        count: How many to return.

    Returns:
        None for methods that make nothing up.
    """
    if not makes_virtual(cell.spec.target):
        return None
    method = restored(cell, new, settings)
    made = [method.virtual(batch)[victim][0] for batch in batches(method, cell, new, settings)]
    real = [method.virtual(batch)[victim][1] for batch in batches(method, cell, known, settings)]
    virtual, real_vectors = (torch.nn.functional.normalize(torch.cat(each).double(), dim=-1) for each in (made, real))
    cosine, rows = (virtual @ real_vectors.T).topk(min(count, len(real_vectors)), dim=-1)
    return Neighbours(rows.cpu().numpy(), cosine.cpu().numpy())


def shapley(
    value: Mapping[Present, NDArray[np.float64]], modalities: Collection[str]
) -> dict[str, NDArray[np.float64]]:
    """Return the Shapley value of each modality: its mean gain over all orders in which modalities are added.

    The values sum to the value of all modalities less that of none (Shapley, 1953).

    Args:
        value: What is predicted from each subset of the modalities, the empty one too.
        modalities: That are present.
    """
    n = len(modalities)
    shares = {}
    for name in modalities:
        others = sorted(set(modalities) - {name})
        subsets = [frozenset(each) for size in range(n) for each in combinations(others, size)]
        weights = [factorial(len(each)) * factorial(n - len(each) - 1) / factorial(n) for each in subsets]
        gains = [value[each | {name}] - value[each] for each in subsets]
        shares[name] = np.sum([w * gain for w, gain in zip(weights, gains, strict=True)], axis=0)
    return shares
