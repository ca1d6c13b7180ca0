"""What is wrong with a configuration, in words: where, what was found, what was expected."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from trml.base.nearest import expected, nearest


def _siblings(path: tuple[Any, ...], raw: Any, schema: dict[str, Any]) -> list[str]:
    """The valid keys at the place of an unknown one, from the JSON schema."""
    definitions = schema["$defs"]
    for key in path[:-1]:
        node: dict[str, Any] = schema.get("properties", {}).get(key, schema.get("additionalProperties") or {})
        raw = raw.get(key, {}) if isinstance(raw, dict) else {}
        if "discriminator" in node:
            reference = node["discriminator"]["mapping"].get(raw.get("kind"), "")
        else:
            reference = node.get("$ref", "")
        schema = definitions.get(reference.rpartition("/")[2], node)
    return list(schema.get("properties", {}))


def explain(fault: Any, raw: Any, schema: dict[str, Any]) -> str:
    """A fault that pydantic found, in one line. `schema` is the JSON schema of the whole."""
    path = _without_tags(fault["loc"], raw)
    place = ".".join(str(p) for p in path) or "the configuration"
    kind, context, found = fault["type"], fault.get("ctx", {}), fault.get("input")
    if kind in ("unexpected_keyword_argument", "extra_forbidden"):
        return f"{place} is unknown{nearest(str(path[-1]), _siblings(path, raw, schema))}"
    if kind in ("missing", "missing_argument", "union_tag_not_found"):
        return f"{place}{'.kind' if kind == 'union_tag_not_found' else ''} is missing"
    if kind == "union_tag_invalid":
        return f"{place}.kind is {context.get('tag')!r}; expected one of {context.get('expected_tags')}"
    if kind == "value_error":
        return str(context["error"]) if not path else f"{place}: {context['error']}"
    if kind == "literal_error":
        allowed = [word.strip(" '") for word in context["expected"].replace(" or ", ",").split(",")]
        return f"{place} is {found!r}{nearest(str(found), allowed)} (expected {context['expected']})"
    return f"{place} is {found!r}; expected {expected(fault)}"


def _without_tags(location: tuple[Any, ...], raw: Any) -> tuple[Any, ...]:
    """A fault's place as users write it: a discriminated union puts its tag, the kind, after `corpus` and `encoder`."""
    path: list[Any] = []
    for part in location:
        if path and path[-1] in ("corpus", "encoder") and isinstance(raw, dict) and part == raw.get("kind"):
            continue
        path.append(part)
        raw = raw.get(part) if isinstance(raw, dict) else None
    return tuple(path)


def explain_hydra(
    error: Exception, overrides: list[str], config_dir: Path, keys: Callable[[list[str]], list[str]]
) -> str:
    """What Hydra could not compose, in one line. `keys` gives all dotted keys of a composition with some overrides."""
    text = " ".join(str(error).split())
    for override in overrides:
        key, _, value = override.lstrip("+~").partition("=")
        folder = config_dir / key
        known = [p.stem for p in folder.glob("*.yaml")]
        for choice in value.strip("[]").split(",") if known else []:
            if choice.strip() not in known:
                return f"{key}={choice.strip()}: no such choice{nearest(choice.strip(), known)}"
    base = keys([override for override in overrides if (config_dir / override.partition("=")[0]).is_dir()])
    for override in overrides:
        key = override.lstrip("+~").partition("=")[0]
        if key not in base and not (config_dir / key).is_dir():
            return f"{key} is unknown{nearest(key, base)}"
    return text
