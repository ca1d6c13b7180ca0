"""AdamW over a stack: each cell's gradient clipped by its own norm, each cell at its own learning rate."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad
from torch.optim.adamw import adamw

from trml.methods.contract import Step
from trml.training.stack import Stack, row_padding


class Optimizer:
    """torch's fused AdamW on the parameters that a step moves.

    Its moments lie as the stack's parameters do, [C, P].
    """

    def __init__(self, step: Step, stack: Stack, rates: Tensor, *, weight_decay: float, clip_norm: float) -> None:
        """Start with zero moments; `rates` [C] are factors on the learning rate, one a cell."""
        self.weight_decay, self.clip_norm = weight_decay, clip_norm
        self.factors = {
            name: factor
            for name in stack.shapes
            if (factor := next((f for prefix, f in step.moves if name.startswith(prefix)), None)) is not None
        }
        self.counts = dict.fromkeys(self.factors, 0)
        self.mean, self.square = torch.zeros_like(stack.values), torch.zeros_like(stack.values)
        self.rates = rates.unsqueeze(1) if bool((rates != 1).any()) else None

    def step(self, stack: Stack, losses: Tensor, rate: float) -> None:
        """Move the parameters against the gradients of the losses [C]."""
        # The cells share no parameter, so the sum gives each the gradient of its own loss.
        parameters = [stack.parameters[name] for name in self.factors]
        gradients = torch.autograd.grad(losses.sum(), parameters, allow_unused=True)
        used = {name: g.flatten(1) for name, g in zip(self.factors, gradients, strict=True) if g is not None}
        gradient = self._clipped(torch.cat(list(used.values()), dim=1))
        if len(used) == len(stack.shapes) and len({(self.factors[n], self.counts[n]) for n in used}) == 1:
            name = next(iter(used))
            padded = pad(gradient, (0, row_padding(stack.width)))
            self._move([stack.values, padded, self.mean, self.square], self.counts[name], rate * self.factors[name])
        else:
            parts = gradient.split([g.shape[1] for g in used.values()], dim=1)
            self._move_some(stack, dict(zip(used, parts, strict=True)), rate)
        for name in used:
            self.counts[name] += 1

    def keep(self, members: Tensor) -> None:
        """Leave only these cells, by their places."""
        self.mean, self.square = self.mean[members], self.square[members]
        self.rates = None if self.rates is None else self.rates[members]

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return all that changes: arrays by name, and the rest as JSON; `load` takes it back."""
        return {"mean": self.mean, "square": self.square}, {"counts": self.counts}

    def load(self, tensors: dict[str, Tensor], rest: dict[str, Any]) -> None:
        """Take back what `state` gave."""
        self.mean, self.square, self.counts = tensors["mean"], tensors["square"], rest["counts"]

    def _clipped(self, gradient: Tensor) -> Tensor:
        """Scale each row of a gradient [C, Q], in place, to a norm of at most `clip_norm`."""
        norm = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)
        return gradient.mul_((self.clip_norm / (norm + 1e-6)).clamp(max=1.0))

    def _move_some(self, stack: Stack, gradients: dict[str, Tensor], rate: float) -> None:
        """Move some parameters, or all but at different rates: copy them together, move them, put them back."""
        groups: dict[tuple[float, int], list[str]] = {}
        for name in gradients:
            groups.setdefault((self.factors[name], self.counts[name]), []).append(name)
        for (factor, count), names in groups.items():
            sizes = [gradients[name].shape[1] for name in names]
            padding = row_padding(sum(sizes))
            arrays = stack.values, self.mean, self.square
            values, mean, square = (
                pad(torch.cat([x[:, stack.columns[n]] for n in names], dim=1), (0, padding)) for x in arrays
            )
            gradient = pad(torch.cat([gradients[n] for n in names], dim=1), (0, padding))
            self._move([values, gradient, mean, square], count, rate * factor)
            for x, moved in zip(arrays, (values, mean, square), strict=True):
                for name, part in zip(names, moved.split([*sizes, padding], dim=1)[:-1], strict=True):
                    x[:, stack.columns[name]] = part

    def _move(self, arrays: list[Tensor], count: int, rate: float) -> None:
        """Make one step of AdamW on [values, gradient, mean, square], in place, after `count` others."""
        values, gradient, mean, square = arrays
        before = None if self.rates is None else values.clone()
        adamw(
            [values],
            [gradient],
            [mean],
            [square],
            [],
            [torch.full((), float(count), device=values.device)],
            fused=True,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=rate,
            weight_decay=self.weight_decay,
            eps=1e-8,
            maximize=False,
        )
        if before is not None and self.rates is not None:
            # AdamW's move is linear in the learning rate: each cell gets its share of it.
            values.copy_(torch.lerp(before, values, self.rates))
