"""A GRU that many cells can run as one, with forward and backward written out.

`nn.GRU` has no batching rule under torch.vmap, and the same recurrence under autograd spends most of its time on small
element-wise kernels. Here one step is one batched matrix product and a few in-place kernels. The gradients of the
weights are one product over all steps.
"""

from typing import Any

import torch
from torch import Tensor
from torch.func import vjp, vmap

_sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input

_tanh_backward = torch.ops.aten.tanh_backward.grad_input


def last_state(
    frames: Tensor, mask: Tensor, w_input: Tensor, b_input: Tensor, w_state: Tensor, b_state: Tensor
) -> Tensor:
    """Return the last state [B, h] of a GRU (Cho et al. 2014, with the reset gate where torch.nn.GRU has it).

    Gates are in the order reset, update, new.

    Args:
        frames: [B, T, d], the steps of the sequence.
        mask: bool [B, T]. A step outside it leaves the state unchanged.
        w_input: [3h, d].
        b_input: [3h].
        w_state: [3h, h].
        b_state: [3h].
    """
    one = (x.unsqueeze(0) for x in (frames, mask, w_input, b_input, w_state, b_state))
    return _Recurrence.apply(*one)[0].squeeze(0)


def states_both_ways(
    frames: Tensor, mask: Tensor, w_input: Tensor, b_input: Tensor, w_state: Tensor, b_state: Tensor
) -> Tensor:
    """Return the states [B, T, 2h] of a forward and a backward GRU at every step.

    The arguments are those of `last_state`, with the weights of the two stacked: [2, 3h, d], [2, 3h], [2, 3h, h],
    [2, 3h].
    """
    two_frames, two_masks = (torch.stack([x, x.flip(1)]) for x in (frames, mask))
    states = _Recurrence.apply(two_frames, two_masks, w_input, b_input, w_state, b_state)[1]
    onward, backward = states[:, 1:].transpose(1, 2).unbind()
    return torch.cat([onward, backward.flip(1)], dim=-1)


def last_state_plain(
    frames: Tensor, mask: Tensor, w_input: Tensor, b_input: Tensor, w_state: Tensor, b_state: Tensor
) -> Tensor:
    """Compute `last_state` in plain tensor operations, two to three times slower, for second gradients."""
    return states_plain(frames, mask, w_input, b_input, w_state, b_state)[-1]


def states_plain(
    frames: Tensor, mask: Tensor, w_input: Tensor, b_input: Tensor, w_state: Tensor, b_state: Tensor
) -> list[Tensor]:
    """Return each state [B, h], before the first step and after every step."""
    states = [frames.new_zeros(()).expand(*frames.shape[:-2], w_state.shape[-1])]
    inputs = torch.nn.functional.linear(frames, w_input, b_input)
    # unbind, not indexing: the gradient of an index is a full array of zeros, once a step.
    for x, there in zip(inputs.unbind(dim=-2), mask.unbind(dim=-1), strict=True):
        x_reset, x_update, x_new = x.chunk(3, dim=-1)
        state = states[-1]
        h_reset, h_update, h_new = torch.nn.functional.linear(state, w_state, b_state).chunk(3, dim=-1)
        update = torch.sigmoid(x_update + h_update)
        candidate = torch.tanh(x_new + torch.sigmoid(x_reset + h_reset) * h_new)
        states.append(torch.where(there.unsqueeze(-1), torch.lerp(candidate, state, update), state))
    return states


class _Recurrence(torch.autograd.Function):
    """The last state [C, B, h] of C cells and all their states [C, T + 1, B, h], of which the first is zero.

    Every argument has the cell as its first dimension. It also returns what the backward pass needs: inputs
    [C, T B, d] in order of time, gates [C, T, B, 3h] (reset, update, and twice the state's part of new) and candidates
    [C, T, B, h]. A masked step has the update gate 1, which keeps the state and stops every gradient.
    """

    @staticmethod
    def forward(
        frames: Tensor, mask: Tensor, w_input: Tensor, b_input: Tensor, w_state: Tensor, b_state: Tensor
    ) -> tuple[Tensor, ...]:
        c, b, t, d = frames.shape
        h = w_state.shape[-1]
        inputs = frames.transpose(1, 2).reshape(c, t * b, d)
        bias = b_input.clone()  # reset and update see the sum of input and state: both biases at once
        bias[:, : 2 * h] += b_state[:, : 2 * h]
        # tanh(a) = 2 sigmoid(2a) - 1, by a kernel that takes a seventh of tanh's time: all that goes into a is doubled.
        x = torch.baddbmm(_new_doubled(bias).unsqueeze(1), inputs, _new_doubled(w_input).transpose(1, 2))
        x, of_state = x.view(c, t, b, 3 * h), _new_doubled(w_state).transpose(1, 2)
        b_new, minus_one = 2 * b_state[:, 2 * h :].unsqueeze(1), frames.new_tensor(-1.0)
        absent = mask.logical_not().transpose(1, 2).unsqueeze(-1)
        states, gates, candidates = (frames.new_empty(c, n, b, width) for n, width in ((t + 1, h), (t, 3 * h), (t, h)))
        states[:, 0] = 0
        for i in range(t):
            gate = torch.bmm(states[:, i], of_state, out=gates[:, i])
            gate[..., : 2 * h].add_(x[:, i, :, : 2 * h]).sigmoid_()
            reset, update, state_part = gate.split(h, dim=-1)
            update.masked_fill_(absent[:, i], 1.0)
            doubled = torch.addcmul(x[:, i, :, 2 * h :], reset, state_part.add_(b_new))
            new = torch.add(minus_one, doubled.sigmoid_(), alpha=2, out=candidates[:, i])
            torch.lerp(new, states[:, i], update, out=states[:, i + 1])
        return states[:, t].clone(), states, inputs, gates, candidates

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, ...]) -> None:
        ctx.mark_non_differentiable(*output[2:])
        ctx.set_materialize_grads(False)  # no zeros for the outputs that have no gradient
        ctx.save_for_backward(*inputs, *output[1:])

    @staticmethod
    def backward(ctx: Any, grad: Tensor | None, each_grad: Tensor | None, *_: Any) -> tuple[Tensor | None, ...]:
        wanted = [i for i, of_output in enumerate((grad, each_grad)) if of_output is not None]
        if not wanted:
            return (None,) * 6
        given, (states, inputs, gates, candidates) = ctx.saved_tensors[:6], ctx.saved_tensors[6:]
        frames, mask, w_input, b_input, w_state, b_state = given
        if torch.is_grad_enabled():  # a gradient of this gradient may be wanted
            differentiable = frames, w_input, b_input, w_state, b_state

            def plain(x: Tensor, *w: Tensor) -> tuple[Tensor, ...]:
                each = vmap(states_plain)(x, mask, *w)
                return tuple((each[-1], torch.stack(each, dim=1))[i] for i in wanted)

            of_frames, *of_weights = vjp(plain, *differentiable)[1](tuple((grad, each_grad)[i] for i in wanted))
            return of_frames, None, *of_weights
        c, t, b, h = candidates.shape
        gates_grad, new_grad = gates.new_empty(c, t, b, 3 * h), gates.new_empty(c, t, b, h)
        nothing = gates.new_zeros(())
        grad = gates.new_zeros(c, b, h) if grad is None else grad
        for i in reversed(range(t)):
            grad = grad if each_grad is None else grad + each_grad[:, i + 1]
            reset, update, state_part = gates[:, i].split(h, dim=-1)
            reset_grad, update_grad, state_part_grad = gates_grad[:, i].split(h, dim=-1)
            kept = grad * update
            changed = grad - kept
            torch.mul(torch.sub(states[:, i + 1], candidates[:, i]), changed, out=update_grad)
            new = _tanh_backward(changed, candidates[:, i], grad_input=new_grad[:, i])
            _sigmoid_backward(torch.addcmul(nothing, new, state_part, value=0.5), reset, grad_input=reset_grad)
            torch.mul(new, reset, out=state_part_grad)
            if i:
                grad = torch.baddbmm(kept, gates_grad[:, i], w_state)
        of_state, of_new = gates_grad.view(c, t * b, 3 * h), new_grad.view(c, t * b, h)
        of_both = of_state[..., : 2 * h]
        w_input_grad = torch.empty_like(w_input)
        torch.bmm(of_both.transpose(1, 2), inputs, out=w_input_grad[:, : 2 * h])
        torch.bmm(of_new.transpose(1, 2), inputs, out=w_input_grad[:, 2 * h :])
        w_state_grad = torch.bmm(of_state.transpose(1, 2), states[:, :t].reshape(c, t * b, h))
        b_state_grad = of_state.sum(dim=1)
        b_input_grad = torch.cat([b_state_grad[:, : 2 * h], of_new.sum(dim=1)], dim=1)
        frames_grad = None
        if ctx.needs_input_grad[0]:
            frames_grad = of_both @ w_input[:, : 2 * h] + of_new @ w_input[:, 2 * h :]
            frames_grad = frames_grad.view(c, t, b, -1).transpose(1, 2)
        return frames_grad, None, w_input_grad, b_input_grad, w_state_grad, b_state_grad

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *arguments: Tensor) -> Any:
        """Run a stack of stacks as one longer stack: [V, C, ...] -> [V C, ...]."""
        stacked = [
            x.movedim(dim, 0) if dim is not None else x.expand(info.batch_size, *x.shape)
            for x, dim in zip(arguments, in_dims, strict=True)
        ]
        cells = stacked[0].shape[1]
        last, states, *rest = _Recurrence.apply(*(x.flatten(0, 1) for x in stacked))
        last, states = (x.unflatten(0, (info.batch_size, cells)) for x in (last, states))
        return (last, states, *rest), (0, 0, None, None, None)


def _new_doubled(x: Tensor) -> Tensor:
    """Return weights [C, 3h, ...] with the rows of the gate `new` doubled."""
    reset, update, new = x.chunk(3, dim=1)
    return torch.cat([reset, update, 2 * new], dim=1)
