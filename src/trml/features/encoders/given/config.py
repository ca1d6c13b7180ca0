"""The configuration for corpora that bring their features: there is nothing to encode."""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic.dataclasses import dataclass

from trml.base.fields import Name, strict
from trml.corpora.contract import CorpusInfo
from trml.features.encoders.common.config import Description, EncoderConfig


@dataclass(config=strict)
class GivenEncoder(EncoderConfig):
    """No encoder: the corpus brings its features."""

    kind: Literal["given"]
    name: Name

    modalities: ClassVar[tuple[str, ...]] = ()

    @property
    def encoder_module(self) -> str:
        """The module that takes the features over."""
        return "trml.features.given"

    def describe(self, folder: Path | None, info: CorpusInfo) -> Description:
        """Describe the features as the corpus's own, in spaces that nothing aligned."""
        return Description("the corpus's own features", aligned=False)
