"""The options of a method, read from its source without importing it."""

import ast
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from pydantic import TypeAdapter, ValidationError

from trml.base.fields import Count, NotNegative, Positive, Share, require
from trml.base.modules import module_file
from trml.base.nearest import expected, nearest
from trml.methods.config import OF_TRAINER

if TYPE_CHECKING:
    from trml.methods.config import MethodConfig


@lru_cache
def _signature(target: str) -> tuple[dict[str, str], frozenset[str]]:
    """The keyword options of a method's class: name -> annotation, as written in its `__init__`, and which of them
    have no default. Read with `ast`, because importing a method imports torch."""
    module, _, name = target.rpartition(".")
    path = module_file(module)
    require(path is not None, f"target {target!r}: no module {module!r} can be found")
    assert path is not None
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            for item in node.body:
                if isinstance(item, ast.FunctionDef) and item.name == "__init__":
                    options = zip(item.args.kwonlyargs, item.args.kw_defaults, strict=True)
                    known = {a.arg: (ast.unparse(a.annotation) if a.annotation else "Any", d) for a, d in options}
                    required = frozenset(k for k, (_, default) in known.items() if default is None)
                    return OF_TRAINER | {k: annotation for k, (annotation, _) in known.items()}, required
            return OF_TRAINER, frozenset()
    raise ValueError(f"target {target!r}: {path} has no class {name!r}")


def check_options(name: str, method: "MethodConfig") -> None:
    """Check names and values against the signature, in place: a float option written as an integer becomes a float,
    so that equal values have equal digests."""
    known, required = _signature(method.target)
    place = f"methods.{name}"
    lacking = sorted(required - set(method.options))
    require(not lacking, f"{place}.options lacks {', '.join(lacking)}")
    require("default" not in method.variants, f"{place}.variants.default: the name is taken by the method as it is")
    where = {f"{place}.options": method.options}
    where |= {f"{place}.variants.{v}.options": variant.options for v, variant in method.variants.items()}
    for prefix, options in where.items():
        for key, value in options.items():
            require(key in known, f"{prefix}.{key} is unknown{nearest(key, known)}")
            options[key] = _as_annotated(value, known[key], f"{prefix}.{key}")
    ranges = {f"{place}.sweeps": method.sweeps, f"{place}.search": method.search}
    ranges |= {f"{place}.grids[{i}]": grid for i, grid in enumerate(method.grids)}
    for prefix, options in ranges.items():
        for key, values in options.items():
            require(key in known, f"{prefix}.{key} is unknown{nearest(key, known)}")
            require(known[key] in _FLOATS, f"{prefix}.{key}: only options that are numbers with a point can be varied")
            options[key] = [_as_annotated(value, known[key], f"{prefix}.{key}") for value in values]


_FLOATS: dict[str, Any] = {"float": float, "Share": Share, "Positive": Positive, "NotNegative": NotNegative}

_OTHERS: dict[str, Any] = {"int": int, "Count": Count, "bool": bool, "str": str}


def _as_annotated(value: Any, annotation: str, place: str) -> Any:
    """The value as its annotation has it; annotations that are not known here are left to the method."""
    if annotation.startswith("Literal["):
        kind: Any = Literal[ast.literal_eval("(" + annotation[len("Literal[") : -1] + ",)")]
    elif annotation in _FLOATS or annotation in _OTHERS:
        kind = {**_FLOATS, **_OTHERS}[annotation]
    else:
        return value
    try:
        found = TypeAdapter(kind).validate_python(value, strict=True)
    except ValidationError as error:
        raise ValueError(f"{place} is {value!r}; expected {expected(error.errors()[0])}") from None
    return float(found) if annotation in _FLOATS else found
