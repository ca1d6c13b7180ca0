"""A work/ that holds every folder of a plan and in which nothing was computed."""

from pathlib import Path

import numpy as np

from trml.base.artifacts import new_folder, write_json, write_text
from trml.base.progress import track
from trml.missing.conditions import predicted_under
from trml.missing.registry import missing_pattern
from trml.planning.plan import Plan
from trml.training.contract import CellSpec, Outcome, Predicted
from trml.training.store import write_cells

_UTTERANCES = 8


def fill(plan: Plan, root: Path) -> None:
    """Write all that the Snakefile looks for below `root`: cells, blocks, finished folders, the published copy."""
    ids = {split: [f"{split}{i}" for i in range(_UTTERANCES)] for split in ("valid", "test")}
    for block in track(plan.blocks.values(), len(plan.blocks), "  blocks written"):
        outcomes = [(cell, _outcome(cell.spec, plan.params.modalities)) for cell in block.cells]
        write_cells(outcomes, ids, [], {"wall_s": 0.0})
        for path in (block.done, block.weights):
            write_text(path, "")
    for path, finished in plan.folders:
        if not (path / finished).is_file():
            with new_folder(path, finished, bulk=path in (plan.corpus, plan.features)) as folder:
                write_json(folder / finished, {"synthetic": "by the benchmark"})
    if plan.results is not None:
        write_json(root / "results" / plan.name / "manifest.json", {"digest": plan.results.name, "files": {}})
        stamp = plan.work / "published" / plan.results.name
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.touch()


def _outcome(spec: CellSpec, modalities: tuple[str, ...]) -> Outcome:
    missing = None if spec.missing is None else missing_pattern(spec.missing, modalities)
    zeros = Predicted(np.zeros(_UTTERANCES, dtype=np.float32))
    history = [{"epoch": 0, "train_loss": 1.0, "dev_loss": 1.0}]
    return Outcome(dict.fromkeys(predicted_under(missing, modalities), zeros), history, 0, {}, 1)
