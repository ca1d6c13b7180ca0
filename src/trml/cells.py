"""The cell store: one folder a training, written whole or not at all, never changed.

    predictions.parquet     utterance_id, split, condition, prediction
    history.parquet         epoch, train_loss, dev_loss
    checkpoint.safetensors  the weights of the best epoch on dev
    cell.json               the whole recipe, versions, wall time, and the checksums of the other files

`condition` is complete, vision_missing or text_missing. At the level of whole modalities an utterance's
prediction depends on nothing else, so every missing rate is put together from these and a mask at evaluation,
and a new evaluation rate trains nothing.
"""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import polars as pl

from trml.errors import StoreError
from trml.plan import Cell, Plan
from trml.store import file_digest, new_folder, read_json, write_json

if TYPE_CHECKING:
    from trml.training.grid import Outcome

_FILES = ("predictions.parquet", "history.parquet", "checkpoint.safetensors")


def is_done(plan: Plan, cell: Cell) -> bool:
    """Whether the store holds the cell."""
    return (plan.cell_folder(cell) / "cell.json").is_file()


def withdraw_untrue_blocks(plan: Plan) -> None:
    """Remove the file of every block whose cells are not all in the store: what it says is not true, and while it
    stood the cells would not be trained."""
    for block in plan.blocks.values():
        if block.path.is_file() and not all(is_done(plan, cell) for cell in block.cells):
            block.path.unlink()


def write_cell(plan: Plan, cell: Cell, outcome: "Outcome", ids: dict[str, list[str]], about: dict[str, Any]) -> None:
    """Put a finished training into the store."""
    from safetensors.torch import save_file

    predictions = pl.concat(
        pl.DataFrame(
            {"utterance_id": ids[split], "split": split, "condition": condition, "prediction": values},
            schema_overrides={"prediction": pl.Float32},
        )
        for (split, condition), values in outcome.predictions.items()
    )
    with new_folder(plan.cell_folder(cell), "cell.json") as folder:
        predictions.write_parquet(folder / "predictions.parquet")
        pl.DataFrame(outcome.history).write_parquet(folder / "history.parquet")
        save_file(outcome.state, folder / "checkpoint.safetensors")
        write_json(
            folder / "cell.json",
            {
                **asdict(cell),
                "training": asdict(plan.params.training),
                "experiment_seed": plan.params.seed,
                "corpus": plan.corpus.name,
                "features": plan.features.name,
                "best_epoch": outcome.best_epoch,
                "epochs_run": len(outcome.history),
                "parameters": sum(value.numel() for value in outcome.state.values()),
                **about,
                "files": {name: file_digest(folder / name) for name in _FILES},
            },
        )


def read_cell(plan: Plan, cell: Cell) -> tuple[dict[str, Any], pl.DataFrame]:
    """cell.json and the predictions. Raises StoreError where the cell is absent, another's, or damaged."""
    folder = plan.cell_folder(cell)
    remedy = f"Remove {folder} and run: snakemake --cores all"
    record = read_json(folder / "cell.json")
    if record["digest"] != cell.digest:
        raise StoreError(f"{folder} holds cell {record['digest']}; expected {cell.digest}. {remedy}")
    path = folder / "predictions.parquet"
    if not path.is_file() or file_digest(path) != record["files"]["predictions.parquet"]:
        raise StoreError(f"{path} is absent or not what was written (its checksum differs). {remedy}")
    return record, pl.read_parquet(path)
