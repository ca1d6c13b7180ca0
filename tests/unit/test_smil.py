"""SMIL: its meta-learning against gradients written out by hand, its centroids against scikit-learn's."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from test_fills import standardised
from test_training import cell, run
from torch.nn.functional import layer_norm, linear, softplus

from conftest import SETTINGS, made_features
from trml.methods.layers.centroids import CENTROIDS, CentroidMean
from trml.methods.layers.noise import standard_normal
from trml.methods.layers.recurrent import last_state_plain
from trml.methods.smil import MAIN
from trml.missing.masks import missing
from trml.seeding import stream_seed
from trml.training.data import load_data
from trml.training.new_method import new_method

CPU = torch.device("cpu")


def plain_row(p, batch, i, has_text, has_vision, noise):
    """One utterance: the prediction and the squared errors of features and hidden vectors, with python's own ifs.
    p: parameters and buffers by name."""

    def norm(x, tower):
        return layer_norm(x, x.shape) * p[f"{tower}.norm.weight"] + p[f"{tower}.norm.bias"]

    def layer(x, name):
        return linear(x, p[f"{name}.weight"], p[f"{name}.bias"])

    def text_tower(x):
        return norm(layer(x, "text_tower.project"), "text_tower")

    def frame_tower(frames):
        names = [f"frame_tower.{of}.{kind}" for of in ("from_input", "from_state") for kind in ("weight", "bias")]
        there = torch.ones(1, len(frames), dtype=torch.bool)
        state = last_state_plain(frames.unsqueeze(0), there, *(p[n] for n in names))[0]
        return norm(layer(frames.mean(0), "frame_tower.project") + state, "frame_tower")

    def sample(h, name, e):
        mean, spread = layer(h, f"{name}.layer").chunk(2)
        return mean + softplus(spread - 3) * e

    def from_centroids(h, name, e):
        w = softplus(sample(h, f"{name}.weights", e))
        return sum(w[k] * p[f"{name}.centroids"][k] for k in range(CENTROIDS)) / w.sum()

    of_text, of_frame, of_fused = noise.split([10, 10, 16])
    features, hidden = 0.0, 0.0
    if has_vision:
        frames = batch.frames[i][batch.frame_mask[i]]
        vision = frame_tower(frames)
        made_text = from_centroids(vision, "text_from_vision", of_text)
    if has_text:
        text = text_tower(batch.text[i])
        made_frame = from_centroids(text, "frame_from_text", of_frame)
    if has_text and has_vision:
        features = (made_text - batch.text[i]).square().mean() + (made_frame - frames.mean(0)).square().mean()
        hidden = (text_tower(made_text) - text.detach()).square().mean()
        hidden = hidden + (frame_tower(made_frame.unsqueeze(0)) - vision.detach()).square().mean()
    fused = torch.cat(
        [text if has_text else text_tower(made_text), vision if has_vision else frame_tower(made_frame.unsqueeze(0))]
    )
    fused = fused * softplus(layer(sample(fused, "regularise.sample", of_fused), "regularise.directions"))
    return layer(layer(fused, "head.layers.0").relu(), "head.layers.2").squeeze(), features, hidden


def outer_by_hand(method, batch, rate, of_features, of_hidden, *, second_order=True):
    """The outer loss, its inner step by torch.autograd.grad."""
    p = {**dict(method.net.named_parameters()), **dict(method.net.named_buffers())}
    noise = standard_normal(batch.draws[:, :-1]).double()
    present = torch.stack([batch.text_present, batch.vision_present], dim=1).tolist()
    inner = 0.0
    for i, has in enumerate(present):
        drops_text = batch.draws[i, -1] < 0.5
        left = (not drops_text, bool(drops_text)) if all(has) else has
        inner = inner + (plain_row(p, batch, i, *left, noise[i])[0] - batch.label[i]).abs() / len(present)
    main = [name for name in p if name.startswith(MAIN)]
    found = torch.autograd.grad(inner, [p[name] for name in main], create_graph=second_order)
    moved = {**p, **{name: p[name] - rate * g for name, g in zip(main, found, strict=True)}}
    rows = [plain_row(moved, batch, i, *has, noise[i]) for i, has in enumerate(present)]
    task = sum((y - label).abs() for (y, _, _), label in zip(rows, batch.label, strict=True)) / len(rows)
    complete = sum(all(has) for has in present)
    return task + sum(of_features * f + of_hidden * h for _, f, h in rows) / complete


def test_the_meta_gradient_is_that_of_autograd_by_hand(params):
    features = made_features()
    c = cell(params, "smil", "vision", 0.5, hidden=5)
    data = load_data(features, CPU, torch.float64, float("nan"))
    method = new_method(c, features, data, SETTINGS)
    present = torch.tensor([(True, True), (True, False), (False, True), (True, True), (True, True), (True, False)])
    draws = torch.rand(6, method.draws, generator=torch.Generator().manual_seed(1))
    batch = data.batch(data.splits["train"], torch.arange(6), present, draws)
    options = {"inner_rate": 0.3, "feature_weight": 0.2, "hidden_weight": 0.4}
    loss = method.loss(batch, {name: torch.tensor(value, dtype=torch.float64) for name, value in options.items()})
    names, parameters = zip(*method.net.named_parameters(), strict=True)
    ours = torch.autograd.grad(loss, parameters)
    by_hand = outer_by_hand(method, batch, *options.values())
    torch.testing.assert_close(loss, by_hand)
    for name, mine, theirs in zip(names, ours, torch.autograd.grad(by_hand, parameters), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-7, atol=1e-10, msg=lambda m, name=name: f"{name}: {m}")
    first_order = torch.autograd.grad(outer_by_hand(method, batch, *options.values(), second_order=False), parameters)
    assert any(not torch.allclose(mine, other, rtol=1e-3) for mine, other in zip(ours, first_order, strict=True))


def test_centroids_are_those_of_scikit_learn(params):
    features = made_features()
    c = cell(params, "smil", "vision", 0.5)
    method = new_method(c, features, load_data(features, CPU, torch.float64, float("nan")), SETTINGS)
    rows = features.rows("train")
    rows = rows[~missing("made", "vision", "train", 2020, 0.5, len(rows))]
    seed = stream_seed(SETTINGS.experiment_seed, "init", 2020) % 2**32
    frames, mask = standardised(features.frames[rows].astype(np.float64)), features.frame_mask[rows, :, None]
    text = standardised(features.text[rows].astype(np.float64))
    for found, x in (
        (method.net.text_from_vision, text),
        (method.net.frame_from_text, (frames * mask).sum(1) / mask.sum(1)),
    ):
        expected = KMeans(10, n_init=10, random_state=seed).fit(x).cluster_centers_
        np.testing.assert_allclose(found.centroids, expected, atol=1e-9)


@pytest.mark.parametrize("n", [0, 1, 4, 10])
def test_few_utterances_are_centroids_in_turn(n):
    layer, rows = CentroidMean(3, 2), torch.randn(n, 2)
    layer.fit(rows, 0)
    expected = torch.stack([rows[i % n] for i in range(10)]) if n else torch.zeros(10, 2)
    assert torch.equal(layer.centroids, expected)
    assert layer(torch.randn(5, 3), torch.zeros(5, CENTROIDS)).isfinite().all()


def test_made_up_features_lie_among_the_centroids():
    layer = CentroidMean(3, 2)
    layer.fit(torch.rand(40, 2), 0)
    made = layer(100 * torch.randn(50, 3), torch.randn(50, CENTROIDS))
    assert (made >= layer.centroids.min(0).values - 1e-6).all()
    assert (made <= layer.centroids.max(0).values + 1e-6).all()


def test_what_is_made_up_resembles_its_own_utterance(params):
    """Both modalities show one hidden number: a virtual vector is nearer to its real partner than to others'."""
    features = made_features(n=300)
    c = cell(params, "smil", "vision", 0.5, hidden=16)
    outcome = run([c], features, replace(SETTINGS, epochs=10, patience=10))[c.digest]
    label = features.index["label"].to_numpy()[features.rows("test")]
    for condition in ("complete", "vision_missing"):
        error = np.abs(outcome.predictions["test", condition] - label).mean()
        assert error < 0.7 * np.abs(label - np.median(label)).mean()
    data = load_data(features, CPU, torch.float32, float("nan"))
    method = new_method(c, features, data, SETTINGS)
    method.load_state_dict(outcome.state)
    test = data.splits["test"]
    present = torch.ones(test.n, 2, dtype=torch.bool)
    batch = data.batch(test, torch.arange(test.n), present, torch.rand(test.n, method.draws))
    with torch.no_grad():
        for virtual, real in method.imagined(batch).values():
            own, others = ((virtual - x).square().mean() for x in (real, real.roll(1, dims=0)))
            assert own < 0.9 * others
        assert torch.equal(method(batch), method(batch._replace(draws=torch.zeros_like(batch.draws))))


def test_noise_is_standard_normal_and_finite():
    uniform = torch.rand(100_000, generator=torch.Generator().manual_seed(0))
    noise = standard_normal(uniform)
    assert noise.mean().abs() < 0.01
    assert (noise.std() - 1).abs() < 0.01
    assert standard_normal(torch.tensor([0.0, 2**-24, 0.5, 1 - 2**-24])).isfinite().all()
