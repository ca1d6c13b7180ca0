"""Folders that `trml check` and the builds of corpora are to refuse, or to note, in time and in words."""

import io
import os
import time

import polars as pl
import pytest
from PIL import Image

from helpers.clips import write_video
from helpers.own_data import own_config, png, report, rows, write
from trml.base import confined
from trml.base.errors import ClipUnreadable, ContractError, DataMissing
from trml.corpora.checking import probe as probing
from trml.corpora.checking.probe import probe, same_files
from trml.corpora.contract import read_corpus
from trml.corpora.mvsa.config import MvsaSampleConfig
from trml.corpora.registry import build_corpus
from trml.corpora.user_table.rows import read
from trml.corpora.user_table.table import read_table
from trml.sources.formats import parquet
from trml.sources.formats.video_reader import Clip, read_frames, read_parts

# --- the sample of MVSA ---------------------------------------------------------------------------------------


def sample(tmp_path, **changed):
    """Build the sample from six posts, with other columns; None takes one away."""
    columns = {
        "guid": [f"p{i}" for i in range(6)],
        "text": [f"post {i}" for i in range(6)],
        "label_id": [i % 3 - 1 for i in range(6)],
        "clean_split": ["train", "train", "valid", "valid", "test", "test"],
        "image_jpeg": [png((20, 20 + i)) for i in range(6)],
    }
    columns = {name: cells for name, cells in {**columns, **changed}.items() if cells is not None}
    pl.DataFrame(columns).write_parquet(tmp_path / "s.parquet")
    (tmp_path / "out").mkdir()
    build_corpus(MvsaSampleConfig("mvsa_sample", "s", ".", "s.parquet"), tmp_path, tmp_path / "out", "x", 1)
    return read_corpus(tmp_path / "out")[1]


SAMPLES = [
    ({"label_id": None}, r"s\.parquet has no column label_id; it has guid, text, clean_split, image_jpeg"),
    ({"label_id": [0.5] * 6}, r"s\.parquet: column label_id holds 'Float64'; expected integers"),
    ({"label_id": ["good"] * 6}, "column label_id holds 'String'; expected integers"),
    ({"label_id": [None, 0, 1, 0, 1, 0]}, "row 1: guid 'p0' has the label_id None; expected -1, 0 or 1"),
    ({"label_id": [0, 0, 2, 0, 1, 0]}, "row 3: guid 'p2' has the label_id 2; expected -1, 0 or 1"),
    ({"text": [["a"]] * 6}, r"column text holds 'List\(String\)'; expected texts"),
    ({"text": ["a", None, "b", "c", "d", "e"]}, "row 2: guid 'p1' is without a text"),
    ({"guid": ["a", "b", "a", "c", "d", "e"]}, "row 3: guid 'a' is there twice; expected each once"),
    ({"guid": ["a", None, "b", "c", "d", "e"]}, "row 2: guid None is null; expected a name"),
    ({"clean_split": ["train"] * 5 + ["spare"]}, "row 6: guid 'p5' has the clean_split 'spare'; expected train, valid"),
    ({"image_jpeg": [b""] * 6}, "row 1: guid 'p0' is without a photo"),
    ({"image_jpeg": [b"<html>gone</html>"] * 6}, "row 1: the photo of guid 'p0' cannot be read: it is not a picture"),
    ({"image_jpeg": ["photo"] * 6}, "column image_jpeg holds 'String'; expected bytes"),
]


@pytest.mark.parametrize(("changed", "words"), SAMPLES)
def test_a_sample_of_another_form_is_refused_with_its_row(tmp_path, changed, words):
    with pytest.raises(ContractError, match=words):
        sample(tmp_path, **changed)


def test_labels_of_a_sample_that_are_narrow_integers(tmp_path):
    narrow = pl.Series([-1, 0, 1, -1, 0, 1], dtype=pl.Int8)
    assert sample(tmp_path, label_id=narrow)["label"].to_list() == [0, 1, 2, 0, 1, 2]


# --- a table and where it is ----------------------------------------------------------------------------------


def test_a_table_that_is_a_link_out_of_its_folder_is_not_read(tmp_path):
    folder = write(tmp_path / "own", rows())
    (folder / "utterances.csv").rename(tmp_path / "secret.csv")
    (folder / "utterances.csv").symlink_to(tmp_path / "secret.csv")
    config = own_config(folder)
    for ask in (lambda: report(folder), lambda: read(config, folder), lambda: config.raw_files(tmp_path)):
        with pytest.raises(ContractError, match=r"utterances\.csv leads out of .*own; expected a table in it"):
            ask()
    (folder / "utterances.csv").unlink()
    (folder / "tables").mkdir()
    (tmp_path / "secret.csv").rename(folder / "kept.csv")
    (folder / "tables/t.csv").symlink_to(folder / "kept.csv")  # within the folder, which is reached by a link
    (tmp_path / "link").symlink_to(folder)
    assert report(tmp_path / "link", table="tables/t.csv")[1]


def test_cells_of_parquet_are_charged_before_they_become_strings(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "try_first", lambda *_: None)  # polars itself may not end in so little memory
    monkeypatch.setattr(confined, "MEMORY", 1 << 20)
    pl.DataFrame({"text": ["a"] * 10_000, "label": 1, "unused": "b"}).write_parquet(tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet")
    assert len(table.columns["text"]) == 10_000, "columns without a role cost nothing"
    with pytest.raises(ContractError, match=r"the 10,000 cells of column 'label', .* take 1 MB of memory; expected at"):
        table.columns["label"]
    pl.DataFrame({"text": ["a" * 300_000 + "\U0001f600"], "label": 1}).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(ContractError, match="the 1 cells of column 'text'"):
        read_table(tmp_path / "t.parquet").columns["text"]


def test_columns_that_are_bytes_or_lists_are_named(tmp_path):
    pl.DataFrame({"text": [b"a"], "label": [1]}).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(
        ContractError, match=r"like the text; it has label, and of types that cannot be used: text \(Bi"
    ):
        report(tmp_path)
    with pytest.raises(ContractError, match=r"column 'text' for text holds 'Binary'; expected texts or numbers"):
        read(own_config(tmp_path, table="t.parquet"), tmp_path)


def test_a_folder_is_no_remedy_for_a_table(tmp_path):
    (tmp_path / "t.parquet").mkdir()
    with pytest.raises(DataMissing, match=r"t\.parquet is a folder; .* holds no table"):
        report(tmp_path, table="t.parquet")


# --- clips ----------------------------------------------------------------------------------------------------


def test_damage_that_repeats_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(probing, "SAMPLE", 24)
    folder = write(tmp_path / "x", rows(60))
    for i in range(60):
        content = png((40, 40))
        (folder / f"media/{i}.png").write_bytes(content if i % 10 == 0 else content[: len(content) // 2])
    text, sound = report(folder)
    assert not sound
    assert "ATTENTION, a run stops above 2%: Clips that cannot be used (vision is missing): 54 (90.0%)" in text


def test_how_many_were_decoded_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(probing, "SAMPLE", 10)
    text, sound = report(write(tmp_path / "x", rows(60)))
    assert sound
    assert "60 are pictures and 0 videos. 10 of them, drawn at random, were decoded to their end" in text


def picture(kind):
    content = io.BytesIO()
    Image.new("RGB", (20, 16), "red").save(content, kind)
    return content.getvalue()


NAMED = [("BMP", "a.bmp"), ("TIFF", "a.tif"), ("JPEG", "a.jfif"), ("PNG", "a"), ("JPEG", "a.mp4"), ("GIF", "a.png")]


@pytest.mark.parametrize(("kind", "name"), NAMED)
def test_what_a_run_reads_a_check_accepts(tmp_path, kind, name):
    (tmp_path / name).write_bytes(picture(kind))
    assert not isinstance(read_parts(tmp_path / name, [None], 1, None, lambda frame: frame)[0], Exception)
    media = probe(tmp_path / name, decode=True)
    assert (media.fault, media.is_picture, media.width) == ("", True, 20)


def test_a_video_that_is_named_like_a_picture_has_parts(tmp_path):
    table = [
        row | {"clip": "media/v.jpg", "start_s": f"{i % 2}", "end_s": f"{i % 2 + 1}"} for i, row in enumerate(rows())
    ]
    folder = write(tmp_path / "x", table)
    write_video(folder / "media/v.mp4", n=20).rename(folder / "media/v.jpg")
    (folder / "media/p.mp4").write_bytes(picture("JPEG"))
    assert probe(folder / "media/v.jpg", decode=True).fault == ""
    clips = read(own_config(folder), folder).utterances["clip"]
    assert clips.to_list()[:2] == ["media/v.jpg#t=0,1", "media/v.jpg#t=1,2"]
    write(folder, [row | {"clip": "media/p.mp4"} for row in table])
    assert read(own_config(folder), folder).utterances["clip"][0] == "media/p.mp4"


def test_a_clip_that_is_no_file_is_named(tmp_path):
    table = rows(60)
    table[7] |= {"clip": "media/pipe.png"}
    folder = write(tmp_path / "x", table)
    os.mkfifo(folder / "media/pipe.png")
    assert "line 9: clip 'media/pipe.png' is a named pipe; expected a file" in report(folder)[0]


@pytest.mark.parametrize(("name", "separator"), [("utterances.tsv", "\t"), ("utterances.csv", ",")])
@pytest.mark.parametrize("order", ["text label split", "label text split", "split label text"])
@pytest.mark.parametrize("last", [7, 9])
def test_rows_that_a_quote_swallows_are_noted(tmp_path, name, separator, order, last):
    def lines(opened, closed):
        for i in range(40):
            text = f"{opened if i == 5 else ''}it was {i}{closed if i == last else ''}"
            row = {"text": text, "label": f"{i % 7 - 3}", "split": ("train", "valid", "test")[i % 3]}
            yield separator.join(row[column] for column in order.split())

    def found(*quotes):
        content = "\n".join([separator.join(order.split()), *lines(*quotes)])
        (tmp_path / name).write_text(content)
        columns = {"clip": None, "utterance_id": None, "video_id": None}
        return read(own_config(tmp_path, table=name, columns=columns), tmp_path)

    (note,) = [str(each) for each in found('"', '"').of("note")]
    assert note.startswith(
        f"line 7: ATTENTION: the text of this row is {last - 4} lines, which look like {last - 4} rows"
    )
    assert not found("", "").of("note")


def test_a_text_of_several_lines_is_no_row(tmp_path):
    table = rows(60)
    for row in table:
        row["text"] += "\nand, then, more, of, it, all\r\nfor ever"
    folder = write(tmp_path / "x", table)
    assert "look like" not in report(folder)[0]


@pytest.mark.parametrize("brand", [b"heic", b"mif1", b"avif"])
def test_a_picture_in_tiles_is_not_a_video_of_its_first_tile(tmp_path, brand):
    table = rows(60)
    table[7] |= {"clip": "media/photo.jpg"}
    folder = write(tmp_path / "x", table)
    (folder / "media/photo.jpg").write_bytes(b"\0\0\0\x1cftyp" + brand + b"\0\0\0\0mif1miaf" + bytes(400))
    text = report(folder)[0]
    assert "line 9: clip 'media/photo.jpg' cannot be opened or decoded: it is a HEIC or AVIF picture" in text
    with pytest.raises(ClipUnreadable, match="HEIC or AVIF"):
        read_frames(Clip(folder / "media/photo.jpg"), 4)


def test_large_files_of_one_size_are_compared_in_time(tmp_path):
    for name, last in (("a.mp4", b"x"), ("b.mp4", b"x"), ("c.mp4", b"y")):
        with (tmp_path / name).open("wb") as file:
            file.truncate(20 << 30)
            file.seek(-1, os.SEEK_END)
            file.write(last)
    began = time.monotonic()
    assert same_files(sorted(tmp_path.iterdir())) == [[tmp_path / "a.mp4", tmp_path / "b.mp4"]]
    assert time.monotonic() - began < 5


def test_files_that_differ_in_the_middle_alone_are_not_the_same(tmp_path):
    for name, middle in (("a", b"x"), ("b", b"y"), ("c", b"x")):
        (tmp_path / name).write_bytes(bytes(3 << 20) + middle + bytes(3 << 20))
    assert same_files(sorted(tmp_path.iterdir())) == [[tmp_path / "a", tmp_path / "c"]]
