"""Have a corpus's files below data/: fetched or provided, verified and unpacked."""

import shutil
from collections.abc import Collection
from pathlib import Path
from urllib.parse import urlsplit

from trml.base.artifacts import write_text
from trml.base.errors import ArchiveRefused, DataMissing, FetchFailed
from trml.base.lock import alone
from trml.base.progress import say
from trml.sources.fetching.config import FetchedCorpus, Source
from trml.sources.fetching.download import PATIENCE, absent_in_words, download, is_offline
from trml.sources.fetching.lockfile import Lock
from trml.sources.fetching.rate import Patience, bytes_in_words
from trml.sources.fetching.terms import require_accepted


def steps(config: FetchedCorpus, data: Path) -> list[str]:
    """Return what `fetch` would do, a line a file."""
    folder, unfetched = data / config.folder, config.unfetched_sources(data)
    lines = [f"corpus {config.name}, in {folder}:"]
    for source in config.wanted(data):
        verbs = ["present"]
        if source in unfetched:
            size = "size unknown" if source.size is None else bytes_in_words(source.size)
            fetched = (folder / source.file).is_file()
            verbs = [] if fetched else [f"to be fetched from {urlsplit(source.urls[0]).hostname} ({size})"]
            verbs += ["to be unpacked"] if source.gives else []
        lines.append(f"  {source.file}: {', '.join(verbs)}")
    return lines if config.sources else [f"corpus {config.name}: no program can fetch it. Put its files in {folder}"]


def fetch(
    config: FetchedCorpus,
    data: Path,
    accepted: Collection[str] = (),
    offline: bool = False,
    patience: Patience = PATIENCE,
) -> None:
    """Have all files of a corpus below `data`, verified, and its archives unpacked.

    Args:
        config: The corpus.
        data: The folder of corpora.
        accepted: Names of terms that the configuration accepts.
        offline: Whether nothing may be fetched.
        patience: Timeouts and limits.

    Raises:
        TermsNotAccepted: If a file is absent and the terms are not accepted.
        DataMissing: If a file is absent and nothing may be fetched.
        FetchFailed: If no mirror has a file, a file is wrong, or the disk is full.
        ArchiveRefused: If an archive is damaged or unsafe. Whatever is finished is kept.
    """
    folder, lock = data / config.folder, Lock(data)
    say("\n".join(steps(config, data)))
    absent = [source for source in config.unfetched_sources(data) if not (folder / source.file).is_file()]
    if absent and is_offline(offline):
        raise DataMissing(
            f"corpus {config.name}: " + absent_in_words([(source, folder / source.file) for source in absent])
        )
    if absent:
        require_accepted(config, data, accepted)
        _require_room(config, absent, data, patience)
    for source in config.wanted(data):
        if source.gives and source.is_present(folder):
            continue
        download(source, folder / source.file, lock, offline, patience)
        if source.gives:
            _unpack(source, folder, lock)


def _unpack(source: Source, folder: Path, lock: Lock) -> None:
    """Unpack an archive. The marker `.unpacking` stays beside it until all members are out."""
    from trml.sources.formats.archives import unpack

    archive = folder / source.file
    unpacking, unpacked = source.marker(folder, "unpacking"), source.marker(folder, "unpacked")
    with alone(unpacking, f"{archive.name}: waiting for another process that is unpacking it"):
        if source.is_present(folder):
            return
        unpacked.unlink(missing_ok=True)
        unpacking.touch()
        try:
            unpack(archive, folder)
        except ArchiveRefused as error:
            again = f"To fetch it again, remove {archive} and its entry in {lock.path}"
            raise ArchiveRefused(f"{str(error).rstrip('.')}. {again}") from None
        if unmatched := source.unmatched(folder):
            raise FetchFailed(
                f"{archive} is unpacked, but there is no {' and no '.join(unmatched)} in {folder}; expected the layout "
                "in docs/real_corpora.md. Move the unpacked files there"
            )
        write_text(unpacked, "The archive is fully unpacked and may be removed.\n")
        unpacking.unlink()


def _require_room(config: FetchedCorpus, absent: list[Source], data: Path, patience: Patience) -> None:
    """Raise FetchFailed if the known sizes do not fit on the disk. Archives count twice: packed and unpacked."""
    folder = data / config.folder
    needed = sum((source.size or 0) * (2 if source.gives else 1) for source in absent)
    needed -= sum(part.stat().st_size for source in absent if (part := folder / f"{source.file}.part").exists())
    data.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(data).free
    if free < needed + patience.reserve:
        raise FetchFailed(
            f"corpus {config.name} needs about {bytes_in_words(needed)}, and {bytes_in_words(patience.reserve)} must "
            f"stay free; {data} has {bytes_in_words(free)}. Free disk space, or choose another folder: data=<folder>"
        )
