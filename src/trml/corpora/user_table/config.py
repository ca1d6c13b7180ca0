"""Options of a user-supplied dataset: a folder with a table and media."""

from math import isfinite
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from trml.base.commands import remake_published
from trml.base.errors import ContractError
from trml.base.fields import Name, Positive, Seed, require, strict
from trml.base.files import not_a_file
from trml.base.nearest import ended, nearest
from trml.base.printable import shortened
from trml.corpora.common.config import CorpusConfig
from trml.corpora.user_table.clips import Clips
from trml.corpora.user_table.table import Table, read_table

NEEDED = ("text", "label")  # roles that every table provides


@dataclass(config=strict)
class OwnColumns:
    """The names of the table's columns, by role; None if the table has no such column.

    `text` and `label` are required. For the other roles, an absent default column means "not provided"; an absent
    renamed column is an error.

    Attributes:
        text: An empty cell means that the text is missing.
        clip: The path of a video or picture below the folder. An empty cell means that vision is missing.
        label: Numbers or words.
        utterance_id: If not provided, rows are numbered.
        video_id: The group, which stays in one split. If not provided, utterances cut from one clip are a group.
        split: train, valid (dev) or test. If not provided, a split is drawn, whole groups at a time.
        start_s: The second of the clip at which the utterance starts. If not provided, the whole clip is used.
        end_s: The second at which it ends.
    """

    text: str
    clip: str | None
    label: str
    utterance_id: str | None
    video_id: str | None
    split: str | None
    start_s: str | None
    end_s: str | None

    def roles(self, table: Table) -> dict[str, str]:
        """Return the column of each role that the table provides.

        Raises:
            ContractError: If a required or renamed column is absent; it names the nearest.
        """
        columns = {}
        for role, name in vars(self).items():
            if name in table.columns:
                columns[role] = name
            elif name is not None and (role in NEEDED or name != role):
                if name in table.others:
                    raise ContractError(
                        f"{table.path}: column {shortened(name)} for {role} holds {shortened(table.others[name])}; "
                        "expected texts or numbers"
                    )
                raise ContractError(
                    ended(f"{table.path} has no column {shortened(name)} for {role}{nearest(name, table.columns)}")
                    + f" Set corpus.columns.{role}=NAME, or trml check ... --column {role}=NAME"
                )
        return columns


@dataclass(config=strict)
class Shares:
    """The share of utterances in each split, if the split is drawn."""

    train: Positive
    valid: Positive
    test: Positive

    @model_validator(mode="after")
    def _whole(self) -> "Shares":
        total = self.train + self.valid + self.test
        require(abs(total - 1) < 1e-6, f"train, valid and test add up to {total:g}; expected 1")
        return self


@dataclass(config=strict)
class OwnConfig(CorpusConfig):
    """A user-supplied dataset. `trml check FOLDER` prints the options that fit a folder.

    Attributes:
        kind: `own`.
        name: Of the corpus.
        title: Shown on the page.
        licence: Shown on the page.
        folder: Below data, or absolute.
        table: The table in it: .csv (commas), .tsv (tabs) or .parquet.
        columns: What the table calls its columns.
        classes: The classes in order. If empty, labels are numbers, or else classes in alphabetical order.
        label_range: The range [lowest, highest] of labels that are numbers. It is mapped to [-3, 3].
        seed: Of a split that is drawn.
        shares: Of a split that is drawn.
    """

    kind: Literal["own"]
    name: Name
    title: str
    licence: str
    folder: str
    table: str
    columns: OwnColumns
    classes: list[str]
    label_range: Annotated[list[Annotated[float, Field(allow_inf_nan=False)]], Field(min_length=2, max_length=2)]
    seed: Seed
    shares: Shares

    modalities = ("text", "vision")
    recognised: ClassVar[Literal["by_files", "last", "never"]] = "never"

    def raw_files(self, data: Path) -> list[Path]:
        """Return the table, and every media file that it names and that exists."""
        folder = data / self.folder
        path = folder / self.table
        if not_a_file(path) is not None:
            return [path]
        table = read_table(path, folder)
        clips, column = Clips(folder), self.columns.roles(table).get("clip")
        names = dict.fromkeys(table.columns[column]) if column else {}
        return [path, *(folder / clip for name in names if (clip := clips.find(name)[0]))]

    def command(self, experiment: str) -> str:
        """Return the command that remakes an experiment from its published configuration."""
        return remake_published(experiment)

    @model_validator(mode="after")
    def _sound(self) -> "OwnConfig":
        low, high = self.label_range
        require(low < high and isfinite(high - low), f"label_range is {self.label_range}; expected [lowest, highest]")
        require(
            len(set(self.classes)) == len(self.classes) != 1,
            f"classes are {self.classes}; expected two or more, once each",
        )
        return self
