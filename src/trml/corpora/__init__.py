"""Corpora: sets of utterances in one common form (contract.py), one module each.

A corpus module offers `raw_files(config, data) -> list[Path]`, every raw file that it reads (media too), DataMissing
where they are not there, and `build(config, data, folder, digest, workers)`, which fills a new folder.
"""

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from trml.errors import ContractError, DataMissing, TrmlError


def corpus_module(kind: str) -> ModuleType:
    """The module that builds corpora of this kind."""
    return import_module(f"trml.corpora.{kind}")


def build_corpus(config: Any, data: Path, folder: Path, digest: str, workers: int) -> None:
    """Fill a new folder with the corpus. Raises ContractError where the raw files do not have the expected form."""
    try:
        corpus_module(config.kind).build(config, data, folder, digest, workers)
    except TrmlError:
        raise
    except Exception as error:  # whatever a table or archive of another form makes its reader raise
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ContractError(
            f"corpus {config.name}: its raw files do not have the expected form ({type(error).__name__}: {reason}); "
            "docs/corpora.md says which columns and arrays are expected"
        ) from error


def require_files(name: str, files: list[Path]) -> None:
    """Raise DataMissing for the first raw file that is absent."""
    for path in files:
        if not path.is_file():
            raise DataMissing(
                f"corpus {name}: {path} is missing; bring the file there, or say where the corpora are: "
                f"make results EXPERIMENT={name} DATA=<folder>"
            )
