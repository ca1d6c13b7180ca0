"""TODO docstring."""

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from trml.base.fields import Count, Name, strict


@dataclass(config=strict)
class Source:
    """A file to fetch, to `file` below the corpus's folder, from the first of `urls` that has it.

    sha256: null where it is not known; then the first download is recorded in data/sources.lock and later ones must
    match. gives: of an archive, patterns below the corpus's folder of what it holds; where something matches them, the
    archive need not be fetched. Empty: the file is no archive.
    """

    file: str
    urls: Annotated[list[str], Field(min_length=1)]
    size: Count | None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None
    gives: list[str]


@dataclass(config=strict)
class Terms:
    """What a user accepts once before a corpus is fetched (`trml accept NAME`, or accept_terms)."""

    name: Name
    text: str
    url: str


@dataclass(config=strict)
class FetchedCorpus:
    """What every corpus has that can be fetched. `folder` is below data: there the files are, fetched or brought."""

    name: Name
    folder: str
    licence: str
    terms: Terms
    sources: list[Source]
