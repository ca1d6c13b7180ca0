"""Encoders of unaligned spaces: models of transformers from folders, and the pair that the workflow pretrains."""

import shutil
from dataclasses import replace

import huggingface_hub.constants
import numpy as np
import polars as pl
import pytest
import torch
import yaml
from PIL import Image
from safetensors.torch import load_file, save_file

from conftest import ROOT
from helpers.encoding import encoded
from helpers.synthetic_features import SETTINGS, synthetic_features
from helpers.synthetic_training import cell
from trml.base.artifacts import read_json
from trml.base.errors import WeightsMissing
from trml.config.load import check
from trml.features.contract import check_features
from trml.features.encoders.common.separate import mean_state
from trml.features.encoders.common.transformers import AutoModel, AutoTokenizer
from trml.features.encoders.separate.config import SeparateEncoder
from trml.features.encoders.separate.encoder import load as load_separate
from trml.features.encoders.tiny_separate.config import TinySeparateEncoder
from trml.features.encoders.tiny_separate.encoder import load
from trml.features.encoders.tiny_separate.pretrain import pretrain
from trml.planning.plan import plans
from trml.training.trainer import train

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def raw_tiny():
    return yaml.safe_load((ROOT / "config/encoder/tiny_separate.yaml").read_text())


@pytest.fixture(scope="module")
def tiny(default_raw, raw_tiny) -> TinySeparateEncoder:
    config = check({**default_raw, "encoder": raw_tiny}).encoder
    text, vision = config.pretraining.text, config.pretraining.vision
    return replace(
        config,
        text=replace(config.text, width=16, layers=1, heads=2),
        vision=replace(config.vision, width=24, layers=1, head_width=12),
        pretraining=replace(
            config.pretraining,
            text=replace(text, epochs=2, batch_size=16),
            vision=replace(vision, epochs=2, batch_size=16),
        ),
        batch_size=5,
    )


@pytest.fixture(scope="module")
def pretrained(tiny, corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder")
    pretrain(tiny, corpus, corpus, folder, 1, CPU)
    return folder


def of(folder, **changed) -> SeparateEncoder:
    sources = {"text": str(folder / "text"), "vision": str(folder / "vision"), **changed}
    return SeparateEncoder("separate", "made", **sources, frames=8, frames_per_second=None, batch_size=7)


def test_pretraining_gives_the_same_bytes_again(tiny, corpus, pretrained, tmp_path):
    pretrain(tiny, corpus, corpus, tmp_path, 1, CPU)
    files = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert {"text/model.safetensors", "vision/model.safetensors", "encoder.json"} < {str(path) for path in files}
    for path in files:
        assert (tmp_path / path).read_bytes() == (pretrained / path).read_bytes(), path


def test_a_corpus_of_texts_alone_pretrains_the_text_model(tiny, corpus, tmp_path):
    for name in ("corpus.json", "utterances.parquet"):
        shutil.copy(corpus / name, tmp_path)
    table = pl.read_parquet(tmp_path / "utterances.parquet").with_columns(clip=pl.lit(None, dtype=pl.String))
    table.write_parquet(tmp_path / "utterances.parquet")
    (tmp_path / "encoder").mkdir()
    pretrain(tiny, tmp_path, tmp_path, tmp_path / "encoder", 1, CPU)
    record = read_json(tmp_path / "encoder" / "encoder.json")
    assert "12 sentences and 0 pictures" in record["how"] and record["loss_by_epoch"]["vision"] == []
    features = encoded(tiny, tmp_path, tmp_path / "encoder")
    assert features.signals["text"].mask.all() and not features.signals["vision"].mask.any()


def test_both_models_learn_and_the_record_says_how(pretrained):
    record = read_json(pretrained / "encoder.json")
    for losses in record["loss_by_epoch"].values():
        assert losses[-1] < losses[0]
    assert "apart" in record["how"] and "retrieval" not in record


def test_features_are_the_models_own_and_unaligned(tiny, corpus, pretrained):
    features = encoded(tiny, corpus, pretrained)
    check_features(features, corpus)
    assert not features.info.aligned and features.info.retrieval is None
    assert features.info.weights.endswith("of pantomime")
    text_view, (tokens, mask) = features.signals["text"].values[:, 0], features.tokens["text"]
    assert text_view.shape == (20, 16) and features.signals["vision"].values.shape == (20, 8, 24)
    table = pl.read_parquet(corpus / "utterances.parquet")
    text, tokenizer = (kind.from_pretrained(pretrained / "text") for kind in (AutoModel, AutoTokenizer))
    for row in (0, 19):
        inputs = tokenizer(table["text"][row], return_tensors="pt")
        with torch.no_grad():
            (states,) = text(**inputs).last_hidden_state
        length = mask[row].sum()
        assert length == len(states)
        # Alone there is no padding: so padding changes no token.
        np.testing.assert_allclose(tokens[row, :length], states, atol=1e-5)
        assert not tokens[row, length:].any()
        np.testing.assert_allclose(text_view[row], states.mean(dim=0), atol=1e-5)
    assert mask.any(axis=0).all()  # no longer than the longest text


def test_a_pair_from_two_folders_is_the_pair_that_was_saved(tiny, corpus, pretrained):
    ours, theirs = (encoded(c, corpus, pretrained) for c in (tiny, of(pretrained)))
    np.testing.assert_allclose(ours.tokens["text"].values, theirs.tokens["text"].values, atol=1e-5)
    np.testing.assert_allclose(ours.signals["vision"].values, theirs.signals["vision"].values, atol=1e-5)
    assert not theirs.info.aligned and str(pretrained / "text") in theirs.info.weights


def test_pictures_of_any_size_and_networks_of_any_kind(tiny, pretrained):
    pair = load(tiny, pretrained, CPU)
    pixels = pair.transform(Image.new("RGB", (90, 40), "red"))
    assert pixels.shape == (3, 64, 64)
    assert pair.encode_images(pixels[None]).shape == (1, 24)
    grid = torch.randn(2, 5, 3, 3)
    torch.testing.assert_close(mean_state(grid), mean_state(grid.flatten(2).transpose(1, 2)))


def test_a_text_longer_than_the_model_reads_is_cut(tiny, pretrained):
    sentences = load(tiny, pretrained, CPU).encode_sentences(["good " * 300, "good"])
    assert sentences.tokens.mask.sum(dim=1).tolist() == [77, 3]


@pytest.mark.parametrize("method", ["trml", "zero_fill", "supervised_double"])
def test_methods_take_spaces_of_different_sizes(params, method):
    features, wide = synthetic_features(n=30), synthetic_features(n=30, d=12)
    features = replace(features, signals={**features.signals, "vision": wide.signals["vision"]})
    outcomes = []
    settings = replace(SETTINGS, epochs=1)
    train([cell(params, method, "vision", 0.5)], features, settings, CPU, outcomes.extend)
    assert len(outcomes) == 1 and outcomes[0][1].failed is None


# --- models that the user provides ------------------------------------------------------------------------


def test_models_that_cannot_be_had(pretrained, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    for part in ("text", "vision"):
        with pytest.raises(WeightsMissing) as refusal:
            load_separate(of(pretrained, **{part: "nobody/none"}), None, CPU)
        for words in (f"the {part} model nobody/none", "not in the cache", f"set encoder.{part}=<folder>"):
            assert words in str(refusal.value)


def test_a_folder_that_holds_no_model(pretrained, tmp_path):
    with pytest.raises(WeightsMissing, match=r"does not hold a vision model .* preprocessor_config\.json"):
        load_separate(of(pretrained, vision=str(tmp_path)), None, CPU)


def test_weights_that_transformers_would_draw_at_random(pretrained, tmp_path):
    folder = shutil.copytree(pretrained / "text", tmp_path / "text")
    weights = load_file(folder / "model.safetensors")
    lost = next(name for name in weights if "attention" in name)
    save_file({k: v for k, v in weights.items() if k != lost}, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(WeightsMissing, match="lacks 1 weights of its text model"):
        load_separate(of(pretrained, text=str(folder)), None, CPU)


def test_the_tokenizer_that_transformers_makes_up_is_refused(pretrained, tmp_path):
    folder = shutil.copytree(pretrained / "text", tmp_path / "text")
    for path in folder.glob("token*"):
        path.unlink()
    with pytest.raises(WeightsMissing, match="its tokenizer knows 5 tokens"):
        load_separate(of(pretrained, text=str(folder)), None, CPU)


def test_brought_weights_are_in_the_recipe(raw, pretrained, tmp_path):
    folder = shutil.copytree(pretrained, tmp_path / "pair")
    encoder = {"kind": "separate", "name": "made", "frames": 8, "frames_per_second": None, "batch_size": 7}
    raw["encoder"] = encoder | {"text": str(folder / "text"), "vision": str(folder / "vision")}
    name = plans(check(raw))[0].features.name
    (folder / "vision/config.json").write_text("{}")
    changed = plans(check(raw))[0]
    assert changed.features.name != name and changed.encoder is None
