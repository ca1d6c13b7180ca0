"""Encoders of separate spaces: any two models of transformers, and a small pair that the workflow trains apart."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image

from trml.config import SeparateEncoder, Sizes, TinySeparateEncoder, check
from trml.corpora import pantomime
from trml.encoders.encode import encode
from trml.encoders.pretrain_separate import _normalised, pretrain_separate
from trml.encoders.separate import load_separate, load_tiny_separate
from trml.errors import WeightsMissing
from trml.features import check_features
from trml.store import read_json

CPU = torch.device("cpu")
TINY = TinySeparateEncoder(
    kind="tiny_separate",
    name="tiny_separate",
    width=16,
    layers=1,
    heads=2,
    image_size=64,
    patch_size=16,
    text_epochs=8,
    vision_epochs=1,
    learning_rate=0.003,
    frames=4,
    batch_size=10,
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, default_raw):
    config = check(default_raw).corpus
    config = replace(config, utterances=Sizes(train=12, valid=4, test=4), pretraining_pairs=64, heldout_pairs=24)
    folder = tmp_path_factory.mktemp("corpus")
    pantomime.build(config, folder, folder, "x", 1)
    return folder


@pytest.fixture(scope="module")
def pretrained(corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder")
    pretrain_separate(TINY, corpus, folder, 1, CPU)
    return folder


def test_the_pair_is_trained_apart_and_comes_out_the_same_again(corpus, pretrained, tmp_path):
    pretrain_separate(TINY, corpus, tmp_path, 1, CPU)
    for name in ("text/model.safetensors", "vision/model.safetensors", "vocabulary.json", "encoder.json"):
        assert (tmp_path / name).read_bytes() == (pretrained / name).read_bytes()
    losses = read_json(pretrained / "encoder.json")["loss_by_epoch"]
    assert losses["text"][-1] < losses["text"][0]


def test_features_hold_to_the_contract_and_say_that_they_are_not_aligned(corpus, pretrained):
    features = encode(TINY, corpus, pretrained, "digest", CPU)
    check_features(features, pretrained)
    assert not features.info.aligned
    assert "trained apart" in features.info.weights
    assert features.text.shape == (20, 16)
    assert features.frames.shape == (20, 4, 16)
    assert features.tokens is not None and features.token_mask is not None
    counted = features.token_mask.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(features.tokens.sum(axis=1) / counted, features.text, atol=1e-5)


def test_padding_moves_no_feature(corpus, pretrained):
    texts = pl.read_parquet(corpus / "utterances.parquet")["text"].to_list()[:6]
    pair = load_tiny_separate(TINY, pretrained)
    together = pair.encode_sentences([*texts, " ".join(texts)], CPU).pooled
    for i, text in enumerate(texts):
        torch.testing.assert_close(together[i], pair.encode_sentences([text], CPU).pooled[0], atol=1e-5, rtol=1e-4)


def test_what_is_rebuilt_has_every_patch_at_one_scale():
    pictures = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    patch = _normalised(pictures)[1, :, 8:, :8]
    torch.testing.assert_close(patch.mean(dim=(1, 2)), torch.zeros(3), atol=1e-5, rtol=0)
    assert patch.square().mean().sqrt() == pytest.approx(1.0, abs=0.15)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A text and a picture model as a user may bring them: folders with weights, vocabulary and settings."""
    from transformers import BertConfig, BertModel, BertTokenizer, ViTConfig, ViTImageProcessor, ViTModel

    folder = tmp_path_factory.mktemp("brought")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"word{i}" for i in range(1200)), "face", "a"]
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    BertModel(BertConfig(vocab_size=len(words), **sizes)).save_pretrained(folder / "text")
    BertTokenizer(vocab={word: i for i, word in enumerate(words)}).save_pretrained(folder / "text")
    wider = {**sizes, "hidden_size": 24}
    ViTModel(ViTConfig(image_size=32, patch_size=16, **wider)).save_pretrained(folder / "vision")
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder / "vision")
    return folder


def brought(folders, **moved) -> SeparateEncoder:
    about = {"text": str(folders / "text"), "vision": str(folders / "vision"), **moved}
    return SeparateEncoder(kind="separate", name="separate", frames=3, batch_size=7, **about)


def test_two_models_by_folder_equal_transformers_own(folders):
    from transformers import BertModel, ViTModel

    pair = load_separate(brought(folders))
    ids, mask = pair.tokenize(["a face", "word3"])
    with torch.no_grad():
        states = BertModel.from_pretrained(folders / "text")(input_ids=ids, attention_mask=mask).last_hidden_state
        picture = pair.transform(Image.new("RGB", (50, 40), (10, 200, 30)))
        seen = ViTModel.from_pretrained(folders / "vision")(pixel_values=picture[None]).last_hidden_state
    theirs = torch.stack([states[0, : mask[0].sum()].mean(dim=0), states[1, : mask[1].sum()].mean(dim=0)])
    torch.testing.assert_close(pair.encode_sentences(["a face", "word3"], CPU).pooled, theirs)
    torch.testing.assert_close(pair.encode_images(picture[None], CPU), seen[:, 0])


def test_spaces_of_different_sizes_go_through(corpus, folders):
    features = encode(brought(folders), corpus, None, "digest", CPU)
    check_features(features, folders)
    assert (features.text.shape[1], features.frames.shape[2]) == (16, 24)


@pytest.mark.parametrize("part", ["text", "vision"])
def test_absent_models_are_named(folders, part, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsMissing) as failure:
        load_separate(brought(folders, **{part: "nobody/nothing"}))
    for words in (f"{part} 'nobody/nothing' cannot be had", f"set encoder.{part}=<folder>"):
        assert words in str(failure.value)
