"""Encoders: open_clip's own models, from weights the tests make; pretraining that works and pretraining that fails."""

import shutil
from dataclasses import replace
from hashlib import sha256

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from helpers.encoding import encoded, small_clip
from trml.base.artifacts import read_json
from trml.base.errors import ContractError, PretrainingFailed, WeightsMissing
from trml.corpora.contract import PAIRS_SCHEMA
from trml.features.contract import read_features, read_media
from trml.features.encoders.common.open_clip import open_clip as plain_open_clip
from trml.features.encoders.common.pairs import pair_table
from trml.features.encoders.open_clip.config import OpenClipEncoder
from trml.features.encoders.open_clip.encoder import load as load_open_clip
from trml.features.encoders.tiny_clip.config import TinyClipEncoder
from trml.features.encoders.tiny_clip.encoder import load, new_tiny_clip, rotation
from trml.features.encoders.tiny_clip.pretrain import load_pairs, pretrain, retrieval
from trml.features.given import take_given
from trml.sources.formats.video_reader import Clip, read_frames

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def tiny(default_raw) -> TinyClipEncoder:
    return small_clip(default_raw, batch_size=50)


@pytest.fixture(scope="module")
def pretrained(tiny, corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder")
    pretrain(tiny, corpus, corpus, folder, 1, CPU)
    return folder


def test_pretraining_is_open_clips_class_and_the_same_bytes_again(tiny, corpus, pretrained, tmp_path):
    assert isinstance(new_tiny_clip(tiny).model, plain_open_clip.CLIP)
    pretrain(tiny, corpus, corpus, tmp_path, 1, CPU)
    for name in ("model.safetensors", "encoder.json"):
        assert (tmp_path / name).read_bytes() == (pretrained / name).read_bytes()
    assert 0 < read_json(pretrained / "encoder.json")["chance"] < 1


def test_pretraining_near_chance_fails_and_says_so(tiny, corpus, tmp_path):
    strict = replace(tiny, pretraining=replace(tiny.pretraining, learning_rate=1e-9, retrieval_bar=0.9))
    with pytest.raises(PretrainingFailed) as failure:
        pretrain(strict, corpus, corpus, tmp_path, 1, CPU)
    for words in ("24 held-out pairs", "chance", "the bar is 90.0%", "retrieval_bar=null lifts the bar"):
        assert words in str(failure.value)
    assert not (tmp_path / "model.safetensors").exists()


def test_retrieval_against_a_plain_loop(tiny, corpus, pretrained):
    clip = load(tiny, pretrained, CPU)
    pairs = load_pairs(corpus, corpus, "heldout", clip)
    hits = 0
    texts = clip.encode_ids(pairs.tokens)
    for i in range(24):
        image = clip.encode_images(pairs.pixels[i : i + 1])[0]
        hits += pairs.group[max(range(24), key=lambda j: float(image @ texts[j]))] == pairs.group[i]
    assert retrieval(clip, pairs)[0] == pytest.approx(hits / 24)


def test_features_are_the_models_own(tiny, corpus, pretrained):
    features = encoded(tiny, corpus, pretrained)
    table = pl.read_parquet(corpus / "utterances.parquet")
    clip = load(tiny, pretrained, CPU)
    vision = features.signals["vision"]
    assert vision.values.shape == (20, 8, 16)
    assert vision.mask.all()
    for row in (0, 7, 19):
        with torch.no_grad():
            text = clip.model.encode_text(clip.tokenize([table["text"][row]]), normalize=True)[0]
            pixels = torch.stack([clip.transform(f) for f in read_frames(Clip(corpus / table["clip"][row]), 8)])
            frames = clip.model.encode_image(pixels, normalize=True)
        np.testing.assert_allclose(features.signals["text"].values[row, 0], text, atol=1e-5)
        np.testing.assert_allclose(vision.values[row], frames, atol=1e-5)


def test_tokens_are_the_texts_own_up_to_the_end_that_is_pooled(tiny, corpus, pretrained):
    features = encoded(tiny, corpus, pretrained)
    table = pl.read_parquet(corpus / "utterances.parquet")
    clip = load(tiny, pretrained, CPU)
    ids = clip.tokenize(table["text"].to_list())
    ends = ids.argmax(dim=1).numpy()
    tokens, mask = features.tokens["text"]
    assert tokens.shape == (20, ends.max() + 1, 16)
    assert (mask == (np.arange(ends.max() + 1) <= ends[:, None])).all()
    np.testing.assert_array_equal(tokens[np.arange(20), ends], features.signals["text"].values[:, 0])
    np.testing.assert_allclose(np.linalg.norm(tokens[mask], axis=1), 1, rtol=1e-5)
    assert not tokens[~mask].any()


def test_padding_never_changes_a_token(tiny, pretrained):
    clip = load(tiny, pretrained, CPU)
    alone = clip.encode_sentences(["so the plot was dull"])
    beside = clip.encode_sentences(["so the plot was dull", "oh sure well the garden was dull and a rip off"])
    length = alone.tokens.mask.shape[1]
    torch.testing.assert_close(beside.tokens.values[:1, :length], alone.tokens.values)
    assert not beside.tokens.mask[0, length:].any()
    # Nor would other numbers in the place of the padding: no token sees what comes after it.
    ids = clip.tokenize(["so the plot was dull"])
    ids[:, length:] = 7
    torch.testing.assert_close(clip.every_token(ids)[:, :length], alone.tokens.values)


def test_a_text_tower_of_another_making_gives_no_tokens(tiny, corpus, pretrained, monkeypatch):
    clip = load(tiny, pretrained, CPU)
    with_tokens = clip.encode_sentences(["a face"])
    monkeypatch.setattr("trml.features.encoders.common.clip.open_clip.CLIP", plain_open_clip.CustomTextCLIP)
    without = clip.encode_sentences(["a face"])
    assert without.tokens is None
    torch.testing.assert_close(without.pooled.values, with_tokens.pooled.values)


def test_what_is_missing_for_real_is_missing_in_the_features(tiny, corpus, pretrained, tmp_path):
    folder = tmp_path / "corpus"
    shutil.copytree(corpus, folder)
    table = pl.read_parquet(folder / "utterances.parquet")
    changed = table.with_columns(
        text=pl.when(pl.int_range(pl.len()) == 0).then(pl.lit("")).otherwise("text"),
        clip=pl.when(pl.int_range(pl.len()) == 1).then(None).otherwise("clip"),
    )
    changed.write_parquet(folder / "utterances.parquet")
    features = encoded(tiny, folder, pretrained)
    text, vision = features.signals["text"], features.signals["vision"]
    assert text.mask[:3, 0].tolist() == [False, True, True]
    assert vision.mask[:3].any(axis=1).tolist() == [True, False, True]
    assert not text.values[0].any()
    assert not features.tokens["text"].mask[0].any()
    assert not vision.values[1].any()


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Random weights of a real model, in a file as a user would bring it."""
    torch.manual_seed(0)
    model = plain_open_clip.create_model("RN50", precision="fp32")
    path = tmp_path_factory.mktemp("weights") / "rn50.safetensors"
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, path)
    return path


def test_a_named_model_from_a_local_checkpoint(checkpoint):
    config = OpenClipEncoder("open_clip", "rn50", "RN50", None, str(checkpoint), 2, None, 4)
    clip = load_open_clip(config, None, CPU)
    model, _, transform = plain_open_clip.create_model_and_transforms("RN50", pretrained=str(checkpoint))
    picture = Image.effect_mandelbrot((300, 200), (-2, -1, 1, 1), 50).convert("RGB")
    ours = clip.encode_images(clip.transform(picture)[None])
    with torch.no_grad():
        theirs = model.eval().encode_image(transform(picture)[None], normalize=True)
        text = model.encode_text(plain_open_clip.get_tokenizer("RN50")(["a face"]), normalize=True)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(clip.encode_sentences(["a face"]).pooled.values[:, 0], text)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "ViT-B-23"}, ["no model 'ViT-B-23'", "ViT-B-32"]),
        ({"tag": "laion3b"}, ["no tag 'laion3b' of ViT-B-32", "laion2b_s34b_b79k"]),
        (
            {"tag": None, "checkpoint": "nowhere/w.pt"},
            ["nowhere/w.pt is not a file", "encoder.checkpoint=<file>"],
        ),
    ],
)
def test_weights_that_cannot_be_had(changes, words):
    config = OpenClipEncoder("open_clip", "clip", "ViT-B-32", "laion2b_s34b_b79k", None, 8, None, 4)
    with pytest.raises(WeightsMissing) as refusal:
        load_open_clip(replace(config, **changes), None, CPU)
    for word in words:
        assert word in str(refusal.value)


def test_weights_that_cannot_be_downloaded(monkeypatch, tmp_path):
    def no_network(*arguments, **options):
        raise OSError("no route to host")

    monkeypatch.setattr(plain_open_clip, "create_model_from_pretrained", no_network)
    config = OpenClipEncoder("open_clip", "clip", "ViT-B-32", "laion2b_s34b_b79k", None, 8, None, 4)
    with pytest.raises(WeightsMissing) as refusal:
        load_open_clip(config, None, CPU)
    for words in ("ViT-B-32", "laion2b_s34b_b79k", "not in the cache", "no route to host", "encoder.checkpoint=<file>"):
        assert words in str(refusal.value)


def test_a_file_that_holds_other_weights(tmp_path):
    save_file({"weight": torch.zeros(2)}, tmp_path / "other.safetensors")
    config = OpenClipEncoder("open_clip", "clip", "RN50", None, str(tmp_path / "other.safetensors"), 8, None, 4)
    with pytest.raises(WeightsMissing, match="does not hold weights of RN50"):
        load_open_clip(config, None, CPU)


def test_pairs_may_be_files(tiny, corpus, tmp_path):
    for name in ("corpus.json", "utterances.parquet"):
        shutil.copy(corpus / name, tmp_path)
    Image.new("RGB", (90, 40), "red").save(tmp_path / "a.jpg")
    rows = {"text": ["a", "b"], "image": ["a.jpg", "a.jpg"], "group": [0, 1], "split": ["train", "heldout"]}
    pl.DataFrame(rows, schema=PAIRS_SCHEMA).write_parquet(tmp_path / "pairs.parquet")
    pairs = load_pairs(tmp_path, tmp_path, "train", new_tiny_clip(tiny))
    assert pairs.pixels.shape == (1, 3, 64, 64)


def test_a_corpus_without_pairs_gives_its_own_utterances_but_those_of_test(tiny, corpus, tmp_path):
    folder = tmp_path / "corpus"
    shutil.copytree(corpus, folder)
    (folder / "pairs.parquet").unlink()
    table = pl.read_parquet(folder / "utterances.parquet")
    seen = pl.concat([pair_table(folder, "train"), pair_table(folder, "heldout")])
    assert set(seen["image"]) == set(table.filter(pl.col("split") != "test")["clip"])
    assert seen["group"].to_list() == table.filter(pl.col("split") != "test")["label"].sign().to_list()
    here = pl.int_range(pl.len())
    table = table.with_columns(
        clip=pl.when(here == 0).then(None).when(here == 1).then(pl.lit("absent.mp4")).otherwise("clip"),
        text=pl.when(here == 2).then(pl.lit("")).otherwise("text"),
    )
    table.write_parquet(folder / "utterances.parquet")
    assert load_pairs(folder, tmp_path, "train", new_tiny_clip(tiny)).pixels.shape[0] == 12 - 3
    table.with_columns(clip=pl.lit(None, dtype=pl.String)).write_parquet(folder / "utterances.parquet")
    with pytest.raises(ContractError, match=r"no train utterance has both.*encoder=tiny_separate"):
        load_pairs(folder, tmp_path, "train", new_tiny_clip(tiny))


def test_given_features_are_taken_as_they_are(tmp_path):
    from trml.corpora.contract import CorpusInfo, write_corpus

    rng = np.random.default_rng(0)
    arrays = {
        "text": rng.normal(size=(4, 1, 5)).astype(np.float32),
        "vision": rng.normal(size=(4, 2, 7)).astype(np.float32),
        "audio": rng.normal(size=(4, 3, 2)).astype(np.float32),
    }
    masks = {name: np.ones(array.shape[:2], dtype=bool) for name, array in arrays.items()}
    masks["audio"][0] = False
    for mask in masks.values():
        mask[3] = False  # the last utterance has nothing, and is left out
    (tmp_path / "given").mkdir()
    for name, array in arrays.items():
        np.save(tmp_path / "given" / f"{name}.npy", array)
        np.save(tmp_path / "given" / f"{name}_mask.npy", masks[name])
    ids = ["a", "b", "c", "d"]
    columns = {name: ids for name in ("utterance_id", "video_id", "text", "clip")}
    columns |= {"split": ["train", "valid", "test", "test"]}
    columns |= {"start_s": [0.0] * 4, "end_s": [1.0] * 4, "label": [0.0] * 4}
    info = CorpusInfo("m", "m", "regression", [], "", "", "given", [], "x", modalities=list(arrays))
    write_corpus(tmp_path, info, pl.DataFrame(columns))
    folder = tmp_path / "features"
    folder.mkdir()
    take_given(tmp_path, folder, "x")
    features = read_features(folder)
    assert not features.info.aligned
    assert not features.tokens and list(features.signals) == ["text", "vision", "audio"]
    for name, array in arrays.items():
        assert (features.signals[name].values == array[:3]).all()
        assert (features.signals[name].mask == masks[name][:3]).all()
    media = read_media(folder)
    assert media["frames"].to_list() == [2, 2, 2, 0]
    assert media["hash"][0] == sha256(arrays["vision"][0].tobytes()).hexdigest() and media["hash"][3] is None


def test_tokens_end_in_the_feature_and_padding_moves_none(tiny, pretrained):
    clip = load(tiny, pretrained, CPU)
    texts = ["the coffee was good", "honestly um the show was terrible and so cheap", "oh"]
    encoded_texts = clip.encode_sentences(texts)
    pooled, (tokens, mask) = encoded_texts.pooled.values[:, 0], encoded_texts.tokens
    torch.testing.assert_close(pooled, clip.encode_ids(clip.tokenize(texts)))
    assert tokens.shape[:2] == mask.shape
    for i, text in enumerate(texts):
        n = int(mask[i].sum())
        assert n == len(text.split()) + 2  # the words, all known whole, between start and end
        torch.testing.assert_close(tokens[i, n - 1], pooled[i])
        alone = clip.encode_sentences([text])
        torch.testing.assert_close(alone.tokens.values[0], tokens[i, :n], atol=1e-5, rtol=1e-4)
        assert not tokens[i, n:].any()


def test_a_rotation_turns_what_standardising_leaves():
    """Of 1,000 standardised vectors every product stays, no vector does, and each is still standardised."""
    rng = np.random.default_rng(0)
    turn = rotation(64, rng)
    x = rng.normal(size=(1000, 64))
    x = (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)
    turned = x @ turn
    np.testing.assert_allclose(turned @ turned.T, x @ x.T, atol=1e-9)
    np.testing.assert_allclose(turned.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(turned.std(axis=1), 1)
    assert np.abs(np.einsum("nd,nd->n", x, turned) / 64).max() < 0.7
