"""Word the faults of a configuration: where, what was found, what was expected."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trml.base.nearest import expected, nearest
from trml.base.printable import shortened

_TAGGED = ("corpus", "encoder")  # keys whose value is a union of component classes, told apart by `kind`


def explain(fault: Any, raw: Any, schema: dict[str, Any]) -> str:
    """Return a fault that pydantic found as one line.

    Args:
        fault: An entry of `ValidationError.errors()`.
        raw: The configuration.
        schema: The JSON schema of the whole.
    """
    path = _without_tags(fault["loc"], raw)
    place = ".".join(str(part) for part in path) or "the configuration"
    kind, context, value = fault["type"], fault.get("ctx", {}), fault.get("input")
    if kind in ("unexpected_keyword_argument", "extra_forbidden"):
        return f"{place} is unknown{nearest(str(path[-1]), _siblings(path, raw, schema))}"
    if kind in ("missing", "missing_argument", "union_tag_not_found"):
        return f"{place}{'.kind' if kind == 'union_tag_not_found' else ''} is missing"
    if kind == "union_tag_invalid":
        return f"{place}.kind is {shortened(context.get('tag'))}; expected one of {context.get('expected_tags')}"
    if kind == "value_error":
        return str(context["error"]) if not path else f"{place}: {context['error']}"
    if kind == "literal_error":
        allowed = [word.strip(" '") for word in context["expected"].replace(" or ", ",").split(",")]
        return f"{place} is {shortened(value)}{nearest(str(value), allowed)} (expected {context['expected']})"
    return f"{place} is {shortened(value)}; expected {expected(fault)}"


def _siblings(path: tuple[Any, ...], raw: Any, schema: dict[str, Any]) -> list[str]:
    """Return the valid keys beside an unknown one, from the JSON schema."""
    definitions = schema["$defs"]
    for key in path[:-1]:
        named: dict[str, Any] = next(
            iter(schema.get("patternProperties", {}).values()), {}
        )  # of a mapping whose keys are names
        node: dict[str, Any] = schema.get("properties", {}).get(key, named)
        raw = raw.get(key, {}) if isinstance(raw, dict) else {}
        node = next((each for each in node.get("anyOf", []) if each.get("type") != "null"), node)  # may be left out
        if "discriminator" in node:
            reference = node["discriminator"]["mapping"].get(raw.get("kind"), "")
        else:
            reference = node.get("$ref", "")
        schema = definitions.get(reference.rpartition("/")[2], node)
    return list(schema.get("properties", {}))


def _without_tags(location: tuple[Any, ...], raw: Any) -> tuple[Any, ...]:
    """Return a fault's place as users write it: pydantic puts the kind after `corpus` and `encoder`."""
    path: list[Any] = []
    for part in location:
        if path and path[-1] in _TAGGED and isinstance(raw, dict) and part == raw.get("kind"):
            continue
        path.append(part)
        raw = raw.get(part) if isinstance(raw, dict) else None
    return tuple(path)


def explain_hydra(
    error: Exception,
    overrides: Sequence[str],
    choices: Mapping[str, Sequence[str]],
    keys: Callable[[list[str]], list[str]],
) -> str:
    """Return what Hydra could not compose as one line.

    Args:
        error: What Hydra raised.
        overrides: What was asked for.
        choices: Group -> the names to choose from.
        keys: Returns all dotted keys of the composition with some overrides.
    """
    for override in overrides:
        group, _, value = override.lstrip("+~").partition("=")
        for choice in (part.strip() for part in value.strip("[]").split(",")) if choices.get(group) else ():
            if choice not in choices[group]:
                return f"{group}={choice}: no such choice{nearest(choice, choices[group])}"
    known = keys([override for override in overrides if override.partition("=")[0] in choices])
    for override in overrides:
        key = override.lstrip("+~").partition("=")[0]
        if key not in known and key not in choices:
            return f"{key} is unknown{nearest(key, known)}"
    return " ".join(str(error).split())
