"""TODO docstring."""

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from trml.base.fields import Name, require, strict


@dataclass(config=strict)
class ArraysConfig:
    """Features that somebody computed. What the files are is seen from their content (corpora/arrays.py).

    files: below data/folder: one .npz or pickle, or three .csd: of labels, of text, of vision. classes: the names that
    labels 0, 1, ... stand for. frames: the most that are kept of a clip, evenly chosen.
    """

    kind: Literal["arrays"]
    name: Name
    folder: str
    files: Annotated[list[str], Field(min_length=1)]
    task: Literal["regression", "classification"]
    classes: list[str]
    frames: Annotated[int, Field(ge=1, le=1000)]

    @model_validator(mode="after")
    def _named(self) -> "ArraysConfig":
        n, regression = len(self.classes), self.task == "regression"
        require(n == 0 if regression else n >= 2, f"task {self.task} with {n} classes; expected none, or two and more")
        return self
