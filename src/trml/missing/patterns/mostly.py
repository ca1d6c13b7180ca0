"""One modality missing, mostly the same one: imbalance at a fixed mean rate, as MissBench (2603.09874) has it."""

from collections.abc import Sequence

from trml.missing.pattern import Missing

RATE, SHARE = 0.5, 0.75  # the rate that is held, and the share of the modality that is missing most


class Mostly(Missing):
    """The loss of one modality by an unfair draw; by a fair one it is `random_modality`."""

    def rates(self, rates: Sequence[float]) -> list[float]:
        """Return complete data and the rate that is held, where a protocol has them."""
        return [rate for rate in rates if rate in (0.0, RATE)]


def patterns(modalities: Sequence[str]) -> list[Missing]:
    """Return a pattern for each modality, nothing for a single one."""
    lost = tuple(frozenset([modality]) for modality in modalities)
    return [_mostly(modality, lost) for modality in modalities if len(modalities) > 1]


def _mostly(modality: str, lost: tuple[frozenset[str], ...]) -> Missing:
    chances = tuple(SHARE if modality in each else (1 - SHARE) / (len(lost) - 1) for each in lost)
    note = f"An utterance loses one modality, never more than one: {SHARE:.0%} of those affected lose {modality}."
    return Mostly(f"mostly_{modality}", f"mostly {modality} missing", note, lost, chances=chances)
