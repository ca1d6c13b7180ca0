"""Train one cell of an experiment: what `trml run --only` does."""

import os
import subprocess
import sys
from pathlib import Path

import polars as pl

from trml.base.errors import CommandError
from trml.base.nearest import nearest
from trml.base.progress import say
from trml.cli.common import plans_of
from trml.cli.ending import Code
from trml.cli.following import follow
from trml.cli.output import emit
from trml.training.store import content_digest, is_done, read_cell


def train_one(params: str, cell: str, snakefile: Path, cores: str, *, as_json: bool) -> int:
    """Train a cell unless it is in the store, and say whether its predictions are the published ones.

    Args:
        params: The configuration file.
        cell: Its digest, or the start of it.
        snakefile: The workflow, which makes the features that the cell is trained on.
        cores: For Snakemake.
        as_json: Whether to print a document.

    Raises:
        CommandError: If no cell, or more than one, has the digest.
    """
    plans = plans_of(params)
    every = {
        each.digest: (plan, block, each) for plan in plans for block in plan.blocks.values() for each in block.cells
    }
    fitting = [name for name in every if name.startswith(cell)]
    if len(fitting) != 1:
        many = f": {', '.join(fitting[:5])}" if fitting else nearest(cell, every)
        raise CommandError(f"{len(fitting)} cells of {params} start with {cell}{many if len(many) < 200 else ''}")
    plan, block, chosen = every[fitting[0]]
    was_there = is_done(chosen)
    if not was_there:
        again = f"trml run --params {params} --only {chosen.digest}"
        target = [str(plan.features / "features.json")]
        if not (plan.features / "features.json").is_file():
            code = follow(params, target, cores, again, snakefile, whole=False)
            if code:
                return code
        command = [sys.executable, "-m", "trml", "train", "--params", params, "--block", block.name]
        done = subprocess.run([*command, "--cell", chosen.digest], env=os.environ, check=False)
        if done.returncode:
            return done.returncode
    record, table = read_cell(chosen)
    content = None if table is None else content_digest(table)
    published = _published(Path("results") / plans[0].named.published, chosen.digest)
    about = {"cell": chosen.digest, "name": chosen.name, "trained": not was_there, "content": content}
    about |= {"published": published, "wall_s": record.get("wall_s"), "failed": record.get("failed")}
    state = "was in the store" if was_there else f"trained in {record.get('wall_s', 0.0):.1f} s"
    against = "not published" if published is None else "as published" if published == content else "NOT as published"
    say(f"{chosen.name}: {state}; predictions {content or 'none, the training failed'}, {against}")
    emit("cell", about, [str(content)], as_json=as_json)
    return Code.DONE if published in (None, content) else Code.NO


def _published(folder: Path, cell: str) -> str | None:
    """Return the checksum of a cell's predictions in published results, None where there is none."""
    path = folder / "cells.csv"
    if not path.is_file():
        return None
    rows = pl.read_csv(path, infer_schema=False).filter(pl.col("cell") == cell)
    return str(rows["content"][0]) if rows.height else None
