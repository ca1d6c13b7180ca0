"""A corpus's files, fetched or brought, checked and unpacked."""

import shutil
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from trml.base.artifacts import write_text
from trml.base.errors import ArchiveRefused, DataMissing, FetchFailed
from trml.base.lock import alone
from trml.base.progress import say
from trml.corpora.cmu.config import CmuConfig
from trml.corpora.meld.config import MeldConfig
from trml.sources.fetching.config import FetchedCorpus, Source
from trml.sources.fetching.download import PATIENCE, download, is_offline, missing_in_words
from trml.sources.fetching.lockfile import Lock
from trml.sources.fetching.rate import Patience, bytes_in_words
from trml.sources.fetching.terms import require_accepted


def wanted(config: FetchedCorpus, data: Path) -> list[Source]:
    """The sources that a corpus needs: without vision no archive, of whole videos no cut clips, and no table that came
    with MELD's archive."""
    if isinstance(config, MeldConfig):
        beside = data / config.folder / "MELD.Raw"
        return [s for s in config.sources if (config.vision if s.gives else not (beside / s.file).is_file())]
    if isinstance(config, CmuConfig) and config.clips == "full":
        return [replace(source, gives=[_whole(pattern) for pattern in source.gives]) for source in config.sources]
    return config.sources


def _whole(pattern: str) -> str:
    """Where the whole videos are, of where the cut ones are."""
    return pattern.replace("Segmented", "Full") if pattern.endswith(".mp4") else pattern


def missing(config: FetchedCorpus, data: Path) -> list[Source]:
    """What must still be fetched or unpacked. Cheap: it looks where files are and does not read them."""
    return [source for source in wanted(config, data) if not _is_there(source, data / config.folder)]


def steps(config: FetchedCorpus, data: Path) -> list[str]:
    """What `fetch` will do, a line a file."""
    folder, absent = data / config.folder, missing(config, data)
    lines = [f"corpus {config.name}, in {folder}:"]
    for source in wanted(config, data):
        verbs = ["there"]
        if source in absent:
            size = "size not known before" if source.size is None else bytes_in_words(source.size)
            fetched = (folder / source.file).is_file()
            verbs = [] if fetched else [f"to be fetched from {urlsplit(source.urls[0]).hostname} ({size})"]
            verbs += ["to be unpacked"] if source.gives else []
        lines.append(f"  {source.file}: {', '.join(verbs)}")
    return lines if config.sources else [f"corpus {config.name}: nothing to fetch; it is brought by hand, to {folder}"]


def fetch(
    config: FetchedCorpus,
    data: Path,
    accepted: Collection[str] = (),
    offline: bool = False,
    patience: Patience = PATIENCE,
) -> None:
    """Have all files of a corpus below data, as they should be, and its archives unpacked.

    accepted: names of terms that the configuration accepts. Raises TermsNotAccepted, DataMissing (offline), FetchFailed
    or ArchiveRefused; what is finished stays.
    """
    folder, lock = data / config.folder, Lock(data)
    say("\n".join(steps(config, data)))
    absent = [source for source in missing(config, data) if not (folder / source.file).is_file()]
    if absent and is_offline(offline):
        raise DataMissing(
            f"corpus {config.name}: " + missing_in_words([(source, folder / source.file) for source in absent])
        )
    if absent:
        require_accepted(config, data, accepted)
        _require_room(config, absent, data, patience)
    for source in wanted(config, data):
        if source.gives and _is_there(source, folder):
            continue
        download(source, folder / source.file, lock, offline, patience)
        if source.gives:
            _unpack(source, folder, lock)


# --- archives --------------------------------------------------------------------------------------------


def _is_there(source: Source, folder: Path) -> bool:
    """Of an archive: what it gives is there, from a finished unpacking or brought without the archive."""
    archive = folder / source.file
    if not source.gives:
        return archive.is_file()
    if _beside(archive, "unpacking").exists() or _lacking(source, folder):
        return False
    return _beside(archive, "unpacked").exists() or not archive.exists()


def _lacking(source: Source, folder: Path) -> list[str]:
    return [pattern for pattern in source.gives if next(folder.glob(pattern), None) is None]


def _beside(archive: Path, word: str) -> Path:
    return archive.with_name(f"{archive.name}.{word}")


def _unpack(source: Source, folder: Path, lock: Lock) -> None:
    """Unpack an archive. `.unpacking` lies beside it until all is out, so that a half is never taken for the whole."""
    from trml.sources.formats.archives import unpack

    archive = folder / source.file
    unpacking, unpacked = _beside(archive, "unpacking"), _beside(archive, "unpacked")
    with alone(unpacking, f"{archive.name}: another process unpacks it; waiting for that"):
        if _is_there(source, folder):
            return
        unpacked.unlink(missing_ok=True)
        unpacking.touch()
        try:
            unpack(archive, folder)
        except ArchiveRefused as error:
            again = f"To fetch it anew, remove {archive}, and its entry in {lock.path}"
            raise ArchiveRefused(f"{str(error).rstrip('.')}. {again}") from None
        if lacking := _lacking(source, folder):
            raise FetchFailed(
                f"{archive} is unpacked, but there is no {' and no '.join(lacking)} in {folder}; expected the layout "
                "that docs/real_corpora.md shows. Move what came out to these places"
            )
        write_text(unpacked, "all of the archive is unpacked; the archive may be removed\n")
        unpacking.unlink()


# --- before anything is fetched --------------------------------------------------------------------------


def _require_room(config: FetchedCorpus, absent: list[Source], data: Path, patience: Patience) -> None:
    """Raise FetchFailed where what is known of the sizes does not fit: archives are there twice for a while."""
    folder = data / config.folder
    needed = sum((source.size or 0) * (2 if source.gives else 1) for source in absent)
    needed -= sum(part.stat().st_size for source in absent if (part := folder / f"{source.file}.part").exists())
    data.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(data).free
    if free < needed + patience.reserve:
        raise FetchFailed(
            f"corpus {config.name} needs some {bytes_in_words(needed)}, and {bytes_in_words(patience.reserve)} should "
            f"stay free; {data} has {bytes_in_words(free)}. Free some space, or say where there is more: data=<folder>"
        )
