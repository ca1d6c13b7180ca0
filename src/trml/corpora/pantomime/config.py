"""Options of pantomime, the generated corpus."""

from math import sin
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
    speaker: NotNegative
    noise: NotNegative

    @model_validator(mode="after")
    def _in_range(self) -> "Weights":
        own = self.text_only + self.vision_only + self.synergy + self.speaker + self.noise
        reach = self.shared * (sin(1.2 * 1.5) + 0.2 * 1.5) + own  # at the highest level
        require(reach <= 3.0 + 1e-9, f"the label would reach {reach:.3g}; it must stay within 3")
        return self


@dataclass(config=strict)
class Speakers:
    """The number of speakers in each split; of train, in each of its draws. No speaker is in two splits."""

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
        draws: How many training sets there are, of different speakers each. A training's seed says which is its own.
        speakers: In each split.
        utterances: Of each speaker.
        frames: Of each clip; an even number, so that the brows are up in one half.
        weights: Of the latent factors in the label.
        pairs: What a pair to pretrain an encoder on shows: `tied`, a sentence and a face that agree on every factor, or
            `joint`, a sentence and a frame as utterances have them.
        pretraining_pairs: How many pairs.
        heldout_pairs: Further pairs, on which the encoder's retrieval is measured.
    """

    kind: Literal["pantomime"]
    name: Name
    seed: Seed
    draws: Count
    speakers: Speakers
    utterances: Count
    frames: Annotated[int, Field(ge=2, le=8, multiple_of=2)]
    weights: Weights
    pairs: Literal["tied", "joint"]
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
