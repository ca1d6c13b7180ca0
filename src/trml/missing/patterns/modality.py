"""One modality missing, or several at once (`text+audio`)."""

from collections.abc import Sequence

from trml.missing.modalities import subsets, written
from trml.missing.pattern import Missing


def patterns(modalities: Sequence[str]) -> list[Missing]:
    """Return the loss of every set of modalities but all, the single ones first."""
    sets = [lost for lost in reversed(subsets(modalities)) if len(lost) < len(modalities)]
    single = [frozenset([modality]) for modality in modalities if len(modalities) > 1]
    several = [lost for lost in sets if len(lost) > 1]
    return [Missing(written(lost), f"{_words(lost)} missing", "", (lost,)) for lost in (*single, *several)]


def _words(lost: frozenset[str]) -> str:
    return " and ".join(written(lost).split("+"))
