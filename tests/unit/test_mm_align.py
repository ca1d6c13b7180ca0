"""MM-Align: the band, the weights within it, and what no gradient and no missing value goes through."""

from itertools import product

import numpy as np
import pytest
import torch

from trml.methods.contract import Batch, Shape, Signal
from trml.methods.layers.alignment import AlignmentNet, band, from_band, in_band
from trml.methods.mm_align import ALIGNERS, MAIN, MMAlign, States

WINDOW = 2
OPTIONS = {"hidden": 32, "heads": 4, "window": WINDOW, "iterations": 10, "positions": 1.0}


def shape(tokens: int, frames: int) -> Shape:
    return Shape({"text": (tokens, 4), "vision": (frames, 4)}, 1)


def picked(targets: int, sources: int) -> list[list[int | None]]:
    """The band by a plain loop: the source position of each entry, None outside."""
    rows = []
    for j in range(targets):
        centre = int(np.floor(j * (sources - 1) / max(1, targets - 1) + 0.5))
        around = [centre + offset for offset in range(-WINDOW, WINDOW + 1)]
        rows.append([i if 0 <= i < sources else None for i in around])
    return rows


@pytest.mark.parametrize(("targets", "sources"), [(6, 6), (8, 16), (16, 8), (7, 3), (1, 5), (5, 1), (1, 1)])
def test_the_band_is_that_of_a_plain_loop(targets, sources):
    picks = band(targets, sources, WINDOW, torch.zeros(()))
    matrix, source = torch.randn(2, targets, sources), torch.randn(2, sources, 3)
    entries = torch.randn(2, targets, 2 * WINDOW + 1)
    found, aligned = in_band(matrix, picks), from_band(entries, picks) @ source
    for b, (j, row) in product(range(2), enumerate(picked(targets, sources))):
        assert [float(x) for x in found[b, j]] == [0.0 if i is None else float(matrix[b, j, i]) for i in row]
        expected = sum(entries[b, j, k] * source[b, i] for k, i in enumerate(row) if i is not None)
        torch.testing.assert_close(aligned[b, j], expected)


def test_weights_are_a_distribution_over_what_is_there():
    net, source = AlignmentNet(8, WINDOW), torch.randn(3, 6, 8)
    mask = torch.arange(6) < torch.tensor([[6], [2], [0]])
    weights, there = net(source, mask, band(6, 6, WINDOW, source))
    assert (weights[~there] == 0).all()
    torch.testing.assert_close(weights.sum(-1), there.any(-1).float())
    assert there[0, 0].tolist() == [False, False, True, True, True]
    assert there[1, 3].tolist() == [True, False, False, False, False]
    assert not there[2].any()


def test_no_gradient_goes_through_the_plan():
    method = MMAlign(shape(5, 5), **OPTIONS)
    states = torch.randn(2, 6, 32, requires_grad=True)
    sequence = States(states, torch.ones(2, 6, dtype=torch.bool))
    assert not method._plan({"text": sequence, "vision": sequence}, torch.tensor(0.2)).requires_grad


def test_what_stands_in_does_not_depend_on_what_is_missing():
    """The imputed sequence of a missing clip is the same whatever the clip held."""
    torch.manual_seed(0)
    method = MMAlign(shape(5, 6), **OPTIONS)
    tokens, whole, gone = torch.randn(3, 5, 4), torch.ones(3, 5).bool(), torch.zeros(3, 6).bool()

    def batch(fill: float) -> Batch:
        text = Signal(tokens, whole, torch.ones(3))
        return Batch({"text": text, "vision": Signal(torch.full((3, 6, 4), fill), gone, torch.zeros(3))}, {})

    assert torch.equal(method(batch(0.0)), method(batch(float("nan"))))


@pytest.mark.parametrize(
    ("tokens", "frames", "lengths"), [(1, 6, (2, 6)), (5, 1, (5, 2)), (77, 1, (77, 17)), (5, 6, (5, 6))]
)
def test_a_single_vector_is_repeated_until_its_bands_span_the_other(tokens, frames, lengths):
    method = MMAlign(shape(tokens, frames), **OPTIONS)
    assert tuple(len(encoder.positions) for encoder in method.encoders.values()) == lengths
    spanned = band(*sorted(lengths), WINDOW, torch.zeros(())).sum(dim=(0, 1)) > 0
    assert spanned.all()


def test_warm_up():
    """Two epochs of warm-up train on complete utterances alone; then plans are fitted, and incomplete ones come."""
    kinds = [[(each.rows, [s.loss for s in each.steps]) for each in MMAlign.passes(e, OPTIONS)] for e in range(4)]
    after = [("complete", ["loss_of_alignment", "loss"]), ("incomplete", ["loss_of_imputed"])]
    assert kinds == [[("complete", ["loss"])]] * 2 + [after] * 2


def test_fitting_plans_and_training_on_labels_move_different_weights():
    names = [name for name, _ in MMAlign(shape(5, 6), **OPTIONS).named_parameters()]
    moved = [{n for n in names if n.startswith(tuple(prefix for prefix, _ in which))} for which in (ALIGNERS, MAIN)]
    assert moved[0] | moved[1] == set(names)
    assert not moved[0] & moved[1]


def test_without_positions_the_order_of_frames_is_not_seen():
    """As published: a clip backwards gives the same prediction. With positions it does not."""
    for positions, is_blind in ((0.0, True), (1.0, False)):
        torch.manual_seed(0)
        method = MMAlign(shape(5, 6), **{**OPTIONS, "positions": positions})
        tokens, frames, whole = torch.randn(3, 5, 4), torch.randn(3, 6, 4), torch.ones(3, 6).bool()
        text = Signal(tokens, whole[:, :5], torch.ones(3))
        clips = [Signal(x, whole, torch.ones(3)) for x in (frames, frames.flip(1))]
        ahead, back = (method(Batch({"text": text, "vision": clip}, {})) for clip in clips)
        assert torch.allclose(ahead, back, atol=1e-5) == is_blind
