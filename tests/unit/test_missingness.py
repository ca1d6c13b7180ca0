"""Missing patterns, by property: exact, nested, independent of anything but corpus, pattern, split and seed."""

import hashlib
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trml.missing.conditions import predicted_under, presence_under, shown
from trml.missing.modalities import in_order, read, subsets, written
from trml.missing.pattern import only
from trml.missing.registry import known_patterns, missing_pattern

PAIR, TRIPLE = ("text", "vision"), ("text", "vision", "audio")
STEPS = {"text": 1, "vision": 4, "audio": 3}
rates = st.floats(0, 1)
seeds = st.integers(0, 10_000)
sizes = st.integers(1, 400)
modalities = st.sampled_from([PAIR, TRIPLE])


def losing(victim, seed, rate, n, corpus="c", split="test", among=PAIR):
    """Return which utterances lose each of the modalities, bool [n, M]."""
    lost = missing_pattern(victim, among).losing(corpus, split, seed, rate, n)
    return np.stack([lost.get(name, np.zeros(n, dtype=bool)) for name in among], axis=1)


def real_masks(n, seed, among=PAIR, share=0.7):
    """Return which steps a corpus has, at random; something of every utterance."""
    rng = np.random.default_rng(seed)
    real = {name: rng.random((n, STEPS[name])) < share for name in among}
    nothing = ~np.logical_or.reduce([mask.any(axis=1) for mask in real.values()])
    real[among[0]][nothing, 0] = True
    return real


def everything(n, among=PAIR):
    return {name: np.ones((n, STEPS[name]), dtype=bool) for name in among}


def test_the_published_masks_stay():
    """The bits of the masks that published results were trained and scored under."""

    def digest(presence):
        return hashlib.sha256(b"".join(np.packbits(mask).tobytes() for mask in presence.values())).hexdigest()[:12]

    real = real_masks(500, 0)
    digests = {
        victim: digest(missing_pattern(victim, PAIR).presence(real, "pantomime", "train", 2020, 0.5))
        for victim in ("text", "vision", "random_modality", "frames", "stretch", "mostly_vision")
    }
    assert digests == {
        "text": "77479d638900",
        "vision": "a83015cbb090",
        "random_modality": "84b03ce22a9a",
        "frames": "4787904c0d8d",
        "stretch": "3fa6f8afbc46",
        "mostly_vision": "ab9566272e65",
    }


@given(st.sampled_from(["vision", "text", "text+vision", "random_modality"]), rates, seeds, sizes)
def test_exactly_the_rounded_share_loses_something(victim, rate, seed, n):
    lost = losing(victim, seed, rate, n, among=TRIPLE)
    assert lost.any(axis=1).sum() == round(rate * n)
    assert not lost.all(axis=1).any()


@given(st.sampled_from(sorted(known_patterns(TRIPLE))), rates, rates, seeds, sizes)
def test_masks_of_a_seed_are_nested(victim, one, other, seed, n):
    pattern, real = missing_pattern(victim, TRIPLE), everything(n, TRIPLE)
    low, high = (pattern.presence(real, "c", "train", seed, rate) for rate in sorted((one, other)))
    assert not any((high[name] & ~low[name]).any() for name in TRIPLE)


@given(st.sampled_from(sorted(known_patterns(TRIPLE))), seeds)
def test_same_mask_again(victim, seed):
    pattern, real = missing_pattern(victim, TRIPLE), real_masks(100, seed, TRIPLE)
    one, other = (pattern.presence(real, "c", "train", seed, 0.5) for _ in range(2))
    assert all((one[name] == other[name]).all() for name in TRIPLE)


@given(seeds)
def test_patterns_splits_corpora_and_seeds_have_masks_of_their_own(seed):
    masks = [
        losing(victim, s, 0.5, 200, corpus, split).any(axis=1)
        for corpus, victim, split, s in [
            ("c", "text", "test", seed),
            ("c", "vision", "test", seed),
            ("c", "random_modality", "test", seed),
            ("c", "text", "valid", seed),
            ("d", "text", "test", seed),
            ("c", "text", "test", seed + 1),
        ]
    ]
    for one, other in combinations(masks, 2):
        assert 40 < (one != other).sum() < 160  # independent fair masks differ in about half


@settings(deadline=None)  # of hundreds of masks
@given(seeds)
def test_every_utterance_is_equally_likely_to_be_missing(seed):
    share = np.mean([losing("text", seed + i, 0.3, 50)[:, 0] for i in range(400)], axis=0)
    assert abs(share.mean() - 0.3) < 1e-9
    assert share.min() > 0.15
    assert share.max() < 0.45


@given(st.integers(1, 50), seeds, modalities, st.data())
def test_presence_takes_the_victim_and_never_all(n, seed, among, data):
    victim = data.draw(st.sampled_from(sorted(p.name for p in known_patterns(among).values() if len(p.lost) == 1)))
    pattern, real = missing_pattern(victim, among), real_masks(n, seed, among)
    left = pattern.presence(real, "c", "test", seed, 1.0)
    assert np.logical_or.reduce([mask.any(axis=1) for mask in left.values()]).all()
    kept = np.logical_or.reduce([real[name].any(axis=1) for name in among if name not in pattern.lost[0]])
    for name in among:
        assert left[name].dtype == bool
        assert not (left[name] & ~real[name].any(axis=1, keepdims=True)).any()
        if name in pattern.lost[0]:
            assert not left[name][kept].any()
            assert (left[name].any(axis=1) == real[name].any(axis=1))[~kept].all()
        else:
            assert (left[name].any(axis=1) == real[name].any(axis=1)).all()


def test_nothing_is_taken_where_all_is_present():
    real = {"text": np.array([[True], [True]]), "vision": np.array([[True, False], [False, False]])}
    assert {k: v.tolist() for k, v in only(real, frozenset(PAIR)).items()} == {
        "text": [[True], [True]],
        "vision": [[True], [False]],
    }


@settings(deadline=None)  # of hundreds of masks
@given(seeds, modalities)
def test_random_modality_falls_on_each_and_frames_on_every_frame(seed, among):
    share = np.mean([losing("random_modality", seed + i, 0.6, 50, among=among) for i in range(200)], axis=(0, 1))
    assert np.allclose(share, 0.6 / len(among), atol=0.03)
    frames, real = missing_pattern("frames", among), everything(50, among)
    left = np.mean([frames.presence(real, "c", "test", seed + i, 0.4)["vision"] for i in range(200)], axis=(0, 1))
    assert np.allclose(left, 0.6, atol=0.03)
    assert not frames.presence(real, "c", "test", seed, 1.0)["vision"].any()
    assert frames.presence(real, "c", "test", seed, 0.0)["vision"].all()


@given(st.integers(1, 50), seeds, rates, modalities)
def test_a_stretch_is_as_many_frames_in_a_row(n, seed, rate, among):
    real = everything(n, among)
    left = missing_pattern("stretch", among).presence(real, "c", "test", seed, rate)["vision"]
    assert (~left).sum(axis=1).tolist() == [round(rate * STEPS["vision"])] * n
    starts_and_ends = np.diff(np.pad(~left, ((0, 0), (1, 1))).astype(int), axis=1)
    assert ((starts_and_ends == 1).sum(axis=1) <= 1).all()


@settings(deadline=None)  # of hundreds of masks
@given(seeds)
def test_a_stretch_may_begin_anywhere(seed):
    real = everything(300)
    first = missing_pattern("stretch", PAIR).presence(real, "c", "test", seed, 0.5)["vision"].argmin(axis=1)
    assert set(first) == {0, 1, 2}  # of four frames


@settings(deadline=None)  # of hundreds of masks
@given(seeds, modalities)
def test_mostly_one_modality_is_missing(seed, among):
    share = np.mean([losing("mostly_vision", seed + i, 0.5, 60, among=among) for i in range(200)], axis=(0, 1))
    others = 0.25 / (len(among) - 1)
    assert np.allclose(share, [0.5 * (0.75 if name == "vision" else others) for name in among], atol=0.03)
    assert missing_pattern("mostly_vision", among).rates([0.0, 0.5, 0.9]) == [0.0, 0.5]


@given(st.sampled_from(["vision", "random_modality"]), rates, seeds)
def test_log_odds_say_who_is_missing_and_not_how_many(victim, rate, seed):
    pattern, log_odds = missing_pattern(victim, PAIR), np.repeat([0.0, 2.0], 200)
    low, high = (
        np.logical_or.reduce(list(pattern.losing("c", "train", seed, r, 400, log_odds).values()))
        for r in sorted((rate, 0.5))
    )
    assert not (low & ~high).any()
    assert low.sum() == round(min(rate, 0.5) * 400)
    at_half = np.logical_or.reduce(list(pattern.losing("c", "train", seed, 0.5, 400, log_odds).values()))
    assert at_half[200:].sum() > 1.5 * at_half[:200].sum()


def test_steps_follow_no_log_odds():
    with pytest.raises(ValueError, match="frames missing cannot depend on the label; choose a pattern of whole"):
        missing_pattern("frames", PAIR).presence(everything(3), "c", "train", 1, 0.5, np.ones(3))


@given(st.integers(1, 50), seeds, rates, modalities)
def test_an_utterance_with_vision_alone_never_loses_its_last_frame(n, seed, rate, among):
    real = real_masks(n, seed, among, share=0.4)
    left = missing_pattern("frames", among).presence(real, "c", "test", seed, rate)
    assert np.logical_or.reduce([mask.any(axis=1) for mask in left.values()]).all()
    assert not (left["vision"] & ~real["vision"]).any()
    for name in set(among) - {"vision"}:
        assert (left[name][:, 0] == real[name].any(axis=1)).all()


@given(st.sampled_from(sorted(p.name for p in known_patterns(TRIPLE).values() if p.level == "modality")), rates, seeds)
def test_what_is_shown_is_what_the_pattern_leaves(victim, rate, seed):
    """Predictions under sets of modalities, put together by `shown`, have the presence that the pattern gives."""
    pattern, real = missing_pattern(victim, TRIPLE), real_masks(60, seed, TRIPLE)
    expected = pattern.presence(real, "c", "test", seed, rate)
    parts = shown(pattern, rate, TRIPLE, 60, "c", "test", seed)
    assert (np.sum([rows for _, rows in parts], axis=0) == 1).all()
    words = {word for _, word in predicted_under(None, TRIPLE)}
    for word, rows in parts:
        assert word in words
        got = presence_under(word, real, "c", "test", seed)
        assert all((got[name][rows] == expected[name][rows]).all() for name in TRIPLE)


@pytest.mark.parametrize(("rate", "word"), [(0.0, "text+vision+audio"), (0.3, "frames@0.3"), (1.0, "text+audio")])
def test_lost_frames_are_shown_by_their_own_predictions(rate, word):
    ((name, rows),) = shown(missing_pattern("frames", TRIPLE), rate, TRIPLE, 9, "c", "test", 1)
    assert (name, rows.all()) == (word, True)


@given(st.sampled_from(sorted(known_patterns(TRIPLE))), st.sampled_from([0.0, 0.25, 0.5, 1.0]))
def test_shares_add_up_and_hold_in_the_masks(victim, rate):
    pattern = missing_pattern(victim, TRIPLE)
    shares = pattern.shares(rate, TRIPLE)
    if shares is None:
        assert victim in ("frames", "stretch")
        assert 0 < rate < 1
        return
    assert sum(shares.values()) == pytest.approx(1)
    if pattern.level == "modality":
        lost = losing(victim, 1, rate, 4000, among=TRIPLE)
        for present, share in shares.items():
            rows = np.logical_and.reduce([lost[:, i] == (name not in present) for i, name in enumerate(TRIPLE)])
            assert rows.mean() == pytest.approx(share, abs=0.03)


def test_what_cells_are_predicted_under():
    whole = [(split, word) for split in ("valid", "test") for word in ("text+vision", "text", "vision")]
    frames = [("test", f"{name}@{rate}") for name in ("frames", "stretch") for rate in (0.1, 0.3, 0.5, 0.7, 0.9)]
    assert predicted_under(missing_pattern("vision", PAIR), PAIR) == whole
    assert predicted_under(None, PAIR) == whole + frames
    assert predicted_under(missing_pattern("frames", PAIR), PAIR) == whole + frames[:5]
    assert len(predicted_under(None, ("text", "audio"))) == 6
    assert [word for split, word in predicted_under(missing_pattern("text", TRIPLE), TRIPLE) if split == "test"] == [
        "text+vision+audio", "text+vision", "text+audio", "vision+audio", "text", "vision", "audio",
    ]  # fmt: skip


def test_patterns_by_name():
    of_pair = ["frames", "text", "vision", "mostly_text", "mostly_vision", "random_modality", "stretch"]
    assert list(known_patterns(PAIR)) == of_pair
    several = {"text+vision", "text+audio", "vision+audio"}
    assert set(known_patterns(TRIPLE)) == {*of_pair, *several, "audio", "mostly_audio"}
    assert missing_pattern("text+audio", TRIPLE).label == "text and audio missing"
    with pytest.raises(ValueError, match=r"missing pattern 'visoin' is unknown for text, vision.*vision"):
        missing_pattern("visoin", PAIR)
    with pytest.raises(ValueError, match=r"missing pattern 'audio' is unknown for text, vision"):
        missing_pattern("audio", PAIR)


def test_sets_of_modalities_are_written_in_order():
    assert in_order(["odour", "audio", "vision", "text", "audio"]) == ("text", "vision", "audio", "odour")
    assert written({"audio", "text"}) == "text+audio"
    assert [written(read(word)) for word in ("text+audio", "vision")] == ["text+audio", "vision"]
    assert [written(s) for s in subsets(["vision", "text"])] == ["text+vision", "text", "vision"]
