"""Parts of encoders: hashes of frames, vocabularies, and the target of the picture autoencoder."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import yaml

from conftest import ROOT
from trml.base.errors import ConfigError, WeightsMissing
from trml.config.load import check
from trml.features.chunk import frame_hash
from trml.features.encoders.common.open_clip import open_clip
from trml.features.encoders.common.vocabulary import check_vocabulary
from trml.features.encoders.tiny_separate.pretrain import make_tokenizer, without_own_contrast


@pytest.fixture
def raw_tiny():
    return yaml.safe_load((ROOT / "config/encoder/tiny_separate.yaml").read_text())


def test_the_hash_knows_a_picture_at_another_size():
    rng = np.random.default_rng(0)
    small = torch.from_numpy(rng.normal(size=(3, 32, 34)).astype(np.float32))
    large = small.repeat_interleave(4, dim=1).repeat_interleave(4, dim=2)
    other = torch.from_numpy(rng.normal(size=(3, 32, 34)).astype(np.float32))
    assert frame_hash(small) == frame_hash(large) != frame_hash(other)
    assert len(frame_hash(small)) == 64


def test_a_nearly_empty_tokenizer_is_refused():
    class Empty:
        vocab_size = 5

    with pytest.raises(WeightsMissing, match="its tokenizer knows 5 tokens"):
        check_vocabulary(Empty(), "made")
    check_vocabulary(open_clip.get_tokenizer("RN50"), "made")


def test_unseen_words_are_spelt(raw, raw_tiny):
    config = check({**raw, "encoder": raw_tiny}).encoder.text
    tokenizer = make_tokenizer(["a good film", "a good plot"], config)
    assert tokenizer.tokenize("A GOOD dog!") == ["a", "good", "d", "##o", "##g", "!"]
    assert tokenizer("dog")["input_ids"][0] == tokenizer.cls_token_id
    small = make_tokenizer([f"word{i}" for i in range(999)], replace(config, vocab_size=256))
    assert len(small) == 256


def test_a_windows_own_colour_and_contrast_are_taken_out():
    drawing = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    ours = without_own_contrast(drawing, 8)
    torch.testing.assert_close(ours, without_own_contrast(drawing + 0.3, 8), atol=1e-4, rtol=0)
    assert without_own_contrast(torch.full((1, 3, 16, 16), 0.7), 8).abs().max() < 1e-4
    corner = drawing[0, :, 8:, :8]
    centred = corner - corner.mean(dim=(1, 2), keepdim=True)
    torch.testing.assert_close(ours[0, :, 8:, :8], centred / (centred.std() + 0.05))


def test_a_window_has_to_fit(raw, raw_tiny):
    raw["encoder"] = raw_tiny
    raw["encoder"]["pretraining"]["vision"]["window"] = 5
    with pytest.raises(ConfigError, match=r"encoder.pretraining.vision: rebuilt_size 32 is no multiple of window 5"):
        check(raw)
