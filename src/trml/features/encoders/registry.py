"""Kinds of encoders, found by scanning `features/encoders/*/config.py` in this package and its extensions."""

from dataclasses import MISSING, asdict, fields
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_type_hints

from pydantic import Field

from trml.base.errors import ConfigError
from trml.base.modules import components
from trml.features.encoders.common.config import EncoderConfig


@lru_cache
def kinds() -> dict[str, type[EncoderConfig]]:
    """Return the configuration class of every kind of encoder.

    Raises:
        ConfigError: If two classes have the same kind.
    """
    classes: dict[str, type[EncoderConfig]] = {}
    for module in components("features.encoders", "config").values():
        for cls in vars(import_module(module)).values():
            if isinstance(cls, type) and issubclass(cls, EncoderConfig) and cls.__module__ == module:
                (kind,) = get_args(get_type_hints(cls)["kind"])
                if kind in classes:
                    raise ConfigError(f"encoder kind {kind!r} is defined in {classes[kind].__module__} and {module}")
                classes[kind] = cls
    return classes


if TYPE_CHECKING:
    Encoder = EncoderConfig
else:
    Encoder = Annotated[Union[tuple(kinds().values())], Field(discriminator="kind")]  # noqa: UP007  the members are known at run time


def defaults() -> dict[str, dict[str, Any]]:
    """Return the configurations that need no file: those of the classes whose options all have defaults, by name."""
    configs = [cls() for cls in kinds().values() if not any(_is_required(each) for each in fields(cls))]  # type: ignore[arg-type]
    return {config.name: asdict(config) for config in configs}  # type: ignore[call-overload]


def _is_required(field: Any) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def load_encoder(config: EncoderConfig, folder: Path | None, device: Any) -> Any:
    """Load an encoder. Its module is imported here, so that no other encoder's libraries are.

    Args:
        config: Its configuration.
        folder: Where the workflow pretrained it, None if it did not.
        device: The torch.device to put it on.

    Returns:
        The Encoder (features/encoders/contract.py).

    Raises:
        WeightsMissing: If its weights cannot be loaded.
    """
    return import_module(config.encoder_module).load(config, folder, device)


def pretrain(config: EncoderConfig, corpus: Path, data: Path, folder: Path, seed: int, device: Any) -> None:
    """Pretrain an encoder of the workflow on a corpus. Test utterances are never shown to it.

    Args:
        config: Its configuration.
        corpus: The corpus folder.
        data: The folder of raw corpora, which clips may be in.
        folder: A new folder, which gets encoder.json and what `load_encoder` reads.
        seed: The experiment's seed.
        device: The torch.device to train on.

    Raises:
        ContractError: If the corpus has nothing to train on.
        PretrainingFailed: If the encoder misses its own bar.
    """
    import_module(config.pretrain_module).pretrain(config, corpus, data, folder, seed, device)
