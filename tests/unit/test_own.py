"""User-supplied datasets: a table becomes a corpus, and every fault is reported with its line."""

from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from helpers.own_data import own_config, rows, write
from trml.base.errors import ContractError
from trml.corpora.contract import read_corpus
from trml.corpora.registry import build_corpus
from trml.corpora.user_table.rows import read


def built(folder: Path, out: Path, **changed):
    out.mkdir(exist_ok=True)
    build_corpus(own_config(folder, **changed), Path(), out, "x", 1)
    return *read_corpus(out), pl.read_parquet(out / "left_out.parquet")


def changed(line: int, **cells: str):
    """A change to the row on a line (the header is line 1)."""
    return lambda table: [row | cells if i == line - 2 else row for i, row in enumerate(table)]


def test_a_sound_table_becomes_a_corpus_and_nothing_is_copied(tmp_path):
    folder = write(tmp_path / "own", rows())
    info, utterances, left_out = built(folder, tmp_path / "out")
    assert (info.task, info.media, info.root) == ("regression", "raw", str(folder))
    assert utterances["label"].to_list() == [float(row["label"]) for row in rows()]
    assert utterances["text"][3] == 'what 3 says, in "quotes"'
    assert utterances["clip"].to_list() == [row["clip"] for row in rows()]
    assert left_out.is_empty()
    assert sorted(path.name for path in (tmp_path / "out").rglob("*")) == [
        "corpus.json",
        "left_out.parquet",
        "utterances.parquet",
    ]


@pytest.mark.parametrize("name", ["utterances.tsv", "t.parquet", "with_mark.csv", "crlf.csv"])
def test_other_forms_of_the_same_table_say_the_same(tmp_path, name):
    folder = write(tmp_path / "own", rows())
    plain = (folder / "utterances.csv").read_bytes()
    if name.endswith(".parquet"):
        pl.read_csv(folder / "utterances.csv").write_parquet(folder / name)
    elif name.endswith(".tsv"):
        write(folder, rows(), name)
    else:
        (folder / name).write_bytes(b"\xef\xbb\xbf" + plain if "mark" in name else plain.replace(b"\n", b"\r\n"))
    utterances = read(own_config(folder, table=name), folder).utterances
    assert utterances.drop("line").equals(read(own_config(folder), folder).utterances.drop("line"))


def test_words_are_classes_in_the_alphabet_or_as_stated(tmp_path):
    words = ["sad", "glad", "mad"]
    folder = write(tmp_path / "own", [row | {"label": words[i % 3]} for i, row in enumerate(rows())])
    info, utterances, _ = built(folder, tmp_path / "a")
    assert (info.task, info.classes) == ("classification", ["glad", "mad", "sad"])
    assert utterances["label"].to_list()[:3] == [2, 0, 1]
    info, utterances, _ = built(folder, tmp_path / "b", classes=words)
    assert info.classes == words
    assert utterances["label"].to_list()[:3] == [0, 1, 2]


def test_numbers_are_classes_where_it_is_stated(tmp_path):
    folder = write(tmp_path / "own", [row | {"label": str(i % 2)} for i, row in enumerate(rows())])
    assert built(folder, tmp_path / "out", classes=["1", "0"])[1]["label"].to_list()[:2] == [1, 0]


def test_a_range_of_numbers_is_mapped(tmp_path):
    folder = write(tmp_path / "own", [row | {"label": str(i % 5 + 1)} for i, row in enumerate(rows())])
    info, utterances, _ = built(folder, tmp_path / "out", label_range=[1.0, 5.0])
    assert utterances["label"].to_list()[:5] == [-3, -1.5, 0, 1.5, 3]
    assert "Labels in [1, 5] are mapped to [-3, 3]." in info.notes


def test_columns_under_other_names(tmp_path):
    table = [{"Utterance": row["text"], "mood": row["label"], "dialogue": row["video_id"]} for row in rows()]
    folder = write(tmp_path / "own", table)
    columns = {"text": "Utterance", "label": "mood", "video_id": "dialogue"}
    _, utterances, _ = built(folder, tmp_path / "out", columns=columns)
    assert utterances["utterance_id"].to_list() == [str(i) for i in range(1, 13)]
    assert utterances["clip"].null_count() == 12


def test_parts_of_videos_are_fragments_and_stay_together(tmp_path):
    parts = [("0", "1.5"), ("1.5", "3"), ("12.3456", "15.2"), ("", "")]
    table = [
        {"text": f"t{i}", "clip": f"media/v{i // 4}.mp4", "label": str(i % 3), "start_s": start, "end_s": end}
        for i, (start, end) in enumerate(parts * 4)
    ]
    folder = write(tmp_path / "own", table)
    for i in range(4):
        (folder / f"media/v{i}.mp4").write_bytes(b"a video")
    utterances = read(own_config(folder), folder).utterances
    assert utterances["clip"].to_list()[:4] == [
        "media/v0.mp4#t=0,1.5",
        "media/v0.mp4#t=1.5,3",
        "media/v0.mp4#t=12.346,15.2",
        "media/v0.mp4",
    ]
    cut = utterances.filter(pl.col("start_s").is_not_null())
    assert set(cut["video_id"]) == {f"media/v{i}.mp4" for i in range(4)}
    assert cut.group_by("video_id").agg(pl.col("split").n_unique())["split"].max() == 1


def test_another_seed_draws_another_split(tmp_path):
    table = [{k: v for k, v in row.items() if k not in ("split", "video_id")} for row in rows(40)]
    folder = write(tmp_path / "own", table)
    drawn = [read(own_config(folder, seed=seed), folder).utterances["split"].to_list() for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert Counter(drawn[0]) == {"train": 28, "valid": 6, "test": 6}


LEFT_OUT = [
    ({"label": ""}, "label is empty"),
    ({"label": "nan"}, "label 'nan' is not a label"),
    ({"label": "inf"}, "label 'inf' is not a label"),
    ({"text": " ", "clip": ""}, "no text, and no clip"),
    ({"text": "", "clip": "media/none.png"}, "no text, and clip 'media/none.png' does not exist"),
    ({"split": "spare"}, "split 'spare' is unknown; expected train, valid (dev) or test"),
    ({"split": ""}, "split '' is unknown"),
]


@pytest.mark.parametrize(("cells", "words"), LEFT_OUT)
def test_a_row_that_cannot_be_used_is_left_out_with_its_reason(tmp_path, cells, words):
    folder = write(tmp_path / "own", changed(4, **cells)(rows()))
    info, utterances, left_out = built(folder, tmp_path / "out")
    assert utterances["utterance_id"].to_list() == [
        row["utterance_id"] for row in rows() if row["utterance_id"] != "u2"
    ]
    assert left_out["what"].to_list() == ["utterances.csv line 4 (u2)"]
    assert left_out["reason"][0].startswith(words)
    assert any("Rows left out: 1 of 12" in note for note in info.notes)


NO_VISION = [
    ({"clip": "media/none.png"}, "clip 'media/none.png' does not exist"),
    ({"clip": "media"}, "clip 'media' is a folder; expected a file"),
    ({"clip": "media\\2.png"}, "expected / between folders"),
    ({"clip": "http://there/2.png"}, "is a URL"),
    ({"clip": "media/2#1.png"}, "has a '#'"),
    ({"clip": "m" * 3000}, "does not exist"),
]


@pytest.mark.parametrize(("cells", "words"), NO_VISION)
def test_a_clip_that_is_not_there_leaves_the_text(tmp_path, capsys, cells, words):
    folder = write(tmp_path / "own", changed(4, **cells)(rows()))
    (finding,) = read(own_config(folder), folder).of("no vision")
    assert finding.line == 4
    assert words in finding.words
    info, utterances, left_out = built(folder, tmp_path / "out")
    assert utterances["clip"].is_null().to_list() == [i == 2 for i in range(12)]
    assert left_out.is_empty()
    assert "ATTENTION: Clips that do not exist or cannot be cut: 1 of 12 (8.3%)" in capsys.readouterr().err
    assert any("8.3%" in note for note in info.notes)


@pytest.mark.parametrize(
    ("start", "end"),
    [("3", "3"), ("5", "3"), ("-1", "3"), ("3", ""), ("", "3"), ("00:01", "3"), ("nan", "3"), ("3", "inf")],
)
def test_times_that_cut_nothing_leave_the_text(tmp_path, start, end):
    table = [row | {"start_s": "", "end_s": ""} for row in rows()]
    folder = write(tmp_path / "own", changed(4, clip="media/v.mp4", start_s=start, end_s=end)(table))
    (folder / "media/v.mp4").write_bytes(b"a video")
    (finding,) = read(own_config(folder), folder).of("no vision")
    assert f"start_s {start!r}, end_s {end!r}; expected seconds, 0 <= start_s < end_s" in finding.words


REFUSED = [
    ("a label too high", changed(4, label="4"), "line 4: label 4 is outside [-3, 3]"),
    ("its remedy", changed(4, label="4"), "corpus.label_range=[-3,4]"),
    ("a word among numbers", changed(4, label="good"), "line 4: label 'good' is not a number, unlike 11 others"),
    (
        "a number among words",
        lambda table: changed(4, label="2")([row | {"label": "good"} for row in table]),
        "line 4: label '2' is a number, unlike 11 others",
    ),
    ("one label", lambda table: [row | {"label": "0"} for row in table], "every label is 0; expected two"),
    ("one class", lambda table: [row | {"label": "good"} for row in table], "every label is 'good'; expected two"),
    (
        "capitals",
        lambda table: changed(4, label="Good")([row | {"label": "good"} for row in table]),
        "labels 'Good' and 'good' differ in capitals alone",
    ),
    (
        "texts as labels",
        lambda table: [row | {"label": row["text"]} for row in table * 4],
        "utterance_id 'u0' is on 4 rows",
    ),
    ("many classes", lambda _: [row | {"label": row["text"]} for row in rows(40)], "label has 40 different values"),
    ("twice the same id", changed(4, utterance_id="u0"), "line 2: utterance_id 'u0' is on 2 rows; expected each once"),
    ("an empty id", changed(4, utterance_id=""), "line 4: utterance_id is empty"),
    (
        "an empty split",
        lambda t: [r | {"split": r["split"].replace("valid", "train")} for r in t],
        "split valid is empty",
    ),
    (
        "its sizes",
        lambda t: [r | {"split": r["split"].replace("valid", "train")} for r in t],
        "train has 9 rows, test has",
    ),
    ("numbers as splits", lambda t: [r | {"split": "3"} for r in t], "no row can be used"),
    ("out of the folder", changed(4, clip="../own/../../x.png"), "line 4: clip '../own/../../x.png' leads out"),
    ("absolute", changed(4, clip="/etc/passwd"), "line 4: clip '/etc/passwd' leads out of the folder"),
    ("absolute elsewhere", changed(4, clip="C:\\x.png"), "leads out of the folder"),
    (
        "no clip at all",
        lambda t: [r | {"clip": f"x/{r['clip']}"} for r in t],
        "none of the 12 clips that are named can be used",
    ),
    (
        "two groups",
        lambda t: [{k: v for k, v in r.items() if k != "split"} | {"video_id": f"g{i % 2}"} for i, r in enumerate(t)],
        "split test is empty",
    ),
]


@pytest.mark.parametrize(("change", "words"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_makes_the_whole_unusable_is_refused_in_words(tmp_path, change, words):
    folder = write(tmp_path / "own", change(rows()))
    with pytest.raises(ContractError) as refusal:
        built(folder, tmp_path / "out")
    assert words in str(refusal.value)
    assert f"For a full report: trml check {folder}\n" in str(refusal.value)
    assert not list((tmp_path / "out").iterdir())


def test_a_link_out_of_the_folder_is_refused(tmp_path):
    folder = write(tmp_path / "own", rows())
    (tmp_path / "secret.png").write_bytes(b"x")
    (folder / "media/2.png").unlink()
    (folder / "media/2.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(ContractError, match=r"line 4: clip 'media/2.png' leads out of the folder"):
        built(folder, tmp_path / "out")
    assert tmp_path / "secret.png" not in [path.resolve() for path in own_config(folder).raw_files(Path())]


def test_a_folder_that_is_a_link_itself_is_no_way_out(tmp_path):
    write(tmp_path / "big_disk", rows())
    (tmp_path / "own").symlink_to(tmp_path / "big_disk")
    assert built(tmp_path / "own", tmp_path / "out")[1].height == 12


def test_a_leak_is_said_and_stands_in_the_notes(tmp_path, capsys):
    folder = write(tmp_path / "own", [row | {"video_id": f"g{i % 2}"} for i, row in enumerate(rows())])
    info, *_ = built(folder, tmp_path / "out")
    words = "Groups (video_id) in more than one split: 2 (g0, g1). This is a leak"
    assert words in capsys.readouterr().err
    assert any(words in note for note in info.notes)


def test_raw_files_are_the_table_and_every_clip_that_is_there(tmp_path):
    folder = write(tmp_path / "data/own", changed(4, clip="media/none.png")(rows()))
    config = own_config(Path("own"))
    files = config.raw_files(tmp_path / "data")
    assert files[0] == folder / "utterances.csv"
    assert files[1:] == [folder / f"media/{i}.png" for i in range(12) if i != 2]
    # That the table is missing is reported elsewhere.
    assert config.raw_files(tmp_path) == [tmp_path / "own/utterances.csv"]


@pytest.mark.parametrize(
    ("spelt", "meant"),
    [("Train", "train"), ("dev", "valid"), ("VAL", "valid"), ("validation", "valid"), ("testing", "test")],
)
def test_splits_by_their_usual_names(tmp_path, spelt, meant):
    table = [row | {"split": spelt if row["split"] == meant else row["split"]} for row in rows()]
    utterances = read(own_config(write(tmp_path / "own", table)), tmp_path / "own").utterances
    assert utterances["split"].to_list() == [row["split"] for row in rows()]
