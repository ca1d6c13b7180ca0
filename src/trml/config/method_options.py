"""Check the options of a method against its class, without importing it."""

import ast
from functools import cache
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from trml.base.fields import Count, NotNegative, Positive, Share, require
from trml.base.nearest import expected, nearest
from trml.config.class_source import class_mapping, class_value, keyword_arguments
from trml.methods.config import MethodConfig
from trml.training.contract import OF_TRAINER

_FLOATS: dict[str, Any] = {"float": float, "Share": Share, "Positive": Positive, "NotNegative": NotNegative}
_OTHERS: dict[str, Any] = {"int": int, "Count": Count, "bool": bool, "str": str}


@cache
def known_options(target: str) -> tuple[dict[str, str], frozenset[str]]:
    """Return the options of a method's class: name -> annotation as written, and the names without a default.

    They are what the trainer takes, the keyword-only arguments of `__init__`, and `tensors`, which have no default.
    """
    arguments, tensors = keyword_arguments(target), class_mapping(target, "tensors")
    required = {name for name, (_, is_required) in arguments.items() if is_required} | tensors.keys()
    return OF_TRAINER | {name: annotation for name, (annotation, _) in arguments.items()} | tensors, frozenset(required)


def modality_limit(target: str) -> int | None:
    """Return how many modalities a method is defined for, None for any number."""
    limit = class_value(target, "modalities")
    return limit if isinstance(limit, int) else None


def sees_sequences(target: str) -> bool:
    """Return whether a method sees every token of a modality, which takes it many times as long as one vector."""
    return class_value(target, "views") == "sequence"


def check_options(name: str, method: MethodConfig) -> None:
    """Raise ValueError unless options, variants, sweeps, grids and search fit the class.

    A float option written as an integer becomes a float, in place, so that equal values have equal digests.
    """
    known, required = known_options(method.target)
    place = f"methods.{name}"
    lacking = sorted(required - set(method.options))
    require(not lacking, f"{place}.options lacks {', '.join(lacking)}")
    require("default" not in method.variants, f"{place}.variants.default: the name is taken by the method as it is")
    options_at = {f"{place}.options": method.options, f"{place}.untold": method.untold}
    options_at |= {f"{place}.variants.{v}.options": variant.options for v, variant in method.variants.items()}
    for prefix, options in options_at.items():
        for key, value in options.items():
            require(key in known, f"{prefix}.{key} is unknown{nearest(key, known)}")
            options[key] = _as_annotated(value, known[key], f"{prefix}.{key}")
    ranges = {f"{place}.search": method.search, f"{place}.sweeps": method.sweeps}
    ranges |= {f"{place}.grids[{i}]": grid for i, grid in enumerate(method.grids)}
    for prefix, varied in ranges.items():
        for key, values in varied.items():
            require(key in known, f"{prefix}.{key} is unknown{nearest(key, known)}")
            is_drawn = known[key] in _FLOATS or varied is method.search  # the others are axes of figures
            require(is_drawn, f"{prefix}.{key} is no float; only float options can be varied")
            varied[key] = [_as_annotated(value, known[key], f"{prefix}.{key}") for value in values]


def _as_annotated(value: Any, annotation: str, place: str) -> Any:
    """Return the value as its annotation has it. The method itself checks annotations that are not known here."""
    adapter = _adapter(annotation)
    if adapter is None:
        return value
    try:
        checked = adapter.validate_python(value, strict=True)
    except ValidationError as error:
        raise ValueError(f"{place} is {value!r}; expected {expected(error.errors()[0])}") from None
    return float(checked) if annotation in _FLOATS else checked


@cache  # every job checks a thousand options of a dozen annotations
def _adapter(annotation: str) -> TypeAdapter[Any] | None:
    """Return what checks values of an annotation, None if it is not known here."""
    kind: Any = {**_FLOATS, **_OTHERS}.get(annotation)
    if annotation.startswith("Literal["):
        kind = Literal[ast.literal_eval("(" + annotation[len("Literal[") : -1] + ",)")]
    return None if kind is None else TypeAdapter(kind)
