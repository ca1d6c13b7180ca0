"""Absence that depends on the label, and weights that undo it.

Absence by chance leaves a fair sample of complete utterances. Where the label decides, what is complete is not like
what is missing, and a model of either is biased. Inverse-probability weights give each training utterance the weight
that it would have in a fair sample, as ICYM2I does (2505.16953).
"""

import numpy as np
from numpy.typing import NDArray

STRENGTH = 1.5  # by how much the log odds of absence grow with a standard deviation of the label
_LIGHTEST, _HEAVIEST = 0.05, 20.0  # weights are cut there, so that no single utterance decides

Array = NDArray[np.float64]


def absence_log_odds(label: Array) -> Array:
    """Return the log odds of each utterance to lose something, up to a constant, [N]: they grow with its label."""
    spread = label.std()
    return np.asarray(STRENGTH * (label - label.mean()) / spread) if spread else np.zeros(len(label))


def inverse_probability(label: Array, affected: NDArray[np.bool_]) -> Array:
    """Return the weights [N] of utterances of which some are affected: P(affected or not) / P(the same | label).

    The chance given the label is a logistic regression, as who has data alone would estimate it.
    """
    share = affected.mean()
    if share in (0.0, 1.0):
        return np.ones(len(label))
    # Imported here: scikit-learn takes as long as torch to load, and most trainings weight nothing.
    from sklearn.linear_model import LogisticRegression

    chance = LogisticRegression(C=np.inf).fit(label[:, None], affected).predict_proba(label[:, None])[:, 1]
    weights = np.where(affected, share / chance, (1 - share) / (1 - chance))
    return np.asarray(np.clip(weights, _LIGHTEST, _HEAVIEST))
