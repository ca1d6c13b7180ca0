"""The configuration of methods: their options, and the variants that move some of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from itertools import product
from typing import Any, Literal

from pydantic.dataclasses import dataclass

from trml.base.fields import Label, Name, strict

DEFAULT = "default"  # the variant that moves nothing


@dataclass(config=strict)
class Variant:
    """A method with some of its options moved.

    Attributes:
        label: Its name in tables and figures.
        options: The options that it moves, with their values.
        of: `loss` if it removes a term of the loss, `design` if it makes another choice of design.
    """

    label: Label
    options: dict[str, Any]
    of: Literal["loss", "design"] = "loss"


@dataclass(config=strict)
class MethodConfig:
    """One method.

    Attributes:
        target: Its class, as a dotted path.
        label: Its name in tables and figures.
        role: `proposed` is judged by the claims, `baseline` is what it is judged against, `upper` is the bound.
        depends_on: `rate` if its training depends on the training mask; `victim` if its module depends on the missing
            pattern, whatever the mask. A method that depends on neither is trained once a seed.
        options: Every option's value.
        untold: Options that are moved where no method may show itself missing modalities (protocol.told: false).
        variants: Run at the study rate, like those of `sweeps` and `grids`.
        sweeps: Option -> the values that it is moved to, one at a time.
        grids: Options -> values, of which every combination is run.
        search: Option -> the values that the search on dev tries (`trml search`).
    """

    target: str
    label: Label
    role: Literal["proposed", "baseline", "upper"]
    depends_on: list[Literal["victim", "rate"]]
    options: dict[str, Any]
    untold: dict[str, Any] = field(default_factory=dict)
    variants: dict[Name, Variant] = field(default_factory=dict)
    sweeps: dict[str, list[float]] = field(default_factory=dict)
    grids: list[dict[str, list[float]]] = field(default_factory=list)
    search: dict[str, list[Any]] = field(default_factory=dict)

    def with_studies(self, names: Sequence[str]) -> "MethodConfig":
        """Return the method with these variants, swept options and grids (`grid_key`) alone."""
        variants = {name: variant for name, variant in self.variants.items() if name in names}
        sweeps = {option: values for option, values in self.sweeps.items() if option in names}
        grids = [grid for grid in self.grids if grid_key(grid) in names]
        return replace(self, variants=variants, sweeps=sweeps, grids=grids)

    @property
    def studies(self) -> list[str]:
        """The names of its variants, swept options and grids."""
        return [*self.variants, *self.sweeps, *map(grid_key, self.grids)]


def sweep_name(option: str, value: float) -> str:
    """Return the name of the variant that moves one option to a value."""
    return f"{option}={float(value)!r}"


def grid_name(values: Mapping[str, float]) -> str:
    """Return the name of the variant that moves several options, each to its value."""
    return ",".join(sweep_name(option, value) for option, value in values.items())


def grid_key(grid: Iterable[str]) -> str:
    """Return how a grid over several options is named: `weight+temperature`."""
    return "+".join(grid)


def grid_points(grid: Mapping[str, Sequence[float]]) -> list[dict[str, float]]:
    """Return every combination of the options' values."""
    return [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
