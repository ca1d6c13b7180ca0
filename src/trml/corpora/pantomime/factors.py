"""The latent factors of pantomime, how they show, and the label that follows from them.

An utterance draws, independently and uniformly:

    shared       r   16 levels, evenly spaced in [-1.5, 1.5]  text: one reading; face: one reading a frame
    text_only    u_t in {-1, -0.5, 0, 0.5, 1}                 the closing clause of the sentence
    vision_only  u_v in {-1, -0.5, 0, 0.5, 1}                 how wide the eyes open
    tone, brow   c_t, c_v in {-1, 1}                          the opening words; when the brows are up
    speaker      b   in {-1, 0, 1}, one for each speaker      nowhere
    noise        e   in {-1, 0, 0, 1}                         nowhere

    y = w_r f(r) + w_t u_t + w_v u_v + w_s c_t c_v + w_b b + w_e e,   f(r) = sin(1.2 r) + 0.2 r

Readings of r are noisy. A channel shows level i for level j with probability proportional to exp(-|i - j| / s) where
|i - j| <= 4, and never otherwise. Each frame is a reading of its own, so more frames tell more, and what one modality
tells of the other's readings is graded. The product c_t c_v is the synergy: neither modality alone is informative about
it. Utterances of one speaker share b, so their labels, and the errors of any method, are correlated.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trml.corpora.pantomime.config import Weights

Array = NDArray[np.float64]
Levels = NDArray[np.int64]

SHARED = np.linspace(-1.5, 1.5, 16)
OWN = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
SIGNS = np.array([-1.0, 1.0])
SPEAKER = np.array([-1.0, 0.0, 1.0])
NOISE = np.array([-1.0, 0.0, 0.0, 1.0])

REACH = 4  # levels: how far a reading may lie from the truth
TEXT_SCALE, FRAME_SCALE = 1.6, 2.2  # s of the two channels

# A factor's name -> the modalities that it shows in.
SHOWN_IN = {
    "shared": ("text", "vision"),
    "text_only": ("text",),
    "vision_only": ("vision",),
    "tone": ("text",),
    "brow": ("vision",),
    "speaker": (),
    "noise": (),
}
_SIZES = {"shared": len(SHARED), "text_only": len(OWN), "vision_only": len(OWN), "tone": 2, "brow": 2}


@dataclass(frozen=True)
class Utterances:
    """What n utterances are drawn to be.

    Attributes:
        factors: Name -> the index of its level, int [n].
        text_reading: The level of `shared` that the sentence shows, int [n].
        frame_readings: The levels that the frames show, int [n, frames].
    """

    factors: dict[str, Levels]
    text_reading: Levels
    frame_readings: Levels


def channel(scale: float) -> Array:
    """Return P(level i is shown, given the true level j), [16, 16]; columns sum to one."""
    distance = np.abs(np.subtract.outer(np.arange(len(SHARED)), np.arange(len(SHARED))))
    likely = np.where(distance <= REACH, np.exp(-distance / scale), 0.0)
    return np.asarray(likely / likely.sum(axis=0))


TEXT_CHANNEL, FRAME_CHANNEL = channel(TEXT_SCALE), channel(FRAME_SCALE)


def draw(speakers: NDArray[np.int64], frames: int, rng: np.random.Generator) -> Utterances:
    """Return utterances.

    Args:
        speakers: The number of each utterance's speaker, [n].
        frames: Of each clip.
        rng: Drawn from.
    """
    n = len(speakers)
    factors = {name: rng.integers(size, size=n) for name, size in _SIZES.items()}
    factors["speaker"] = rng.integers(len(SPEAKER), size=int(speakers.max()) + 1)[speakers]
    factors["noise"] = rng.integers(len(NOISE), size=n)
    return Utterances(
        factors,
        _read(TEXT_CHANNEL, factors["shared"], rng.random(n)),
        _read(FRAME_CHANNEL, factors["shared"][:, None], rng.random((n, frames))),
    )


def _read(of: Array, true: Levels, uniform: Array) -> Levels:
    """Return the level that a channel shows for each true level, by inversion of its distribution."""
    below = np.cumsum(of, axis=0).T[true]  # [..., 16]
    return np.asarray((uniform[..., None] >= below[..., :-1]).sum(axis=-1))


def of_shared(weights: Weights) -> Array:
    """Return the share of `shared` in the label by level, [16]."""
    return np.asarray(weights.shared * (np.sin(1.2 * SHARED) + 0.2 * SHARED))


def terms(factors: dict[str, Levels], weights: Weights) -> dict[str, Array]:
    """Return what each term adds to the labels: name -> [n]."""
    return {
        "shared": of_shared(weights)[factors["shared"]],
        "text_only": weights.text_only * OWN[factors["text_only"]],
        "vision_only": weights.vision_only * OWN[factors["vision_only"]],
        "synergy": weights.synergy * SIGNS[factors["tone"]] * SIGNS[factors["brow"]],
        "speaker": weights.speaker * SPEAKER[factors["speaker"]],
        "noise": weights.noise * NOISE[factors["noise"]],
    }


def label(factors: dict[str, Levels], weights: Weights) -> Array:
    """Return the labels [n], within [-3, 3], rounded to 1e-3: the sum of their terms."""
    return np.asarray(np.round(sum(terms(factors, weights).values()), 3) + 0.0)
