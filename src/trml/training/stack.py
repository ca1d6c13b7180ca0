"""Many modules as one: parameters stacked along a first dimension C, functions under torch.vmap.

All parameters of a stack lie in one array [C, P], a row a cell, so that whatever is done to each number of them (an
optimizer's step, a copy, a save) is done once.
"""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call, stack_module_state, vmap

from trml.features.contract import FeatureSet
from trml.methods.contract import Batch, Method
from trml.training.data import Data
from trml.training.new_method import Settings, Trainable, new_method


def row_padding(width: int) -> int:
    """How many numbers a row of a stack's arrays has at its end for nothing.

    Rows of a multiple of 64 numbers: each starts at the start of a cache line, and the idle row at the end of a stack
    takes up all that element-wise kernels treat apart at the end of an array (chunk.py).
    """
    return -width % 64


class Stack:
    """The modules of C cells. All have one structure: class, shapes, and every option but those in `tensors`.

    A method that says why it is `unstackable` keeps its parameters stacked too, but its functions run cell after cell.
    """

    def __init__(self, cells: Sequence[Trainable], features: FeatureSet, data: Data, settings: Settings) -> None:
        device, dtype = data.device, data.dtype
        modules = [new_method(cell, features, data, settings).to(device) for cell in cells]
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
        self.module = copy.deepcopy(modules[0]).to("meta")
        self.options = {
            name: torch.tensor([cell.options[name] for cell in cells], dtype=dtype, device=device)
            for name in modules[0].tensors
        }

    def set(self, values: Tensor) -> None:
        """Take the array [C, P] as the parameters."""
        self.values = values
        self.parameters = {name: value.requires_grad_() for name, value in self.views(values).items()}

    def views(self, values: Tensor) -> dict[str, Tensor]:
        """An array [C, P] as parameters by name, each [C, ...]."""
        return {
            name: values.detach()[:, columns].reshape(len(values), *self.shapes[name])
            for name, columns in self.columns.items()
        }

    def losses(self, name: str, batch: Batch) -> Tensor:
        """The loss [C] that the method's function of this name gives each cell on its batch."""

        def loss(parameters: dict[str, Tensor], buffers: dict[str, Tensor], of_cell: Batch, options: Any) -> Tensor:
            return functional_call(_Call(self.module, name), _inside(parameters, buffers), (of_cell, options))

        return self._each(loss, self.parameters, self.buffers, batch, self.options)

    def outputs(self, values: Tensor, batch: Batch) -> Tensor:
        """The outputs [C, B, outputs] of the modules with the parameters in an array [C, P]."""

        def forward(own: dict[str, Tensor], buffers: dict[str, Tensor], of_cell: Batch) -> Tensor:
            return functional_call(self.module, {**own, **buffers}, (of_cell,))

        return self._each(forward, self.views(values), self.buffers, batch)

    def _each(self, function: Callable[..., Tensor], *stacked: Any) -> Tensor:
        if self.module.unstackable is None:
            return vmap(function)(*stacked)
        return torch.stack([function(*(_member(tree, i) for tree in stacked)) for i in range(len(self.values))])

    def keep(self, members: Tensor) -> None:
        """Leave only these cells, by their places."""
        self.set(self.values[members])
        self.buffers = {n: b[members] for n, b in self.buffers.items()}
        self.options = {n: o[members] for n, o in self.options.items()}


class _Call(torch.nn.Module):
    """Lets functional_call reach a function of a method by its name."""

    def __init__(self, method: Method, name: str) -> None:
        super().__init__()
        self.method, self.name = method, name

    def forward(self, batch: Batch, options: dict[str, Tensor]) -> Tensor:
        return getattr(self.method, self.name)(batch, options)


def _inside(*states: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"method.{name}": value for state in states for name, value in state.items()}


def _member(tree: Any, i: int) -> Any:
    if isinstance(tree, dict):
        return {name: value[i] for name, value in tree.items()}
    return Batch(*(x[i] for x in tree))
