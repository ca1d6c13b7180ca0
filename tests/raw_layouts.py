"""The raw layouts of the real corpora in miniature, with ids of their official folds, made from pantomime's faces and
sentences. Each `*_layout` fills a folder as the fetched corpus would, and returns the utterances that should come of it
in the order of the corpus; each `*_archive` makes the files as they are published."""

import csv
import io
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import polars as pl
from PIL import Image

from trml.config import CmuConfig, MeldConfig, MvsaSingleConfig, Terms, Weights
from trml.corpora.official import read_folds, repeated
from trml.corpora.pantomime import face, grammar
from trml.corpora.pantomime.factors import draw, label
from trml.corpora.video import FRAMES_PER_SECOND, write_video

SIZES = {"train": 12, "valid": 4, "test": 4}
PER_VIDEO = 4  # segments of a video, utterances of a dialogue
FRAMES, PAUSE = 8, 2  # of a segment, and after it in a whole video
STRANGER = "in-no-fold_"  # a video of no official fold, whose name ends as some do
_WEIGHTS = Weights(shared=0.6, text_only=0.6, vision_only=0.4, synergy=0.4, noise=0.3)
_MELD_SPLITS = {"train": "train", "valid": "dev", "test": "test"}
_MELD_FOLDERS = {"train": "train_splits", "valid": "dev_splits_complete", "test": "output_repeated_splits_test"}
_MELD_HEADER = (
    "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime".split(",")
)
_APPLE = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        "


# --- configurations --------------------------------------------------------------------------------------


def _fetched(name: str) -> dict[str, Any]:
    terms = Terms(name=name, text="for research", url="https://example.org")
    return {"name": name, "folder": name, "licence": "for research", "terms": terms, "sources": []}


def cmu_config(kind: str, clips: str = "segmented") -> CmuConfig:
    return CmuConfig(kind=kind, clips=clips, **_fetched(kind))


def meld_config(task: str = "sentiment", vision: bool = True) -> MeldConfig:
    return MeldConfig(kind="meld", task=task, vision=vision, **_fetched("meld"))


def mvsa_config() -> MvsaSingleConfig:
    return MvsaSingleConfig(kind="mvsa_single", **_fetched("mvsa_single"))


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
    `dev_dia0_utt1`. The first of test has a second clip, `final_videos_test...`, which is the right one; each folder has
    a clip more than rows, and macOS's droppings. The result has the columns sentiment and emotion in place of a label."""
    made = _meld_rows(per_split, seed).with_columns(
        pl.when(pl.col("utterance_id").is_in(list(absent))).then(None).otherwise(pl.col("clip")).alias("clip")
    )
    write_meld_tables(folder, made)
    faces = _faces(made, seed)
    for row, frames in zip(made.iter_rows(named=True), faces, strict=True):
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
    made = _content(len(picked) + 3, seed).with_columns(
        pl.Series("guid", [*picked, strange, contradicted, "999999"]),
    )
    posts = folder / "MVSA_Single" / "data"
    posts.mkdir(parents=True)
    lines = ["ID\ttext,image"]
    for row, frames in zip(made.iter_rows(named=True), _faces(made, seed), strict=True):
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
            theirs = _MELD_SPLITS[split]
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


# --- the files of a layout, from a table of segments -----------------------------------------------------


def write_csd(path: Path, root: str, sequences: Mapping[str, tuple[Any, Any]]) -> None:
    """A computational sequence: intervals [n, 2] and features [n, d] by video."""
    with h5py.File(path, "w") as file:
        file.create_group(f"{root}/metadata")
        for video, (intervals, features) in sequences.items():
            file[f"{root}/data/{video}/intervals"] = np.asarray(intervals, dtype=np.float64)
            file[f"{root}/data/{video}/features"] = np.asarray(features, dtype=np.float64)


def write_mosi(folder: Path, table: pl.DataFrame) -> None:
    """Transcripts and labels of a table with the columns video_id, number, text, start_s, end_s, label."""
    transcripts = folder / "Raw" / "Transcript" / "Segmented"
    transcripts.mkdir(parents=True)
    sequences = {}
    for video in table.partition_by("video_id", maintain_order=True):
        rows = video.sort("number")
        lines = [f"{n}_DELIM_{text}" for n, text in rows.select("number", "text").iter_rows()]
        (transcripts / f"{video['video_id'][0]}.annotprocessed").write_text("\n".join(lines) + "\n")
        sequences[video["video_id"][0]] = (rows.select("start_s", "end_s").to_numpy(), rows.select("label").to_numpy())
    write_csd(folder / "CMU_MOSI_Opinion_Labels.csd", "Opinion Segment Labels", sequences)


def write_mosei(folder: Path, table: pl.DataFrame, unlabelled: bool = False, seed: int = 0) -> None:
    """The same of CMU-MOSEI; `unlabelled` gives each transcript a last segment that has no label. Labels are shuffled
    and their times written with fewer digits than the transcripts'."""
    transcripts = folder / "Raw" / "Transcript" / "Segmented" / "Combined"
    transcripts.mkdir(parents=True)
    sequences, rng = {}, np.random.default_rng(seed)
    for video in table.partition_by("video_id", maintain_order=True):
        name, rows = video["video_id"][0], video.sort("number")
        columns = rows.select("number", "start_s", "end_s", "text")
        lines = [f"{name}___{n}___{start!r}___{end!r}___{text}" for n, start, end, text in columns.iter_rows()]
        if unlabelled:
            lines.append(f"{name}___{rows['number'].max() + 1}___1000.25___1001.5___nobody judged this")
        (transcripts / f"{name}.txt").write_text("\n".join(lines) + "\n")
        shuffled = rows[rng.permutation(rows.height)]
        features = np.concatenate([shuffled.select("label").to_numpy(), np.zeros((rows.height, 6))], axis=1)
        sequences[name] = (shuffled.select("start_s", "end_s").to_numpy().round(3), features)
    write_csd(folder / "CMU_MOSEI_Labels.csd", "All Labels", sequences)


def write_meld_tables(folder: Path, table: pl.DataFrame) -> None:
    """The three csv files, of a table with the columns split, dialogue_id, utterance_id (its number or our own), text,
    sentiment, emotion, start_time, end_time."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, theirs in _MELD_SPLITS.items():
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(_MELD_HEADER)
        for place, row in enumerate(table.filter(pl.col("split") == split).iter_rows(named=True), 1):
            number = str(row["utterance_id"]).rpartition("utt")[2]
            named = [row["text"], "Somebody", row["emotion"], row["sentiment"], row["dialogue_id"], number]
            writer.writerow([place, *named, 1, 1, row["start_time"], row["end_time"]])
        (folder / f"{theirs}_sent_emo.csv").write_bytes(text.getvalue().encode())


# --- content ---------------------------------------------------------------------------------------------


def _ids(folds: Mapping[str, str], split: str) -> list[str]:
    return [name for name, of in folds.items() if of == split]


def _content(n: int, seed: int) -> pl.DataFrame:
    """n rows of pantomime's factors with the sentence, the label, and classes that follow from it."""
    rng = np.random.default_rng(seed)
    factors = draw(n, rng)
    columns = (factors[name].tolist() for name in ("shared", "text_only", "tone"))
    value = label(factors, _WEIGHTS)
    sentiment = np.select([value < -0.4, value > 0.4], ["negative", "positive"], "neutral").tolist()
    emotions = {"negative": ("anger", "disgust", "fear", "sadness"), "neutral": ("neutral",), "positive": ("joy",)}
    return pl.DataFrame(
        {
            **factors,
            "text": [grammar.sentence(*levels, rng) for levels in zip(*columns, strict=True)],
            "label": value,
            "sentiment": sentiment,
            "emotion": [emotions[s][i % len(emotions[s])] if i % 5 else "surprise" for i, s in enumerate(sentiment)],
        }
    )


def _faces(made: pl.DataFrame, seed: int) -> Iterator[np.ndarray]:
    """Of each row, frames that show its factors."""
    rng = np.random.default_rng(seed)
    speaker = face.Speaker.draw(rng)
    for levels in made.select("shared", "vision_only", "brow").iter_rows():
        yield face.clip(*levels, speaker, FRAMES, rng)


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
                    "start_s": start + 0.0003,
                    "end_s": start + FRAMES / FRAMES_PER_SECOND,
                }
            )
    return pl.concat([pl.DataFrame(rows), _content(len(rows), seed)], how="horizontal")


def _cmu_clips(folder: Path, made: pl.DataFrame, media: str, full: bool) -> None:
    (folder / media).mkdir(parents=True)
    for of_video in made.partition_by("video_id", maintain_order=True):
        parts = list(_faces(of_video, 0))
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
        "#t={},{}", *(pl.col(time).map_elements("{:.3f}".format, pl.String) for time in ("start_s", "end_s"))
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
                    "utterance_id": f"{_MELD_SPLITS[split]}_{clip}",
                    "video_id": f"{_MELD_SPLITS[split]}_dia{dialogue}",
                    "split": split,
                    "dialogue_id": dialogue,
                    "clip": f"MELD.Raw/{_MELD_FOLDERS[split]}/{right}.mp4",
                    "start_time": f"0:0{number}:01,500",
                    "end_time": f"00:0{number}:03,250",
                    "start_s": 60.0 * number + 1.5,
                    "end_s": 60.0 * number + 3.25,
                }
            )
    return pl.concat([pl.DataFrame(rows), _content(len(rows), seed)], how="horizontal")
