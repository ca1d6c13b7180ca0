"""The written-out GRU: against torch.nn.GRU, its gradients against autograd's, under vmap and torch.func.grad."""

import pytest
import torch
from torch.func import functional_call, grad, vmap

from trml.methods.layers.norm import LayerNorm
from trml.methods.layers.recurrent import last_state, last_state_plain, states_both_ways

B, T, D, H = 5, 6, 3, 4


@pytest.fixture
def case():
    """Frames, a mask that cuts clips short, and the weights of a torch.nn.GRU, in fp64."""
    torch.manual_seed(0)
    gru = torch.nn.GRU(D, H, batch_first=True).double()
    frames = torch.randn(B, T, D, dtype=torch.float64)
    lengths = torch.tensor([6, 3, 1, 0, 6])
    mask = torch.arange(T) < lengths.unsqueeze(1)
    weights = [p.detach() for p in (gru.weight_ih_l0, gru.bias_ih_l0, gru.weight_hh_l0, gru.bias_hh_l0)]
    return gru, frames, mask, lengths, weights


@pytest.mark.parametrize("state_of", [last_state, last_state_plain])
def test_the_state_is_that_of_torch(case, state_of):
    gru, frames, mask, lengths, (w_input, b_input, w_state, b_state) = case
    ours = state_of(frames, mask, w_input, b_input, w_state, b_state)
    states = torch.cat([torch.zeros(B, 1, H), gru(frames)[0].detach()], dim=1)
    torch.testing.assert_close(ours, states[torch.arange(B), lengths], rtol=0, atol=1e-14)


@pytest.fixture
def both_ways():
    """A bidirectional torch.nn.GRU, and its weights with the two directions stacked."""
    torch.manual_seed(1)
    gru = torch.nn.GRU(D, H, batch_first=True, bidirectional=True).double()
    names = "weight_ih_l0", "bias_ih_l0", "weight_hh_l0", "bias_hh_l0"
    return gru, [torch.stack([getattr(gru, n), getattr(gru, f"{n}_reverse")]).detach() for n in names]


def test_states_both_ways_are_those_of_torch(case, both_ways):
    _, frames, mask, lengths, _ = case
    gru, weights = both_ways
    ours = states_both_ways(frames, mask, *weights)
    assert ours.shape == (B, T, 2 * H)
    for i, length in enumerate(lengths.tolist()):
        if length:
            theirs = gru(frames[i : i + 1, :length])[0][0]
            torch.testing.assert_close(ours[i, :length], theirs, rtol=0, atol=1e-14)


def test_gradients_of_states_both_ways(case, both_ways):
    _, frames, mask, *_ = case
    few, there = frames[:2, :3].clone().requires_grad_(), mask[1:3, 1:4]
    inputs = [few, *(w.requires_grad_() for w in both_ways[1])]
    assert torch.autograd.gradcheck(lambda x, *w: states_both_ways(x, there, *w), inputs)
    assert torch.autograd.gradgradcheck(lambda x, *w: states_both_ways(x, there, *w), inputs)


def test_states_both_ways_of_a_stack(case, both_ways):
    _, frames, mask, *_ = case
    stacks = [torch.stack([w, 2 * w, w - 1]).requires_grad_() for w in both_ways[1]]
    together = vmap(states_both_ways, in_dims=(None, None, 0, 0, 0, 0))(frames, mask, *stacks)
    gradients = torch.autograd.grad(together.square().sum(), stacks)
    for i in range(3):
        own = [w[i].detach().requires_grad_() for w in stacks]
        alone = states_both_ways(frames, mask, *own)
        torch.testing.assert_close(together[i], alone, rtol=0, atol=1e-14)
        for mine, theirs in zip(gradients, torch.autograd.grad(alone.square().sum(), own), strict=True):
            torch.testing.assert_close(mine[i], theirs, rtol=0, atol=1e-13)


def test_gradients_are_those_of_autograd(case):
    _, frames, mask, _, weights = case
    inputs = [frames.requires_grad_(), *(w.requires_grad_() for w in weights)]
    assert torch.autograd.gradcheck(lambda x, *w: last_state(x, mask, *w), inputs)
    toward = torch.randn(B, H, dtype=torch.float64)
    fast, plain = (
        torch.autograd.grad((f(frames, mask, *weights) * toward).sum(), inputs) for f in (last_state, last_state_plain)
    )
    for mine, theirs in zip(fast, plain, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-14)


def test_a_frame_outside_the_mask_has_no_influence(case):
    _, frames, mask, _, weights = case
    other = torch.where(mask.unsqueeze(-1), frames, 1e3)
    assert torch.equal(last_state(frames, mask, *weights), last_state(other, mask, *weights))


def test_a_stack_is_each_of_its_members(case):
    _, frames, mask, _, weights = case
    stacks = [torch.stack([w, 2 * w, w - 1]).requires_grad_() for w in weights]
    together = vmap(last_state, in_dims=(None, None, 0, 0, 0, 0))(frames, mask, *stacks)
    gradients = torch.autograd.grad(together.square().sum(), stacks)
    for i in range(3):
        own = [w[i].detach().requires_grad_() for w in stacks]
        alone = last_state(frames, mask, *own)
        torch.testing.assert_close(together[i], alone, rtol=0, atol=1e-14)
        for mine, theirs in zip(gradients, torch.autograd.grad(alone.square().sum(), own), strict=True):
            torch.testing.assert_close(mine[i], theirs, rtol=0, atol=1e-13)


def test_gradients_of_gradients(case):
    _, frames, mask, _, weights = case
    inputs = [frames.requires_grad_(), *(w.requires_grad_() for w in weights)]
    assert torch.autograd.gradgradcheck(lambda x, *w: last_state(x, mask, *w), inputs)


def test_inner_gradient_steps(case):
    """torch.func.grad inside a loss, a gradient of that, and both under vmap."""
    _, frames, mask, _, (w_input, *rest) = case

    def outer(w, state_of):
        inner = grad(lambda x: state_of(frames, mask, x, *rest).square().sum())(w)
        return state_of(frames, mask, w - 0.1 * inner, *rest).sum()

    right, found = (grad(lambda w: outer(w, f))(w_input) for f in (last_state_plain, last_state))  # noqa: B023
    torch.testing.assert_close(found, right, rtol=0, atol=1e-12)
    stack = torch.stack([w_input, 2 * w_input]).requires_grad_()
    (together,) = torch.autograd.grad(vmap(lambda w: outer(w, last_state))(stack).sum(), [stack])
    torch.testing.assert_close(together[0], right, rtol=0, atol=1e-12)


def test_the_norm_of_a_stack_has_the_right_second_gradient():
    torch.manual_seed(0)
    x, weight, bias, toward = (torch.randn(*s, dtype=torch.float64) for s in ((3, 5, 8), (3, 8), (3, 8), (3, 8)))
    norm = LayerNorm(8)

    def outer(x, weight, bias, toward):
        def of(w, b):
            return (functional_call(norm, {"weight": w, "bias": b}, (x,)) * toward).square().sum()

        inner = grad(of, argnums=(0, 1))(weight, bias)
        return of(weight - 0.1 * inner[0], bias - 0.1 * inner[1])

    inputs = [x.requires_grad_(), weight.requires_grad_(), bias.requires_grad_()]
    together = torch.autograd.grad(vmap(outer)(*inputs, toward).sum(), inputs)
    for i in range(3):
        alone = [v[i].detach().requires_grad_() for v in inputs]
        for mine, theirs in zip(together, torch.autograd.grad(outer(*alone, toward[i]), alone), strict=True):
            torch.testing.assert_close(mine[i], theirs, rtol=1e-12, atol=1e-12)
