"""SMIL: its meta-learning against gradients written out by hand, its centroids against scikit-learn's."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from torch.nn.functional import layer_norm, linear, softplus

from helpers.method_batches import batch_of, method_and_data, with_zero_draws
from helpers.plain import error_of_the_median, standardised
from helpers.synthetic_features import PAIR, SETTINGS, TRIPLE, synthetic_features
from helpers.synthetic_training import cell, run_one, weights_of
from trml.methods.layers.centroids import CENTROIDS, CentroidMean, k_means
from trml.methods.layers.noise import standard_normal
from trml.methods.layers.recurrent import last_state_plain
from trml.methods.smil import MAIN
from trml.missing.registry import missing_pattern
from trml.seeding import stream_seed


def plain_row(p, batch, i, has_text, has_vision, noise):
    """One utterance: the prediction and the squared errors of features and hidden vectors, with Python's own ifs.

    p: parameters and buffers by name.
    """
    text_values, frame_values = batch.signals["text"].values[i, 0], batch.signals["vision"].values[i]
    frame_mask = batch.signals["vision"].mask[i]

    def norm(x, tower):
        return layer_norm(x, x.shape) * p[f"{tower}.norm.weight"] + p[f"{tower}.norm.bias"]

    def layer(x, name):
        return linear(x, p[f"{name}.weight"], p[f"{name}.bias"])

    def text_tower(x):
        return norm(layer(x, "towers.text.project"), "towers.text")

    def frame_tower(frames):
        names = [f"towers.vision.{of}.{kind}" for of in ("from_input", "from_state") for kind in ("weight", "bias")]
        there = torch.ones(1, len(frames), dtype=torch.bool)
        state = last_state_plain(frames.unsqueeze(0), there, *(p[n] for n in names))[0]
        return norm(layer(frames.mean(0), "towers.vision.project") + state, "towers.vision")

    def sample(h, name, e):
        mean, spread = layer(h, f"{name}.layer").chunk(2)
        return mean + softplus(spread - 3) * e

    def from_centroids(h, name, e):
        w = softplus(sample(h, f"{name}.weights", e))
        return sum(w[k] * p[f"{name}.centroids"][k] for k in range(CENTROIDS)) / w.sum()

    of_text, of_frame, of_fused = noise.split([10, 10, 16])
    features, hidden = 0.0, 0.0
    if has_vision:
        frames = frame_values[frame_mask]
        vision = frame_tower(frames)
        made_text = from_centroids(vision, "imputers.text_from_vision", of_text)
    if has_text:
        text = text_tower(text_values)
        made_frame = from_centroids(text, "imputers.vision_from_text", of_frame)
    if has_text and has_vision:
        features = (made_text - text_values).square().mean() + (made_frame - frames.mean(0)).square().mean()
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
    noise = standard_normal(batch.draws["noise"]).double()
    present = torch.stack([signal.present for signal in batch.signals.values()], dim=1).tolist()
    inner = 0.0
    for i, has in enumerate(present):
        drops_text = batch.draws["which"][i, 0] < 0.5
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
    c = cell(params, "smil", "vision", 0.5, hidden=5)
    method, data = method_and_data(c, synthetic_features())
    has_text = torch.tensor([True, True, False, True, True, True])
    has_vision = torch.tensor([True, False, True, True, True, False])
    batch = batch_of(c, data, {"text": has_text, "vision": has_vision}, "train", torch.arange(6))
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


@pytest.mark.parametrize("modalities", [PAIR, TRIPLE], ids=["two", "three"])
def test_centroids_are_those_of_scikit_learn(params, modalities):
    features = synthetic_features(modalities=modalities)
    method, _ = method_and_data(cell(params, "smil", "vision", 0.5), features)
    rows = features.rows("train")
    lost = missing_pattern("vision", modalities).losing(SETTINGS.corpus, "train", 2020, 0.5, len(rows))["vision"]
    rows = rows[~lost]
    seed = stream_seed(SETTINGS.experiment_seed, "init", 2020) % 2**32
    for target, (values, mask) in features.signals.items():
        steps, there = standardised(values[rows].astype(np.float64)), mask[rows, :, None]
        expected = KMeans(10, n_init=10, random_state=seed).fit((steps * there).sum(1) / there.sum(1)).cluster_centers_
        for source in method.net.sources[target]:
            centroids = method.net.imputers[f"{target}_from_{source}"].centroids
            np.testing.assert_allclose(centroids, expected, atol=1e-9)


@pytest.mark.parametrize("n", [0, 1, 4, 10])
def test_few_utterances_are_centroids_in_turn(n):
    rows = torch.randn(n, 2)
    expected = torch.stack([rows[i % n] for i in range(10)]) if n else torch.zeros(10, 2)
    assert torch.equal(k_means(rows, 0), expected)
    assert imputer_of(rows)(torch.randn(5, 3), torch.zeros(5, CENTROIDS)).isfinite().all()


def imputer_of(rows):
    """A layer whose centroids are those of some rows."""
    layer = CentroidMean(3, 2)
    layer.centroids.copy_(k_means(rows, 0))
    return layer


def test_made_up_features_lie_among_the_centroids():
    layer = imputer_of(torch.rand(40, 2))
    made = layer(100 * torch.randn(50, 3), torch.randn(50, CENTROIDS))
    assert (made >= layer.centroids.min(0).values - 1e-6).all()
    assert (made <= layer.centroids.max(0).values + 1e-6).all()


def test_what_is_made_up_resembles_its_own_utterance(params):
    """Both modalities show one hidden number: a virtual vector is nearer to its real partner than to others'."""
    features = synthetic_features(n=300)
    c = cell(params, "smil", "vision", 0.5, hidden=16, feature_weight=0.1)
    outcome = run_one(c, features, replace(SETTINGS, epochs=10, patience=10))
    label = features.index["label"].to_numpy()[features.rows("test")]
    for present in ("text+vision", "text"):
        error = np.abs(outcome.predictions["test", present].value - label).mean()
        assert error < 0.7 * error_of_the_median(label)
    method, data = method_and_data(c, features, torch.float32)
    method.load_state_dict(weights_of(outcome))
    batch = batch_of(c, data)
    with torch.no_grad():
        for virtual, real in method.virtual(batch).values():
            own, others = ((virtual - x).square().mean() for x in (real, real.roll(1, dims=0)))
            assert own < 0.9 * others
        assert torch.equal(method(batch), method(with_zero_draws(batch)))


def test_noise_is_standard_normal_and_finite():
    uniform = torch.rand(100_000, generator=torch.Generator().manual_seed(0))
    noise = standard_normal(uniform)
    assert noise.mean().abs() < 0.01
    assert (noise.std() - 1).abs() < 0.01
    assert standard_normal(torch.tensor([0.0, 2**-24, 0.5, 1 - 2**-24])).isfinite().all()
