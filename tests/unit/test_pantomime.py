"""The embedded corpus: factors, sentences, faces and above all the ceiling."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy.stats import pearsonr
from sklearn import metrics as reference
from sklearn.tree import DecisionTreeRegressor

from conftest import ROOT
from trml.corpora.contract import read_corpus
from trml.corpora.pantomime import build as pantomime
from trml.corpora.pantomime import face, grammar
from trml.corpora.pantomime.config import Sizes, Weights
from trml.corpora.pantomime.factors import LEVELS, PRESENT, SHOWN_IN, ceiling, draw, label, redundancy
from trml.corpora.registry import shipped
from trml.features.encoders.common.open_clip import open_clip
from trml.missing.modalities import written
from trml.sources.formats.video_reader import Clip, read_frames

WEIGHTS = Weights(shared=0.6, text_only=0.6, vision_only=0.4, synergy=0.4, noise=0.3)


def best(table, present, metric):
    return table.filter(pl.col("present") == written(present), pl.col("metric") == metric)["value"].item()


@pytest.fixture(scope="module")
def population():
    factors = draw(200_000, np.random.default_rng(0))
    return factors, label(factors, WEIGHTS)


@pytest.mark.parametrize("present", PRESENT, ids=written)
def test_ceiling_is_what_an_all_knowing_predictor_reaches(population, present):
    """A predictor that has learned each conditional from a large sample scores the exact ceiling, and not more."""
    factors, y = population
    seen = sorted({name for modality in present for name in SHOWN_IN[modality]})
    table = pl.DataFrame({"y": y, **{name: factors[name] for name in seen}, "all": np.zeros(len(y))})
    keys = [*seen, "all"]
    half = len(y) // 2
    learned = (
        table[:half]
        .group_by(keys)
        .agg(
            median=pl.col("y").median(),
            mean=pl.col("y").mean(),
            seven=pl.col("y").map_elements(np.round, return_dtype=pl.Float64).mode().first(),
            nonneg=(pl.col("y") >= 0).mean() >= 0.5,
            positive=(pl.col("y") > 0).sum() >= (pl.col("y") < 0).sum(),
        )
    )
    judged = table[half:].join(learned, on=keys, how="left")
    truth, nonzero = judged["y"].to_numpy(), judged["y"].to_numpy() != 0
    exact = ceiling(WEIGHTS)
    reached = {
        "mae": reference.mean_absolute_error(truth, judged["median"]),
        "acc7": (np.round(truth) == judged["seven"].to_numpy()).mean(),
        "acc2_neg_nonneg": ((truth >= 0) == judged["nonneg"].to_numpy()).mean(),
        "acc2_neg_pos": ((truth > 0) == judged["positive"].to_numpy())[nonzero].mean(),
        "corr": pearsonr(truth, judged["mean"]).statistic if seen else 0.0,
    }
    for metric, value in reached.items():
        assert value == pytest.approx(best(exact, present, metric), abs=0.006), metric


def test_more_to_see_is_never_worse():
    exact = ceiling(WEIGHTS)
    for metric in exact["metric"].unique():
        complete, nothing = best(exact, ("text", "vision"), metric), best(exact, (), metric)
        for present in ("text", "vision"):
            ordered = [complete, best(exact, (present,), metric), nothing]
            assert ordered == sorted(ordered, reverse=metric != "mae")


def test_no_text_tells_of_what_only_the_face_shows(population):
    factors, _ = population
    for factor in ("vision_only", "brow"):
        seen = np.stack([factors[name] for name in SHOWN_IN["text"]], axis=1)
        fitted = DecisionTreeRegressor().fit(seen[:100_000], factors[factor][:100_000])
        assert abs(fitted.score(seen[100_000:], factors[factor][100_000:])) < 0.01


def test_weights_dial_what_can_be_recovered():
    redundant = Weights(shared=1.0, text_only=0.0, vision_only=0.0, synergy=0.0, noise=0.2)
    unique = Weights(shared=0.0, text_only=1.0, vision_only=1.0, synergy=0.0, noise=0.2)
    synergy = Weights(shared=0.0, text_only=0.0, vision_only=0.0, synergy=1.0, noise=0.2)
    gap = {
        name: best(t := ceiling(w), ("text",), "mae") - best(t, ("text", "vision"), "mae")
        for name, w in [("redundant", redundant), ("unique", unique), ("synergy", synergy)]
    }
    assert gap["redundant"] == pytest.approx(0)
    assert gap["unique"] > 0.4
    assert best(ceiling(synergy), ("text",), "corr") == pytest.approx(0)


def test_labels_stay_in_range_and_cover_signs(population):
    _, y = population
    assert np.abs(y).max() <= 3
    assert 0.4 < (y > 0).mean() < 0.6


def test_every_sentence_fits_the_context_and_tells_its_factors():
    rng = np.random.default_rng(0)
    tokenizer = open_clip.tokenizer.SimpleTokenizer(context_length=77)
    told = {}
    for _ in range(3000):
        r, u, c = (int(rng.choice(LEVELS[name])) for name in ("shared", "text_only", "tone"))
        text = grammar.sentence(r, u, c, rng)
        assert len(tokenizer.encode(text)) <= 14, text
        assert told.setdefault(text, (r, u, c)) == (r, u, c)


def test_a_face_moves_and_no_single_frame_tells_the_brow():
    speaker = face.Speaker.draw(np.random.default_rng(1))
    up, down = (face.clip(2, 1, brow, speaker, 8, np.random.default_rng(2)).astype(int) for brow in (1, -1))
    assert np.abs(np.diff(up, axis=0)).mean(axis=(1, 2, 3)).min() > 0
    states = [sorted(zip(face.envelope(8).round(9), face.brow_path(b, 8).round(9) + 0.0, strict=True)) for b in (1, -1)]
    assert states[0] == states[1]  # the same frames in another order: no bag of frames tells the brow
    assert np.abs(up - down).max() > 60
    assert face.envelope(8)[0] == face.envelope(8)[-1] == 0
    assert face.envelope(8).max() == 1


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    sizes = Sizes(train=24, valid=8, test=8)
    config = replace(shipped(ROOT / "config")["pantomime"], utterances=sizes, pretraining_pairs=30, heldout_pairs=10)
    pantomime.build(config, folder, folder, "x", 1)
    return folder


def test_the_corpus_says_where_its_factors_show(built):
    info, _ = read_corpus(built)
    assert info.modalities == ["text", "vision"]
    assert info.factors == {
        "shared": ["text", "vision"], "text_only": ["text"], "vision_only": ["vision"], "tone": ["text"],
        "brow": ["vision"], "noise": [],
    }  # fmt: skip
    levels = pl.read_parquet(built / "factors.parquet")
    assert levels.columns == ["utterance_id", *info.factors]
    table = pl.read_parquet(built / "ceiling.parquet")
    assert table["present"].unique(maintain_order=True).to_list() == ["text+vision", "text", "vision", ""]


@pytest.mark.parametrize(
    ("shared", "vision_only", "share"), [(0.6, 0.0, 1.0), (0.0, 1.1619, 0.0), (0.4243, 0.8216, 0.5), (0.0, 0.0, 0.0)]
)
def test_redundancy_is_the_share_of_what_the_face_explains(shared, vision_only, share):
    weights = Weights(shared=shared, text_only=0.0, vision_only=vision_only, synergy=0.0, noise=0.3)
    assert redundancy(weights) == pytest.approx(share, abs=1e-4)


def test_clips_are_real_video_that_shows_what_was_drawn(built):
    info, table = read_corpus(built)
    assert info.task == "regression"
    frames = read_frames(Clip(built / table["clip"][0]), 8)
    assert len(frames) == 8
    assert frames[0].size == (64, 64)
    speaker = face.Speaker.draw(np.random.default_rng(0))
    drawn = face.clip(2, 0, 1, speaker, 8, np.random.default_rng(0))
    from trml.sources.formats.video_writer import write_video

    write_video(built / "again.mp4", drawn)
    decoded = np.stack([np.asarray(f) for f in read_frames(Clip(built / "again.mp4"), 8)])
    assert np.abs(decoded.astype(int) - drawn).mean() < 4


def test_no_speaker_and_no_pretraining_stream_is_shared(built):
    _, table = read_corpus(built)
    splits = table.group_by("video_id").agg(pl.col("split").n_unique())
    assert (splits["split"] == 1).all()
    pairs = pl.read_parquet(built / "pairs.parquet")
    assert pairs["split"].value_counts().sort("split")["count"].to_list() == [10, 30]
    stills = np.load(built / "pairs.npy", allow_pickle=False)
    assert len(np.unique(stills.reshape(40, -1), axis=0)) == 40
