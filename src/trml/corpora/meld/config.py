"""TODO docstring."""

from typing import Literal

from pydantic.dataclasses import dataclass

from trml.base.fields import strict
from trml.sources.fetching.config import FetchedCorpus


@dataclass(config=strict)
class MeldConfig(FetchedCorpus):
    """MELD: three csv files, and a clip an utterance where `vision` is true."""

    kind: Literal["meld"]
    task: Literal["sentiment", "emotion"]
    vision: bool
