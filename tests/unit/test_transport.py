"""Sinkhorn's algorithm against POT's, in fp64."""

import numpy as np
import ot
import pytest
import torch

from trml.methods.losses.transport import sinkhorn


def problem(n: int, m: int, seed: int = 0, window: int | None = None):
    """Costs in [0, 2] with 100 more outside a window, and marginals that are not uniform."""
    rng = np.random.default_rng(seed)
    cost = rng.uniform(0, 2, (n, m))
    if window is not None:
        centre = np.arange(n)[:, None] * (m - 1) / (n - 1)
        cost += 100 * (np.abs(centre - np.arange(m)) > window)
    mass, other = (rng.uniform(0.9, 1.1, size) for size in (n, m))
    return cost, mass / mass.sum(), other / other.sum()


def ours(cost, mass, other, regularisation, iterations):
    arrays = (torch.from_numpy(np.asarray(x)[None]) for x in (cost, mass, other))
    return sinkhorn(*arrays, torch.tensor(regularisation, dtype=torch.float64), iterations)[0].numpy()


@pytest.mark.parametrize("window", [None, 2])
@pytest.mark.parametrize(("n", "m"), [(7, 7), (6, 9)])
def test_the_plan_is_pots(n, m, window):
    case = problem(n, m, window=window)
    for iterations in (1, 10):
        theirs = ot.sinkhorn(case[1], case[2], case[0], 0.2, numItermax=iterations, stopThr=0, warn=False)
        np.testing.assert_allclose(ours(*case, 0.2, iterations), theirs, rtol=0, atol=1e-12)
    theirs = ot.sinkhorn(case[1], case[2], case[0], 0.2, numItermax=20_000, stopThr=1e-14, warn=False)
    np.testing.assert_allclose(ours(*case, 0.2, 5000), theirs, rtol=0, atol=1e-6)


def test_marginals():
    cost, mass, other = problem(6, 9)
    plan = ours(cost, mass, other, 0.2, 500)
    np.testing.assert_allclose(plan.sum(1), mass, atol=1e-12)
    np.testing.assert_allclose(plan.sum(0), other, atol=1e-12)


def test_a_small_regularisation_comes_near_the_exact_plan():
    cost, mass, other = problem(6, 6)
    plan = ours(cost, mass, other, 0.04, 5000)
    assert (plan * cost).sum() == pytest.approx(ot.emd2(mass, other, cost), rel=0.02)


def test_where_nothing_lies_nothing_is_moved():
    cost, mass, other = problem(6, 9)
    mass[4:], other[5:] = 0, 0
    mass, other = mass / mass.sum(), other / other.sum()
    plan = ours(cost, mass, other, 0.2, 200)
    assert (plan[4:] == 0).all()
    assert (plan[:, 5:] == 0).all()
    np.testing.assert_allclose(plan[:4, :5], ours(cost[:4, :5], mass[:4], other[:5], 0.2, 200), atol=1e-12)
    assert (ours(cost, 0 * mass, 0 * other, 0.2, 10) == 0).all()


def test_single_precision_holds_where_the_window_leaves_no_way():
    """Position 0 has no partner within its window: its mass must go where it costs 100 more."""
    cost = torch.zeros(1, 5, 5)
    cost[:, 0] += 100
    mass = torch.full((1, 5), 0.2)
    plan = sinkhorn(cost, mass, mass, torch.tensor(0.2), 10)
    assert plan.isfinite().all()
    torch.testing.assert_close(plan.sum(-1), mass)
