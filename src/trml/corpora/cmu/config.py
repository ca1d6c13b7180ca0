"""TODO docstring."""

from typing import Literal

from pydantic.dataclasses import dataclass

from trml.base.fields import strict
from trml.sources.fetching.config import FetchedCorpus


@dataclass(config=strict)
class CmuConfig(FetchedCorpus):
    """CMU-MOSI or CMU-MOSEI in the raw layout: transcripts, label .csd, and clips, cut (`segmented`) or parts of whole
    videos (`full`)."""

    kind: Literal["cmu_mosi", "cmu_mosei"]
    clips: Literal["segmented", "full"]
