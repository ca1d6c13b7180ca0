"""Raw layouts that are not as they should be: how labels find their segments, what is left out with its reason, and
what is refused in words."""

import shutil

import h5py
import numpy as np
import polars as pl
import pytest

from helpers.raw_builds import (
    built,
    change,
    cmu_config,
    config_of,
    dev_of_one,
    edited,
    meld_config,
    mvsa_config,
    overwritten,
    refused,
)
from helpers.raw_content import write_csd
from trml.base.errors import DataMissing, StoreError
from trml.corpora.cmu import mosei as cmu_mosei
from trml.corpora.cmu import mosi as cmu_mosi
from trml.corpora.common import official_splits as official
from trml.sources.formats.csd import Sequence

# --- matching --------------------------------------------------------------------------------------------


def test_mosei_labels_find_their_segments_by_time():
    """An independent reference: the segment whose ends are nearest, searched one by one."""
    rng = np.random.default_rng(0)
    starts = np.sort(rng.uniform(0, 100, size=20))
    segments = [cmu_mosei.Segment(i, "x", s, s + 3) for i, s in enumerate(starts.tolist())]
    order = rng.permutation(20)[:15]
    times = np.stack([starts[order], starts[order] + 3], axis=1) + rng.uniform(-0.001, 0.001, size=(15, 2))
    pairs, left_out = cmu_mosei.LAYOUT.pair("v", segments, Sequence(times, np.zeros((15, 7))))
    nearest = {int(np.abs(starts - start).argmin()): row for row, start in enumerate(times[:, 0])}
    assert {segment.number: row for segment, row in pairs} == nearest
    assert len(left_out) == 5


@pytest.mark.parametrize(
    ("shift", "paired"), [((0.09, -0.09), True), ((0.11, 0), False), ((0, 0.11), False), ((-0.11, -0.11), False)]
)
def test_mosei_tolerance_holds_for_both_ends(shift, paired):
    labels = Sequence(np.array([[5.0, 8.0]]) + shift, np.zeros((1, 7)))
    pairs, left_out = cmu_mosei.LAYOUT.pair("v", [cmu_mosei.Segment(0, "x", 5.0, 8.0)], labels)
    assert bool(pairs) == paired and len(left_out) == (0 if paired else 2)


def test_mosei_label_twice_is_used_once():
    labels = Sequence(np.array([[5.05, 8.0], [5.0, 8.0]]), np.zeros((2, 7)))
    pairs, left_out = cmu_mosei.LAYOUT.pair("v", [cmu_mosei.Segment(0, "x", 5.0, 8.0)], labels)
    assert [row for _, row in pairs] == [1]  # the nearer one
    assert left_out == [("v, 5.050 to 8.000 s", "a label without a segment of its own within 0.1 s")]


@pytest.mark.parametrize(
    ("video", "line", "segment"),
    [
        ("81406", "81406___3___1.5___2___Well, hi.", (3, "Well, hi.", 1.5, 2.0)),
        ("-abc_", "-abc____0____0.4___2___a  b___c ", (0, "a b___c", -0.4, 2.0)),
        ("a", "b___0___1___2___text", None),
        ("a", "a___x___1___2___text", None),
        ("a", "a___0___one___2___text", None),
        ("a", "a___0___nan___2___text", None),
        ("a", "a___0___1___2", None),
        ("a", f"a___{'1' * 5000}___1___2___text", None),
        ("a", "a___٣___1___2___text", None),
        ("a", "a___0___١___٢___text", None),
    ],
)
def test_mosei_lines(video, line, segment):
    line = line.replace("____0.4", "___-0.4")
    assert cmu_mosei.LAYOUT.parse(video, line) == segment


@pytest.mark.parametrize(
    ("line", "segment"),
    [
        ("12_DELIM_ SO  GOOD ", (12, "SO GOOD", 0.0, 0.0)),
        ("12 SO", None),
        ("x_DELIM_SO", None),
        (f"{'1' * 5000}_DELIM_SO", None),
        ("٣_DELIM_SO", None),
    ],
)
def test_mosi_lines(line, segment):
    assert cmu_mosi.LAYOUT.parse("v", line) == segment


# --- what is reported, and left out ----------------------------------------------------------------------


def transcript(folder, made, suffix="annotprocessed"):
    return next(folder.rglob(f"{made['video_id'][0]}.{suffix}"))


def test_transcripts_that_are_not_as_they_should_be(copy):
    data, folder, made = copy("cmu_mosi")
    path, first = transcript(folder, made), made["utterance_id"][0]
    lines = path.read_bytes().split(b"\n")
    lines[0] = b"1_DELIM_CAF\xc9 \x97 GOOD"
    path.write_bytes(b"\n".join([*lines[:3], b"AND SO ON", lines[1]]))  # a loose line, number 2 again, and 4 absent
    info, table, left_out = built(cmu_config("cmu_mosi"), data)
    assert table.filter(pl.col("utterance_id") == first)["text"].item() == "CAFÉ — GOOD"
    assert any(f"read as Windows-1252: {path.name}." in note for note in info.notes)
    video = made["video_id"][0]
    assert left_out[f"{path.name}, line 4"] == "a line that is not a segment"
    assert left_out[f"{path.name}, line 5"] == "a segment with the number of an earlier one"
    assert left_out[f"{video}_4"] == "a label without transcript"
    assert table.filter(pl.col("video_id") == video)["utterance_id"].to_list() == [f"{video}_{n}" for n in (1, 2, 3)]
    assert any("where officially there are train 1284, valid 229, test 686" in note for note in info.notes)


def test_a_line_ends_at_line_breaks_alone(copy):
    data, folder, made = copy("cmu_mosi")
    path = transcript(folder, made)
    path.write_bytes("1_DELIM_SO\u2028GOOD\r\n2_DELIM_AND\x85\r3_DELIM_ON\n4_DELIM_END".encode())
    _, table, left_out = built(cmu_config("cmu_mosi"), data)
    texts = table.filter(pl.col("video_id") == made["video_id"][0])["text"].to_list()
    assert texts == ["SO GOOD", "AND", "ON", "END"]
    assert not any("line" in what for what in left_out)


def test_a_transcript_beyond_its_labels_leaves_the_video_out(copy):
    """A row is lacking, and nothing says which: no label is guessed."""
    data, folder, made = copy("cmu_mosi")
    path = transcript(folder, made)
    path.write_text(path.read_text() + "5_DELIM_ONE MORE\n")
    _, table, left_out = built(cmu_config("cmu_mosi"), data)
    assert left_out[made["video_id"][0]] == "a video with segments beyond the rows of its labels"
    assert made["video_id"][0] not in table["video_id"]


def test_what_is_missing_for_real(copy):
    """No text: the clip stays. No clip: the text stays. Neither: left out."""
    data, folder, made = copy("cmu_mosi")
    ids = made["utterance_id"].to_list()
    texts = made["text"].to_list()
    path = transcript(folder, made)
    change(path, (f"1_DELIM_{texts[0]}", "1_DELIM_ "), (f"3_DELIM_{texts[2]}", "3_DELIM_"))
    for clip in (made["clip"][1], made["clip"][2]):
        (folder / clip).unlink()
    info, table, left_out = built(cmu_config("cmu_mosi"), data)
    rows = {row["utterance_id"]: row for row in table.iter_rows(named=True)}
    assert rows[ids[0]]["text"] == "" and rows[ids[0]]["clip"]
    assert rows[ids[1]]["text"] and rows[ids[1]]["clip"] is None
    assert left_out[ids[2]] == "neither text nor clip"
    assert f"Vision is absent from the raw files in 1 of 19 utterances (5.26%): {ids[1]}." in info.notes
    assert f"Text is absent from the raw files in 1 of 19 utterances (5.26%): {ids[0]}." in info.notes


def test_posts_without_text_photo_or_label(copy):
    data, folder, made = copy("mvsa_single")
    first, second, third, fourth = made["utterance_id"].to_list()[:4]
    posts = folder / "MVSA_Single" / "data"
    (posts / f"{first}.txt").unlink()
    (posts / f"{second}.jpg").unlink()
    (posts / f"{third}.txt").write_bytes(b"bon app\xe9tit\x9d\r\n")
    change(folder / "MVSA_Single" / "labelResultAll.txt", (f"\n{fourth}\t", "\n888888\t"))
    _, table, left_out = built(mvsa_config(), data)
    rows = {row["utterance_id"]: row for row in table.iter_rows(named=True)}
    assert rows[first]["text"] == "" and rows[second]["clip"] is None
    assert rows[third]["text"] == "bon appétit�"
    assert left_out[fourth] == "a post without label"


def test_meld_row_that_ends_before_it_starts_keeps_text_and_clip(copy):
    data, folder, _ = copy("meld")
    change(folder / "dev_sent_emo.csv", ('"0:00:01,500","00:00:03,250"', '"0:00:03,250","00:00:01,500"'))
    info, table, _ = built(meld_config(), data)
    row = table.filter(pl.col("start_s").is_null()).row(0, named=True)
    assert row["utterance_id"] == "dev_dia0_utt0" and row["clip"]
    assert any("end is not after their start: dev_dia0_utt0." in note for note in info.notes)


# --- what is refused, in words ---------------------------------------------------------------------------


def csd(root="Opinion Segment Labels", **changed):
    """Damage that writes other labels: of the first video, or `write` of all."""

    def damage(folder, made):
        of_first = made.filter(pl.col("video_id") == made["video_id"][0])
        intervals = changed.get("intervals", of_first.select("start_s", "end_s").to_numpy())
        features = changed.get("features", of_first.select("label").to_numpy())
        path = next(folder.glob("*.csd"))
        path.unlink()
        write_csd(path, root, {made["video_id"][0]: (intervals, features)})

    return damage


def labels(value):
    return csd(features=np.array([[0.0], [value], [0.0], [0.0]]))


def removed(*names):
    def damage(folder, made):
        for name in names:
            for path in sorted(folder.rglob(name)):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    return damage


def no_data(folder, made):
    write_csd(next(folder.glob("*.csd")), "Opinion Segment Labels", {})


def two_roots(folder, made):
    with h5py.File(next(folder.glob("*.csd")), "a") as file:
        file.create_group("another")


def words_as_labels(folder, made):
    with h5py.File(next(folder.glob("*.csd")), "w") as file:
        file["Opinion Segment Labels/data/v/intervals"] = np.zeros((1, 2))
        file["Opinion Segment Labels/data/v/features"] = np.array([[b"good"]])


def no_delimiters(folder, made):
    for path in folder.rglob("*.annotprocessed"):
        path.write_text(path.read_text().replace("_DELIM_", " "))


def full_instead(folder, made):
    (folder / "Raw/Video/Segmented").rename(folder / "Raw/Video/Full")


REFUSED = [
    ("cmu_mosi", overwritten("*.csd", b"<html>gone</html>"), "is not a computational sequence"),
    ("cmu_mosi", two_roots, "has 2 groups at its root; expected one"),
    ("cmu_mosi", no_data, "is not a computational sequence"),
    ("cmu_mosi", csd(intervals=np.zeros((4, 3))), r"has intervals \(4, 3\) and features \(4, 1\)"),
    ("cmu_mosi", csd(features=np.zeros((3, 1))), r"has intervals \(4, 2\) and features \(3, 1\)"),
    ("cmu_mosi", csd(features=np.zeros((4, 7))), r"are float64 \[4, 7\]; expected numbers \[n, 1\]"),
    ("cmu_mosei", csd("All Labels", features=np.zeros((4, 1))), r"are float64 \[4, 1\]; expected numbers \[n, 7\]"),
    ("cmu_mosi", words_as_labels, r"the labels of v are \|S4 \[1, 1\]; expected numbers"),
    ("cmu_mosi", labels(np.nan), "row 1 of .* has the sentiment nan; expected -3 to 3"),
    ("cmu_mosi", labels(3.4), "row 1 of .* has the sentiment 3.4; expected -3 to 3"),
    ("cmu_mosi", csd(intervals=np.full((4, 2), np.inf)), "row 0 of .* has the times .*inf.*; expected seconds"),
    ("cmu_mosi", csd(), "split valid is empty. Left out: .*a video without labels"),
    ("cmu_mosi", no_delimiters, "split train is empty. Left out: .*a line that is not a segment"),
    ("meld", edited("dev_sent_emo.csv", ("Sentiment", "Feeling")), "has no column Sentiment; it has Sr No., Utterance"),
    ("meld", edited("dev_sent_emo.csv", ("Utterance_ID", "Utt")), "has no column Utterance_ID"),
    ("meld", overwritten("dev_sent_emo.csv", b""), "is empty; expected a line of column names"),
    ("meld", dev_of_one("1,hi"), "line 2: 2 cells; expected 11"),
    ("meld", dev_of_one("1,hi,X,joy,glad,0,0,1,1,0:00:01,500"), "row 1: StartTime is '0:00:01'"),
    ("meld", dev_of_one('1,hi,X,joy,glad,0,0,1,1,"0:00:01,5","0:00:02,5"'), "Sentiment is 'glad'; expected one of neg"),
    ("meld", dev_of_one('1,hi,X,joy,positive,0,zero,1,1,"0:00:01,5","0:00:02,5"'), "Utterance_ID is 'zero'; expected"),
    ("meld", dev_of_one('1,hi,X,joy,positive,0,0,1,1,soon,"0:00:02,5"'), "StartTime is 'soon'; expected hours:minutes"),
    ("meld", edited("dev_sent_emo.csv", ("0,1,1,1,", "0,0,1,1,")), "row 2: dia0_utt0 is listed twice"),
    ("meld", edited("test_sent_emo.csv", ("Sr No", "\ufeffSr No"), ("0,3,1,1", "0,2,1,1")), "row 4: dia0_utt2 is"),
    ("meld", dev_of_one(""), "split valid is empty"),
    ("mvsa_single", overwritten("labelResultAll.txt", b"1\tpositive,positive\n"), "columns `ID` and `text,image`"),
    ("mvsa_single", overwritten("labelResultAll.txt", b""), "''; expected the columns `ID`"),
    ("mvsa_single", edited("labelResultAll.txt", (",neutral", ",happy")), "line 2: .*happy.*; expected a number and"),
    ("mvsa_single", edited("labelResultAll.txt", ("\n3\t", "\n2\t")), "line 4: post 2 is listed twice"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "damage", "words"), REFUSED)
def test_broken_files_are_named(kind, damage, words, copy):
    refused(*copy(kind), kind, damage, words)


MISSING = [
    ("cmu_mosi", removed("*.csd"), "nothing matches .*CMU_MOSI_Opinion_Labels.csd; .*cmu_mosi holds Raw"),
    ("cmu_mosi", removed("Transcript"), r"nothing matches .*\.annotprocessed; .*Raw holds Video\."),
    ("cmu_mosi", removed("*.annotprocessed"), "Raw/Transcript/Segmented is empty"),
    ("cmu_mosi", full_instead, r"Raw/Video holds Full\..*or use those in Raw/Video/Full: corpus.clips=full"),
    ("cmu_mosei", removed("Videos"), r"nothing matches .*Raw/Videos/Segmented/Combined/\*.mp4; .*Raw holds Transcript"),
    (
        "meld",
        removed("dev_sent_emo.csv"),
        "nothing matches .*MELD.Raw/dev_sent_emo.csv; .*holds dev_splits_complete, out",
    ),
    ("meld", removed("train_splits"), "nothing matches .*train_splits.*or use the texts alone: corpus.vision=false"),
    ("mvsa_single", removed("labelResultAll.txt"), "nothing matches .*labelResultAll.txt; .*MVSA_Single holds data"),
    ("mvsa_single", removed("*.jpg"), r"nothing matches .*\*.jpg; .*data holds 1.txt, .* and 20 more"),
    ("mvsa_single", removed("mvsa_single"), "the folder .*mvsa_single is absent"),
]


@pytest.mark.parametrize(("kind", "damage", "words"), MISSING)
def test_what_is_not_there_is_said(kind, damage, words, copy):
    data, folder, made = copy(kind)
    damage(folder.parent if "absent" in words else folder, made)
    for ask in (lambda: config_of(kind).raw_files(data), lambda: built(config_of(kind), data)):
        with pytest.raises(DataMissing, match=words) as raised:
            ask()
        assert "trml fetch" in str(raised.value)


def test_folds_that_were_changed_are_refused(tmp_path, monkeypatch):
    shutil.copytree(official._FOLDS, tmp_path / "folds")
    change(tmp_path / "folds" / "cmu_mosi.json", ("03bSnISJMiM", "03bSnISJMiN"))
    monkeypatch.setattr(official, "_FOLDS", tmp_path / "folds")
    with pytest.raises(StoreError, match=r"cmu_mosi.json is not the file of this version"):
        official.read_folds("cmu_mosi")
    assert len(official.read_folds("cmu_mosei")) == 3227
