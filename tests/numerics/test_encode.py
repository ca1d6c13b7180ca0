"""Encoding in shards: a chunk has the same bytes whichever shard makes it; unreadable clips; left-out utterances."""

import shutil

import numpy as np
import polars as pl
import pytest
import torch

from helpers.encoding import encoded, small_clip
from trml.base.errors import ContractError, StoreError
from trml.features.chunk import Chunk
from trml.features.contract import read_features, read_media
from trml.features.encode import encode_shard
from trml.features.encoders.tiny_clip.config import TinyClipEncoder
from trml.features.encoders.tiny_clip.encoder import load
from trml.features.encoders.tiny_clip.pretrain import pretrain
from trml.features.gather import gather
from trml.sources.formats.video_reader import Clip, read_frames

CPU = torch.device("cpu")
N = 70


@pytest.fixture(scope="module")
def tiny(default_raw) -> TinyClipEncoder:
    return small_clip(default_raw, batch_size=10)


@pytest.fixture(scope="module")
def pretrained(tiny, corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder")
    pretrain(tiny, corpus, corpus, folder, 1, CPU)
    return folder


@pytest.fixture
def many(corpus, tmp_path, monkeypatch):
    """N utterances in chunks of 16, on the clips of a few; one without a text, one without a clip."""
    for module in ("encode", "gather", "chunk"):
        monkeypatch.setattr(f"trml.features.{module}.CHUNK", 16)
    folder = tmp_path / "many"
    folder.mkdir()
    (folder / "media").symlink_to(corpus / "media")
    shutil.copy(corpus / "corpus.json", folder)
    table = pl.read_parquet(corpus / "utterances.parquet")
    rows = pl.concat([table] * 4).head(N).with_columns(utterance_id=pl.format("u{}", pl.int_range(N)))
    write(folder, change(change(rows, 3, text=""), 5, clip=None))
    return folder


def change(table: pl.DataFrame, row: int, **values) -> pl.DataFrame:
    here = pl.int_range(pl.len()) == row
    return table.with_columns(
        pl.when(here).then(pl.lit(value, dtype=pl.String)).otherwise(name).alias(name) for name, value in values.items()
    )


def write(folder, table: pl.DataFrame) -> None:
    table.write_parquet(folder / "utterances.parquet")


def present(features) -> np.ndarray:
    """Whether each utterance has text and vision, bool [N, 2]."""
    return np.stack([features.signals[name].mask.any(axis=1) for name in ("text", "vision")], axis=1)


def table_of(folder) -> pl.DataFrame:
    return pl.read_parquet(folder / "utterances.parquet")


def gathered(tiny, many, pretrained, chunks, target):
    target.mkdir()
    gather(tiny, many, pretrained, chunks, target, "x")
    return {path.name: path.read_bytes() for path in target.iterdir()}


def test_the_bytes_do_not_depend_on_the_shards(tiny, many, pretrained, tmp_path):
    encode_shard(tiny, many, tmp_path, pretrained, tmp_path / "one", (0, 1), CPU)
    for shard in (2, 0, 1):
        encode_shard(tiny, many, tmp_path, pretrained, tmp_path / "three", (shard, 3), CPU)
    one = gathered(tiny, many, pretrained, tmp_path / "one", tmp_path / "f1")
    assert one == gathered(tiny, many, pretrained, tmp_path / "three", tmp_path / "f3")


def test_a_stopped_shard_goes_on_and_a_damaged_chunk_is_made_again(tiny, many, pretrained, tmp_path, capfd):
    chunks = tmp_path / "chunks"
    encode_shard(tiny, many, tmp_path, pretrained, chunks, (0, 1), CPU)
    before = {path.name: path.read_bytes() for path in chunks.iterdir()}
    assert len(before) == 5
    (chunks / "00001.npz").unlink()
    (chunks / "00003.npz").write_bytes(before["00003.npz"][:1000])
    (chunks / "00004.npz").write_bytes(b"")
    kept = (chunks / "00000.npz").stat().st_mtime_ns
    with pytest.raises(StoreError, match=r"00001.npz is absent or damaged. Encode it: snakemake"):
        gathered(tiny, many, pretrained, chunks, tmp_path / "early")
    encode_shard(tiny, many, tmp_path, pretrained, chunks, (0, 1), CPU)
    assert (chunks / "00000.npz").stat().st_mtime_ns == kept
    assert "2 of 5 chunks are encoded already" in capfd.readouterr().err
    for name, theirs in before.items():
        ours = Chunk.load(chunks / name)
        (tmp_path / "other.npz").write_bytes(theirs)
        for view, other in zip(ours.views.values(), Chunk.load(tmp_path / "other.npz").views.values(), strict=True):
            np.testing.assert_array_equal(view.values, other.values)
            np.testing.assert_array_equal(view.mask, other.mask)


def test_rows_are_those_of_a_plain_loop(tiny, many, pretrained):
    features = encoded(tiny, many, pretrained)
    clip = load(tiny, pretrained, CPU)
    table = table_of(many)
    assert features.index["utterance_id"].to_list() == table["utterance_id"].to_list()
    assert present(features)[:6].tolist() == [[True, True]] * 3 + [[False, True], [True, True], [True, False]]
    for row in (0, 15, 16, 40, N - 1):
        pixels = torch.stack([clip.transform(f) for f in read_frames(Clip(many / table["clip"][row]), 8)])
        np.testing.assert_allclose(features.signals["vision"].values[row], clip.encode_images(pixels), atol=1e-5)
        alone = clip.encode("text", [table["text"][row]])
        np.testing.assert_allclose(features.signals["text"].values[row], alone.pooled.values[0], atol=1e-5)
        assert features.tokens["text"].mask[row].sum() == alone.tokens.mask.sum()


def test_what_cannot_be_read_is_missing_and_listed(tiny, many, pretrained, tmp_path, monkeypatch):
    monkeypatch.setattr("trml.features.gather.UNREADABLE", 0.05)
    (tmp_path / "half.mp4").write_bytes(b"half")
    write(many, change(change(table_of(many), 7, clip="../half.mp4"), 8, clip="../absent.mp4", text=""))
    target = tmp_path / "f"
    encode_shard(tiny, many, tmp_path, pretrained, tmp_path / "c", (0, 1), CPU)
    gathered(tiny, many, pretrained, tmp_path / "c", target)
    features, media = read_features(target), read_media(target)
    assert media.height == N and features.index.height == N - 1  # one had neither and is left out
    assert "u8" not in features.index["utterance_id"]
    found = {row["utterance_id"]: row["reason"] for row in media.iter_rows(named=True) if row["reason"]}
    assert found == {"u7": "it is not a picture or video, or is damaged", "u8": "it does not exist"}
    assert not present(features)[7, 1] and not features.signals["vision"].values[7].any()
    assert media["frames"].to_list()[4:9] == [8, 0, 8, 0, 0]


def test_too_many_that_cannot_be_read_stop_the_run(tiny, many, pretrained, tmp_path):
    write(many, change(change(table_of(many), 7, clip="../a.mp4"), 8, clip="../b.mp4"))
    encode_shard(tiny, many, tmp_path, pretrained, tmp_path / "c", (0, 1), CPU)
    words = r"2 of 69 clips cannot be read; expected at most 2%: ../a.mp4 \(it does not exist\), ../b.mp4"
    with pytest.raises(ContractError, match=words):
        gathered(tiny, many, pretrained, tmp_path / "c", tmp_path / "f")


def test_a_corpus_of_text_alone(tiny, many, pretrained):
    write(many, table_of(many).with_columns(clip=pl.lit(None, dtype=pl.String)).filter(pl.col("text") != ""))
    features = encoded(tiny, many, pretrained)
    vision = features.signals["vision"].values
    assert vision.shape == (N - 1, 8, 16) and not vision.any()
    assert present(features).tolist() == [[True, False]] * (N - 1)


def test_a_corpus_of_clips_alone(tiny, many, pretrained):
    write(many, table_of(many).with_columns(text=pl.lit("")).filter(pl.col("clip").is_not_null()))
    features = encoded(tiny, many, pretrained)
    text = features.signals["text"].values
    assert text.shape == (N - 1, 1, 16) and not text.any()
    assert not features.tokens and features.info.views == []
    assert present(features).tolist() == [[False, True]] * (N - 1)


def test_a_long_text_is_counted(tiny, many, pretrained, tmp_path):
    write(many, change(table_of(many), 0, text="good " * 30))
    encode_shard(tiny, many, tmp_path, pretrained, tmp_path / "c", (0, 1), CPU)
    gathered(tiny, many, pretrained, tmp_path / "c", tmp_path / "f")
    cut = read_media(tmp_path / "f")["tokens_cut"]
    assert cut.to_list()[:2] == [30 + 2 - tiny.text.context_length, 0]


def test_parts_of_a_video_are_clips(tiny, many, pretrained):
    table = table_of(many)
    clip = table["clip"][0]
    write(many, change(change(table, 0, clip=f"{clip}#t=0.000,0.500"), 1, clip=f"{clip}#t=0.500,1.000"))
    features = encoded(tiny, many, pretrained)
    assert features.signals["vision"].mask.sum(axis=1).tolist()[:3] == [4, 4, 8]
