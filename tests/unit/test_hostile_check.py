"""Folders that `trml check` and the builds of corpora are to refuse, or to note, in time and in words."""

import io
import os
import time

import polars as pl
import pytest
from PIL import Image

from helpers.clips import write_video
from helpers.own_data import own_config, png, report, rows, write
from trml.base.errors import ContractError, DataMissing
from trml.corpora.checking import probe as probing
from trml.corpora.checking.probe import probe, same_files
from trml.corpora.contract import read_corpus
from trml.corpora.mvsa.config import MvsaSampleConfig
from trml.corpora.registry import build_corpus
from trml.corpora.user_table.look_alike import look, other_number, seen
from trml.corpora.user_table.rows import read
from trml.corpora.user_table.table import read_table
from trml.sources.formats import limits
from trml.sources.formats.video_reader import read_parts

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
    monkeypatch.setattr(limits, "MEMORY", 1 << 20)
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


# --- labels ---------------------------------------------------------------------------------------------------


def with_labels(tmp_path, *labels, n=60):
    """A folder whose labels repeat."""
    return write(tmp_path / "x", [row | {"label": labels[i % len(labels)]} for i, row in enumerate(rows(n))])


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_label_beyond_any_integer_is_a_finding(tmp_path, kind):
    label = str(2**100) if kind == "parquet" else "3000000000"
    folder = with_labels(tmp_path, "1", label, "0")
    if kind == "parquet":
        frame = pl.read_csv(folder / "utterances.csv", schema_overrides={"label": pl.String})
        (folder / "utterances.csv").unlink()
        frame.with_columns(pl.col("label").cast(pl.Int128)).write_parquet(folder / "t.parquet")
    text, sound = report(folder)
    assert not sound
    assert f"label {label} is outside [-3, 3]" in text
    assert "Labels (" not in text


def test_thousands_of_classes_are_refused_in_time_and_in_few_words(tmp_path):
    lines = [f"t{i},w{i % 1600 if i % 5 < 2 else 'x'},{('train', 'valid', 'test')[i % 3]}" for i in range(4000)]
    (tmp_path / "utterances.csv").write_text("\n".join(["text,label,split", *lines]))
    began = time.process_time()
    text, sound = report(tmp_path)
    assert time.process_time() - began < 5
    assert not sound
    assert "different values on 4,000 rows; expected a few classes" in text
    assert "more labels are on 0.5% of the rows or less" in text
    assert len(text) < 8000


def test_long_cells_are_cut_in_messages(tmp_path):
    long = "b" * 10**5
    table = [row | {"label": "ac"[i % 2]} for i, row in enumerate(rows(60))]
    for i, role in enumerate(("label", "clip", "split", "utterance_id", "video_id", "utterance_id", "start_s")):
        for row in table[2 * i : 2 * i + 2]:
            row[role] = long
    folder = write(tmp_path / "x", [{"start_s": "", "end_s": "", **row} for row in table])
    began = time.process_time()
    text, _ = report(folder, classes=["a", "c"])
    assert time.process_time() - began < 5
    assert len(text) < 10_000
    with pytest.raises(ContractError) as refusal:
        build_corpus(own_config(folder, classes=["a", "c"]), tmp_path, tmp_path, "x", 1)
    assert len(str(refusal.value)) < 10_000


def test_a_column_that_is_not_among_thousands(tmp_path):
    (tmp_path / "utterances.csv").write_text("text," + ",".join(["c" * 10**5, *(f"c{i}" for i in range(5000))]) + "\n")
    for ask in (lambda: read(own_config(tmp_path), tmp_path), lambda: report(tmp_path)):
        with pytest.raises(ContractError) as refusal:
            ask()
        assert len(str(refusal.value)) < 2000


NOTATIONS = [
    (("-1,5", "0,5", "2,5"), "label '-1,5' looks like a number with a comma; write -1.5"),
    (("\u22121", "\u22122"), "label '\u22121' looks like a number with another minus sign; write -1"),
    (("50%", "10 %"), "label '50%' looks like a number with a percent sign; write 50"),
    (("1,000", "2,000"), "label '1,000' looks like a number with a comma; write 1000, or 1.000"),
    (("1", "2", "-1,5"), "label '-1,5' is not a number (it looks like one with a comma; write -1.5), unlike 40 others"),
]


@pytest.mark.parametrize(("labels", "words"), NOTATIONS)
def test_numbers_in_another_notation_are_no_classes(tmp_path, labels, words):
    text, sound = report(with_labels(tmp_path, *labels))
    assert words in text
    assert not sound
    if len(labels) == 2:
        assert report(tmp_path / "x", classes=list(labels))[1], "classes that are stated are meant"


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (
            ("50%", "high"),
            "ATTENTION: label '50%' looks like a number with a percent sign; write 50. It counts as a class",
        ),
        (
            ("good", "bad", "NA"),
            "ATTENTION: label 'NA' is on 20 rows and counts as a class. If it means that the label is",
        ),
        (("good", "bad", "None"), "ATTENTION: label 'None' is on 20 rows"),
        (("good", "bad", "n/a"), "ATTENTION: label 'n/a' is on 20 rows"),
    ],
)
def test_classes_that_may_be_none_are_noted(tmp_path, labels, words):
    text, sound = report(with_labels(tmp_path, *labels))
    assert words in text
    assert sound
    assert "ATTENTION: label" not in report(tmp_path / "x", classes=list(labels))[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("good", "g\u043eod"),  # a letter of Cyrillic
        ("TOP", "\u03a4OP"),  # and of Greek
        ("good", "go\u034fod"),
        ("good", "good\ufe0f"),
        ("good", "good\u3164"),
        ("so-so", "so\u2010so"),
        ("so-so", "so\u2013so"),
        ("it's", "it\u2019s"),
        ("class1", "class\u0661"),
    ],
)
def test_names_that_look_alike(tmp_path, one, other):
    assert look(one) == look(other)
    text, sound = report(with_labels(tmp_path, one, other, "bad"))
    assert sound
    assert "look alike and count as 2 classes" in text


def test_names_that_do_not_look_alike():
    names = [
        "good",
        "goods",
        "g0od",
        "\u0434\u0430",
        "\u043d\u0435\u0442",
        "\u597d",
        "\U0001f600",
        "\U0001f601",
        "-1",
        "1",
        "a b",
        "ab",
    ]
    assert len(set(map(look, names))) == len(names)
    assert [other_number(name) for name in ("1", "-1.5", "a", "1,a", "%", ",", "", "1" * 100 + "%")] == [None] * 8


def test_groups_and_ids_that_look_alike_are_noted(tmp_path):
    table = rows(60)
    table[0]["video_id"], table[-1]["video_id"] = "caf\u00e9", "cafe\u0301"
    table[3]["utterance_id"] = "U4"
    text, sound = report(write(tmp_path / "x", table))
    assert sound
    assert "ATTENTION: video_id has names that look alike and count as several: 1 such cases, the first are" in text
    assert (
        "ATTENTION: utterance_id has names that look alike and count as several: 1 such cases, the first are 'U4'"
        in text
    )


def test_a_training_part_that_teaches_nothing(tmp_path):
    text, sound = report(
        write(tmp_path / "x", [row | ({"label": "1"} if row["split"] == "train" else {}) for row in rows()])
    )
    assert not sound
    assert "every label of split train is 1; expected two different ones or more" in text
    table = [row | {"split": "train" if i < 4 else "valid" if i < 8 else "test"} for i, row in enumerate(rows())]
    assert "ATTENTION: split train has 4 rows" in report(write(tmp_path / "y", table))[0]


def test_a_text_that_shows_nothing_is_empty(tmp_path):
    table = rows(60)
    table[7] |= {"text": "\u200b\u2060\ufe0f", "clip": ""}
    table[8] |= {"text": "\u200b\u2060"}
    reading = read(own_config(write(tmp_path, table)), tmp_path)
    assert [finding.words for finding in reading.of("left out")] == ["no text, and no clip"]
    assert reading.utterances["text"].to_list().count("") == 1
    assert seen("\u200bfine\u200b") == "fine"


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
