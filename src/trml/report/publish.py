"""results/: the published copy of what work/ holds."""

import shutil
from pathlib import Path

from trml.base.artifacts import new_folder, read_json
from trml.base.digests import file_digest
from trml.base.errors import StoreError
from trml.base.progress import say
from trml.planning.plan import Plan
from trml.training.contract import read_cell


def is_published(plan: Plan, results: Path = Path("results")) -> bool:
    """Whether results/<experiment> is complete and says what the configuration in force says."""
    folder = results / plan.name
    if not (folder / "manifest.json").is_file():
        return False
    try:
        manifest = read_json(folder / "manifest.json")
    except StoreError:
        return False
    return manifest["digest"] == plan.results.name and all(
        (folder / name).is_file() and file_digest(folder / name) == checksum
        for name, checksum in manifest["files"].items()
    )


def publish(plan: Plan, results: Path) -> None:
    """Copy the finished results to results/<experiment>.

    Where the same recipe is published already and metrics.csv has the same bytes, the copy there stays as it is:
    its manifest tells of the run that was published. Raises StoreError for results not of this configuration.
    """
    folder, made = results / plan.name, read_json(plan.results / "manifest.json")
    if made["digest"] != plan.results.name:
        raise StoreError(
            f"{plan.results} holds {made['digest']}; it is not published. Remove it and run: snakemake --cores all"
        )
    for cell in plan.cells:
        read_cell(plan, cell)
    if is_published(plan, results):
        if file_digest(folder / "metrics.csv") == made["files"]["metrics.csv"]:
            say(f"{folder}: reproduced, metrics.csv has the same bytes as the published one")
            return
        say(f"{folder}: same recipe, other bytes in metrics.csv (another machine?); replaced by this run's")
    _replace(plan.results, folder)
    say(f"{folder}: published, open {folder / 'report' / 'index.html'}")


def _replace(source: Path, target: Path) -> None:
    """Put a copy of `source` in the place of `target`, never leaving a mixture of both."""
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    with new_folder(target, "manifest.json") as folder:
        shutil.copytree(source, folder, dirs_exist_ok=True)
    shutil.rmtree(old, ignore_errors=True)
