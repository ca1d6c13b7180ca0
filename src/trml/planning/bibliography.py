"""The publications behind methods, corpora and encoders: a file of BibTeX beside the code of each.

A method in methods/x.py has methods/x.bib. A corpus or an encoder of kind x has x.bib in the folder of its config.py,
also in an extension package. A component without such a file cites nothing. Lines of the file that start with % say
what a licence is, where the configuration does not.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import bibtexparser

from trml.base.errors import ContractError
from trml.base.modules import module_file
from trml.config.params import Params
from trml.report.contract import Origin
from trml.sources.fetching.config import FetchedCorpus


class Cited(NamedTuple):
    """What to cite for a component: what it is, its entries by key, and what else to know, a sentence each."""

    what: str
    entries: Mapping[str, str]
    remarks: tuple[str, ...]


def cited(params: Params) -> list[Cited]:
    """Return what to cite for the corpora, encoders and methods of every dataset of a configuration, each once.

    Raises:
        ContractError: If a .bib file is no BibTeX.
    """
    every = params.by_dataset().values()
    found = [
        *(_corpus(each.corpus) for each in every),
        *(_encoder(each.encoder) for each in every),
        *(_method(name, method.target) for each in every for name, method in each.methods.items()),
    ]
    return list({each.what: each for each in found}.values())


def own_entry(citation: Mapping[str, Any]) -> str:
    """Return this project as BibTeX; `citation`: CITATION.cff."""
    names = [
        f"{{{author['name']}}}" if "name" in author else f"{author['family-names']}, {author['given-names']}"
        for author in citation["authors"]
    ]
    fields = {
        "author": " and ".join(names),
        "title": citation["title"],
        "version": citation["version"],
        "license": citation["license"],
    }
    lines = [f"  {key} = {{{value}}}," for key, value in fields.items()]
    return "\n".join(["@software{trml,", *lines, "}"])


def origin_of(config: Any) -> Origin:
    """Return where a corpus is from, by its configuration."""
    bibtex = "\n\n".join(_entries(_beside(config)).values())
    if isinstance(config, FetchedCorpus):
        return Origin(bibtex, config.terms.text, config.terms.url)
    return Origin(bibtex)


def _corpus(config: Any) -> Cited:
    path = _beside(config)
    licence = [f"Licence: {config.licence}"] if hasattr(config, "licence") else list(_remarks(path))
    terms = [f"Terms: {config.terms.text} {config.terms.url}"] if isinstance(config, FetchedCorpus) else []
    return Cited(f"corpus {config.name}", _entries(path), (*licence, *terms))


def _encoder(config: Any) -> Cited:
    path, is_foreign = _beside(config), bool(config.modalities) and not config.pretrained
    remarks = ["The weights have a licence of their own: see where they are from."] if is_foreign else []
    return Cited(f"encoder {config.name}", _entries(path), (*_remarks(path), *remarks))


def _method(name: str, target: str) -> Cited:
    file = module_file(target.rpartition(".")[0])
    path = file.with_suffix(".bib") if file else None
    return Cited(f"method {name}", _entries(path), tuple(_remarks(path)))


def _beside(config: Any) -> Path | None:
    file = module_file(type(config).__module__)
    return file.with_name(f"{config.kind}.bib") if file else None


def _entries(path: Path | None) -> dict[str, str]:
    """Return the entries of a file by key, as they are written; none without the file."""
    if path is None or not path.is_file():
        return {}
    library = bibtexparser.parse_string(path.read_text())
    if library.failed_blocks:
        raise ContractError(
            f"{path}: line {(library.failed_blocks[0].start_line or 0) + 1} is no BibTeX; expected entries"
        )
    return {entry.key: str(entry.raw) for entry in library.entries}


def _remarks(path: Path | None) -> Iterator[str]:
    if path is not None and path.is_file():
        for line in path.read_text().splitlines():
            if line.startswith("%"):
                yield line.removeprefix("%").strip()
