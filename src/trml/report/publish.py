"""Publish finished results: results/<experiment> is a copy of a folder of work/results."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from trml.base.artifacts import new_folder, read_json
from trml.base.commands import run_again
from trml.base.digests import file_digest
from trml.base.errors import ContractError, DataMissing, StoreError
from trml.base.files import not_a_file
from trml.base.progress import say
from trml.report.contract import other_files
from trml.report.crate import write_crate
from trml.report.quality import BROKEN
from trml.report.result_files import altered, manifest_of
from trml.training.contract import Cell
from trml.training.store import read_cell


def is_published(digest: str, published: Path) -> bool:
    """Return whether a folder holds the results of this digest, whole and unchanged.

    Args:
        digest: Name of the results folder in work/.
        published: results/<experiment>.
    """
    try:
        manifest = manifest_of(published)
        return manifest["digest"] == digest and "files" in manifest and not altered(published)
    except (ContractError, DataMissing):  # no results, or another's
        return False


def require_place(published: Path) -> None:
    """Check that results can be published at a path: a folder is there, which they replace, or nothing.

    Raises:
        StoreError: If there is a file, link, pipe or device, also in the place of the folder above.
    """
    if published.parent.exists() and not published.parent.is_dir():
        raise StoreError(
            f"{published.parent} is no folder; expected one, or nothing. Move it away, then: {run_again()}"
        )
    kind = not_a_file(published)
    if kind not in ("is missing", "is a folder"):
        found = kind or ("is a link" if published.is_symlink() else "is a file")
        raise StoreError(
            f"{published} {found}; expected a folder of results, or nothing. Move it away, then: {run_again()}"
        )


def publish(
    digest: str,
    finished: Path,
    cells: Sequence[Cell],
    published: Path,
    *,
    checkout: Path | None = None,
    replace: bool = False,
    keep: bool = False,
) -> None:
    """Copy finished results to results/<experiment>, which becomes a research object (report/crate.py).

    Published results of the same recipe stay, whatever bytes this run has: with other bytes it says so, and where its
    own are.

    Args:
        digest: Name of the results folder in work/.
        finished: That folder.
        cells: The cells behind the results; each is verified.
        published: results/<experiment>.
        checkout: The repository that made them, which the description as a research object needs.
        replace: Whether to replace published results of the same recipe too.
        keep: Whether results of another configuration under this name are kept, under another one.

    Raises:
        StoreError: If the results are of another digest, broken (report/quality.py), or a cell is absent, damaged or of
            another recipe; if there is no folder at `published`, but something else.
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
    require_place(published)
    if is_published(digest, published) and not replace:
        say(f"{published}: {_beside(manifest['files'], read_json(published / 'manifest.json')['files'], finished)}")
        return
    if keep:
        _keep_other(finished, published)
    _replace(finished, published, checkout)
    say(f"{published}: published, open {published / 'report' / 'index.html'}")


def _beside(ours: Mapping[str, str], theirs: Mapping[str, str], finished: Path) -> str:
    """Say how results compare with published ones of the same recipe, by the checksums of their files.

    The page is left out, and what holds times.
    """
    names, other = other_files(theirs, ours)
    if not other:
        return f"reproduced, all {len(names)} files have the same bytes as the published ones"
    return (
        f"{len(other)} of {len(names)} files have other bytes than the published ones of the same recipe, as "
        f"{other[0]} (another machine?). The published ones stay. This run's page is "
        f"{finished / 'report' / 'index.html'}; to publish it in their place: trml publish --replace"
    )


def _keep_other(finished: Path, published: Path) -> None:
    """Move published results of another configuration out of the way."""
    ours, theirs = (folder / "params.yaml" for folder in (finished, published))
    if theirs.is_file() and theirs.read_text() != ours.read_text():
        aside = published.with_name(f"{published.name}_{file_digest(theirs)[:6]}")
        if not aside.exists():
            published.rename(aside)
            say(f"{published}: held results of another configuration, which are now {aside}")


def _replace(source: Path, target: Path, checkout: Path | None) -> None:
    """Replace `target` with a copy of `source`; a mixture of both never exists."""
    old = target.with_name(f".{target.name}.old")
    _remove(old)
    with new_folder(target, "manifest.json") as folder:
        shutil.copytree(source, folder, dirs_exist_ok=True)
        if checkout is not None:
            write_crate(folder, checkout)
        if target.exists():  # not before the new one is complete
            target.rename(old)
    _remove(old)


def _remove(path: Path) -> None:
    """Remove a folder, or what is in its place."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
