"""Options of features that the user computed or downloaded."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from trml.base.commands import remake_published
from trml.base.fields import Name, require, strict
from trml.corpora.common.config import CorpusConfig, Modalities
from trml.corpora.common.official_splits import cmu_fold_files


@dataclass(config=strict)
class ArraysConfig(CorpusConfig):
    """Features in files. Their layout is recognised by their content (docs/given_features.md).

    Attributes:
        kind: `arrays`.
        name: Of the corpus.
        folder: Below data.
        files: Below the folder: one .npz, one pickle, or .csd files: the labels, then one for each modality in order.
        task: `regression` has labels in [-3, 3], `classification` has labels 0, 1, ... or names of classes.
        classes: The names that the labels 0, 1, ... stand for; empty for regression.
        frames: The most steps of a sequence that are kept, evenly spaced.
        modalities: Those that are used.
    """

    kind: Literal["arrays"]
    name: Name
    folder: str
    files: Annotated[list[str], Field(min_length=1)]
    task: Literal["regression", "classification"]
    classes: list[str]
    frames: Annotated[int, Field(ge=1, le=1000)]
    modalities: Modalities

    brings: ClassVar[Literal["media", "features"]] = "features"
    packages: ClassVar[tuple[str, ...]] = ("av", "pillow", "numpy", "h5py")
    recognised: ClassVar[Literal["by_files", "last", "never"]] = "last"

    def raw_files(self, data: Path) -> list[Path]:
        """Return the files and, for .csd files, which have no splits of their own, the official folds."""
        files = [data / self.folder / name for name in self.files]
        return files + (cmu_fold_files() if len(files) > 1 else [])

    def command(self, experiment: str) -> str:
        """Return the command that remakes an experiment from its published configuration."""
        return remake_published(experiment)

    @model_validator(mode="after")
    def _named(self) -> "ArraysConfig":
        n, regression = len(self.classes), self.task == "regression"
        require(n == 0 if regression else n >= 2, f"task {self.task} with {n} classes; expected none, or two and more")
        return self
