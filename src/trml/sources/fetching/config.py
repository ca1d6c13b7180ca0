"""Options of corpora that can be fetched: their files, mirrors and terms."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from trml.base.fields import Name, strict


@dataclass(config=strict)
class Source:
    """A file to fetch.

    Attributes:
        file: Its name below the corpus's folder.
        urls: Its mirrors, in the order in which they are tried.
        size: Its size in bytes, None if unknown.
        sha256: Its checksum, None if unknown. Then data/sources.lock records the first download, and every later
            download must match it.
        gives: For an archive, glob patterns below the corpus's folder that its members match. An archive whose
            patterns all match need not be fetched. Empty for any other file.
    """

    file: str
    urls: Annotated[list[str], Field(min_length=1)]
    size: Annotated[int, Field(ge=1)] | None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None
    gives: list[str]

    def is_present(self, folder: Path) -> bool:
        """Return whether the file is in the corpus's folder, or everything that the archive gives."""
        archive = folder / self.file
        if not self.gives:
            return archive.is_file()
        if self.marker(folder, "unpacking").exists() or self.unmatched(folder):
            return False
        return self.marker(folder, "unpacked").exists() or not archive.exists()

    def unmatched(self, folder: Path) -> list[str]:
        """Return the patterns of `gives` that match nothing below the corpus's folder."""
        return [pattern for pattern in self.gives if next(folder.glob(pattern), None) is None]

    def marker(self, folder: Path, state: Literal["unpacking", "unpacked"]) -> Path:
        """Return the file beside the archive that records how far unpacking got."""
        return folder / f"{self.file}.{state}"


@dataclass(config=strict)
class Terms:
    """The terms of a corpus, which a user accepts once before it is fetched.

    Attributes:
        name: What `trml accept` and `accept_terms` call them.
        text: Shown before they are accepted.
        url: The corpus's own page.
    """

    name: Name
    text: str
    url: str


@dataclass(config=strict)
class FetchedCorpus:
    """What the configuration of every fetchable corpus has.

    Attributes:
        name: Of the corpus in results and below work/.
        folder: Below data. Its files are fetched to it, or provided there by the user.
        licence: Shown on the corpus's card.
        terms: Accepted by the user before anything is fetched.
        sources: The files to fetch. Empty if no program can fetch them.
    """

    name: Name
    folder: str
    licence: str
    terms: Terms
    sources: list[Source]

    def wanted(self, data: Path) -> list[Source]:
        """Return the sources that this configuration needs, given the files below `data`."""
        return self.sources

    def unfetched_sources(self, data: Path) -> list[Source]:
        """Return the sources that are still to be fetched or unpacked. No file is read."""
        return [source for source in self.wanted(data) if not source.is_present(data / self.folder)]

    def unfetched(self, data: Path) -> bool:
        """Return whether anything is still to be fetched or unpacked."""
        return bool(self.unfetched_sources(data))

    def recipe(self) -> dict[str, Any]:
        """Return the options that decide the corpus's bytes. Addresses and terms do not."""
        return {key: value for key, value in asdict(self).items() if key not in ("sources", "terms")}
