"""The embedded corpus: readings, labels, sentences, faces and above all the ceiling."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from scipy.stats import pearsonr

from conftest import ROOT
from trml.corpora.contract import ORACLE_SCHEMA, read_corpus
from trml.corpora.pantomime import build as pantomime
from trml.corpora.pantomime import face, grammar
from trml.corpora.pantomime.ceiling import Seen, best, ceiling, count_vectors, posteriors
from trml.corpora.pantomime.config import Speakers, Weights
from trml.corpora.pantomime.factors import (
    FRAME_CHANNEL,
    NOISE,
    OWN,
    REACH,
    SHARED,
    SIGNS,
    SPEAKER,
    TEXT_CHANNEL,
    Utterances,
    draw,
    label,
    of_shared,
    terms,
)
from trml.corpora.pantomime.oracle import oracle
from trml.corpora.registry import shipped
from trml.evaluation.ceiling import Ceiling
from trml.features.encoders.common.open_clip import open_clip
from trml.missing.registry import missing_pattern
from trml.sources.formats.video_reader import Clip, read_frames

WEIGHTS = Weights(shared=1.1, text_only=0.35, vision_only=0.35, synergy=0.4, speaker=0.25, noise=0.2)
FRAMES = 8
METRICS = ("mae", "corr", "acc7", "acc2_neg_nonneg", "acc2_neg_pos")


@pytest.fixture(scope="module")
def population():
    drawn = draw(np.arange(40_000), FRAMES, np.random.default_rng(0))
    return drawn, label(drawn.factors, WEIGHTS)


@pytest.fixture(scope="module")
def table():
    return ceiling(WEIGHTS, FRAMES, (0.1, 0.5, 0.9))


def first(drawn, n):
    """The first n utterances."""
    factors = {name: levels[:n] for name, levels in drawn.factors.items()}
    return Utterances(factors, drawn.text_reading[:n], drawn.frame_readings[:n])


# --- the ceiling -----------------------------------------------------------------------------------------


def all_knowing(drawn, seen):
    """Return the best prediction of each metric, [n], by Bayes' rule on each utterance in plain numpy."""
    f, n = drawn.factors, len(drawn.text_reading)
    posterior = np.ones((n, len(SHARED)))
    if seen.text:
        posterior = posterior * TEXT_CHANNEL[drawn.text_reading]
    for k in range(seen.frames):
        posterior = posterior * FRAME_CHANNEL[drawn.frame_readings[:, k]]
    posterior /= posterior.sum(axis=1, keepdims=True)
    both = seen.text and seen.frames > 0 and seen.order
    shift = np.zeros(n)
    hidden = np.zeros(1)
    parts = [
        (seen.text, WEIGHTS.text_only * OWN, f["text_only"]),
        (seen.frames > 0, WEIGHTS.vision_only * OWN, f["vision_only"]),
        (both, WEIGHTS.synergy * SIGNS, (SIGNS[f["tone"]] * SIGNS[f["brow"]] > 0).astype(int)),
        (False, WEIGHTS.speaker * SPEAKER, f["speaker"]),
        (False, WEIGHTS.noise * NOISE, f["noise"]),
    ]
    for is_seen, values, level in parts:
        if is_seen:
            shift += values[level]
        else:
            hidden = np.add.outer(hidden, values).ravel()
    value = (of_shared(WEIGHTS)[:, None] + hidden).ravel()
    weight = np.repeat(posterior, len(hidden), axis=1) / len(hidden)
    order = np.argsort(value)
    below = np.cumsum(weight[:, order], axis=1)
    median = value[order][(below < 0.5).sum(axis=1).clip(max=len(value) - 1)] + shift
    given = np.round(value[None] + shift[:, None], 3) + 0.0
    sevens = np.stack([(weight * (np.round(given) == k)).sum(axis=1) for k in range(-3, 4)]).argmax(axis=0) - 3
    return {
        "mae": median,
        "corr": (weight * value).sum(axis=1) + shift,
        "acc7": sevens,
        "acc2_neg_nonneg": (weight * (given >= 0)).sum(axis=1) >= 0.5,
        "acc2_neg_pos": (weight * (given > 0)).sum(axis=1) >= (weight * (given < 0)).sum(axis=1),
    }


@pytest.mark.parametrize(
    "seen",
    [Seen(True, 8), Seen(True, 0), Seen(False, 8), Seen(True, 3), Seen(False, 0), Seen(True, 8, order=False)],
    ids=str,
)
def test_the_ceiling_is_what_an_all_knowing_predictor_reaches(population, seen):
    """Within four standard errors of a plain Monte Carlo, in every metric."""
    drawn, y = population
    some = 4000 if not seen.text or not seen.frames else 20_000
    drawn = first(drawn, some)
    y, p, exact = y[:some], all_knowing(drawn, seen), best(seen, WEIGHTS)
    hits = {
        "mae": np.abs(y - p["mae"]),
        "acc7": np.round(y) == p["acc7"],
        "acc2_neg_nonneg": (y >= 0) == p["acc2_neg_nonneg"],
        "acc2_neg_pos": (y > 0)[y != 0] == p["acc2_neg_pos"][y != 0],
    }
    for metric, each in hits.items():
        error = each.std() / np.sqrt(len(each)) + 1e-9
        assert abs(each.mean() - exact[metric]) < 4 * error, metric
    reached = pearsonr(y, p["corr"]).statistic if np.ptp(p["corr"]) > 0 else 0.0
    assert reached == pytest.approx(exact["corr"], abs=0.02)


def test_the_oracle_of_a_sample_scores_the_ceiling(population, table):
    """Within four standard errors; and it is the all-knowing prediction of each utterance."""
    drawn, y = population
    drawn, y = first(drawn, 4000), y[:4000]
    ids = pl.Series([str(i) for i in range(4000)])
    known = dict(table.filter(pl.col("metric") == "mae").select("present", "value").iter_rows())
    every = oracle(ids, drawn, WEIGHTS)
    assert dict(every.schema) == ORACLE_SCHEMA
    for (present,), part in every.group_by("present"):
        error = np.abs(part["prediction"].to_numpy() - y)
        assert abs(error.mean() - known[present]) < 4 * error.std() / np.sqrt(len(y)), present
    both = every.filter(pl.col("present") == "text+vision")["prediction"].to_numpy()
    np.testing.assert_allclose(both, all_knowing(drawn, Seen(True, FRAMES))["mae"], atol=1e-9)


def test_the_label_is_the_sum_of_its_terms(population):
    drawn, y = population
    np.testing.assert_allclose(sum(terms(drawn.factors, WEIGHTS).values()), y, atol=5e-4 + 1e-9)


def test_posteriors_are_those_of_all_readings():
    """Two frames and a sentence, by the plain sum over all readings."""
    every, mass = posteriors(Seen(True, 2))
    assert mass.sum() == pytest.approx(1)
    np.testing.assert_allclose(every.sum(axis=1), 1)
    found = float(mass @ (every**2).sum(axis=1))
    expected = 0.0
    for t in range(len(SHARED)):
        for a in range(len(SHARED)):
            joint = TEXT_CHANNEL[t] * FRAME_CHANNEL[a] / len(SHARED)
            for b in range(len(SHARED)):
                together = joint * FRAME_CHANNEL[b]
                if together.sum() > 0:
                    expected += (together**2).sum() / together.sum()
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(("total", "levels", "width"), [(0, 5, 3), (1, 5, 3), (3, 5, 3), (4, 4, 9), (2, 6, 1)])
def test_count_vectors_are_all_and_none_twice(total, levels, width):
    found = count_vectors(total, levels, width)
    assert (found.sum(axis=1) == total).all()
    expected = {
        v
        for v in np.ndindex(*[total + 1] * levels)
        if sum(v) == total and (total == 0 or np.ptp(np.flatnonzero(v)) < width)
    }
    assert len(found) == len(expected)
    assert {tuple(row) for row in found.tolist()} == expected


def test_more_to_see_is_never_worse(table):
    order = ["text+vision", "frames@0.1", "frames@0.5", "frames@0.9", "text", ""]
    for metric in METRICS:
        values = dict(table.filter(pl.col("metric") == metric).select("present", "value").iter_rows())
        reached = [values[name] for name in order]
        assert reached == sorted(reached, reverse=metric != "mae"), metric
        assert (values["order-blind text+vision"] > values["text+vision"]) == (metric == "mae")


def test_evaluation_knows_the_ceiling_of_missing_frames(table, tmp_path):
    table.write_parquet(tmp_path / "ceiling.parquet")
    pair = ("text", "vision")
    at = [Ceiling(tmp_path).at("mae", missing_pattern("frames", pair), rate, pair) for rate in (0.0, 0.5, 1.0)]
    values = dict(table.filter(pl.col("metric") == "mae").select("present", "value").iter_rows())
    assert at == pytest.approx([values["text+vision"], values["frames@0.5"], values["text"]])


# --- what is drawn ---------------------------------------------------------------------------------------


def test_readings_come_from_their_channels(population):
    drawn, _ = population
    for channel, readings in ((TEXT_CHANNEL, drawn.text_reading), (FRAME_CHANNEL, drawn.frame_readings[:, 3])):
        shown = np.zeros_like(channel)
        np.add.at(shown, (readings, drawn.factors["shared"]), 1)
        np.testing.assert_allclose(shown / shown.sum(axis=0), channel, atol=0.04)
        assert np.abs(readings - drawn.factors["shared"]).max() == REACH
    assert abs(np.corrcoef(drawn.frame_readings[:, 0], drawn.text_reading)[0, 1]) < 0.95


def test_labels_stay_in_range_and_are_not_linear_in_the_levels(population):
    _, y = population
    assert np.abs(y).max() <= 3
    means = of_shared(WEIGHTS)
    line = np.polyval(np.polyfit(SHARED, means, 1), SHARED)
    assert np.abs(means - line).max() > 0.1
    assert (np.diff(means) > 0).all()


def test_utterances_of_a_speaker_share_a_part_of_the_label():
    drawn = draw(np.repeat(np.arange(50), 10), FRAMES, np.random.default_rng(1))
    of = drawn.factors["speaker"].reshape(50, 10)
    assert (of == of[:, :1]).all()
    assert len(np.unique(of[:, 0])) == 3


def test_every_sentence_fits_the_context_and_tells_its_factors():
    rng, tokenizer, told = np.random.default_rng(0), open_clip.tokenizer.SimpleTokenizer(context_length=77), {}
    assert len(grammar.ADJECTIVES) * len(grammar.DEGREES) == len(SHARED)
    assert [grammar.degree_of(level) for level in (0, 3, 4, 7, 8, 15)] == [
        "utterly", "rather", "utterly", "rather", "rather", "utterly",
    ]  # fmt: skip
    for _ in range(3000):
        levels = int(rng.integers(len(SHARED))), int(rng.integers(len(OWN))), int(rng.integers(2))
        text = grammar.sentence(*levels, grammar.Voice.draw(rng), rng)
        assert len(tokenizer.encode(text)) <= 14, text
        assert told.setdefault(text, levels) == levels


def test_both_kinds_of_clip_have_the_same_frames_in_another_order():
    assert sorted(face.brow_path(1, 8)) == sorted(face.brow_path(-1, 8)) == [-1] * 4 + [1] * 4
    for seed in range(20):  # whoever the speaker is
        looks, rngs = face.Looks.draw(np.random.default_rng(seed)), (np.random.default_rng(2) for _ in range(2))
        up, down = (
            face.clip(np.zeros(8), 0.0, b, looks, rng).astype(int) for b, rng in zip((1.0, -1.0), rngs, strict=True)
        )
        assert np.abs(up - down).max() > 60


def test_every_mouth_differs_from_the_next():
    looks = face.Looks.draw(np.random.default_rng(1))
    mouths = [face.still(m, 0.0, 1.0, looks, np.zeros(2)).astype(int) for m in SHARED / SHARED.max()]
    steps = [np.abs(b - a).sum() for a, b in pairwise(mouths)]
    assert min(steps) > 500


# --- the corpus ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    def make(**options):
        folder = tmp_path_factory.mktemp("corpus")
        config = shipped(ROOT / "config")["pantomime"]
        small = {"draws": 2, "speakers": Speakers(train=3, valid=2, test=2), "utterances": 4, "frames": 4}
        small |= {"pretraining_pairs": 30, "heldout_pairs": 10}
        pantomime.build(replace(config, **{**small, **options}), folder, folder, "x", 1)
        return folder

    return make


def test_the_corpus_holds_what_the_contract_says(built):
    folder = built()
    info, utterances = read_corpus(folder)
    assert (info.modalities, utterances.height) == (["text", "vision"], 40)
    assert info.factors["shared"] == ["text", "vision"]
    speakers = utterances.group_by("video_id").agg(pl.col("split").n_unique(), pl.len())
    assert set(speakers["split"]) == {1}
    assert set(speakers["len"]) == {4}
    levels = pl.read_parquet(folder / "factors.parquet")
    assert levels["utterance_id"].to_list() == utterances["utterance_id"].to_list()
    drawn = {name: levels[name].to_numpy() for name in info.factors}
    np.testing.assert_allclose(
        utterances["label"], label(drawn, shipped(ROOT / "config")["pantomime"].weights), atol=1e-6
    )
    assert set(pl.read_parquet(folder / "terms.parquet")["utterance_id"]) == set(utterances["utterance_id"])
    tested = utterances.filter(pl.col("split") == "test")["utterance_id"]
    assert set(pl.read_parquet(folder / "oracle.parquet")["utterance_id"]) == set(tested)
    frames = read_frames(Clip.parse(utterances["clip"][0], folder), 4)
    assert len(frames) == 4


@pytest.mark.parametrize("pairs", ["tied", "joint"])
def test_pairs_to_pretrain_on_agree_on_the_shared_factor_or_nearly(built, pairs):
    table = pl.read_parquet(built(pairs=pairs) / "pairs.parquet")
    assert dict(table["split"].value_counts().iter_rows()) == {"train": 30, "heldout": 10}
    words = {word: i for i, pair in enumerate(grammar.ADJECTIVES) for word in pair}
    kinds = np.array([next(words[w] for w in text.split() if w in words) for text in table["text"]])
    positive = 2 * kinds >= len(grammar.ADJECTIVES)
    group = table["group"].to_numpy()
    if pairs == "joint":
        assert 0.5 < (positive == group).mean() < 1
        return
    sign, clause, tone = np.unravel_index(group, (2, len(grammar.CLAUSES), len(grammar.TONES)))
    np.testing.assert_array_equal(sign, positive)
    for text, of_clause, of_tone in zip(table["text"], clause, tone, strict=True):
        assert text.endswith(grammar.CLAUSES[of_clause])
        assert text.startswith(grammar.TONES[of_tone])
    told = table["split"].to_numpy() == "heldout"
    assert (clause[told] != len(grammar.CLAUSES) // 2).mean() > 0.5  # what is measured on is seldom neutral


def test_weights_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"the label would reach 3.33; it must stay within 3"):
        replace(WEIGHTS, shared=1.4)
