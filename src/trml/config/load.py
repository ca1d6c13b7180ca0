"""Read and check a configuration, and give its JSON schema. The Snakefile and every verb start here, without torch."""

import json
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from trml.base.errors import ConfigError
from trml.base.files import not_a_file
from trml.base.printable import shortened
from trml.base.yaml_reader import DEPTH, read_yaml
from trml.config.messages import explain
from trml.config.params import Params

_DIGITS = 18  # of an integer, which JSON's readers take for 64 bits


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
    fault = _not_plain(raw, "", 0)
    if fault:
        raise ConfigError(f"{source}: {fault}".removeprefix(": "))
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
    if not_a_file(path) == "is missing":
        raise ConfigError(f"{path} does not exist; expected a composed configuration. Write it: trml compose")
    return check(read_yaml(path), str(path))


def _not_plain(value: Any, place: str, depth: int) -> str | None:
    """Return what of a configuration is no plain value, with its key; None if all are.

    Plain are mappings by name, lists, UTF-8 texts, integers of 64 bits, finite numbers, booleans and None.
    """
    what = place or "the configuration"
    if depth > DEPTH:
        return f"{what} nests deeper than {DEPTH}"
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        faults = (_not_plain(child, f"{place}.{key}".lstrip("."), depth + 1) for key, child in pairs)
        strange = (f"{what} has the key {shortened(key)}; expected a name" for key in value if not _is_text(key))
        return next(filter(None, (*(strange if isinstance(value, dict) else ()), *faults)), None)
    fault = _fault_of_scalar(value)
    return None if fault is None else f"{what} is {shortened(value)}; expected {fault}"


def _fault_of_scalar(value: Any) -> str | None:
    """Return what is expected of a value that is no mapping and no list, None if it is plain."""
    if isinstance(value, str):
        if "\x85" in value:
            return "text without U+0085, which YAML takes for the end of a line"
        return None if _is_text(value) else "text that is UTF-8"
    if isinstance(value, float):
        return None if isfinite(value) else "a finite number"
    if isinstance(value, int):
        return None if abs(value) < 10**_DIGITS else f"at most {_DIGITS} digits"
    return None if value is None else "text, a number, true, false or null"


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of params.yaml (workflow/schemas/params.schema.json)."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_adapter().json_schema()}
