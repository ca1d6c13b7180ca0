"""A small plan whose cells a test writes itself, without any training."""

from pathlib import Path
from typing import Any

from trml.config.load import check
from trml.planning.plan import Plan, plans
from trml.training.contract import Outcome, Predicted
from trml.training.store import write_cells

FEW = ("trml", "supervised_single", "supervised_single_matched", "zero_fill", "supervised_double")
IDS = {"valid": ["u0", "u1"], "test": ["u2", "u3", "u4"]}


def small_raw(raw: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration of five methods, three rates and three seeds, without regimes, sweeps or grids."""
    raw["protocol"].update(victims=["vision", "text"], rates=[0.0, 0.5, 1.0], complete=[0.5], seeds=[1, 2, 3])
    raw["report"].update(conditions=[0.5, 1.0])
    raw["methods"] = {name: raw["methods"][name] for name in FEW}
    raw["methods"]["trml"].update(sweeps={}, grids=[])
    raw["training"]["block"] = 12
    raw.update(studies=True, datasets={})
    return raw


def small_plan(raw: dict[str, Any], folder: Path) -> Plan:
    """Return the plan of `small_raw` below a folder."""
    return plans(check(small_raw(raw)), folder / "work")[0]


def fill(plan: Plan) -> None:
    """Put the cells of a plan into the store, each block's as one shard, with constant predictions."""
    import numpy as np

    losses = enumerate([1.5, 0.5, 1.0])
    history = [{"epoch": float(i), "train_loss": 1.0, "dev_loss": loss} for i, loss in losses]
    predictions = {
        (split, "text+vision"): Predicted(np.zeros(len(ids), dtype=np.float32)) for split, ids in IDS.items()
    }
    left = Outcome(predictions, history, 1, {"weight": np.ones(3, dtype=np.float32)}, 3)
    for block in plan.blocks.values():
        write_cells([(cell, left) for cell in block.cells], IDS, [], {"device": "cpu", "wall_s": 0.1})
