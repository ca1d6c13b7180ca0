"""Attention and Transformer layers: against torch.nn's with the same weights, under vmap, where nothing is there."""

import pytest
import torch
from torch import nn
from torch.func import functional_call, stack_module_state, vmap

from trml.methods.layers.attention import attend, attend_plain
from trml.methods.layers.transformer import Attention, SequenceEncoder, TransformerLayer, masked_mean

B, N, M, H, HEADS = 4, 3, 5, 8, 4


def made(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def mask_of(m: int) -> torch.Tensor:
    """Keys that are there: all, the first two, all but the first, one."""
    at = torch.arange(m)
    return torch.stack([at >= 0, at < 2, at > 0, at == 1])


def copy_attention(ours: Attention, theirs: nn.MultiheadAttention) -> None:
    layers = ours.query, ours.key, ours.value
    theirs.in_proj_weight.data = torch.cat([x.weight for x in layers])
    theirs.in_proj_bias.data = torch.cat([x.bias for x in layers])
    theirs.out_proj.load_state_dict(ours.out.state_dict())


@pytest.mark.parametrize(("n", "m"), [(N, M), (1, M), (20, 19)])
def test_attention_is_torchs(n, m):
    ours = Attention(H, HEADS).double()
    theirs = nn.MultiheadAttention(H, HEADS, batch_first=True).double()
    copy_attention(ours, theirs)
    x, memory, mask = made(B, n, H).requires_grad_(), made(B, m, H, seed=1).requires_grad_(), mask_of(m)
    found, expected = ours(x, memory, mask), theirs(x, memory, memory, key_padding_mask=~mask)[0]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-13)
    toward = made(B, n, H, seed=2)
    gradients = (torch.autograd.grad((y * toward).sum(), [x, memory]) for y in (found, expected))
    for mine, right in zip(*gradients, strict=True):
        torch.testing.assert_close(mine, right, rtol=0, atol=1e-13)


@pytest.mark.parametrize("m", [5, 18])
def test_a_layer_is_torchs(m):
    ours = TransformerLayer(H, HEADS).double()
    theirs = nn.TransformerEncoderLayer(H, HEADS, 4 * H, dropout=0.0, batch_first=True).double()
    copy_attention(ours.attention, theirs.self_attn)
    for mine, right in (
        (ours.feed_forward[0], theirs.linear1),
        (ours.feed_forward[2], theirs.linear2),
        (ours.norms[0], theirs.norm1),
        (ours.norms[1], theirs.norm2),
    ):
        right.load_state_dict(mine.state_dict())
    x, mask = made(B, m, H), mask_of(m)
    torch.testing.assert_close(ours(x, x, mask), theirs(x, src_key_padding_mask=~mask), rtol=0, atol=1e-13)


def test_gradients_are_those_of_autograd_and_have_gradients():
    mask = mask_of(M)[:2]
    inputs = [made(2, n, 4, seed=n).requires_grad_() for n in (2, M, M)]
    assert torch.autograd.gradcheck(lambda *x: attend(*x, mask, 2), inputs)
    assert torch.autograd.gradgradcheck(lambda *x: attend(*x, mask, 2), inputs)
    torch.testing.assert_close(attend(*inputs, mask, 2), attend_plain(*inputs, mask, 2), rtol=0, atol=1e-14)


def test_a_stack_is_each_of_its_members():
    modules = [TransformerLayer(H, HEADS).double() for _ in range(3)]
    parameters, _ = stack_module_state(modules)
    x, memory, mask = made(B, N, H), made(B, M, H, seed=1), mask_of(M)
    together = vmap(lambda own: functional_call(modules[0], own, (x, memory, mask)))(parameters)
    gradients = torch.autograd.grad(together.square().sum(), list(parameters.values()))
    for i, module in enumerate(modules):
        alone = module(x, memory, mask)
        torch.testing.assert_close(together[i], alone, rtol=0, atol=1e-13)
        own = torch.autograd.grad(alone.square().sum(), list(module.parameters()))
        for mine, right in zip(gradients, own, strict=True):
            torch.testing.assert_close(mine[i], right, rtol=0, atol=1e-12)


def test_where_nothing_is_there_nothing_is_found():
    layer = Attention(H, HEADS).double()
    memory = made(B, M, H).requires_grad_()
    found = layer(made(B, N, H), memory, torch.zeros(B, M, dtype=torch.bool))
    torch.testing.assert_close(found, layer.out.bias.expand(B, N, H))
    assert (torch.autograd.grad(found.sum(), memory)[0] == 0).all()


def test_queries_alike_for_all_need_no_copies():
    layer = TransformerLayer(H, HEADS).double()
    query, memory, mask = made(1, N, H), made(B, M, H, seed=1), mask_of(M)
    torch.testing.assert_close(layer(query, memory, mask), layer(query.expand(B, N, H), memory, mask))


def test_any_width_has_any_number_of_heads():
    assert TransformerLayer(13, 8)(torch.randn(B, N, 13), torch.randn(B, M, 13), mask_of(M)).shape == (B, N, 13)


def test_what_is_masked_has_no_influence_on_a_sequence():
    encoder = SequenceEncoder(6, M, H, HEADS, positions=1.0, summary=True).double()
    x, mask = made(B, M, 6), mask_of(M)
    states, there = encoder(x, mask)
    others, _ = encoder(torch.where(mask.unsqueeze(-1), x, 100.0), mask)
    assert there[:, 0].all()
    assert (there[:, 1:] == mask).all()
    assert torch.equal(states[there], others[there])


def test_a_single_vector_is_repeated():
    encoder = SequenceEncoder(6, 1, H, HEADS, positions=1.0, repeated=M).double()
    of_sequences = SequenceEncoder(6, M, H, HEADS, positions=1.0).double()
    of_sequences.load_state_dict(encoder.state_dict())
    x, mask = made(B, 1, 6), torch.tensor([[True], [True], [False], [True]])
    once, there = encoder(x, mask)
    several, _ = of_sequences(x.expand(B, M, 6), mask.expand(B, M))
    torch.testing.assert_close(once, several)
    assert (there == mask).all()


def test_the_mean_of_what_is_there():
    x, mask = made(B, M, H), mask_of(M)
    for row, own, found in zip(x, mask, masked_mean(x, mask), strict=True):
        torch.testing.assert_close(found, row[own].mean(dim=0))
    assert (masked_mean(x, torch.zeros_like(mask)) == 0).all()
