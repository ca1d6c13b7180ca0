"""The corpora: what of each can be chosen. `kind` names the module of trml.corpora that builds it."""

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

from pydantic import Field

from trml.base.errors import ContractError, DataMissing, TrmlError
from trml.corpora.cmu.config import CmuConfig
from trml.corpora.feature_files.config import ArraysConfig
from trml.corpora.meld.config import MeldConfig
from trml.corpora.mosi_features.config import MosiConfig
from trml.corpora.mvsa.config import MvsaConfig, MvsaSingleConfig
from trml.corpora.pantomime.config import PantomimeConfig
from trml.corpora.user_table.config import OwnConfig

Corpus = Annotated[
    PantomimeConfig | MosiConfig | MvsaConfig | CmuConfig | MeldConfig | MvsaSingleConfig | OwnConfig | ArraysConfig,
    Field(discriminator="kind"),
]


_BUILDERS = {
    "pantomime": "pantomime.build",
    "mosi": "mosi_features.build",
    "mvsa": "mvsa.sample",
    "mvsa_single": "mvsa.build",
    "cmu_mosi": "cmu.mosi",
    "cmu_mosei": "cmu.mosei",
    "meld": "meld.build",
    "own": "user_table.build",
    "arrays": "feature_files.build",
}


def corpus_module(kind: str) -> ModuleType:
    """The module that builds corpora of this kind."""
    return import_module(f"trml.corpora.{_BUILDERS[kind]}")


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
