"""The raw layouts of the real corpora in miniature, with ids of their official folds, made from pantomime's faces and
sentences. Each `*_layout` fills a folder as the fetched corpus would, and returns the utterances that should come of it
in the order of the corpus; each `*_archive` makes the files as they are published."""

import tarfile
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from PIL import Image

from helpers.raw_content import FRAMES, MELD_SPLITS, content, faces, write_meld_tables, write_mosei, write_mosi
from trml.corpora.common.official_splits import read_folds, repeated
from trml.corpora.pantomime import face
from trml.sources.formats.video_writer import FRAMES_PER_SECOND, write_video

SIZES = {"train": 12, "valid": 4, "test": 4}
PER_VIDEO = 4  # segments of a video, utterances of a dialogue
PAUSE = 2  # frames after a segment in a whole video
STRANGER = "in-no-fold_"  # a video of no official fold, whose name ends as some do
_MELD_FOLDERS = {"train": "train_splits", "valid": "dev_splits_complete", "test": "output_repeated_splits_test"}
_APPLE = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        "


# --- layouts ---------------------------------------------------------------------------------------------


def mosi_layout(folder: Path, per_split: Mapping[str, int] = SIZES, full: bool = False, seed: int = 0) -> pl.DataFrame:
    """CMU-MOSI with cut clips or, where `full`, with whole videos."""
    made = _segments("cmu_mosi", per_split, first=1, seed=seed)
    write_mosi(folder, made)
    _cmu_clips(folder, made, "Raw/Video/Full" if full else "Raw/Video/Segmented", full)
    return _expected(made, "Raw/Video/Full" if full else "Raw/Video/Segmented", full)


def mosei_layout(folder: Path, per_split: Mapping[str, int] = SIZES, full: bool = False, seed: int = 0) -> pl.DataFrame:
    """CMU-MOSEI, the same. Labels are in no order; each video has a segment more than labels, and there is a video of
    no fold."""
    made = _segments("cmu_mosei", per_split, first=0, seed=seed)
    stranger = made.filter(pl.col("video_id") == made["video_id"][0]).with_columns(pl.lit(STRANGER).alias("video_id"))
    write_mosei(folder, pl.concat([made, stranger]), unlabelled=True, seed=seed)
    media = "Raw/Videos/Full/Combined" if full else "Raw/Videos/Segmented/Combined"
    _cmu_clips(folder, made, media, full)
    return _expected(made, media, full)


def meld_layout(
    folder: Path, per_split: Mapping[str, int] = SIZES, absent: Sequence[str] = (), seed: int = 0
) -> pl.DataFrame:
    """MELD, the tables in the folder itself, the clips in MELD.Raw. `absent`: utterances without clip, such as
    `dev_dia0_utt1`. The first of test has a second clip, `final_videos_test...`, which is the right one; each folder
    has a clip that no row names, and macOS's droppings. The result has columns sentiment and emotion, no label."""
    made = _meld_rows(per_split, seed).with_columns(
        pl.when(pl.col("utterance_id").is_in(list(absent))).then(None).otherwise(pl.col("clip")).alias("clip")
    )
    write_meld_tables(folder, made)
    for row, frames in zip(made.iter_rows(named=True), faces(made, seed), strict=True):
        if row["clip"]:
            (folder / row["clip"]).parent.mkdir(parents=True, exist_ok=True)
            write_video(folder / row["clip"], frames)
    blank = np.zeros((FRAMES, face.SIZE, face.SIZE, 3), dtype=np.uint8)
    for media in _MELD_FOLDERS.values():
        write_video(folder / "MELD.Raw" / media / "dia999_utt0.mp4", blank)
        (folder / "MELD.Raw" / media / "._dia999_utt0.mp4").write_bytes(_APPLE)
    write_video(folder / "MELD.Raw" / _MELD_FOLDERS["test"] / "dia0_utt0.mp4", blank)
    return made


def mvsa_layout(folder: Path, per_split: Mapping[str, int] = SIZES, seed: int = 0) -> pl.DataFrame:
    """MVSA-Single: photos and texts of posts of the folds and, one each, a post that repeats another, one whose labels
    contradict each other, and one of no fold."""
    guids, strange = read_folds("mvsa_single"), sorted(repeated("mvsa_single"))[0]
    picked = [guid for split in per_split for guid in _ids(guids, split)[: per_split[split]]]
    contradicted = _ids(guids, "train")[per_split["train"]]
    made = content(len(picked) + 3, seed).with_columns(
        pl.Series("guid", [*picked, strange, contradicted, "999999"]),
    )
    posts = folder / "MVSA_Single" / "data"
    posts.mkdir(parents=True)
    lines = ["ID\ttext,image"]
    for row, frames in zip(made.iter_rows(named=True), faces(made, seed), strict=True):
        Image.fromarray(frames[FRAMES // 2]).save(posts / f"{row['guid']}.jpg")
        (posts / f"{row['guid']}.txt").write_text(row["text"] + "\n")
        pair = "positive,negative" if row["guid"] == contradicted else f"{row['sentiment']},neutral"
        lines.append(f"{row['guid']}\t{pair}")
    (folder / "MVSA_Single" / "labelResultAll.txt").write_text("\n".join(lines) + "\n")
    return (
        made.head(len(picked))
        .sort(pl.col("guid").cast(pl.Int64))
        .select(
            pl.col("guid").alias("utterance_id"),
            pl.col("guid").alias("video_id"),
            pl.col("guid").replace_strict(guids).alias("split"),
            "text",
            ("MVSA_Single/data/" + pl.col("guid") + ".jpg").alias("clip"),
            "sentiment",
        )
    )


# --- archives --------------------------------------------------------------------------------------------


def mosi_archive(folder: Path, **layout: Any) -> pl.DataFrame:
    """CMU_MOSI.zip, with Raw/ at its root, and CMU_MOSI_Opinion_Labels.csd beside it."""
    return _cmu_archive(folder, "CMU_MOSI.zip", "CMU_MOSI_Opinion_Labels.csd", mosi_layout, layout)


def mosei_archive(folder: Path, **layout: Any) -> pl.DataFrame:
    """CMU_MOSEI.zip, with Raw/ at its root, and CMU_MOSEI_Labels.csd beside it."""
    return _cmu_archive(folder, "CMU_MOSEI.zip", "CMU_MOSEI_Labels.csd", mosei_layout, layout)


def meld_archive(folder: Path, **layout: Any) -> pl.DataFrame:
    """MELD.Raw.tar.gz, with train.tar.gz, dev.tar.gz and test.tar.gz in it, and the three tables beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        made = meld_layout(Path(name), **layout)
        raw = Path(name) / "MELD.Raw"
        for split, media in _MELD_FOLDERS.items():
            theirs = MELD_SPLITS[split]
            table = Path(name) / f"{theirs}_sent_emo.csv"
            (folder / table.name).write_bytes(table.read_bytes())
            # The table of train is inside its archive, the others are beside theirs.
            table.rename(raw / media / table.name if split == "train" else raw / table.name)
            with tarfile.open(raw / f"{theirs}.tar.gz", "w:gz", compresslevel=1) as nested:
                if split == "train":
                    nested.add(raw / media / table.name, table.name)
                    (raw / media / table.name).unlink()
                nested.add(raw / media, media)
        (raw / "README.txt").write_text("MELD\n")
        (raw / "._README.txt").write_bytes(_APPLE)
        with tarfile.open(folder / "MELD.Raw.tar.gz", "w:gz", compresslevel=1) as archive:
            for path in sorted(path for path in raw.iterdir() if path.is_file()):
                archive.add(path, f"MELD.Raw/{path.name}")
    return made


def _cmu_archive(folder: Path, archive: str, labels: str, fill: Any, layout: Mapping[str, Any]) -> pl.DataFrame:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        made = fill(Path(name), **layout)
        (folder / labels).write_bytes((Path(name) / labels).read_bytes())
        with zipfile.ZipFile(folder / archive, "w", zipfile.ZIP_DEFLATED) as file:
            for path in sorted((Path(name) / "Raw").rglob("*")):  # folders have entries of their own
                file.write(path, path.relative_to(name))
    return made


# --- the parts of them ---------------------------------------------------------------------------------


def _ids(folds: Mapping[str, str], split: str) -> list[str]:
    return [name for name, of in folds.items() if of == split]


def _segments(kind: str, per_split: Mapping[str, int], first: int, seed: int) -> pl.DataFrame:
    """Segments of videos of the official folds, some of them fewer than PER_VIDEO."""
    folds, rows = read_folds(kind), []
    for split, n in per_split.items():
        for i in range(n):
            place = i % PER_VIDEO
            start = place * (FRAMES + PAUSE) / FRAMES_PER_SECOND
            rows.append(
                {
                    "video_id": _ids(folds, split)[i // PER_VIDEO],
                    "split": split,
                    "number": first + place,
                    "start_s": start,
                    "end_s": start + FRAMES / FRAMES_PER_SECOND,
                }
            )
    return pl.concat([pl.DataFrame(rows), content(len(rows), seed)], how="horizontal")


def _cmu_clips(folder: Path, made: pl.DataFrame, media: str, full: bool) -> None:
    (folder / media).mkdir(parents=True)
    for of_video in made.partition_by("video_id", maintain_order=True):
        parts = list(faces(of_video, 0))
        if full:
            whole = [np.concatenate([part, part[-1:].repeat(PAUSE, axis=0)]) for part in parts]
            write_video(folder / media / f"{of_video['video_id'][0]}.mp4", np.concatenate(whole))
        else:
            for number, part in zip(of_video["number"], parts, strict=True):
                write_video(folder / media / f"{of_video['video_id'][0]}_{number}.mp4", part)


def _expected(made: pl.DataFrame, media: str, full: bool) -> pl.DataFrame:
    """The utterances as the corpus should have them, by video and number."""
    name = pl.col("video_id") + "_" + pl.col("number").cast(pl.String)
    part = pl.format(
        "#t={},{}", *(pl.col(time).map_elements("{:g}".format, pl.String) for time in ("start_s", "end_s"))
    )
    clip = f"{media}/" + (pl.col("video_id") + ".mp4" + part if full else name + ".mp4")
    return made.sort("video_id", "number").select(
        name.alias("utterance_id"), "video_id", "split", "text", clip.alias("clip"), "start_s", "end_s", "label"
    )


def _meld_rows(per_split: Mapping[str, int], seed: int) -> pl.DataFrame:
    rows = []
    for split, n in per_split.items():
        for i in range(n):
            dialogue, number = divmod(i, PER_VIDEO)
            clip = f"dia{dialogue}_utt{number}"
            right = f"final_videos_test{clip}" if split == "test" and i == 0 else clip
            rows.append(
                {
                    "utterance_id": f"{MELD_SPLITS[split]}_{clip}",
                    "video_id": f"{MELD_SPLITS[split]}_dia{dialogue}",
                    "split": split,
                    "dialogue_id": dialogue,
                    "clip": f"MELD.Raw/{_MELD_FOLDERS[split]}/{right}.mp4",
                    "start_time": f"0:0{number}:01,500",
                    "end_time": f"00:0{number}:03,250",
                    "start_s": 60.0 * number + 1.5,
                    "end_s": 60.0 * number + 3.25,
                }
            )
    return pl.concat([pl.DataFrame(rows), content(len(rows), seed)], how="horizontal")


LAYOUTS = {"cmu_mosi": mosi_layout, "cmu_mosei": mosei_layout, "meld": meld_layout, "mvsa_single": mvsa_layout}
