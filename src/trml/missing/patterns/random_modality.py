"""One modality missing, each utterance's drawn at random, never more than one."""

from collections.abc import Sequence

from trml.missing.pattern import Missing


class RandomModality(Missing):
    """The loss of one modality by a fair draw: at rate r each of M modalities is missing at r / M."""

    @property
    def stream(self) -> str:
        """The name of the random stream: that of the pattern's first name, which published masks were drawn from."""
        return "either"


def patterns(modalities: Sequence[str]) -> list[Missing]:
    """Return the one pattern, nothing for a single modality."""
    n = len(modalities)
    if n < 2:
        return []
    note = (
        "An utterance loses one modality, each with the same chance and never more than one: at rate r each is "
        f"missing at r/{n}."
    )
    lost = tuple(frozenset([modality]) for modality in modalities)
    return [RandomModality("random_modality", "one modality missing at random", note, lost)]
