"""Verbs on trainings: train, model, choose. The workflow and `trml search` run them."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from trml.base.commands import params_file, run_again
from trml.base.errors import CommandError
from trml.base.nearest import nearest
from trml.cli.common import Params, device_of, plans_of


def train(
    block: Annotated[str, typer.Option(metavar="NAME", help="the block, as `trml status --folders` names it")],
    params: Params = None,
    cell: Annotated[str | None, typer.Option(metavar="DIGEST", help="one cell of the block (default: all)")] = None,
) -> None:
    """Train the cells of a block that are not done yet. Run by the workflow."""
    blocks = {
        name: (plan, each) for plan in plans_of(params) for name, each in {**plan.search_blocks, **plan.blocks}.items()
    }
    if block not in blocks:
        raise CommandError(
            f"block {block} is not in {params or params_file()}; `trml status --folders` lists the blocks. If you "
            f"edited configuration or source during a run, resume with: {run_again()}"
        )
    plan, chosen = blocks[block]
    device = device_of(plan)
    from trml.planning.handover import block_job
    from trml.training.worker import train_block

    job = block_job(plan, chosen)
    if cell is not None:
        own = [each for each in job.cells if each.digest == cell]
        if not own:
            raise CommandError(f"block {block} has no cell {cell}{nearest(cell, [e.digest for e in job.cells])}")
        # The block is not done by that, so neither its stamps nor what it has saved of other cells are touched.
        aside = job.unfinished.with_name(f"{job.unfinished.name}-{cell}")
        job = replace(job, name=f"{block}, cell {cell}", cells=tuple(own), finished=(), unfinished=aside)
    train_block(job, device)


def model(params: Params = None) -> None:
    """Write a trained model of the proposed method to work/models. Run by the workflow for DVC."""
    from trml.base.artifacts import new_folder
    from trml.features.contract import read_features
    from trml.planning.models import proposed_model
    from trml.training.model_folder import CONFIG, write_model

    plan = plans_of(params)[0]
    named = proposed_model(plan)
    if named is None:
        raise CommandError(
            f"{params or params_file()} trains no method of role `proposed` on complete data; expected one"
        )
    path, cell = named
    with new_folder(path, CONFIG) as folder:
        write_model(cell, read_features(plan.features), folder)


def choose(params: Params = None) -> None:
    """Choose each method's options on the dev split, and write them to config/chosen. The end of `trml search`."""
    print("\n".join(chosen(params)))


def chosen(params: str | None) -> list[str]:
    """Write config/chosen from the trials that are trained, and return what was chosen in words."""
    from trml.base.artifacts import write_text
    from trml.base.yaml_reader import read_yaml
    from trml.planning.plan import searched
    from trml.planning.trials import chosen_yaml
    from trml.training.selection import against
    from trml.training.selection import choose as run

    lines = []
    for plan in searched(plans_of(params)):
        path = Path("config/chosen") / f"{plan.params.corpus.name}-{plan.params.encoder.name}.yaml"
        earlier = read_yaml(path) if path.exists() else None
        write_text(path, chosen_yaml(plan.params, run(plan.trials)))
        lines += against(plan.trials, earlier or {})
        lines.append(f"wrote {path}; put it in force with: trml compose")
    return lines
