"""TODO docstring."""

from functools import partial
from pathlib import Path
from typing import Any

import yaml

from trml.base.errors import ConfigError
from trml.config.load import check
from trml.config.messages import explain_hydra


def compose(overrides: list[str], config_dir: Path) -> str:
    """The YAML text that Hydra composes from `config_dir` and the overrides, checked.

    The text equals what `dvc exp run -S` writes for the same overrides.
    """
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    if not (config_dir / "config.yaml").is_file():
        raise ConfigError(f"{config_dir}/config.yaml does not exist; run it in the project's folder, or give --config")
    try:
        config = _hydra(overrides, config_dir)
        OmegaConf.resolve(config)
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(explain_hydra(error, overrides, config_dir, partial(_compose_keys, config_dir))) from None
    text = OmegaConf.to_yaml(config)
    check(yaml.safe_load(text), "")
    return text


def _hydra(overrides: list[str], config_dir: Path) -> Any:
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir

    with initialize_config_dir(str(config_dir.resolve()), version_base=None):
        return hydra_compose("config", overrides=overrides)


def _compose_keys(config_dir: Path, choices: list[str]) -> list[str]:
    """All dotted keys of the composition with these choices, for naming the nearest one."""
    from omegaconf import OmegaConf

    def walk(node: Any, prefix: str) -> list[str]:
        below = node.items() if isinstance(node, dict) else ()
        return [prefix, *(key for name, child in below for key in walk(child, f"{prefix}.{name}".lstrip(".")))]

    return walk(OmegaConf.to_container(_hydra(choices, config_dir)), "")[1:]
