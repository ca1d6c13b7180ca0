"""The facts that every corpus states about itself, in its configuration class."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field

from trml.base.commands import remake
from trml.base.fields import require
from trml.missing.modalities import in_order


def _ordered(names: list[str]) -> list[str]:
    require(list(in_order(names)) == names, f"modalities are {names}; expected each once, in the order of text, vision")
    return names


# The option of corpora that bring features of several modalities: which of them are used.
Modalities = Annotated[list[Literal["text", "vision", "audio"]], Field(min_length=2), AfterValidator(_ordered)]


class CorpusConfig:
    """The base of every corpus's configuration: a pydantic dataclass with at least the fields `kind` and `name`.

    Attributes:
        kind: Names the class in a configuration: `Literal["mine"]`.
        name: Of the corpus in results and below work/.
        modalities: What an utterance may have, in order: a class attribute, or a field if it can be chosen.
        brings: `media` to be encoded, or `features` in given/.
        packages: Installed packages whose versions decide the corpus's bytes.
        published_as: The corpus's name in report/literature/published.csv, None if nothing is published on it.
        build_module: The module with `build`, beside the module of the configuration class.
        recognised: How `trml check` may recognise a folder as this corpus: `by_files`, `last` if its files fit many
            folders, or `never`.
    """

    kind: str
    name: str
    modalities: Sequence[str]
    brings: ClassVar[Literal["media", "features"]] = "media"
    packages: ClassVar[tuple[str, ...]] = ("av", "pillow", "numpy")
    published_as: ClassVar[str | None] = None
    build_module: ClassVar[str] = "build"
    recognised: ClassVar[Literal["by_files", "last", "never"]] = "by_files"

    def raw_files(self, data: Path) -> list[Path]:
        """Return the files below `data` that the corpus is built from.

        Raises:
            DataMissing: If files that a pattern should match are absent. Others may be returned although absent.
        """
        raise NotImplementedError

    def unfetched(self, data: Path) -> bool:
        """Return whether files must be fetched before the corpus can be built."""
        return False

    def recipe(self) -> dict[str, Any]:
        """Return the options that decide the corpus's bytes."""
        return asdict(self)  # type: ignore[call-overload]  # every subclass is a dataclass

    def forms(self) -> list[Self]:
        """Return this configuration, then those that need fewer of the corpus's files."""
        return [self]

    def command(self, experiment: str) -> str:
        """Return the command that remakes an experiment on this corpus from a fresh clone."""
        return remake(experiment, data=True)
