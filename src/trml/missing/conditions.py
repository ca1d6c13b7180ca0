"""Under what a cell is predicted, and under what it is scored.

A cell is predicted with every non-empty set of modalities present (`text+vision`, `text`, ...), and with steps of a
sequence lost at fixed rates (`frames@0.3`). At the level of modalities an utterance's prediction depends on nothing
else, so every pattern and rate at evaluation is put together from these and a mask, and trains nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trml.missing.modalities import read, subsets, written
from trml.missing.pattern import Missing, Presence, only
from trml.missing.registry import known_patterns, missing_pattern
from trml.missing.steps import RATES


@dataclass(frozen=True)
class Condition:
    """What is missing at evaluation, and what was in training: the pattern `victim`, at a rate.

    Rate 0 is complete data for every pattern. `trained` and `dev` are the rates of the training and the dev split.
    """

    victim: str
    rate: float
    trained: float
    dev: float

    @classmethod
    def matched(cls, victim: str, rate: float) -> "Condition":
        """Return the same rate in training and at evaluation; at rate 1 - p this is Setting B."""
        return cls(victim, rate, rate, rate)

    @classmethod
    def setting_a(cls, victim: str, rate: float) -> "Condition":
        """Return Setting A: training misses the victim at a rate, dev and test lack it entirely."""
        return cls(victim, 1.0, rate, 1.0)

    @classmethod
    def complete_training(cls, victim: str, rate: float) -> "Condition":
        """Return training on complete data, evaluation at a rate."""
        return cls(victim, rate, 0.0, 0.0)

    @property
    def name(self) -> str:
        """The condition at evaluation alone."""
        return "complete" if self.rate == 0 else f"{self.victim}@{self.rate:g}"


def predicted_under(missing: Missing | None, modalities: Sequence[str]) -> list[tuple[str, str]]:
    """Return what a cell is predicted under, as (split, present).

    Args:
        missing: The pattern that the cell was trained with.
        modalities: Of the features, in order.

    Returns:
        Every set of modalities on dev and test; lost steps at every rate on test, for cells that were trained with
        them or with nothing missing.
    """
    whole = [(split, written(present)) for split in ("valid", "test") for present in subsets(modalities)]
    steps = stepwise(missing, modalities)
    return whole + [("test", step_word(pattern.name, rate)) for pattern in steps for rate in RATES]


def stepwise(missing: Missing | None, modalities: Sequence[str]) -> list[Missing]:
    """Return the patterns of steps that a cell is predicted under; `missing`: the one that it was trained with."""
    return [p for p in known_patterns(tuple(modalities)).values() if p.level == "step" and missing in (None, p)]


def step_word(victim: str, rate: float) -> str:
    """Return how predictions under lost steps are named: `frames@0.3`."""
    return f"{victim}@{rate:g}"


def presence_under(present: str, real: Presence, corpus: str, split: str, seed: int) -> dict[str, NDArray[np.bool_]]:
    """Return the presence (bool [N, 1] or [N, T] a modality) that a word of `predicted_under` stands for."""
    victim, _, rate = present.partition("@")
    if rate:
        return missing_pattern(victim, tuple(real)).presence(real, corpus, split, seed, float(rate))
    return only(real, read(victim))


def shown(
    missing: Missing, rate: float, modalities: Sequence[str], n: int, corpus: str, split: str, seed: int
) -> list[tuple[str, NDArray[np.bool_]]]:
    """Return which predictions make up a pattern at a rate: (present, bool [n], the utterances it is read for).

    Args:
        missing: The pattern at evaluation.
        rate: Its rate, 0 to 1.
        modalities: Of the features, in order.
        n: How many utterances the split has.
        corpus: The corpus's name.
        split: The split's name.
        seed: The mask seed.
    """
    names, everyone = tuple(modalities), np.ones(n, dtype=bool)
    if missing.level == "step" and 0 < rate < 1:
        return [(step_word(missing.name, rate), everyone)]
    if rate == 0:
        return [(written(names), everyone)]
    if missing.level == "step":
        return [(written(set(names) - missing.lost[0]), everyone)]
    lost = missing.losing(corpus, split, seed, rate, n)
    left = {name: ~lost.get(name, np.zeros(n, dtype=bool)) for name in names}
    parts = []
    for subset in subsets(names):
        here = np.logical_and.reduce([left[name] == (name in subset) for name in names])
        if here.any():
            parts.append((written(subset), here))
    return parts


def rates_of(victim: str, modalities: Sequence[str], rates: Sequence[float]) -> list[float]:
    """Return the rates of a protocol at which a pattern is missing."""
    return missing_pattern(victim, modalities).rates(rates)
