"""Many modules as one: parameters stacked along a first dimension C, functions under torch.vmap.

All parameters of a stack lie in one array [C, P], a row a cell, so that whatever is done to each number of them (an
optimizer's step, a copy, a save) is done once.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call, stack_module_state, vmap
from torch.utils._pytree import tree_map

from trml.base.errors import ContractError
from trml.methods.contract import Batch, Copy, Labelled, Method
from trml.training.contract import Cell, Settings
from trml.training.data import Data
from trml.training.new_method import new_method, shape_of, shaping_options


def row_padding(width: int) -> int:
    """Return how many unused numbers end each row of a stack's arrays.

    Rows are a multiple of 64 numbers long: each starts at the start of a cache line, and the idle row at the end of a
    stack takes up all that element-wise kernels treat apart at the end of an array (stack_run.py).
    """
    return -width % 64


class Stack:
    """The modules of C cells. All have one structure: class, shapes, and every option but those in `tensors`.

    A method that says why it is `unstackable` keeps its parameters stacked too, but its functions run cell after cell.
    """

    def __init__(self, cells: Sequence[Cell], data: Data, settings: Settings) -> None:
        device, dtype, spec = data.device, data.dtype, cells[0].spec
        modules = [new_method(cell, data, settings).to(device) for cell in cells]
        parameters, self.buffers = stack_module_state(modules)
        self.shapes = {name: value.shape[1:] for name, value in parameters.items()}
        self.columns, width = {}, 0
        for name, value in parameters.items():
            self.columns[name] = slice(width, width + value[0].numel())
            width += value[0].numel()
        self.width = width
        self.set(torch.zeros(len(cells), width + row_padding(width), device=device, dtype=dtype))
        for name, value in parameters.items():
            self.parameters[name].data.copy_(value)
        self.module, self.target = copy.deepcopy(modules[0]).to("meta"), spec.target
        self.shared = shaping_options(spec)
        self.draws = self.module.draws(shape_of(spec, data), self.shared)
        self.options = {
            name: torch.tensor([cell.spec.options[name] for cell in cells], dtype=dtype, device=device)
            for name in modules[0].tensors
        }

    def set(self, values: Tensor) -> None:
        """Take the array [C, P] as the parameters."""
        self.values = values
        self.parameters = {name: value.requires_grad_() for name, value in self.named(values).items()}

    def named(self, values: Tensor) -> dict[str, Tensor]:
        """Return an array [C, P] as parameters by name, each [C, ...]."""
        return {
            name: values.detach()[:, columns].reshape(len(values), *self.shapes[name])
            for name, columns in self.columns.items()
        }

    def copy_parameters(self, copies: Sequence[Copy]) -> None:
        """Set parameters to the values of others."""
        for source, target in copied_names(list(self.columns), copies, self.target):
            self.values[:, self.columns[target]] = self.values[:, self.columns[source]]

    def losses(self, name: str, batch: Labelled) -> Tensor:
        """Return the loss [C] that the method's function of this name gives each cell on its batch."""

        def loss(parameters: dict[str, Tensor], buffers: dict[str, Tensor], batch: Labelled, options: Any) -> Tensor:
            return functional_call(_Call(self.module, name), _inside(parameters, buffers), (batch, options))

        return self._each(loss, self.parameters, self.buffers, batch, self.options)

    def outputs(self, values: Tensor, batch: Batch) -> Tensor:
        """Return the outputs [C, B, outputs] of the modules with the parameters in an array [C, P].

        Raises:
            ContractError: If the method reads a label.
        """
        return self._predicted("forward", values, batch)

    def spreads(self, values: Tensor, batch: Batch) -> Tensor | None:
        """Return the standard deviations [C, B] of the scores, None where the method gives none."""
        return self._predicted("spread", values, batch) if gives_spread(self.module) else None

    def _predicted(self, name: str, values: Tensor, batch: Batch) -> Tensor:
        def predict(parameters: dict[str, Tensor], buffers: dict[str, Tensor], batch: Batch) -> Tensor:
            return functional_call(_Call(self.module, name), _inside(parameters, buffers), (batch,))

        with unlabelled(self.target, name):
            return self._each(predict, self.named(values), self.buffers, batch)

    def _each(self, function: Callable[..., Tensor], *stacked: Any) -> Tensor:
        if self.module.unstackable is None:
            return vmap(function)(*stacked)
        return torch.stack([function(*_member(stacked, i)) for i in range(len(self.values))])

    def keep(self, members: Tensor) -> None:
        """Leave only these cells, by their places."""
        self.set(self.values[members])
        self.buffers = {n: b[members] for n, b in self.buffers.items()}
        self.options = {n: o[members] for n, o in self.options.items()}


def gives_spread(method: Method) -> bool:
    """Return whether a method gives the standard deviation of its scores."""
    return type(method).spread is not Method.spread


def copied_names(names: Sequence[str], copies: Sequence[Copy], target: str) -> list[tuple[str, str]]:
    """Return which parameter is copied to which, (source, target), in order.

    Raises:
        ContractError: If there is no parameter for a source or a target; it names the method's dotted path `target`.
    """
    pairs = []
    for source, to in copies:
        names_of_source = [name for name in names if name.startswith(source)]
        if not names_of_source:
            raise ContractError(f"{target}: `between` copies from {source!r}, but no parameter's name starts with it")
        pairs += [(name, to + name.removeprefix(source)) for name in names_of_source]
    unknown = [to for _, to in pairs if to not in names]
    if unknown:
        raise ContractError(f"{target}: `between` copies to {', '.join(unknown)}, but there is no such parameter")
    return pairs


@contextmanager
def unlabelled(target: str, function: str) -> Iterator[None]:
    """Turn the reading of a label that a prediction does not have into a ContractError that names the method."""
    try:
        yield
    except AttributeError as error:
        if isinstance(error.obj, Batch) and error.name in ("label", "losses"):
            raise ContractError(
                f"{target}: {function} reads the {error.name}; a prediction is made without one. Read it in the "
                "functions that give a loss"
            ) from None
        raise


class _Call(torch.nn.Module):
    """A function of a method as a module, so that functional_call reaches it by its name."""

    def __init__(self, method: Method, name: str) -> None:
        super().__init__()
        self.method, self.name = method, name

    def forward(self, *arguments: Any) -> Tensor:
        return getattr(self.method, self.name)(*arguments)


def _inside(*states: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"method.{name}": value for state in states for name, value in state.items()}


def _member(stacked: Any, i: int) -> Any:
    return tree_map(lambda x: x[i], stacked)
