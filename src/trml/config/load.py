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
    try:
        return _adapter().validate_json(json.dumps(raw), strict=True)
    except ValidationError as error:
        lines = [f"{source}: {explain(fault, raw, json_schema())}".removeprefix(": ") for fault in error.errors()]
        raise ConfigError("\n".join(dict.fromkeys(lines))) from None


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
