"""One missing pattern: what an utterance may lose, how often, and the presence masks that follow.

A mask depends on the corpus, the pattern, the split and the mask seed, never on the method. The masks of one seed are
nested: what is missing at a rate is missing at every higher rate, so curves over the rate are comparable point by
point. At the level of modalities exactly round(rate * N) utterances lose something, half to even.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from trml.seeding import generator

# Whether an utterance of train or dev lacks something by chance, or the more likely the higher its label.
Absence = Literal["by_chance", "by_label"]

# Modality -> bool [N, T], which steps are present, or [N, 1], whether the modality is.
Presence = Mapping[str, NDArray[np.bool_]]


@dataclass(frozen=True)
class Missing:
    """A missing pattern.

    Attributes:
        name: As in `protocol.victims`.
        label: In titles: `vision missing`.
        note: What a reader must know of its rates, empty where the name says all.
        lost: The sets of modalities that an affected utterance loses one of.
        level: `modality`, or `step` where single steps of one modality's sequence are lost.
        chances: Of each set in `lost`; empty if they are equally likely.
    """

    name: str
    label: str
    note: str
    lost: tuple[frozenset[str], ...]
    level: Literal["modality", "step"] = "modality"
    chances: tuple[float, ...] = ()

    @property
    def chance_of(self) -> tuple[float, ...]:
        """The chance of each set in `lost`; they sum to one."""
        return self.chances or (1 / len(self.lost),) * len(self.lost)

    @property
    def stream(self) -> str:
        """The name of the random stream that draws which utterances are affected."""
        return self.name

    def rates(self, rates: Sequence[float]) -> list[float]:
        """Return those of a protocol's rates that the pattern is evaluated at."""
        return list(rates)

    def shares(self, rate: float, modalities: Sequence[str]) -> dict[frozenset[str], float] | None:
        """Return the share of utterances that keep each set of modalities at a rate in [0, 1].

        None where the pattern leaves parts of a modality, so that no set says what is left.
        """
        whole = frozenset(modalities)
        shares = {whole: 1.0 - rate}
        for lost, chance in zip(self.lost, self.chance_of, strict=True):
            shares[whole - lost] = shares.get(whole - lost, 0.0) + rate * chance
        return {present: share for present, share in shares.items() if share > 0 or present == whole}

    def presence(
        self,
        real: Presence,
        corpus: str,
        split: str,
        seed: int,
        rate: float,
        log_odds: NDArray[np.float64] | None = None,
    ) -> dict[str, NDArray[np.bool_]]:
        """Return what the pattern leaves of what the corpus has.

        Args:
            real: Modality -> bool [N, T], the steps that the corpus has.
            corpus: The corpus's name, `split` the split's: they name the random stream together with `seed`.
            split: See `corpus`.
            seed: The mask seed.
            rate: The share of utterances that lose something, 0 to 1.
            log_odds: Of each utterance to lose something, up to a constant, [N]; None: all alike.

        Returns:
            Modality -> bool [N, 1]. An utterance that would lose its only modality keeps it.
        """
        whole = anything(real)
        lost = self.losing(corpus, split, seed, rate, len(next(iter(whole.values()))), log_odds)
        return keep(whole, {name: mask & ~lost[name] if name in lost else mask for name, mask in whole.items()})

    def losing(
        self, corpus: str, split: str, seed: int, rate: float, n: int, log_odds: NDArray[np.float64] | None = None
    ) -> dict[str, NDArray[np.bool_]]:
        """Return which of n utterances lose which modality: modality -> bool [n]. `log_odds`: see `presence`."""
        rng, affected = generator(seed, "missing", corpus, self.stream, split), np.zeros(n, dtype=bool)
        # With logistic noise, who is above a threshold follows a logistic regression on the log odds.
        order = rng.permutation(n) if log_odds is None else np.argsort(-(log_odds + rng.logistic(size=n)))
        affected[order[: round(rate * n)]] = True
        if len(self.lost) == 1:
            return dict.fromkeys(self.lost[0], affected)
        drawn = generator(seed, "which is missing", corpus, split).random(n)
        which = np.searchsorted(np.cumsum(self.chance_of)[:-1], drawn, side="right")
        losing: dict[str, NDArray[np.bool_]] = {}
        for i, lost in enumerate(self.lost):
            for modality in lost:
                losing[modality] = losing.get(modality, False) | (affected & (which == i))
        return losing


def anything(real: Presence) -> dict[str, NDArray[np.bool_]]:
    """Return which utterances have something of a modality: modality -> bool [N]."""
    return {modality: np.asarray(mask.any(axis=1)) for modality, mask in real.items()}


def keep(whole: Mapping[str, NDArray[np.bool_]], left: Mapping[str, NDArray[np.bool_]]) -> dict[str, NDArray[np.bool_]]:
    """Return `left` as bool [N, 1], with `whole` for utterances that would have nothing left; both are bool [N]."""
    empty = ~np.logical_or.reduce(list(left.values()))
    return {modality: np.where(empty, whole[modality], mask)[:, None] for modality, mask in left.items()}


def only(real: Presence, present: frozenset[str]) -> dict[str, NDArray[np.bool_]]:
    """Return the presence, bool [N, 1] a modality, where every utterance has only the modalities in `present`.

    An utterance that has none of them keeps what it has.
    """
    whole = anything(real)
    return keep(whole, {modality: mask & (modality in present) for modality, mask in whole.items()})
