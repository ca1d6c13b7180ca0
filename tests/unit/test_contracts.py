"""The contracts between stages: a bad file is refused with the reason; folders are whole or absent."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from helpers.synthetic_features import synthetic_features
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
    features = synthetic_features(modalities=("text", "vision", "audio"), tokens=2)
    write_features(tmp_path, features)
    read = read_features(tmp_path)
    assert list(read.signals) == ["text", "vision", "audio"] and list(read.tokens) == ["text"]
    for name, view in read.named_views().items():
        assert isinstance(view.values, np.memmap) and isinstance(view.mask, np.memmap)
        np.testing.assert_array_equal(view.values, features.named_views()[name].values)
        np.testing.assert_array_equal(view.mask, features.named_views()[name].mask)
    assert len(read.rows("train")) == 60


def test_more_rows_than_a_slab_are_written_slab_by_slab(tmp_path, monkeypatch):
    for module in ("contract", "writer"):
        monkeypatch.setattr(f"trml.features.{module}.SLAB", 7)
    features = synthetic_features()
    write_features(tmp_path, features)
    np.testing.assert_array_equal(read_features(tmp_path).signals["vision"].values, features.signals["vision"].values)


def changed(features, modality, of="signals", **parts):
    """The features with other values or another mask of one view."""
    views = getattr(features, of)
    return replace(features, **{of: {**views, modality: views[modality]._replace(**parts)}})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda v: {"values": v.values[:, :, :3]}, "text_tokens.npy has width 3; text.npy has 8"),
        (lambda v: {"mask": v.mask[:, :1]}, "text_tokens_mask.npy is (90, 1); text_tokens.npy is (90, 2, 8)"),
        (lambda v: {"values": v.values.astype(np.float64)}, "text_tokens.npy is float64; expected float32"),
        (lambda v: {"mask": np.zeros_like(v.mask)}, "text must be present exactly where it has a token"),
    ],
)
def test_bad_tokens_in_words(tmp_path, change, words):
    features = synthetic_features(tokens=2)
    with pytest.raises(ContractError) as refusal:
        write_features(tmp_path, changed(features, "text", "tokens", **change(features.tokens["text"])))
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    ("modality", "change", "words"),
    [
        ("text", lambda v: {"values": v.values.astype(np.float64)}, "text.npy is float64; expected float32"),
        ("text", lambda v: {"mask": v.mask.astype(np.int8)}, "text_mask.npy is int8; expected bool"),
        ("vision", lambda v: {"values": v.values[:, 0]}, "vision.npy has 2 dimensions; expected 3"),
        ("vision", lambda v: {"mask": v.mask[:5]}, "vision_mask.npy has 5 rows; index.parquet has 90"),
        ("vision", lambda v: {"mask": v.mask[:, :2]}, "vision_mask.npy is (90, 2); vision.npy is (90, 4, 8)"),
        ("text", lambda v: {"values": np.full_like(v.values, np.nan)}, "text.npy holds values that are not finite"),
    ],
)
def test_bad_features_in_words(tmp_path, modality, change, words):
    features = synthetic_features()
    with pytest.raises(ContractError) as refusal:
        write_features(tmp_path, changed(features, modality, **change(features.signals[modality])))
    assert words in str(refusal.value)


def test_an_utterance_without_any_modality_is_refused(tmp_path):
    features = synthetic_features()
    for name, view in features.signals.items():
        mask = view.mask.copy()
        mask[3] = False
        features = changed(features, name, mask=mask)
    with pytest.raises(ContractError, match="1 utterances have none of text, vision"):
        write_features(tmp_path, features)


@pytest.mark.parametrize(
    ("info", "words"),
    [
        (
            {"modalities": ["text"]},
            r"features.json lists modalities \['text'\]; the arrays are of \['text', 'vision'\]",
        ),
        ({"views": ["text"]}, r"features.json lists views \['text'\]; the arrays are of \[\]"),
    ],
)
def test_what_features_json_lists_must_be_there(tmp_path, info, words):
    features = synthetic_features()
    with pytest.raises(ContractError, match=words):
        write_features(tmp_path, replace(features, info=replace(features.info, **info)))


def test_modalities_out_of_order_are_refused(tmp_path):
    features = synthetic_features()
    signals = dict(reversed(features.signals.items()))
    with pytest.raises(ContractError, match="expected the order text, vision"):
        write_features(tmp_path, replace(features, signals=signals))


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
    with pytest.raises(StoreError, match=r"cell.json is not valid JSON"):
        read_json(tmp_path / "cell.json")
    with pytest.raises(StoreError, match=r"none.json is absent"):
        read_json(tmp_path / "none.json")


def test_digest_is_of_the_value_not_of_the_order(tmp_path):
    assert digest({"a": 1, "b": [2.0]}) == digest({"b": [2.0], "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
    (tmp_path / "x").write_text(json.dumps(1))
    assert len(file_digest(tmp_path / "x")) == 64
