"""The best prediction of each utterance of pantomime: by Bayes' rule from what it shows.

It is what nobody can beat but by luck. Its score on a sample stands beside the population's ceiling, which is the same
over all utterances that could be drawn.
"""

from itertools import product

import numpy as np
import polars as pl

from trml.corpora.pantomime.config import Weights
from trml.corpora.pantomime.factors import (
    FRAME_CHANNEL,
    NOISE,
    OWN,
    SHARED,
    SIGNS,
    SPEAKER,
    TEXT_CHANNEL,
    Array,
    Utterances,
    of_shared,
)
from trml.missing.modalities import subsets, written


def oracle(ids: pl.Series, drawn: Utterances, weights: Weights) -> pl.DataFrame:
    """Return ORACLE_SCHEMA: the prediction with the least expected absolute error, the median of the posterior."""
    parts = [
        pl.DataFrame(
            {"utterance_id": ids, "present": written(present), "prediction": _medians(drawn, weights, present)}
        )
        for present in subsets(("text", "vision"))
    ]
    return pl.concat(parts)


def _medians(drawn: Utterances, weights: Weights, present: frozenset[str]) -> Array:
    """Return the median of the label [n] given what these modalities show."""
    factors, n = drawn.factors, len(drawn.text_reading)
    posterior = np.ones((n, len(SHARED)))
    shown, hidden = np.zeros(n), [weights.speaker * SPEAKER, weights.noise * NOISE]
    if "text" in present:
        posterior *= TEXT_CHANNEL[drawn.text_reading]
    if "vision" in present:
        posterior *= np.prod(FRAME_CHANNEL[drawn.frame_readings], axis=1)
    both = SIGNS[factors["tone"]] * SIGNS[factors["brow"]]
    for is_shown, of_utterance, values in (
        ("text" in present, weights.text_only * OWN[factors["text_only"]], weights.text_only * OWN),
        ("vision" in present, weights.vision_only * OWN[factors["vision_only"]], weights.vision_only * OWN),
        (len(present) == 2, weights.synergy * both, weights.synergy * SIGNS),
    ):
        if is_shown:
            shown += of_utterance
        else:
            hidden.append(values)
    sums = np.array([sum(each) for each in product(*hidden)])
    values = np.add.outer(of_shared(weights), sums)  # [16, H], equally likely given the level
    order = np.argsort(values, axis=None)
    level = order // len(sums)
    chances = posterior / posterior.sum(axis=1, keepdims=True) / len(sums)
    return np.asarray(values.ravel()[order][_halfway(chances, level)] + shown)


def _halfway(chances: Array, level: np.ndarray) -> np.ndarray:
    """Return the place where the chances of the ordered values, by their level, pass one half, [n]."""
    places = np.empty(len(chances), dtype=np.int64)
    for i, chance in enumerate(chances):
        places[i] = min(int(np.searchsorted(np.cumsum(chance[level]), 0.5)), len(level) - 1)
    return places
