"""The virtual vectors that trained cells make in place of a missing modality, beside the real ones."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from trml.features.contract import FeatureSet
from trml.methods.contract import Method
from trml.training.again import SPLIT, batches, restored
from trml.training.contract import Cell, Pairs, Settings
from trml.training.data import Data, load_data
from trml.training.new_method import method_class
from trml.training.schedule import usable


def makes_virtual(target: str) -> bool:
    """Return whether the method of a dotted path makes up vectors for a missing modality."""
    return method_class(target).virtual is not Method.virtual


def complete_utterances(features: FeatureSet) -> NDArray[np.int64]:
    """Return the places [N], within the test split, of the utterances that have every modality."""
    rows = features.rows(SPLIT)
    return np.flatnonzero(usable("complete", np.ones(len(rows), dtype=bool), features.real(rows)))


def virtual_pairs(
    cells: Mapping[tuple[str, int], Cell], features: FeatureSet, settings: Settings, device: torch.device
) -> list[Pairs]:
    """Return what trained cells make up for their victims on the complete test utterances.

    Args:
        cells: By victim, which is one modality, and seed. A victim that the method makes nothing up for is left out.
        features: The features they were trained on.
        settings: How they were trained.
        device: Where they run.
    """
    data, places = load_data(features, device, torch.float32), complete_utterances(features)
    pairs = []
    for (victim, seed), cell in cells.items():
        vectors = _make_up(restored(cell, data, settings), cell, victim, data, places, settings)
        if vectors is not None:
            pairs.append(Pairs(victim, seed, *vectors))
    return pairs


@torch.no_grad()
def _make_up(
    method: Method, cell: Cell, victim: str, data: Data, places: NDArray[np.int64], settings: Settings
) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """Return virtual and real vectors [N, h] of the utterances at these places of the test split."""
    virtual, real = [], []
    for batch in batches(method, cell, data, settings, places):
        made = method.virtual(batch)
        if victim not in made:
            return None
        virtual.append(made[victim][0].cpu())
        real.append(made[victim][1].cpu())
    return torch.cat(virtual).numpy(), torch.cat(real).numpy()
