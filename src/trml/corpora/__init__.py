"""Corpora: sets of utterances in one common form (contract.py), one module each.

A corpus module offers `raw_files(config, data) -> list[Path]`, the files a user has to bring, and
`build(config, data, folder, digest, workers)`, which fills a new folder.
"""

from importlib import import_module
from pathlib import Path
from types import ModuleType

from trml.errors import DataMissing


def corpus_module(kind: str) -> ModuleType:
    """The module that builds corpora of this kind."""
    return import_module(f"trml.corpora.{kind}")


def require_files(name: str, files: list[Path]) -> None:
    """Raise DataMissing for the first raw file that is absent."""
    for path in files:
        if not path.is_file():
            raise DataMissing(
                f"corpus {name}: {path} is missing; bring the file there, or say where the corpora are: "
                f"make results EXPERIMENT={name} DATA=<folder>"
            )
