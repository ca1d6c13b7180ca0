"""The publications behind methods, corpora and encoders: a file of BibTeX beside the code of each.

A method in methods/x.py has methods/x.bib. A corpus or an encoder of kind x has x.bib in the folder of its config.py,
also in an extension package. A component without such a file cites nothing.
"""

from pathlib import Path
from typing import Any

from trml.base.modules import module_file
from trml.report.contract import Origin
from trml.sources.fetching.config import FetchedCorpus


def bibtex_of_method(target: str) -> str:
    """Return what to cite for a method; `target`: its class, as a dotted path."""
    file = module_file(target.rpartition(".")[0])
    return _read(file.with_suffix(".bib")) if file else ""


def bibtex_of(config: Any) -> str:
    """Return what to cite for a corpus or an encoder, by its configuration."""
    file = module_file(type(config).__module__)
    return _read(file.with_name(f"{config.kind}.bib")) if file else ""


def origin_of(config: Any) -> Origin:
    """Return where a corpus is from, by its configuration."""
    if isinstance(config, FetchedCorpus):
        return Origin(bibtex_of(config), config.terms.text, config.terms.url)
    return Origin(bibtex_of(config))


def _read(path: Path) -> str:
    return path.read_text() if path.is_file() else ""
