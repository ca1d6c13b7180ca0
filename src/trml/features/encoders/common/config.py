"""The facts that every encoder states about itself, in its configuration class."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from trml.corpora.contract import CorpusInfo

_OF_FEATURES_ALONE = ("rotated", "frames", "frames_per_second", "batch_size")  # options that pretraining does not read


class Description(NamedTuple):
    """The part of features.json that an encoder knows.

    Attributes:
        weights: Where the weights come from, in words.
        aligned: Whether the modalities share one space.
        retrieval: The record of its pretraining, None if there is none.
    """

    weights: str
    aligned: bool
    retrieval: Mapping[str, Any] | None = None


class EncoderConfig:
    """The base of every encoder's configuration: a pydantic dataclass with at least the fields `kind` and `name`.

    Attributes:
        kind: Names the class in a configuration: `Literal["mine"]`.
        name: Of the encoder in results and below work/.
        frames: A field of every encoder that encodes: how many frames of a clip, at most.
        frames_per_second: Such a field: a limit on the frames of a clip, None without one.
        batch_size: Such a field: of sentences and of frames.
        modalities: What it encodes, in order.
        packages: Installed packages whose versions decide the features' bytes, beside torch, numpy, av and pillow.
        pretrained: Whether the workflow trains it.
    """

    kind: str
    name: str
    frames: int
    frames_per_second: float | None
    batch_size: int
    modalities: ClassVar[tuple[str, ...]] = ("text", "vision")
    packages: ClassVar[tuple[str, ...]] = ()
    pretrained: ClassVar[bool] = False

    @property
    def encoder_module(self) -> str:
        """The module with `load`, beside that of the configuration class; it is not imported."""
        return self._beside("encoder")

    @property
    def pretrain_module(self) -> str:
        """The module with `pretrain`; it is not imported."""
        return self._beside("pretrain")

    def _beside(self, module: str) -> str:
        return f"{type(self).__module__.rpartition('.')[0]}.{module}"

    def weights_files(self) -> list[Path]:
        """Return the weights that the user provides. Weights that a hub or a tag names are known by that name.

        Raises:
            WeightsMissing: If a file is absent.
        """
        return []

    def describe(self, folder: Path | None, info: CorpusInfo) -> Description:
        """Describe the encoder without loading it.

        Args:
            folder: Where the workflow pretrained it, None if it did not.
            info: The corpus that is encoded.
        """
        raise NotImplementedError

    def recipe(self) -> dict[str, Any]:
        """Return the options that decide the features' bytes."""
        return asdict(self)  # type: ignore[call-overload]  # every subclass is a dataclass

    def pretraining_recipe(self) -> dict[str, Any]:
        """Return the options that decide the pretrained encoder's bytes."""
        return {name: value for name, value in self.recipe().items() if name not in _OF_FEATURES_ALONE}


def files_in(*sources: str) -> list[Path]:
    """Return the files of those sources that are local folders, in order."""
    return [path for source in sources for path in sorted(Path(source).rglob("*")) if path.is_file()]
