"""Pack published results with all that their page can be made from again without training, and unpack such an archive.

An archive holds results/<name>, and of work/ what the page reads, without its bulk: the predictions of every cell,
tables of corpora and features, references and probes. Scores and claims are not in it: they are computed again.
"""

import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from trml.base.artifacts import damage, is_bulk
from trml.base.errors import StoreError
from trml.base.files import not_a_file, not_to_replace
from trml.base.progress import track
from trml.config.load import load
from trml.planning.attic import entries
from trml.planning.plan import Plan, plans
from trml.sources.formats.archives import unpack
from trml.training.store import is_done, shard_of

_STORED = (".parquet", ".png", ".npz")  # compressed already


def export(plans: Sequence[Plan], published: Path, archive: Path) -> None:
    """Write an archive of published results.

    Args:
        plans: Of the configuration that is published.
        published: results/<name>, or another folder, which is named so in the archive.
        archive: The zip file to write.

    Raises:
        StoreError: If something of work/ is absent or damaged, a corpus has raw files, and with them terms, or there is
            a link, pipe or device among the published files: an archive holds what is in its folders alone.
    """
    for plan in plans:
        if plan.raw_files:
            raise StoreError(f"corpus {plan.params.corpus.name} is not generated, and an archive would hold its texts")
    folders = list(_folders(plans))
    for folder in folders:
        fault = damage(folder)
        if fault:
            raise StoreError(f"{folder}: {fault}. An archive holds what a page is made from; make it or pull it first")
    packed = [(f"results/{published.resolve().name}/{file.relative_to(published)}", file) for file in _files(published)]
    packed += [(str(file), file) for folder in folders for file in _files(folder)]
    if (taken := not_to_replace(archive)) is not None:
        raise StoreError(f"{archive} {taken}; expected a file to write, or nothing. Name another, or remove it")
    temporary = archive.with_name(f".{archive.name}.part")
    if not archive.parent.is_dir():
        raise StoreError(
            f"folder {archive.parent} does not exist; expected one to write {archive.name} to. Make it first"
        )
    try:
        temporary.unlink(missing_ok=True)  # of a run that was killed, or a link that would lead elsewhere
        _pack(packed, temporary)
        temporary.rename(archive)
    except OSError as error:
        raise StoreError(
            f"{archive} cannot be written ({error.strerror}); expected a file that can. Name another"
        ) from None
    finally:
        temporary.unlink(missing_ok=True)


def _pack(packed: Sequence[tuple[str, Path]], archive: Path) -> None:
    """Write files to a new zip file, each under its name."""
    with zipfile.ZipFile(archive, "x", compresslevel=6) as zipped:
        for name, file in track(packed, len(packed), "files packed"):
            kind = zipfile.ZIP_STORED if file.suffix in _STORED else zipfile.ZIP_DEFLATED
            member = zipfile.ZipInfo(name)  # without its time: the same files are the same archive
            member.external_attr = 0o644 << 16
            member.compress_type = kind
            zipped.writestr(member, file.read_bytes())


def bring(archive: Path, work: Path = Path("work")) -> Path:
    """Put what an archive holds where it belongs in work/, and return its configuration.

    What is there already stays. Nothing is overwritten.

    Raises:
        ArchiveRefused: If the archive is unsafe or damaged.
        StoreError: If it is no archive of results, its content is damaged, or it was made by another version, whose
            folders have other names.
    """
    work.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".archive.", dir=work) as name:
        opened = Path(name)
        unpack(archive, opened)
        found = sorted(opened.glob("results/*/params.yaml"))
        if len(found) != 1:
            raise StoreError(f"{archive} has {len(found)} results; expected one folder results/<name> with params.yaml")
        planned = plans(load(found[0]), work)
        lacking = _settle(planned, opened / "work", work)
        if lacking:
            raise StoreError(
                f"{archive} lacks {len(lacking)} of the parts that this version makes the page from, as {lacking[0]}. "
                "It was made by another version: its manifest.json names the commit"
            )
        params = work / "params" / f"{found[0].parent.name}.yaml"
        params.parent.mkdir(exist_ok=True)
        shutil.copyfile(found[0], params)
    return params


def _folders(plans: Sequence[Plan]) -> Iterator[Path]:
    """Yield the folders that evaluation and report read, once each."""
    yield from dict.fromkeys(folder for plan in plans for folder in (*_read(plan), *map(shard_of, plan.cells)))


def _files(folder: Path) -> list[Path]:
    """Return the files below a folder but its bulk. Raises StoreError for a link, pipe or device."""
    found = []
    for path in sorted(folder.rglob("*")):
        kind = "is a link" if path.is_symlink() else not_a_file(path)
        if kind == "is a folder" or is_bulk(path.relative_to(folder)):
            continue
        if kind is not None:
            raise StoreError(f"{path} {kind}; expected files, which alone are packed. Remove it")
        found.append(path)
    return found


def _settle(planned: Sequence[Plan], source: Path, work: Path) -> list[str]:
    """Move folders to their places; return the names of those that the plans read and that are still absent."""
    for folder in entries(source):
        fault, target = damage(folder), work / folder.relative_to(source)
        if fault:
            raise StoreError(f"{folder.relative_to(source.parent)}: {fault}. Get the archive again")
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            folder.rename(target)
    cells = [cell.name for plan in planned for cell in plan.cells if not is_done(cell)]
    return [*(folder.name for plan in planned for folder in _read(plan) if not folder.exists()), *cells]


def _read(plan: Plan) -> list[Path]:
    """Return what evaluation and report read of a dataset beside its cells."""
    return [folder for folder in (plan.corpus, plan.features, plan.references, plan.probes) if folder]
