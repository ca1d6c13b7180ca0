"""TODO docstring."""

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from trml.base.fields import Name, Positive, Seed, require, strict


@dataclass(config=strict)
class OwnColumns:
    """What the columns of one's own table are called; null: there is none. text and label are needed. Of the others,
    one that is absent under the name of its role is taken for none, and under any other name for a slip."""

    text: str
    clip: str | None
    label: str
    utterance_id: str | None
    video_id: str | None
    split: str | None
    start_s: str | None
    end_s: str | None


@dataclass(config=strict)
class Shares:
    """Of the utterances, in each split that is drawn."""

    train: Positive
    valid: Positive
    test: Positive

    @model_validator(mode="after")
    def _whole(self) -> "Shares":
        total = self.train + self.valid + self.test
        require(abs(total - 1) < 1e-6, f"train, valid and test are {total:g} together; expected 1")
        return self


@dataclass(config=strict)
class OwnConfig:
    """One's own: a folder (below data, or absolute) with a table, .csv, .tsv or .parquet, and media.

    classes: empty where labels are numbers, or words in the order of the alphabet; stated, they are the classes, in
    this order, whatever they look like. label_range: what numbers may be; it is mapped to [-3, 3]. seed, shares: of the
    split by group that is drawn where the table has none.
    """

    kind: Literal["own"]
    name: Name
    title: str
    licence: str
    folder: str
    table: str
    columns: OwnColumns
    classes: list[str]
    label_range: Annotated[list[float], Field(min_length=2, max_length=2)]
    seed: Seed
    shares: Shares

    @model_validator(mode="after")
    def _sound(self) -> "OwnConfig":
        low, high = self.label_range
        require(low < high, f"label_range is {self.label_range}; expected [lowest, highest]")
        require(
            len(set(self.classes)) == len(self.classes) != 1,
            f"classes are {self.classes}; expected two or more, once each",
        )
        return self
