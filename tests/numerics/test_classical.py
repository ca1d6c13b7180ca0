"""The encoder without weights: fitted on training data alone, the same bytes again, and against plain computations."""

import shutil
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from helpers.encoding import encoded
from trml.base.artifacts import read_json
from trml.base.errors import ContractError
from trml.features.encoders.classical.config import ClassicalEncoder
from trml.features.encoders.classical.encoder import Classical, colour_columns, describe, load, new_terms
from trml.features.encoders.classical.pretrain import pretrain
from trml.features.encoders.common.pairs import pair_table, pictures

CPU = torch.device("cpu")
SMALL = ClassicalEncoder("classical", "classical", 8, 2, 2, 6, frames=2, frames_per_second=None, batch_size=5)


@pytest.fixture(scope="module")
def fitted(corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder")
    pretrain(SMALL, corpus, corpus, folder, 1, CPU)
    return folder


@pytest.fixture
def own(corpus, tmp_path):
    """A copy of the corpus without pairs: its own utterances are fitted on."""
    folder = shutil.copytree(corpus, tmp_path / "corpus")
    (folder / "pairs.parquet").unlink()
    return folder


def fit(corpus, folder, config=SMALL):
    folder.mkdir()
    pretrain(config, corpus, corpus, folder, 1, CPU)
    return folder


def table_of(folder) -> pl.DataFrame:
    return pl.read_parquet(folder / "utterances.parquet")


def test_fitting_gives_the_same_bytes_again(corpus, fitted, tmp_path):
    again = fit(corpus, tmp_path / "again")
    files = sorted(path.name for path in fitted.iterdir())
    assert files == ["encoder.json", "model.safetensors", "vocabulary.json"]
    for name in files:
        assert (again / name).read_bytes() == (fitted / name).read_bytes(), name


def test_texts_against_scikit_learn(corpus, fitted):
    texts = pair_table(corpus, "train")["text"].to_list()
    terms = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=r"(?u)\w+|[^\w\s]")
    counted = terms.fit_transform(texts)
    assert read_json(fitted / "vocabulary.json") == list(terms.get_feature_names_out())
    exact = TruncatedSVD(8, algorithm="arpack", random_state=0).fit(counted)
    ours = load(SMALL, fitted, CPU).encode("text", texts).pooled.values[:, 0].numpy()
    theirs = exact.transform(counted)
    np.testing.assert_allclose(np.abs((ours * theirs).sum(axis=0)), (theirs**2).sum(axis=0), rtol=1e-3)


def test_punctuation_is_a_term():
    assert new_terms(SMALL).build_analyzer()("Great! \U0001f600") == [
        "great",
        "!",
        "\U0001f600",
        "great !",
        "! \U0001f600",
    ]


def test_pictures_against_scikit_learn(corpus, fitted):
    encoder = load(SMALL, fitted, CPU)
    pixels = torch.stack(
        [encoder.transform(p) for _, p in pictures(corpus, corpus, pair_table(corpus, "train")["image"])]
    )
    described = describe(pixels)
    standard = (described - described.mean(axis=0)) / np.maximum(described.std(axis=0), 1e-4)
    colours = colour_columns()
    blocks = standard[:, :-colours] / np.sqrt(described.shape[1] - colours), standard[:, -colours:] / np.sqrt(colours)
    theirs = PCA(6, svd_solver="full").fit_transform(np.hstack(blocks))
    ours = encoder.encode("vision", list(pixels)).pooled.values[:, 0].numpy()
    np.testing.assert_allclose(np.abs((ours * theirs).sum(axis=0)), (theirs**2).sum(axis=0), rtol=1e-2)


def test_a_description_has_gradients_and_colours():
    encoder = Classical(None, {})
    flat = describe(encoder.transform(Image.new("RGB", (90, 40), "red"))[None])
    assert flat.shape == (1, 1764 + colour_columns())
    assert not flat[0, :1764].any()
    np.testing.assert_allclose(flat[0, -96:-48].reshape(16, 3), np.tile([53.24, 80.09, 67.2], (16, 1)), atol=0.05)
    np.testing.assert_allclose(flat[0, -48:], 0, atol=1e-3)


def test_features_have_the_configured_widths_and_do_not_depend_on_the_shard(corpus, fitted, tmp_path):
    features = encoded(SMALL, corpus, fitted)
    assert not features.info.aligned and features.info.retrieval is None and not features.tokens
    assert "64 texts and 64 pictures of pantomime" in features.info.weights
    assert features.signals["text"].values.shape == (20, 1, 8)
    assert features.signals["vision"].values.shape == (20, 2, 6)
    again = encoded(SMALL, corpus, fitted)
    np.testing.assert_array_equal(features.signals["text"].values, again.signals["text"].values)
    alone = load(SMALL, fitted, CPU).encode("text", [table_of(corpus)["text"][7]])
    np.testing.assert_array_equal(features.signals["text"].values[7], alone.pooled.values[0])


def test_only_training_utterances_are_fitted_on(own, tmp_path):
    before = fit(own, tmp_path / "before")
    training = pl.col("split") == "train"
    other = table_of(own).with_columns(
        text=pl.when(training).then("text").otherwise(pl.lit("other words, all of them")),
        clip=pl.when(training).then("clip").otherwise(pl.lit("absent.mp4")),
    )
    other.write_parquet(own / "utterances.parquet")
    after = fit(own, tmp_path / "after")
    for path in before.iterdir():
        assert path.read_bytes() == (after / path.name).read_bytes(), path.name


def test_small_corpora_have_narrower_vectors(own, tmp_path):
    wide = replace(SMALL, text_dimensions=256, vision_dimensions=64)
    folder = fit(own, tmp_path / "f", wide)
    assert read_json(folder / "encoder.json")["dimensions"] == {"text": 12, "vision": 12}
    assert encoded(wide, own, folder).signals["vision"].values.shape == (20, 2, 12)


def test_a_modality_without_training_data_is_encoded_as_zeros(own, tmp_path):
    table = table_of(own)
    no_text = table.with_columns(text=pl.when(pl.col("split") == "train").then(pl.lit("")).otherwise("text"))
    no_text.write_parquet(own / "utterances.parquet")
    features = encoded(SMALL, own, fit(own, tmp_path / "text"))
    assert features.signals["text"].values.shape == (20, 1, 1) and not features.signals["text"].values.any()
    no_clip = table.with_columns(clip=pl.when(pl.col("split") == "train").then(None).otherwise("clip"))
    no_clip.write_parquet(own / "utterances.parquet")
    features = encoded(SMALL, own, fit(own, tmp_path / "clip"))
    assert not features.signals["vision"].values.any() and features.signals["vision"].mask.any()


def test_nothing_to_fit_on_is_an_error(own, tmp_path):
    table_of(own).with_columns(text=pl.lit(""), clip=pl.lit(None, dtype=pl.String)).write_parquet(
        own / "utterances.parquet"
    )
    with pytest.raises(ContractError, match="no train utterance has a text or a readable picture"):
        fit(own, tmp_path / "f")


def test_too_rare_terms_are_an_error_with_the_option_to_set(own, tmp_path):
    with pytest.raises(ContractError, match=r"fewer than 2 terms occur in 99 of 12 train texts. Set encoder.min_df=1"):
        fit(own, tmp_path / "f", replace(SMALL, min_df=99))


def test_texts_of_any_length_are_read_whole(fitted):
    encoder = load(SMALL, fitted, CPU)
    assert encoder.count_cut(["good " * 9999]) == [0]
    long, short = encoder.encode("text", ["oh sure " + "good " * 9999, "oh sure"]).pooled.values[:, 0]
    assert not torch.equal(long, short)
