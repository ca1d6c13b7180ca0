"""The embedded corpus: factors, sentences, faces and above all the ceiling."""

import numpy as np
import polars as pl
import pytest
from scipy.stats import pearsonr
from sklearn import metrics as reference
from sklearn.tree import DecisionTreeRegressor

from trml.corpora.contract import read_corpus
from trml.corpora.pantomime import build as pantomime
from trml.corpora.pantomime import face, grammar
from trml.corpora.pantomime.config import Sizes, Weights
from trml.corpora.pantomime.factors import LEVELS, PATTERNS, SEEN_IN, ceiling, draw, label
from trml.features.encoders.common.open_clip import open_clip
from trml.sources.formats.video_reader import Clip, read_frames

WEIGHTS = Weights(shared=0.6, text_only=0.6, vision_only=0.4, synergy=0.4, noise=0.3)


def best(table, pattern, metric):
    return table.filter(pl.col("pattern") == pattern, pl.col("metric") == metric)["value"].item()


@pytest.fixture(scope="module")
def population():
    factors = draw(200_000, np.random.default_rng(0))
    return factors, label(factors, WEIGHTS)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_ceiling_is_what_an_all_knowing_predictor_reaches(population, pattern):
    """A predictor that has learned each conditional from a large sample scores the exact ceiling, and not more."""
    factors, y = population
    seen = sorted({name for modality in PATTERNS[pattern] for name in SEEN_IN[modality]})
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
        assert value == pytest.approx(best(exact, pattern, metric), abs=0.006), metric


def test_more_to_see_is_never_worse():
    exact = ceiling(WEIGHTS)
    for metric in exact["metric"].unique():
        complete, nothing = best(exact, "complete", metric), best(exact, "nothing", metric)
        for pattern in ("vision_missing", "text_missing"):
            ordered = [complete, best(exact, pattern, metric), nothing]
            assert ordered == sorted(ordered, reverse=metric != "mae")


def test_no_text_tells_of_what_only_the_face_shows(population):
    factors, _ = population
    for factor in ("vision_only", "brow"):
        seen = np.stack([factors[name] for name in SEEN_IN["text"]], axis=1)
        fitted = DecisionTreeRegressor().fit(seen[:100_000], factors[factor][:100_000])
        assert abs(fitted.score(seen[100_000:], factors[factor][100_000:])) < 0.01


def test_weights_dial_what_can_be_recovered():
    redundant = Weights(shared=1.0, text_only=0.0, vision_only=0.0, synergy=0.0, noise=0.2)
    unique = Weights(shared=0.0, text_only=1.0, vision_only=1.0, synergy=0.0, noise=0.2)
    synergy = Weights(shared=0.0, text_only=0.0, vision_only=0.0, synergy=1.0, noise=0.2)
    gap = {
        name: best(t := ceiling(w), "vision_missing", "mae") - best(t, "complete", "mae")
        for name, w in [("redundant", redundant), ("unique", unique), ("synergy", synergy)]
    }
    assert gap["redundant"] == pytest.approx(0)
    assert gap["unique"] > 0.4
    assert best(ceiling(synergy), "vision_missing", "corr") == pytest.approx(0)


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
def built(tmp_path_factory, default_raw):
    from trml.config.load import check

    config = check(default_raw).corpus
    config.utterances, config.pretraining_pairs, config.heldout_pairs = Sizes(train=24, valid=8, test=8), 30, 10
    folders = []
    for workers in (1, 2):
        folder = tmp_path_factory.mktemp(f"corpus{workers}")
        pantomime.build(config, folder, folder, "x", workers)
        folders.append(folder)
    return folders


def test_the_same_bytes_with_any_number_of_workers(built):
    one, two = built
    names = sorted(str(p.relative_to(one)) for p in one.rglob("*") if p.is_file())
    assert len([n for n in names if n.endswith(".mp4")]) == 40
    assert names == sorted(str(p.relative_to(two)) for p in two.rglob("*") if p.is_file())
    for name in names:
        assert (one / name).read_bytes() == (two / name).read_bytes(), name


def test_clips_are_real_video_that_shows_what_was_drawn(built):
    info, table = read_corpus(built[0])
    assert info.task == "regression"
    frames = read_frames(Clip(built[0] / table["clip"][0]), 8)
    assert len(frames) == 8
    assert frames[0].size == (64, 64)
    speaker = face.Speaker.draw(np.random.default_rng(0))
    drawn = face.clip(2, 0, 1, speaker, 8, np.random.default_rng(0))
    from trml.sources.formats.video_writer import write_video

    write_video(built[0] / "again.mp4", drawn)
    decoded = np.stack([np.asarray(f) for f in read_frames(Clip(built[0] / "again.mp4"), 8)])
    assert np.abs(decoded.astype(int) - drawn).mean() < 4


def test_no_speaker_and_no_pretraining_stream_is_shared(built):
    _, table = read_corpus(built[0])
    splits = table.group_by("video_id").agg(pl.col("split").n_unique())
    assert (splits["split"] == 1).all()
    pairs = pl.read_parquet(built[0] / "pairs.parquet")
    assert pairs["split"].value_counts().sort("split")["count"].to_list() == [10, 30]
    stills = np.load(built[0] / "pairs.npy", allow_pickle=False)
    assert len(np.unique(stills.reshape(40, -1), axis=0)) == 40
