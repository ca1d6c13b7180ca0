"""The cell store: one folder a training, written whole or not at all, never changed.

    predictions.parquet     utterance_id, split, condition, prediction
    history.parquet         epoch, train_loss, dev_loss
    checkpoint.safetensors  the weights of the best epoch on dev
    cell.json               the whole recipe, versions, wall time, and `failed`: why a training that diverged has
                            no predictions and no weights, else null
    SHA256SUMS              their checksums

`condition` is complete, vision_missing or text_missing. At the level of whole modalities an utterance's
prediction depends on nothing else, so every missing rate is put together from these and a mask at evaluation,
and a new evaluation rate trains nothing.
"""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import polars as pl

from trml.base.artifacts import damage, new_folder, read_json, write_json
from trml.base.errors import StoreError
from trml.planning.plan import Cell, Plan

if TYPE_CHECKING:
    from trml.training.stack_run import Outcome


def is_done(plan: Plan, cell: Cell) -> bool:
    """Whether the store holds the cell."""
    return (plan.cell_folder(cell) / "cell.json").is_file()


def write_cell(plan: Plan, cell: Cell, outcome: "Outcome", ids: dict[str, list[str]], about: dict[str, Any]) -> None:
    """Put a finished training into the store."""
    from safetensors.torch import save

    with new_folder(plan.cell_folder(cell), "cell.json") as folder:
        pl.DataFrame(outcome.history).write_parquet(folder / "history.parquet")
        if outcome.failed is None:
            _predictions(outcome, ids).write_parquet(folder / "predictions.parquet")
            # Not by its save_file, which tells of a full disk in an exception of its own.
            (folder / "checkpoint.safetensors").write_bytes(save(outcome.state))
        write_json(
            folder / "cell.json",
            {
                **asdict(cell),
                "training": asdict(plan.params.training),
                "experiment_seed": plan.params.seed,
                "corpus": plan.corpus.name,
                "features": plan.features.name,
                "failed": outcome.failed,
                "best_epoch": outcome.best_epoch,
                "epochs_run": len(outcome.history),
                "parameters": sum(value.numel() for value in outcome.state.values()),
                **about,
            },
        )


def _predictions(outcome: "Outcome", ids: dict[str, list[str]]) -> pl.DataFrame:
    return pl.concat(
        pl.DataFrame(
            {"utterance_id": ids[split], "split": split, "condition": condition, "prediction": values},
            schema_overrides={"prediction": pl.Float32},
        )
        for (split, condition), values in outcome.predictions.items()
    )


def read_cell(plan: Plan, cell: Cell) -> tuple[dict[str, Any], pl.DataFrame | None]:
    """cell.json and the predictions, None where the training failed. Raises StoreError where the cell is absent,
    another's, or damaged; a damaged one is withdrawn, so that the next run makes it again."""
    folder = plan.cell_folder(cell)
    fault = damage(folder) if is_done(plan, cell) else None
    if fault is None:
        record = read_json(folder / "cell.json")
        if record["digest"] == cell.digest:
            return record, None if record["failed"] else pl.read_parquet(folder / "predictions.parquet")
        fault = f"it holds cell {record['digest']}; expected {cell.digest}"
    (folder / "cell.json").unlink(missing_ok=True)
    raise StoreError(f"{folder}: {fault}. Have it trained again: snakemake --cores all")
