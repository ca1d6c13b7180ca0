"""Publish finished results: results/<experiment> is a copy of a folder of work/results."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from trml.base.artifacts import new_folder, read_json
from trml.base.commands import run_again
from trml.base.digests import file_digest
from trml.base.errors import StoreError
from trml.base.progress import say
from trml.report.quality import BROKEN
from trml.training.contract import Cell, read_cell


def is_published(digest: str, published: Path) -> bool:
    """Return whether a folder holds the results of this digest, whole and unchanged.

    Args:
        digest: Name of the results folder in work/.
        published: results/<experiment>.
    """
    if not (published / "manifest.json").is_file():
        return False
    try:
        manifest = read_json(published / "manifest.json")
    except StoreError:
        return False
    return manifest["digest"] == digest and all(
        (published / name).is_file() and file_digest(published / name) == checksum
        for name, checksum in manifest["files"].items()
    )


def publish(digest: str, finished: Path, cells: Sequence[Cell], published: Path) -> None:
    """Copy finished results to results/<experiment>.

    Results that reproduce the published ones (same digest, same bytes of metrics.csv) leave the published copy and its
    manifest unchanged.

    Args:
        digest: Name of the results folder in work/.
        finished: That folder.
        cells: The cells behind the results; each is verified.
        published: results/<experiment>.

    Raises:
        StoreError: If the results are of another digest, broken (report/quality.py), or a cell is absent, damaged or of
            another recipe.
    """
    manifest = read_json(finished / "manifest.json")
    if manifest["digest"] != digest:
        raise StoreError(
            f"{finished} holds {manifest['digest']}; expected {digest}, so it is not published. Remove it and run: "
            f"{run_again()}"
        )
    broken = [fault["words"] for fault in manifest["quality"] if fault["severity"] >= BROKEN]
    if broken:
        raise StoreError(
            f"{finished} is not published: {' '.join(broken)} Its page is {finished / 'report' / 'index.html'}. Mend "
            f"the cause, and run: {run_again()}"
        )
    for cell in cells:
        read_cell(cell)
    if is_published(digest, published):
        if file_digest(published / "metrics.csv") == manifest["files"]["metrics.csv"]:
            say(f"{published}: reproduced, metrics.csv has the same bytes as the published one")
            return
        say(f"{published}: same recipe, other bytes in metrics.csv (another machine?); replaced by this run's")
    _replace(finished, published)
    say(f"{published}: published, open {published / 'report' / 'index.html'}")


def _replace(source: Path, target: Path) -> None:
    """Replace `target` with a copy of `source`; a mixture of both never exists."""
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    with new_folder(target, "manifest.json") as folder:
        shutil.copytree(source, folder, dirs_exist_ok=True)
    shutil.rmtree(old, ignore_errors=True)
