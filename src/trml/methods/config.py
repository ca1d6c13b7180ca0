"""TODO docstring."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from itertools import product
from typing import Any, Literal

from pydantic.dataclasses import dataclass

from trml.base.fields import Name, strict

# Options that every method has, and that the trainer takes: its own learning rate, instead of training.learning_rate.
OF_TRAINER = {"learning_rate": "Positive"}


@dataclass(config=strict)
class Variant:
    """A method with some of its options moved: a term of its loss taken out, or a choice of its design made
    otherwise."""

    label: str
    options: dict[str, Any]
    of: Literal["loss", "design"] = "loss"


@dataclass(config=strict)
class MethodConfig:
    """One method.

    role: `proposed` is judged by the claims, `baseline` is what it is judged against, `upper` is the bound.
    depends_on: what the method's training depends on. `rate`: on the training mask; `victim`: on which
    modality may be missing, whatever the mask. A method that depends on neither is trained once a seed.
    At the study rate are run: each of `variants`; `sweeps`, one option over its values; `grids`, every combination of
    two options' values. `search`: the values of options that the search on dev tries (`trml search`).
    """

    target: str
    label: str
    role: Literal["proposed", "baseline", "upper"]
    depends_on: list[Literal["victim", "rate"]]
    options: dict[str, Any]
    variants: dict[Name, Variant] = field(default_factory=dict)
    sweeps: dict[str, list[float]] = field(default_factory=dict)
    grids: list[dict[str, list[float]]] = field(default_factory=list)
    search: dict[str, list[float]] = field(default_factory=dict)


DEFAULT = "default"


def sweep_name(option: str, value: float) -> str:
    """The variant that moves one option to a value; `float` reads the value back exactly."""
    return f"{option}={float(value)!r}"


def grid_name(values: Mapping[str, float]) -> str:
    """The variant that moves several options, each to a value."""
    return ",".join(sweep_name(option, value) for option, value in values.items())


def grid_points(grid: Mapping[str, Sequence[float]]) -> list[dict[str, float]]:
    """Every combination of the options' values."""
    return [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
