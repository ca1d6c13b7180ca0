"""The configuration: its schema, its composition from config/ and the reading of params.yaml.

Hydra composes (`compose`), pydantic checks (`check`), and everything else reads the checked `Params`.
Nothing here imports torch: the Snakefile and every verb start from this package.
"""

import json
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from trml.config.corpora import (
    ArraysConfig,
    CmuConfig,
    Corpus,
    FetchedCorpus,
    MeldConfig,
    MosiConfig,
    MvsaConfig,
    MvsaSingleConfig,
    OwnColumns,
    OwnConfig,
    PantomimeConfig,
    Sizes,
    Source,
    Terms,
    Weights,
)
from trml.config.encoders import (
    Encoder,
    Encoding,
    Fit,
    GivenEncoder,
    OpenClipEncoder,
    SeparateEncoder,
    TinyBert,
    TinyClipEncoder,
    TinySeparateEncoder,
    TransformersClipEncoder,
)
from trml.config.faults import explain, explain_hydra
from trml.config.fields import FRAME_RATES, Count, NotNegative, Positive, Share, Victim
from trml.config.options import OF_TRAINER
from trml.config.params import Chosen, Dataset, MethodConfig, Params, Protocol, Report, Training, Variant
from trml.errors import ConfigError

__all__ = [
    "FRAME_RATES",
    "OF_TRAINER",
    "ArraysConfig",
    "Chosen",
    "CmuConfig",
    "Corpus",
    "Count",
    "Dataset",
    "Encoder",
    "Encoding",
    "FetchedCorpus",
    "Fit",
    "GivenEncoder",
    "MeldConfig",
    "MethodConfig",
    "MosiConfig",
    "MvsaConfig",
    "MvsaSingleConfig",
    "NotNegative",
    "OpenClipEncoder",
    "OwnColumns",
    "OwnConfig",
    "PantomimeConfig",
    "Params",
    "Positive",
    "Protocol",
    "Report",
    "SeparateEncoder",
    "Share",
    "Sizes",
    "Source",
    "Terms",
    "TinyBert",
    "TinyClipEncoder",
    "TinySeparateEncoder",
    "Training",
    "TransformersClipEncoder",
    "Variant",
    "Victim",
    "Weights",
    "check",
    "compose",
    "json_schema",
    "load",
]

_adapter: TypeAdapter[Params] = TypeAdapter(Params)


def check(raw: Any, source: str = "params.yaml") -> Params:
    """The checked configuration of a plain mapping.

    Raises ConfigError with one line per fault: where, what was found, what was expected.
    """
    try:
        return _adapter.validate_json(json.dumps(raw), strict=True)
    except ValidationError as error:
        lines = [f"{source}: {explain(fault, raw, json_schema())}".removeprefix(": ") for fault in error.errors()]
        raise ConfigError("\n".join(dict.fromkeys(lines))) from None


def load(path: str | Path) -> Params:
    """Read and check a composed configuration file."""
    path = Path(path)
    if not path.is_file():
        raise ConfigError(f"{path} does not exist; expected a composed configuration. Make it: trml compose")
    try:
        raw = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    return check(raw, str(path))


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


def json_schema() -> dict[str, Any]:
    """The JSON schema of params.yaml (workflow/schemas/params.schema.json)."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_adapter.json_schema()}


def _compose_keys(config_dir: Path, choices: list[str]) -> list[str]:
    """All dotted keys of the composition with these choices, for naming the nearest one."""
    from omegaconf import OmegaConf

    def walk(node: Any, prefix: str) -> list[str]:
        below = node.items() if isinstance(node, dict) else ()
        return [prefix, *(key for name, child in below for key in walk(child, f"{prefix}.{name}".lstrip(".")))]

    return walk(OmegaConf.to_container(_hydra(choices, config_dir)), "")[1:]
