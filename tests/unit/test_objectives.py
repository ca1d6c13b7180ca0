"""The losses against independent references: open_clip's ClipLoss, torch's own losses, a plain loop."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cosine as cosine_distance
from scipy.special import softmax
from scipy.stats import entropy
from torch.func import vmap

from trml.features.encoders.common.open_clip import open_clip
from trml.methods.contract import NO_CLASS, NO_SCORE
from trml.methods.losses.matching import MATCHING, cosine, one_direction, regression, semantic_matching, similarity_kl
from trml.methods.losses.mmd import squared_mmd
from trml.methods.losses.reconstruction import squared_error
from trml.methods.losses.task import task_loss


def pair(n=12, d=6, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, n, d, generator=generator, dtype=dtype)


@pytest.mark.parametrize("temperature", [0.01, 0.07, 1.0])
def test_matching_is_open_clips_loss_when_all_are_valid(temperature):
    virtual, real = pair()
    ours = semantic_matching(
        virtual, real, torch.ones(12, dtype=torch.bool), torch.tensor(temperature, dtype=torch.float64)
    )
    z = [x / x.norm(dim=-1, keepdim=True) for x in (virtual, real)]
    theirs = open_clip.ClipLoss()(*z, torch.tensor(1 / temperature, dtype=torch.float64))
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-10)


def test_matching_leaves_out_what_is_not_valid():
    virtual, real = pair()
    valid = torch.arange(12) % 3 != 0
    ours = semantic_matching(virtual, real, valid, torch.tensor(0.1))
    alone = semantic_matching(virtual[valid], real[valid], torch.ones(8, dtype=torch.bool), torch.tensor(0.1))
    assert ours.item() == pytest.approx(alone.item(), rel=1e-10)


def test_matching_against_a_plain_loop():
    virtual, real = pair(5)
    cosine = [[float(v @ r / (v.norm() * r.norm())) / 0.2 for r in real] for v in virtual]
    total = 0.0
    for i in range(5):
        row, column = cosine[i], [cosine[j][i] for j in range(5)]
        for scores in (row, column):
            total -= math.log(math.exp(scores[i]) / sum(math.exp(s) for s in scores)) / 2 / 5
    ours = semantic_matching(virtual, real, torch.ones(5, dtype=torch.bool), torch.tensor(0.2, dtype=torch.float64))
    assert ours.item() == pytest.approx(total, rel=1e-9)


@pytest.mark.parametrize("valid", [0, 1])
def test_matching_of_nothing_is_zero_with_finite_gradients(valid):
    virtual, real = pair()
    virtual.requires_grad_()
    rows = torch.arange(12) < valid
    loss = semantic_matching(virtual, real, rows, torch.tensor(0.01))
    loss.backward()
    assert loss.item() == pytest.approx(0.0, abs=1e-9)
    assert virtual.grad is not None
    assert torch.isfinite(virtual.grad).all()


def test_matching_under_vmap_with_a_temperature_each():
    virtual, real = torch.stack([pair(seed=s)[0] for s in range(3)]), torch.stack([pair(seed=s)[1] for s in range(3)])
    valid = torch.rand(3, 12) < 0.7
    temperatures = torch.tensor([0.01, 0.1, 1.0])
    together = vmap(semantic_matching)(virtual, real, valid, temperatures)
    alone = [semantic_matching(virtual[i], real[i], valid[i], temperatures[i]).item() for i in range(3)]
    assert together.tolist() == pytest.approx(alone)


def test_task_loss_against_torch():
    prediction, label = torch.randn(10, 1), torch.randn(10)
    assert task_loss(prediction, label, torch.ones(10)) == pytest.approx((prediction[:, 0] - label).abs().mean().item())
    logits, classes = torch.randn(10, 3), torch.randint(3, (10,))
    expected = torch.nn.functional.cross_entropy(logits, classes)
    assert task_loss(logits, classes, torch.ones(10)).item() == pytest.approx(expected.item())
    weight = (torch.arange(10) < 4).float()
    kept = torch.nn.functional.cross_entropy(logits[:4], classes[:4])
    assert task_loss(logits, classes, weight).item() == pytest.approx(kept.item())
    assert task_loss(logits, classes, torch.zeros(10)).item() == 0.0


def test_mmd_against_a_plain_double_loop():
    x, y = pair(7, 3)
    there = [True, False, True, True, False, True, True]

    def kernel(a, b):
        return math.exp(-float((a - b) @ (a - b)) / (2 * 3))

    rows = [i for i in range(7) if there[i]]
    total = sum(kernel(x[i], x[j]) + kernel(y[i], y[j]) - 2 * kernel(x[i], y[j]) for i in rows for j in rows)
    weight = torch.tensor(there).double()
    assert squared_mmd(x, y, weight).item() == pytest.approx(total / len(rows) ** 2, rel=1e-10)
    stacked = squared_mmd(torch.stack([x, y, x]), torch.stack([y, x, x]), torch.stack([weight, weight, weight * 0]))
    assert stacked.tolist() == pytest.approx([total / len(rows) ** 2] * 2 + [0.0], abs=1e-15)


def test_mmd_is_small_for_one_distribution_and_large_for_two():
    x, y = pair(300, 4)
    everyone = torch.ones(300).double()
    assert 0 <= squared_mmd(x, y, everyone) < 0.01
    assert squared_mmd(x, y + 2, everyone) > 0.1
    assert squared_mmd(x, x, everyone).item() == pytest.approx(0, abs=1e-12)


def test_squared_error_is_of_the_weighted_rows():
    x, y = pair(5, 3)
    weight = torch.tensor([1.0, 0.0, 1.0, 0.0, 0.0]).double()
    expected = torch.nn.functional.mse_loss(x[::2][:2], y[::2][:2])
    assert squared_error(x, y, weight).item() == pytest.approx(expected.item(), rel=1e-12)
    assert squared_error(x, y, 0 * weight) == 0


def test_one_direction_is_cross_entropy_of_each_virtual_among_the_reals():
    virtual, real = pair()
    scores = torch.nn.functional.cosine_similarity(virtual[:, None], real[None], dim=-1) / 0.1
    theirs = torch.nn.functional.cross_entropy(scores, torch.arange(12))
    ours = one_direction(virtual, real, torch.ones(12, dtype=torch.bool), torch.tensor(0.1, dtype=torch.float64))
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-10)


def test_similarity_kl_against_scipy_and_nothing_for_equals():
    virtual, real = pair(7)
    valid = torch.tensor([True, True, False, True, True, True, False])
    ours = similarity_kl(virtual, real, valid, torch.tensor(0.3, dtype=torch.float64))
    rows = [
        softmax([float(a @ b / (a.norm() * b.norm())) / 0.3 for b in x[valid]])
        for x in (real, virtual)
        for a in x[valid]
    ]
    theirs = np.mean([entropy(p, q) for p, q in zip(rows[:5], rows[5:], strict=True)])
    assert ours.item() == pytest.approx(theirs, rel=1e-9)
    assert similarity_kl(real, real, valid, torch.tensor(0.3)).item() == pytest.approx(0.0, abs=1e-12)


def test_cosine_is_scipys_distance():
    virtual, real = pair(6)
    valid = torch.arange(6) < 4
    ours = cosine(virtual, real, valid, torch.tensor(1.0))
    assert ours.item() == pytest.approx(np.mean([cosine_distance(virtual[i], real[i]) for i in range(4)]), rel=1e-9)


@pytest.mark.parametrize("kind", sorted(MATCHING))
def test_every_matching_of_nothing_is_zero_with_finite_gradients(kind):
    virtual, real = (x.requires_grad_() for x in pair(5))
    loss = MATCHING[kind](virtual, real, torch.zeros(5, dtype=torch.bool), torch.tensor(0.07, dtype=torch.float64))
    loss.backward()
    assert loss.item() == 0
    assert torch.isfinite(virtual.grad).all()


def test_regression_is_the_error_of_the_virtual_vector_alone():
    virtual, real = (x.requires_grad_() for x in pair())
    valid = torch.arange(12) % 3 != 0
    loss = regression(virtual, real, valid, torch.tensor(0.1))
    assert loss.item() == pytest.approx(torch.nn.functional.mse_loss(virtual[valid], real[valid]).item())
    loss.backward()
    assert real.grad is None
    assert (virtual.grad[valid] != 0).all() and (virtual.grad[~valid] == 0).all()


@pytest.mark.parametrize("classes", [1, 3])
def test_rows_without_a_label_are_left_out(classes):
    prediction = torch.randn(6, classes, generator=torch.Generator().manual_seed(0)).requires_grad_()
    known = torch.tensor([True, False, True, True, False, False])
    label = torch.tensor([0.5, NO_SCORE, -1.0, 2.0, NO_SCORE, NO_SCORE])
    label = label if classes == 1 else torch.where(known, torch.tensor([0, 0, 2, 1, 0, 0]), NO_CLASS)
    loss = task_loss(prediction, label, torch.ones(6))
    assert loss.item() == pytest.approx(task_loss(prediction[known], label[known], torch.ones(3)).item())
    loss.backward()
    assert prediction.grad.isfinite().all() and (prediction.grad[~known] == 0).all()
    assert task_loss(prediction, torch.full_like(label, NO_SCORE if classes == 1 else NO_CLASS), torch.ones(6)) == 0
