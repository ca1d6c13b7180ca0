"""The corpora: what of each can be chosen. `kind` names the module of trml.corpora that builds it."""

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from trml.config.fields import Count, Name, NotNegative, Positive, Seed, require, strict


@dataclass(config=strict)
class Weights:
    """What each latent factor of pantomime weighs in the label (see corpora/pantomime.py)."""

    shared: NotNegative
    text_only: NotNegative
    vision_only: NotNegative
    synergy: NotNegative
    noise: NotNegative

    @model_validator(mode="after")
    def _in_range(self) -> "Weights":
        reach = 2 * self.shared + self.text_only + self.vision_only + self.synergy + self.noise
        require(reach <= 3.0 + 1e-9, f"the label would reach {reach:g}; 2*shared + the others must be <= 3")
        return self


@dataclass(config=strict)
class Sizes:
    """Utterances in each split."""

    train: Count
    valid: Count
    test: Count


@dataclass(config=strict)
class PantomimeConfig:
    """The generated corpus."""

    kind: Literal["pantomime"]
    name: Name
    seed: Seed
    utterances: Sizes
    frames: Annotated[int, Field(ge=2, le=64)]
    weights: Weights
    pretraining_pairs: Count
    heldout_pairs: Count


@dataclass(config=strict)
class MosiConfig:
    """CMU-MOSI with given utterance-level features."""

    kind: Literal["mosi"]
    name: Name
    folder: str
    valid_videos: Count


@dataclass(config=strict)
class MvsaConfig:
    """MVSA-Single: photo + text posts in one parquet file."""

    kind: Literal["mvsa"]
    name: Name
    file: str


@dataclass(config=strict)
class Source:
    """A file to fetch, to `file` below the corpus's folder, from the first of `urls` that has it.

    sha256: null where it is not known; then the first download is recorded in data/sources.lock and later ones must
    match. gives: of an archive, patterns below the corpus's folder of what it holds; where something matches them, the
    archive need not be fetched. Empty: the file is no archive.
    """

    file: str
    urls: Annotated[list[str], Field(min_length=1)]
    size: Count | None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None
    gives: list[str]


@dataclass(config=strict)
class Terms:
    """What a user accepts once before a corpus is fetched (`trml accept NAME`, or accept_terms)."""

    name: Name
    text: str
    url: str


@dataclass(config=strict)
class FetchedCorpus:
    """What every corpus has that can be fetched. `folder` is below data: there the files are, fetched or brought."""

    name: Name
    folder: str
    licence: str
    terms: Terms
    sources: list[Source]


@dataclass(config=strict)
class CmuConfig(FetchedCorpus):
    """CMU-MOSI or CMU-MOSEI in the raw layout: transcripts, label .csd, and clips, cut (`segmented`) or parts of whole
    videos (`full`)."""

    kind: Literal["cmu_mosi", "cmu_mosei"]
    clips: Literal["segmented", "full"]


@dataclass(config=strict)
class MeldConfig(FetchedCorpus):
    """MELD: three csv files, and a clip an utterance where `vision` is true."""

    kind: Literal["meld"]
    task: Literal["sentiment", "emotion"]
    vision: bool


@dataclass(config=strict)
class MvsaSingleConfig(FetchedCorpus):
    """MVSA-Single as it is published: a folder of photos and texts, and a table of labels."""

    kind: Literal["mvsa_single"]


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


Corpus = Annotated[
    PantomimeConfig | MosiConfig | MvsaConfig | CmuConfig | MeldConfig | MvsaSingleConfig | OwnConfig | ArraysConfig,
    Field(discriminator="kind"),
]
