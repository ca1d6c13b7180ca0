"""Options of the encoder without weights."""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic.dataclasses import dataclass

from trml.base.artifacts import read_json
from trml.base.fields import Count, Name, Positive, Width, strict
from trml.corpora.contract import CorpusInfo
from trml.features.encoders.common.config import Description, EncoderConfig


@dataclass(config=strict)
class ClassicalEncoder(EncoderConfig):
    """TF-IDF and truncated SVD for texts; gradients (HOG), colours and PCA for frames. All is fitted on training data.

    Attributes:
        text_dimensions: Width of a text's vector, at most: few or short training texts allow fewer.
        ngrams: The longest run of words that is a term.
        min_df: The training texts that a term must occur in, at least.
        vision_dimensions: Width of a frame's vector, at most.
        frames: Of a clip, at most.
        frames_per_second: A limit on the frames of a clip.
        batch_size: Of sentences and of frames.
    """

    kind: Literal["classical"]
    name: Name
    text_dimensions: Width
    ngrams: Count
    min_df: Count
    vision_dimensions: Width
    frames: Count
    frames_per_second: Positive | None
    batch_size: Count

    packages: ClassVar[tuple[str, ...]] = ("scikit-learn", "scikit-image", "scipy")
    pretrained: ClassVar[bool] = True

    def describe(self, folder: Path | None, info: CorpusInfo) -> Description:
        """Describe what it was fitted on."""
        assert folder is not None
        return Description(f"{read_json(folder / 'encoder.json')['how']} of {info.name}", aligned=False)
