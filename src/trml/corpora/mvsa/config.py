"""TODO docstring."""

from typing import Literal

from pydantic.dataclasses import dataclass

from trml.base.fields import Name, strict
from trml.sources.fetching.config import FetchedCorpus


@dataclass(config=strict)
class MvsaConfig:
    """MVSA-Single: photo + text posts in one parquet file."""

    kind: Literal["mvsa"]
    name: Name
    file: str


@dataclass(config=strict)
class MvsaSingleConfig(FetchedCorpus):
    """MVSA-Single as it is published: a folder of photos and texts, and a table of labels."""

    kind: Literal["mvsa_single"]
