"""TODO docstring."""

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from trml.base.fields import Count, Name, NotNegative, Seed, require, strict


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
