"""The virtual vectors that the proposed method makes in place of a missing modality, beside the real ones."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from trml.features.contract import FeatureSet
from trml.methods.contract import Method
from trml.planning.plan import Cell, Plan
from trml.training.contract import read_cell
from trml.training.data import Data, load_data
from trml.training.new_method import Settings, method_class, new_method

SPLIT = "test"

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Pairs:
    """What one cell imagines: virtual and real vectors of its victim, [N, h] both, of the same utterances in order."""

    victim: str
    seed: int
    virtual: Array
    real: Array


def complete_utterances(features: FeatureSet) -> NDArray[np.int64]:
    """The places [N], within the test split, of the utterances that have text and vision."""
    return np.flatnonzero(features.present[features.rows(SPLIT)].all(axis=1))


def why_none(plan: Plan) -> str | None:
    """Why there are no pairs to look at, in words; None where there are."""
    method = plan.proposed
    if method is None:
        return "no method of the experiment has the role `proposed`"
    if method_class(plan.params.methods[method].target).imagined is Method.imagined:
        return f"{plan.params.methods[method].label} makes no virtual modality"
    cells = _cells(plan, method)
    if not cells:
        return "the protocol has neither vision nor text as its victim"
    for cell in cells.values():
        record, _ = read_cell(plan, cell)
        if record["failed"]:
            return f"training {cell.digest} failed: {record['failed']}"
    return None


def _cells(plan: Plan, method: str) -> dict[tuple[str, int], Cell]:
    """The analysed cells of a method by victim and seed, each under the name that the store keeps it by."""
    stored = {cell.digest: cell for cell in plan.cells}
    return {
        (victim, seed): stored[cell.digest]
        for (name, victim, seed), cell in plan.analysed_cells.items()
        if name == method
    }


def imagined_pairs(plan: Plan, features: FeatureSet, device: torch.device) -> list[Pairs]:
    """The pairs of the proposed method's default, trained at the study rate, for each victim and seed, on the complete
    test utterances. A victim that the method does not imagine is left out."""
    assert plan.proposed is not None
    data, settings = load_data(features, device, torch.float32), Settings.of(plan.params)
    found = []
    for (victim, seed), cell in _cells(plan, plan.proposed).items():
        method = new_method(cell, features, data, settings)
        method.load_state_dict(load_file(plan.cell_folder(cell) / "checkpoint.safetensors"))
        pair = _imagine(method.to(device), victim, data, complete_utterances(features), settings.batch_size)
        if pair is not None:
            found.append(Pairs(victim, seed, *pair))
    return found


@torch.no_grad()
def _imagine(
    method: Method, victim: str, data: Data, places: NDArray[np.int64], batch_size: int
) -> tuple[Array, Array] | None:
    """Virtual and real vectors [N, h] of the utterances at these places of the test split."""
    virtual, real = [], []
    for rows in torch.from_numpy(places).to(data.device).split(batch_size):
        present = torch.ones(len(rows), 2, dtype=torch.bool, device=data.device)
        draws = torch.zeros(len(rows), method.draws, device=data.device)
        imagined = method.imagined(data.batch(data.splits[SPLIT], rows, present, draws, tokens=method.needs_tokens))
        if victim not in imagined:
            return None
        virtual.append(imagined[victim][0].cpu())
        real.append(imagined[victim][1].cpu())
    return torch.cat(virtual).numpy(), torch.cat(real).numpy()
