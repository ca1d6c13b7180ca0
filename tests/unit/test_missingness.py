"""Masks, by property: exact, nested, independent of anything but corpus, victim, split and seed."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from trml.missing.masks import frame_presence, frames_missing, lost_of_either, missing, presence

rates = st.floats(0, 1)
seeds = st.integers(0, 10_000)
sizes = st.integers(1, 400)


@given(rates, seeds, sizes)
def test_exactly_the_rounded_share_is_missing(rate, seed, n):
    assert missing("c", "vision", "test", seed, rate, n).sum() == round(rate * n)


@given(rates, rates, seeds, sizes)
def test_masks_of_a_seed_are_nested(one, other, seed, n):
    low, high = (missing("c", "text", "train", seed, rate, n) for rate in sorted((one, other)))
    assert not (low & ~high).any()


@given(seeds)
def test_same_mask_again(seed):
    assert (missing("c", "text", "train", seed, 0.5, 100) == missing("c", "text", "train", seed, 0.5, 100)).all()


@given(seeds)
def test_modalities_splits_corpora_and_seeds_have_masks_of_their_own(seed):
    masks = [
        missing(corpus, victim, split, s, 0.5, 200)
        for corpus, victim, split, s in [
            ("c", "text", "test", seed),
            ("c", "vision", "test", seed),
            ("c", "text", "valid", seed),
            ("d", "text", "test", seed),
            ("c", "text", "test", seed + 1),
        ]
    ]
    for i, mask in enumerate(masks):
        for other in masks[:i]:
            assert 40 < (mask != other).sum() < 160  # independent fair masks differ in about half


@given(seeds, rates)
def test_every_utterance_is_equally_likely_to_be_missing(seed, rate):
    share = np.mean([missing("c", "text", "test", seed + i, 0.3, 50) for i in range(400)], axis=0)
    assert abs(share.mean() - 0.3) < 1e-9
    assert share.min() > 0.15
    assert share.max() < 0.45


@given(st.integers(1, 50), seeds, st.sampled_from(["text", "vision"]))
def test_presence_takes_the_victim_and_never_both(n, seed, victim):
    rng = np.random.default_rng(seed)
    real = rng.random((n, 2)) < 0.7
    real[~real.any(axis=1), 0] = True
    lost = rng.random(n) < 0.5
    left = presence(real, victim, lost)
    column = ("text", "vision").index(victim)
    assert left.any(axis=1).all()
    assert not (left & ~real).any()
    both = real.all(axis=1)
    assert (left[both, column] == ~lost[both]).all()
    assert (left[:, 1 - column] == real[:, 1 - column]).all()


def test_nothing_is_taken_without_a_victim():
    real = np.array([[True, True], [True, False]])
    assert (presence(real, None, np.array([True, True])) == real).all()


@given(rates, seeds, sizes)
def test_either_loses_one_modality_of_the_rounded_share_and_never_both(rate, seed, n):
    lost = lost_of_either("c", "test", seed, rate, n)
    assert lost.any(axis=1).sum() == round(rate * n)
    assert not lost.all(axis=1).any()


@given(rates, rates, seeds, sizes)
def test_either_and_frames_are_nested(one, other, seed, n):
    low, high = (lost_of_either("c", "train", seed, rate, n) for rate in sorted((one, other)))
    assert not (low & ~high).any()
    low, high = (frames_missing("c", "train", seed, rate, n, 6) for rate in sorted((one, other)))
    assert not (low & ~high).any()


@given(seeds)
def test_either_falls_on_both_modalities_and_frames_on_every_frame(seed):
    share = np.mean([lost_of_either("c", "test", seed + i, 0.6, 50) for i in range(200)], axis=(0, 1))
    assert np.allclose(share, 0.3, atol=0.03)
    frames = np.mean([frames_missing("c", "test", seed + i, 0.4, 50, 5) for i in range(200)], axis=(0, 1))
    assert np.allclose(frames, 0.4, atol=0.03)
    assert frames_missing("c", "test", seed, 1.0, 50, 5).all()
    assert not frames_missing("c", "test", seed, 0.0, 50, 5).any()


@given(st.integers(1, 50), seeds, rates)
def test_an_utterance_without_text_never_loses_its_last_frame(n, seed, rate):
    rng = np.random.default_rng(seed)
    mask = rng.random((n, 4)) < 0.8
    text = rng.random(n) < 0.5
    text[~mask.any(axis=1)] = True
    real = np.stack([text, mask.any(axis=1)], axis=1)
    left = frame_presence(real, mask, frames_missing("c", "test", seed, rate, n, 4))
    assert left.any(axis=1).all()
    assert not (left[:, 1:] & ~mask).any()
    assert (left[:, 0] == text).all()
