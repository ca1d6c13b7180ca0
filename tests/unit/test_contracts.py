"""The files between stages: what is wrong with a bad one is said in words; folders are whole or absent."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from conftest import made_features
from trml.base.artifacts import new_folder, read_json
from trml.base.digests import digest, file_digest
from trml.base.errors import ContractError, StoreError
from trml.corpora.contract import CorpusInfo, read_corpus, write_corpus
from trml.features.contract import read_features
from trml.features.writer import write_features

INFO = CorpusInfo("made", "made", "regression", [], "a test", "none", "files", [], "x")


def table(**changed):
    columns = {
        "utterance_id": ["a", "b", "c"],
        "video_id": ["a", "b", "c"],
        "split": ["train", "valid", "test"],
        "text": ["x", "", "z"],
        "clip": ["m/a.mp4", "m/b.mp4", None],
        "start_s": [0.0, 0, 0],
        "end_s": [1.0, 1, 1],
        "label": [-3.0, 0, 3],
    }
    return pl.DataFrame({**columns, **changed})


def test_corpus_goes_round(tmp_path):
    write_corpus(tmp_path, INFO, table())
    info, read = read_corpus(tmp_path)
    assert info == INFO
    assert read["label"].dtype == pl.Float32
    assert read["clip"].null_count() == 1


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"utterance_id": ["a", "a", "c"]}, "utterance_id is not unique"),
        ({"split": ["train", "dev", "test"]}, "split has ['dev']"),
        ({"split": ["train", "train", "test"]}, "split valid is empty"),
        ({"label": [0.0, 4.0, 0.0]}, "labels reach from 0.0 to 4.0; expected -3 to 3"),
        ({"text": ["x", None, "z"]}, "column text has 1 nulls"),
        ({"text": [1, 2, 3]}, "column text is Int64; expected String"),
    ],
)
def test_bad_corpus_in_words(tmp_path, changed, words):
    with pytest.raises(ContractError) as refusal:
        write_corpus(tmp_path, INFO, table(**changed))
    assert words in str(refusal.value)
    assert not (tmp_path / "utterances.parquet").exists()


def test_features_go_round_memory_mapped(tmp_path):
    write_features(tmp_path, made_features())
    read = read_features(tmp_path)
    assert isinstance(read.frames, np.memmap)
    assert len(read.rows("train")) == 60


def with_tokens(features):
    """The features with two tokens a text, in the shape of a well-made file."""
    tokens = np.stack([features.text, features.text], axis=1)
    return replace(features, tokens=tokens, token_mask=np.ones(tokens.shape[:2], dtype=bool))


def test_features_with_tokens_go_round(tmp_path):
    write_features(tmp_path, with_tokens(made_features()))
    read = read_features(tmp_path)
    assert isinstance(read.tokens, np.memmap)
    assert read.token_mask.all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: {"tokens": None}, "tokens.npy and token_mask.npy: one without the other"),
        (lambda f: {"token_mask": None}, "tokens.npy and token_mask.npy: one without the other"),
        (lambda f: {"tokens": f.tokens[:, :, :3]}, "tokens.npy is (90, 2, 3); expected (*token_mask, text)"),
        (lambda f: {"token_mask": f.token_mask[:, :1]}, "tokens.npy is (90, 2, 8); expected (*token_mask, text)"),
        (lambda f: {"tokens": f.tokens.astype(np.float64)}, "tokens.npy is float64; expected float32"),
        (lambda f: {"token_mask": ~f.token_mask}, "text is present exactly where a token is"),
    ],
)
def test_bad_tokens_in_words(tmp_path, change, words):
    features = with_tokens(made_features())
    with pytest.raises(ContractError) as refusal:
        write_features(tmp_path, replace(features, **change(features)))
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: {"text": f.text.astype(np.float64)}, "text.npy is float64; expected float32"),
        (lambda f: {"frames": f.frames[:, 0]}, "frames.npy has 2 dimensions; expected 3"),
        (lambda f: {"present": f.present[:5]}, "present.npy has 5 rows; index.parquet has 90"),
        (lambda f: {"text": np.full_like(f.text, np.nan)}, "text.npy holds values that are not finite"),
        (lambda f: {"frame_mask": np.zeros_like(f.frame_mask)}, "vision is present exactly where a frame is"),
    ],
)
def test_bad_features_in_words(tmp_path, change, words):
    features = made_features()
    with pytest.raises(ContractError) as refusal:
        write_features(tmp_path, replace(features, **change(features)))
    assert words in str(refusal.value)


def test_a_folder_is_whole_or_absent(tmp_path):
    target = tmp_path / "deep" / "made-abc"
    with pytest.raises(RuntimeError), new_folder(target, "whole") as folder:
        (folder / "half").write_text("x")
        raise RuntimeError
    assert list(target.parent.iterdir()) == []
    target.mkdir()  # as Snakemake leaves it
    with new_folder(target, "whole") as folder:
        (folder / "whole").write_text("1")
    with new_folder(target, "whole") as folder:
        (folder / "whole").write_text("2")
    assert (target / "whole").read_text() == "1"  # the same name means the same recipe
    (target / "whole").unlink()  # as Snakemake does before it runs a job again
    (target / "rest").write_text("left over")
    with new_folder(target, "whole") as folder:
        (folder / "whole").write_text("3")
    assert sorted(p.name for p in target.iterdir()) == ["SHA256SUMS", "whole"]
    assert [p.name for p in target.parent.iterdir()] == ["made-abc"]


def test_damaged_json_is_named(tmp_path):
    (tmp_path / "cell.json").write_text('{"half": ')
    with pytest.raises(StoreError, match=r"cell.json is damaged"):
        read_json(tmp_path / "cell.json")
    with pytest.raises(StoreError, match=r"none.json is absent"):
        read_json(tmp_path / "none.json")


def test_digest_is_of_the_value_not_of_the_order(tmp_path):
    assert digest({"a": 1, "b": [2.0]}) == digest({"b": [2.0], "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
    (tmp_path / "x").write_text(json.dumps(1))
    assert len(file_digest(tmp_path / "x")) == 64
