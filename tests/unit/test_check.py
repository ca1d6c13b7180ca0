"""`trml check`: faults of a folder are reported line by line, and the command at the end runs as printed."""

import csv
import re
from collections import Counter

import av
import numpy as np
import pytest

from conftest import ROOT
from helpers.command import ended
from helpers.own_data import composed, own_config, png, report, rows, write
from trml.base.errors import ContractError, DataMissing, TrmlError
from trml.cli import main as cli
from trml.corpora.checking.media import STOPS
from trml.corpora.user_table.rows import read
from trml.sources.formats.video_writer import write_video

SHARED = ROOT.parent / "shared/data"


def test_a_sound_folder_ends_in_the_next_command(tmp_path):
    folder = write(tmp_path / "my posts", rows())
    text, sound = report(folder)
    assert sound
    assert "No faults in any line" in text
    assert "All rows are used, and every clip exists" in text
    assert "12 files. Of those that open, 12 are pictures and 0 videos. All of them were decoded" in text
    assert re.findall("trml compose experiment=own encoder=(\\w+) ", text) == ["classical", "open_clip"]
    config, data = composed(text)
    assert read(config, tmp_path / config.folder).utterances.equals(read(own_config(folder), folder).utterances)
    assert data == str(tmp_path)


def test_the_command_holds_whatever_was_stated_and_guessed(tmp_path):
    names = {"text": "What's said", "label": "1", "clip": "Image", "split": "fold", "video_id": "Dialogue ID"}
    table = [{name: row[role] for role, name in names.items()} | {"label": "no"} for row in rows()]
    table = [row | {"1": f"it's {i % 2}, so"} for i, row in enumerate(table)]
    folder = write(tmp_path / "x", table, "all of it.csv")
    classes = ["it's 1, so", "it's 0, so"]
    columns = {"label": "1", "text": "What's said"}
    text, sound = report(folder, columns=columns, classes=classes, seed=7)
    assert sound
    config, _ = composed(text)
    assert (config.table, config.classes, config.seed) == ("all of it.csv", classes, 7)
    assert {role: getattr(config.columns, role) for role in names} == names


def test_a_range_is_carried_into_the_command(tmp_path):
    folder = write(tmp_path / "x", [row | {"label": str(i % 5 + 1)} for i, row in enumerate(rows())])
    text, sound = report(folder)
    assert not sound
    assert "Errors, to be fixed first: 5\n  labels reach from 1 to 5." in text
    text, sound = report(folder, label_range=[1.0, 5.0])
    assert sound
    assert composed(text)[0].label_range == [1.0, 5.0]


def test_columns_are_guessed_by_name_and_by_what_is_in_them(tmp_path):
    table = [
        {
            "ID": row["utterance_id"],
            "Utterance": row["text"],
            "Video": row["video_id"],
            "photo": row["clip"],
            "Sentiment": row["label"],
            "emotion": "joy",
            "fold": str(i % 5),
            "Set": row["split"].upper(),
            "start_time": "00:01",
        }
        for i, row in enumerate(rows())
    ]
    text, sound = report(write(tmp_path / "x", table, "posts.csv"))
    assert sound
    for line in (
        "text         Utterance",
        "clip         photo (not 'Video': none of its files exists, such as 'train0')",
        "label        Sentiment (it could also be emotion)",
        "utterance_id ID",
        "video_id     Video",
        "split        Set (not 'fold': '0' is not a split)",
        "start_s      none (not 'start_time': '00:01' is not a number of seconds)",
        "end_s        none",
    ):
        assert line in text


def a_table(tmp_path, line, **cells):
    return write(tmp_path / "x", [row | cells if i == line - 2 else row for i, row in enumerate(rows(60))])


LINES = [
    ({"label": ""}, "Left out: 1\n  line 9: label is empty", True),
    ({"split": "spare"}, "Left out: 1\n  line 9: split 'spare' is unknown", True),
    ({"text": "", "clip": ""}, "Left out: 1\n  line 9: no text, and no clip", True),
    ({"clip": "media/none.png"}, "line 9: clip 'media/none.png' does not exist", True),
    ({"clip": "7.png"}, "Probably under another path: 1, such as 'media/7.png' where the table says '7.png'", True),
    ({"clip": "media\\7.jpg"}, "'media/7.png' where the table says 'media\\\\7.jpg'", True),
    ({"label": "7"}, "... --label-range -3 7), and they are mapped to [-3, 3]", False),
    ({"label": "7"}, "  line 9: label 7 is outside [-3, 3]", False),
    ({"label": "well"}, "line 9: label 'well' is not a number, unlike 59 others", False),
    ({"utterance_id": "u8"}, "line 9: utterance_id 'u8' is on 2 rows; expected each once", False),
    ({"clip": "../x.png"}, "line 9: clip '../x.png' leads out of the folder", False),
    ({"clip": "/x.png"}, "line 9: clip '/x.png' leads out of the folder", False),
    ({"video_id": "test22"}, "Groups (video_id) in more than one split: 1 (test22", True),
    ({"text": "caf\ufffd"}, "line 9: Texts with characters of a wrong encoding: 1, first in this line", True),
]


@pytest.mark.parametrize(("cells", "words", "usable"), LINES)
def test_what_is_wrong_is_said_with_its_line(tmp_path, cells, words, usable):
    text, sound = report(a_table(tmp_path, 9, **cells))
    assert words in text
    assert sound == usable
    assert ("Ready. Next:" in text) == usable
    assert ("Not ready: " in text) != usable


def sound_only(path):
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), dtype=np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())


MEDIA = [
    ("7.png", lambda path: path.write_bytes(b""), "is empty"),
    (
        "7.png",
        lambda path: path.write_bytes(b"<html>not found</html>"),
        "cannot be opened or decoded: it is not a picture or video",
    ),
    ("7.jpg", lambda path: path.write_bytes(b"GIF89a"), "cannot be opened or decoded: "),
    (
        "7.mp4",
        lambda path: path.write_bytes(b"not a video at all"),
        "cannot be opened or decoded: it is not a picture or video",
    ),
    ("7.mp4", lambda path: path.write_bytes(b""), "is empty"),
    ("7.mp4", sound_only, "contains sound, but no video"),
]


@pytest.mark.parametrize(("name", "make", "words"), MEDIA)
def test_media_that_cannot_be_used_are_named_with_their_line(tmp_path, name, make, words):
    folder = a_table(tmp_path, 9, clip=f"media/{name}")
    make(folder / "media" / name)
    text, sound = report(folder)
    assert re.search(rf"line 9: clip 'media/{name}' {words}", text)
    assert "Clips that cannot be used (vision is missing): 1 (1.7%)" in text
    assert sound
    assert "Without text too" not in text


def test_media_that_cannot_be_used_and_have_no_text_are_counted(tmp_path):
    folder = write(tmp_path / "x", [row | ({"text": ""} if i == 9 else {}) for i, row in enumerate(rows(60))])
    (folder / "media/9.png").write_bytes(b"")
    text, sound = report(folder)
    assert sound
    assert "Without text too: 1. These utterances would be left out" in text


def test_the_limit_is_that_of_the_encoders():
    from trml.features.gather import UNREADABLE

    assert STOPS == UNREADABLE


def test_more_than_two_in_a_hundred_stop_it(tmp_path):
    folder = write(tmp_path / "x", rows(60))
    for i in (3, 33):
        (folder / f"media/{i}.png").write_bytes(b"nothing")
    text, sound = report(folder)
    assert not sound
    assert "ATTENTION, a run stops above 2%: Clips that cannot be used" in text
    assert "2 (3.3%)" in text


def test_a_picture_cut_short_is_found_where_it_is_decoded(tmp_path):
    folder = write(tmp_path / "x", rows(12))  # few enough that all are decoded
    (folder / "media/7.png").write_bytes(png((64, 64))[:2000])
    assert re.search(r"line 9: clip 'media/7.png' cannot be opened or decoded: ", report(folder)[0])


def test_a_picture_of_a_few_pixels_is_named(tmp_path):
    folder = a_table(tmp_path, 9)
    (folder / "media/7.png").write_bytes(png((2, 2)))
    text, sound = report(folder)
    assert sound
    assert "Clips that show next to nothing: 1\n  line 9: clip 'media/7.png' is 2 x 2 pixels" in text


def test_parts_of_a_video_are_held_to_its_length(tmp_path):
    table = [
        {
            "text": f"t{i}",
            "clip": f"media/v{i // 2}.mp4",
            "label": str(i % 3),
            "start_s": f"{i % 2}",
            "end_s": f"{i % 2 + 1}",
        }
        for i in range(120)
    ]
    table[7] |= {"start_s": "52", "end_s": "54"}
    folder = write(tmp_path / "x", table)
    write_video(folder / "media/v0.mp4", np.full((16, 32, 32, 3), 90, dtype=np.uint8))
    for i in range(1, 60):
        (folder / f"media/v{i}.mp4").hardlink_to(folder / "media/v0.mp4")
    text, sound = report(folder)
    assert sound
    assert "line 9: clip 'media/v3.mp4#t=52,54' is 2.0 s long, and its part begins at 52.0 s" in text
    assert "corpus.columns.start_s=null" in text
    assert "videos: 2.0 s to 2.0 s" in text
    assert "Utterances: 1.0 s to 2.0 s, median 1.0 s" in text
    assert "files in more than one split: 1\n  media/v0.mp4 = media/v1.mp4 = media/v2.mp4" in text


def test_texts_and_files_in_two_splits_are_counted(tmp_path):
    table = rows(12)
    table[-1]["text"] = table[0]["text"]
    table[7]["text"] = table[0]["text"]
    folder = write(tmp_path / "x", table)
    (folder / "media/11.png").write_bytes((folder / "media/0.png").read_bytes())
    text, _ = report(folder)
    assert re.search(r"valid +3 +2 +0.0% +0.0% +1\n", text)
    assert re.search(r"test +3 +2 +0.0% +0.0% +1\n", text)
    assert "ATTENTION: files in more than one split: 1\n  media/0.png = media/11.png" in text


@pytest.mark.parametrize(
    ("files", "stated", "error", "words"),
    [
        (
            {},
            {},
            DataMissing,
            "holds no table (.csv, .tsv, .parquet) and is not a known corpus; expected utterances.csv",
        ),
        ({"a.csv": "x", "b.tsv": "x"}, {}, DataMissing, "several tables (a.csv, b.tsv). Choose one: --table a.csv"),
        ({"a.csv": "x"}, {"table": "b.csv"}, DataMissing, "b.csv is missing; the folder holds a.csv"),
        ({"a.csv": "said,mood\na,1"}, {}, ContractError, "no column that looks like the text; it has said, mood"),
        ({"a.csv": "text,mood\na,1"}, {}, ContractError, "State it: --column label=NAME"),
        ({"a.csv": "text,mood\na,1"}, {"columns": {"label": "moot"}}, ContractError, "did you mean 'mood'?"),
        (
            {"a.csv": "text,mood\na,1"},
            {"columns": {"lable": "mood"}},
            TrmlError,
            "--column lable=...: 'lable' is not a role",
        ),
        ({"a.csv": "text,label\na,1"}, {"classes": ["one"]}, TrmlError, "expected two or more"),
        ({"a.csv": "text,label\na,1"}, {"label_range": [5.0, 1.0]}, TrmlError, "expected [lowest, highest]"),
    ],
)
def test_a_folder_that_cannot_be_checked_says_why(tmp_path, files, stated, error, words):
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(error) as refusal:
        report(tmp_path, **stated)
    assert words in str(refusal.value)


def test_no_folder_at_all(tmp_path):
    with pytest.raises(DataMissing, match="is not a folder; expected one with a table"):
        report(tmp_path / "none")


def test_long_lists_are_cut_and_counted(tmp_path):
    folder = write(tmp_path / "x", [row | {"label": "" if i < 50 else row["label"]} for i, row in enumerate(rows(120))])
    text, _ = report(folder)
    assert "Left out: 50\n  line 2: label is empty" in text
    assert "  and 30 more such lines" in text


def test_the_verb_prints_the_report_and_ends_with_0_or_1(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    folder = write(tmp_path / "x", rows())
    cli.main(["check", str(folder)])
    assert "Ready. Next:" in capsys.readouterr().out
    with pytest.raises(SystemExit) as end:
        cli.main(["check", str(folder), "--column", "utterance_id=split", "--column", "clip="])
    assert end.value.code == 1
    out = capsys.readouterr().out
    assert "clip         none (as stated)" in out
    assert "utterance_id 'train' is on 6 rows" in out
    code, _, err = ended(capsys, "check", folder, "--column", "label=mood")
    assert (code, "has no column 'mood' for label" in err) == (1, True)


def test_a_table_in_a_folder_of_its_own(tmp_path):
    write(tmp_path, rows())
    (tmp_path / "tables").mkdir()
    (tmp_path / "utterances.csv").rename(tmp_path / "tables/posts.csv")
    text, sound = report(tmp_path, table="tables/posts.csv")
    assert sound
    assert composed(text)[0].table == "tables/posts.csv"


needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the real tables are not in this checkout's neighbourhood"
)


@needs_shared
@pytest.mark.parametrize(
    "stated",
    [{}, {"table": "meld.csv", "columns": {"label": "sentiment", "video_id": "dialogue_id"}}],
    ids=["bare", "stated"],
)
def test_the_texts_of_meld_are_ones_own_data(stated):
    text, sound = report(SHARED / "meld", **stated)
    assert sound
    with (SHARED / "meld/meld.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    earlier = {split: {row["text"] for row in table if row["split"] in split} for split in ("train", "train dev")}
    counts = Counter((row["sentiment"], row["split"]) for row in table)
    for split, name, before in (("dev", "valid", "train"), ("test", "test", "train dev")):
        of_split = [row for row in table if row["split"] == split]
        groups = len({row["dialogue_id"] for row in of_split})
        again = sum(row["text"] in earlier[before] for row in of_split)
        assert re.search(rf"^ +{name} +{len(of_split)} +{groups} +0.0% +100.0% +{again}$", text, re.M)
    for mood in ("negative", "neutral", "positive"):
        train, dev, test = (counts[mood, split] for split in ("train", "dev", "test"))
        assert re.search(rf"^ +{mood} +{train} +{dev} +{test}$", text, re.M)
    config, data = composed(text)
    assert data == str(SHARED.resolve())
    assert (config.columns.label, config.columns.video_id, config.columns.utterance_id) == (
        "sentiment",
        "dialogue_id",
        None,
    )
