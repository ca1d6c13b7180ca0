"""Read and check a configuration, and give its JSON schema. The Snakefile and every verb start here, without torch."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from trml.base.errors import ConfigError
from trml.config.messages import explain
from trml.config.params import Params


@cache
def _adapter() -> TypeAdapter[Params]:
    return TypeAdapter(Params)


def check(raw: Any, source: str = "params.yaml") -> Params:
    """Return the checked configuration of a plain mapping.

    Args:
        raw: The mapping, as YAML has it.
        source: Its file, named in errors; empty for none.

    Raises:
        ConfigError: With one line a fault: where, what was found, what was expected.
    """
    raw = _without_dropped(raw)
    try:
        return _adapter().validate_json(json.dumps(raw), strict=True)
    except ValidationError as error:
        lines = [f"{source}: {explain(fault, raw, json_schema())}".removeprefix(": ") for fault in error.errors()]
        raise ConfigError("\n".join(dict.fromkeys(lines))) from None


def _without_dropped(raw: Any) -> Any:
    """Return the mapping without the variants that are null: so an experiment drops one that a method comes with."""
    methods = raw.get("methods") if isinstance(raw, dict) else None
    if not isinstance(methods, dict):
        return raw

    def kept(method: Any) -> Any:
        variants = method.get("variants") if isinstance(method, dict) else None
        if not isinstance(variants, dict):
            return method
        return {**method, "variants": {name: each for name, each in variants.items() if each is not None}}

    return {**raw, "methods": {name: kept(method) for name, method in methods.items()}}


def load(path: str | Path) -> Params:
    """Read and check a composed configuration file.

    Raises:
        ConfigError: If the file is absent, not YAML, or at fault.
    """
    path = Path(path)
    if not path.is_file():
        raise ConfigError(f"{path} does not exist; expected a composed configuration. Write it: trml compose")
    try:
        raw = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    return check(raw, str(path))


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of params.yaml (workflow/schemas/params.schema.json)."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_adapter().json_schema()}
