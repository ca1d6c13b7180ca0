"""The real corpora from their raw layouts: what comes of them, and the official counts."""

import re
import shutil
import tarfile

import polars as pl
import pytest

from conftest import ROOT
from helpers.raw_builds import built, check, cmu_config, meld_config, mvsa_config
from helpers.raw_content import MELD_SPLITS, write_meld_tables, write_mosi
from helpers.raw_layouts import LAYOUTS, STRANGER, meld_archive, meld_layout, mosei_archive, mosi_archive, mosi_layout
from trml.corpora.common.official_splits import read_folds, repeated
from trml.corpora.contract import media_folder
from trml.corpora.mvsa import build as mvsa_single
from trml.sources.formats.archives import unpack
from trml.sources.formats.video_reader import Clip, read_frames
from trml.sources.formats.video_writer import FRAMES_PER_SECOND

GIVEN = ROOT.parent / "shared" / "data"
MOSI_TABLE, MELD_TABLE = GIVEN / "mosi" / "mosi_utterances.csv", GIVEN / "meld" / "meld.csv"
OFFICIAL = {
    "cmu_mosi": {"train": 1284, "valid": 229, "test": 686},
    "cmu_mosei": {"train": 16327, "valid": 1871, "test": 4662},
    "meld": {"train": 9989, "valid": 1109, "test": 2610},
}


def sizes(table):
    return dict(table.group_by("split").len().iter_rows())


# --- what comes of the layouts ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["cmu_mosi", "cmu_mosei"])
@pytest.mark.parametrize("full", [False, True])
def test_cmu_utterances_are_what_was_put_in(kind, full, tmp_path):
    made = LAYOUTS[kind](tmp_path / kind, full=full)
    config = cmu_config(kind, "full" if full else "segmented")
    info, table, left_out = built(config, tmp_path)
    check(table, made, pl.col("label"))
    assert (info.media, info.root, info.task) == ("raw", kind, "regression")
    folder = media_folder(tmp_path / "built", info, tmp_path)
    for clip, start, end in table.select("clip", "start_s", "end_s").iter_rows():
        file, _, part = clip.partition("#t=")
        assert read_frames(Clip(folder / file), 4)
        assert not full or part == ",".join(f"{time:.3f}".rstrip("0").rstrip(".") for time in (start, end))
    if kind == "cmu_mosei":
        assert left_out[STRANGER] == "a video in no official fold"
        assert sum(reason == "a segment without a label within 0.1 s" for reason in left_out.values()) == 5
    files = set(config.raw_files(tmp_path))
    assert files == {
        path for path in (tmp_path / kind).rglob("*") if path.is_file() and not path.stem.startswith(STRANGER)
    }


def test_a_whole_video_holds_its_segments(tmp_path):
    """The parts that #t= names lie inside the file."""
    made = mosi_layout(tmp_path / "cmu_mosi", full=True)
    for clip, end in made.group_by(pl.col("clip").str.split("#").list.first()).agg(pl.col("end_s").max()).iter_rows():
        assert len(read_frames(Clip(tmp_path / "cmu_mosi" / clip), 1000)) / FRAMES_PER_SECOND >= end


@pytest.mark.parametrize("task", ["sentiment", "emotion"])
def test_meld_utterances_are_what_was_put_in(task, tmp_path):
    made = meld_layout(tmp_path / "meld", absent=["dev_dia0_utt1"])
    config = meld_config(task)
    info, table, left_out = built(config, tmp_path)
    check(table, made, pl.col(task).replace_strict({name: i for i, name in enumerate(info.classes)}))
    assert len(info.classes) == {"sentiment": 3, "emotion": 7}[task]
    assert table.filter(pl.col("clip").is_null())["utterance_id"].to_list() == ["dev_dia0_utt1"]
    assert any(
        "Vision is absent from the raw files in 1 of 20 utterances (5.00%): dev_dia0_utt1." in n for n in info.notes
    )
    assert left_out["dia0_utt0.mp4"] == "a clip that a final_videos_test clip replaces"
    assert left_out["dev_dia999_utt0"] == "a clip that no row of the table names"
    names = {path.name for path in config.raw_files(tmp_path)}
    assert not any(name.startswith("._") for name in names)
    assert {"train_sent_emo.csv", "final_videos_testdia0_utt0.mp4"} <= names


def test_meld_without_vision_reads_the_text_alone(copy):
    data, folder, made = copy("meld")
    shutil.rmtree(folder / "MELD.Raw")
    config = meld_config(vision=False)
    _, table, _ = built(config, data)
    assert table["clip"].null_count() == made.height and table["text"].to_list() == made["text"].to_list()
    assert [path.name for path in config.raw_files(data)] == [f"{s}_sent_emo.csv" for s in ("dev", "test", "train")]


def test_meld_tables_may_lie_where_the_archive_has_them(copy):
    data, folder, made = copy("meld")
    for path in folder.glob("*.csv"):
        path.rename(folder / "MELD.Raw" / path.name)
    assert built(meld_config(), data)[1].height == made.height


def test_mvsa_posts_are_what_was_put_in(copy):
    data, _, made = copy("mvsa_single")
    info, table, left_out = built(mvsa_config(), data)
    check(table, made, pl.col("sentiment").replace_strict({"negative": 0, "neutral": 1, "positive": 2}))
    assert left_out["999999"] == "a post in no fold"
    assert left_out[sorted(repeated("mvsa_single"))[0]] == "a post whose photo or text repeats an earlier split"
    assert "a post with one label positive and the other negative" in left_out.values()
    assert read_frames(Clip.parse(table["clip"][0], media_folder(data / "built", info, data)), 1)


@pytest.mark.parametrize(
    ("text", "image", "label"),
    [
        ("positive", "positive", "positive"),
        ("neutral", "negative", "negative"),
        ("positive", "neutral", "positive"),
        ("neutral", "neutral", "neutral"),
        ("positive", "negative", None),
        ("negative", "positive", None),
    ],
)
def test_one_label_of_two(text, image, label):
    assert mvsa_single.one_label(text, image) == label


# --- the official folds and counts -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [("cmu_mosi", (52, 10, 31)), ("cmu_mosei", (2249, 300, 678)), ("mvsa_single", (3611, 404, 406))],
)
def test_folds_have_the_official_sizes(kind, numbers):
    folds = list(read_folds(kind).values())
    assert tuple(folds.count(split) for split in ("train", "valid", "test")) == numbers
    assert len(repeated(kind)) == (90 if kind == "mvsa_single" else 0)
    assert not repeated(kind) & set(read_folds(kind))


def real_mosi():
    table = pl.read_csv(MOSI_TABLE).sort("video_id", "segment")
    names = {"segment": "number", "csd_start_s": "start_s", "csd_end_s": "end_s", "sentiment": "label"}
    return table.select("video_id", "text", "sdk_split", *names).rename(names)


@pytest.mark.skipif(not MOSI_TABLE.is_file(), reason="needs the published table of CMU-MOSI beside the repository")
@pytest.mark.parametrize("clips", ["segmented", "full"])
def test_real_mosi_has_the_official_counts(clips, tmp_path):
    """Real times, scores and transcripts in their raw form. One segment has no length, two pairs have the same times,
    and two videos' rows are not in the order of their times."""
    table, folder = real_mosi(), tmp_path / "cmu_mosi"
    write_mosi(folder, pl.concat([table, table.head(3).with_columns(pl.lit(STRANGER).alias("video_id"))]))
    names = table["video_id"] + "_" + table["number"].cast(pl.String) if clips == "segmented" else table["video_id"]
    media = folder / "Raw" / "Video" / clips.capitalize()
    media.mkdir(parents=True)
    for name in set(names) - {names[0]}:
        (media / f"{name}.mp4").touch()
    info, found, left_out = built(cmu_config("cmu_mosi", clips), tmp_path)
    assert sizes(found) == OFFICIAL["cmu_mosi"] and any("the official numbers" in note for note in info.notes)
    assert left_out == {STRANGER: "a video in no official fold"}
    check(found.drop("clip", "start_s", "end_s").with_columns(clip=pl.lit("")), put_in(table), pl.col("label"))
    lone = found.filter(pl.col("utterance_id") == "2WGyTLYerpo_44").row(0, named=True)
    assert lone["start_s"] is None and (lone["clip"] is None) == (clips == "full")
    assert any("end is not after their start: 2WGyTLYerpo_44." in note for note in info.notes)
    missing = 1 if clips == "segmented" else 1 + (table["video_id"] == names[0]).sum()
    assert found["clip"].null_count() == missing


def put_in(table):
    return table.select(
        pl.format("{}_{}", "video_id", "number").alias("utterance_id"),
        "video_id",
        pl.col("sdk_split").alias("split"),
        "text",
        pl.lit("").alias("clip"),
        "label",
    )


@pytest.mark.skipif(not MELD_TABLE.is_file(), reason="needs the published table of MELD beside the repository")
@pytest.mark.parametrize(("task", "vision"), [("sentiment", False), ("emotion", True)])
def test_real_meld_has_the_official_counts(task, vision, tmp_path):
    """The real tables in their raw form, with a few clips. One utterance has no length."""
    table = pl.read_csv(MELD_TABLE, infer_schema=False).with_columns(pl.col("split").replace({"dev": "valid"}))
    write_meld_tables(tmp_path / "meld", table)
    for name in ("train_splits", "dev_splits_complete", "output_repeated_splits_test"):
        media = tmp_path / "meld" / "MELD.Raw" / name
        media.mkdir(parents=True)
        (media / "dia0_utt0.mp4").touch()
    info, found, left_out = built(meld_config(task, vision), tmp_path)
    assert sizes(found) == OFFICIAL["meld"] and any("the official numbers" in note for note in info.notes)
    assert found["text"].to_list() == [" ".join(text.split()) for text in table["text"]]
    assert [info.classes[label] for label in found["label"]] == table[task].to_list()
    assert found["clip"].drop_nulls().len() == (3 if vision else 0) and not left_out
    assert (found["end_s"] - found["start_s"]).drop_nulls().to_numpy() == pytest.approx(
        table["duration_s"].cast(pl.Float64).filter(found["start_s"].is_not_null()).to_numpy(), abs=2e-3
    )
    assert found.filter(pl.col("start_s").is_null())["utterance_id"].to_list() == ["test_dia155_utt3"]


# --- the archives ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("make", "kind"), [(mosi_archive, "cmu_mosi"), (mosei_archive, "cmu_mosei")])
def test_archives_of_cmu_unpack_to_the_layout(make, kind, tmp_path):
    made = make(tmp_path / kind)
    (archive,) = (tmp_path / kind).glob("*.zip")
    unpack(archive, tmp_path / kind)
    check(built(cmu_config(kind), tmp_path)[1], made, pl.col("label"))


def test_archive_of_meld_unpacks_to_the_layout(tmp_path):
    made = meld_archive(tmp_path / "meld", absent=["dev_dia0_utt1"])
    archive = tmp_path / "meld" / "MELD.Raw.tar.gz"
    with tarfile.open(archive) as file:
        assert {"MELD.Raw/train.tar.gz", "MELD.Raw/dev_sent_emo.csv", "MELD.Raw/._README.txt"} <= set(file.getnames())
        for split in MELD_SPLITS.values():
            with tarfile.open(fileobj=file.extractfile(f"MELD.Raw/{split}.tar.gz")) as inner:
                assert any(re.search(r"/\._dia", name) for name in inner.getnames())
    unpack(archive, tmp_path / "meld")
    for path in (tmp_path / "meld").glob("*.csv"):
        path.unlink()  # the archive has them too
    info, table, _ = built(meld_config(), tmp_path)
    check(table, made, pl.col("sentiment").replace_strict({name: i for i, name in enumerate(info.classes)}))
