"""Kinds of corpora, found by scanning the folders `corpora/*/config.py` of this package and of its extensions."""

import json
from dataclasses import MISSING, asdict, fields
from functools import lru_cache, reduce
from importlib import import_module
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_type_hints

from pydantic import Field, TypeAdapter, ValidationError

from trml.base.errors import ConfigError, ContractError, DataMissing, TrmlError
from trml.base.files import not_a_file
from trml.base.modules import components
from trml.base.nearest import expected
from trml.base.yaml_reader import read_yaml
from trml.corpora.common.config import CorpusConfig
from trml.corpora.common.raw_files import first_of


@lru_cache
def kinds() -> dict[str, type[CorpusConfig]]:
    """Return the configuration class of every kind of corpus.

    Raises:
        ConfigError: If two classes have the same kind.
    """
    classes: dict[str, type[CorpusConfig]] = {}
    for module in components("corpora", "config").values():
        for cls in vars(import_module(module)).values():
            if isinstance(cls, type) and issubclass(cls, CorpusConfig) and cls.__module__ == module:
                for kind in _kinds_of(cls):
                    if kind in classes:
                        raise ConfigError(f"corpus kind {kind!r} is defined in {classes[kind].__module__} and {module}")
                    classes[kind] = cls
    return classes


def _kinds_of(cls: type[CorpusConfig]) -> tuple[str, ...]:
    """Return the kinds of a class, none for one that others derive from."""
    return get_args(get_type_hints(cls)["kind"]) if any(each.name == "kind" for each in fields(cls)) else ()  # type: ignore[arg-type]


if TYPE_CHECKING:
    Corpus = CorpusConfig
else:
    Corpus = Annotated[reduce(or_, kinds().values()), Field(discriminator="kind")]


def defaults() -> dict[str, dict[str, Any]]:
    """Return the configurations that need no file: those of the classes whose options all have defaults, by name."""
    configs = [cls() for cls in kinds().values() if not any(_is_required(each) for each in fields(cls))]  # type: ignore[arg-type]
    return {config.name: asdict(config) for config in configs}  # type: ignore[call-overload]


def _is_required(field: Any) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def shipped(config_dir: Path) -> dict[str, CorpusConfig]:
    """Return every configuration that `corpus=NAME` chooses, by name: the files config_dir/corpus, and `defaults`.

    Raises:
        ConfigError: If a file is not the configuration of a corpus.
    """
    adapter: TypeAdapter[CorpusConfig] = TypeAdapter(Corpus)

    def checked(options: Any) -> CorpusConfig:
        return adapter.validate_json(json.dumps(options), strict=True)

    configs = {name: checked(options) for name, options in defaults().items()}
    for path in sorted((config_dir / "corpus").glob("*.yaml")):
        try:
            configs[path.stem] = checked(read_yaml(path))
        except ValidationError as error:
            reason = expected(error.errors()[0])
            raise ConfigError(f"{path} is not the configuration of a corpus: {reason}") from None
    return configs


def builder(config: CorpusConfig) -> str:
    """Return the name of the module that builds a corpus; it is not imported."""
    return f"{type(config).__module__.rpartition('.')[0]}.{config.build_module}"


def build_corpus(config: CorpusConfig, data: Path, folder: Path, digest: str, workers: int) -> None:
    """Build a corpus.

    Args:
        config: Its configuration.
        data: The folder of raw corpora.
        folder: A new folder, which is filled as corpora/contract.py says.
        digest: The digest of the corpus's recipe.
        workers: Processes that may run at once. They move no byte.

    Raises:
        DataMissing: If raw files are absent.
        ContractError: If they do not have the expected form.
    """
    try:
        import_module(builder(config)).build(config, data, folder, digest, workers)
    except TrmlError:
        raise
    except Exception as error:  # a table or archive of another form makes its reader raise anything
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ContractError(
            f"corpus {config.name}: its raw files do not have the expected form ({type(error).__name__}: {reason}). "
            f"They are {_files_of(config, data)}. The columns and arrays that are expected: docs/corpora.md"
        ) from error


def _files_of(config: CorpusConfig, data: Path) -> str:
    """Return the first raw files of a corpus, for the message of a fault that its reader did not foresee."""
    try:
        return first_of([str(path) for path in config.raw_files(data)])
    except Exception:  # the same fault, met again
        return f"in {data}"


def require_files(config: CorpusConfig, files: list[Path]) -> None:
    """Raise DataMissing for the first raw file that is absent."""
    for path in files:
        if (kind := not_a_file(path)) is not None:
            raise DataMissing(
                f"corpus {config.name}: {path} {kind}. Put the file there, or name the folder of corpora: "
                f"make results EXPERIMENT={config.name} DATA=<folder>"
            )
