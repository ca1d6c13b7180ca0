"""Options of pantomime, the generated corpus."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from trml.base.commands import remake
from trml.base.fields import Count, Name, NotNegative, Seed, require, strict
from trml.corpora.common.config import CorpusConfig


@dataclass(config=strict)
class Weights:
    """The weight of each latent factor in the label (see factors.py). The label must stay within [-3, 3]."""

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
    """The number of utterances in each split."""

    train: Count
    valid: Count
    test: Count


@dataclass(config=strict)
class PantomimeConfig(CorpusConfig):
    """The generated corpus.

    Attributes:
        kind: `pantomime`.
        name: Of the corpus.
        seed: Of everything that is drawn.
        utterances: In each split.
        frames: Of each clip.
        weights: Of the latent factors in the label.
        pretraining_pairs: Pairs of a sentence and a still to pretrain an encoder on.
        heldout_pairs: Further pairs, on which its retrieval is measured.
    """

    kind: Literal["pantomime"]
    name: Name
    seed: Seed
    utterances: Sizes
    frames: Annotated[int, Field(ge=2, le=64)]
    weights: Weights
    pretraining_pairs: Count
    heldout_pairs: Count

    modalities = ("text", "vision")
    recognised: ClassVar[Literal["by_files", "last", "never"]] = "never"

    def raw_files(self, data: Path) -> list[Path]:
        """Return no file: the corpus is generated."""
        return []

    def command(self, experiment: str) -> str:
        """Return the command that remakes an experiment; no data are needed."""
        return remake(experiment, data=False)
