"""TODO docstring."""

from dataclasses import dataclass
from itertools import product

from trml.missing.masks import PATTERNS, frames_condition, pattern_victim
from trml.missing.pattern import FRAME_RATES
from trml.training.new_method import Trainable


@dataclass(frozen=True)
class Condition:
    """What is missing at evaluation, and what was in training: the victim, at a rate. Rate 0 is `complete` for every
    victim. `trained` and `dev` are the rates of the training and the dev split."""

    victim: str
    rate: float
    trained: float
    dev: float

    @classmethod
    def alike(cls, victim: str, rate: float) -> "Condition":
        """The same rate in training and at evaluation; at rate 1 - p this is Setting B."""
        return cls(victim, rate, rate, rate)

    @classmethod
    def setting_a(cls, victim: str, rate: float) -> "Condition":
        """Setting A: training misses the victim at a rate, dev and test lack it entirely."""
        return cls(victim, 1.0, rate, 1.0)

    @classmethod
    def complete_training(cls, victim: str, rate: float) -> "Condition":
        """Trained on complete data, evaluated at a rate."""
        return cls(victim, rate, 0.0, 0.0)

    @property
    def name(self) -> str:
        """The condition at evaluation alone."""
        return "complete" if self.rate == 0 else f"{self.victim}@{self.rate:g}"


def conditions(cell: Trainable) -> list[tuple[str, str]]:
    """What a cell is evaluated under, as (split, condition): complete, and the loss of what may be missing, on dev and
    test; of frames at every rate, on test."""
    lost = {"vision": ("vision",), "frames": ("vision",), "text": ("text",)}.get(cell.victim or "", ("vision", "text"))
    whole = [p for p in PATTERNS if p == "complete" or pattern_victim(p) in lost]
    frames = [frames_condition(rate) for rate in FRAME_RATES] if cell.victim in (None, "frames") else []
    return [*product(("valid", "test"), whole), *product(("test",), frames)]
