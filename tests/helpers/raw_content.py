"""What the raw layouts in miniature are made of (raw_layouts.py): content from pantomime, and the files that the real
corpora keep it in, which tests also fill with real tables."""

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import polars as pl

from trml.corpora.pantomime import face, grammar
from trml.corpora.pantomime.config import Weights
from trml.corpora.pantomime.factors import OWN, SHARED, SIGNS, draw, label

FRAMES = 8  # of a segment
MELD_SPLITS = {"train": "train", "valid": "dev", "test": "test"}
_WEIGHTS = Weights(shared=1.1, text_only=0.35, vision_only=0.35, synergy=0.4, speaker=0.25, noise=0.2)
_MELD_HEADER = ["Sr No.", "Utterance", "Speaker", "Emotion", "Sentiment", "Dialogue_ID", "Utterance_ID"]
_MELD_HEADER += ["Season", "Episode", "StartTime", "EndTime"]


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
    and their times are not quite the transcripts'."""
    transcripts = folder / "Raw" / "Transcript" / "Segmented" / "Combined"
    transcripts.mkdir(parents=True)
    sequences, rng = {}, np.random.default_rng(seed)
    for video in table.partition_by("video_id", maintain_order=True):
        name, rows = video["video_id"][0], video.sort("number")
        columns = rows.select("number", "start_s", "end_s", "text")
        lines = [f"{name}___{n}___{start + 0.0004}___{end}___{text}" for n, start, end, text in columns.iter_rows()]
        if unlabelled:
            lines.append(f"{name}___{rows['number'].max() + 1}___1000.25___1001.5___nobody judged this")
        (transcripts / f"{name}.txt").write_text("\n".join(lines) + "\n")
        shuffled = rows[rng.permutation(rows.height)]
        features = np.concatenate([shuffled.select("label").to_numpy(), np.zeros((rows.height, 6))], axis=1)
        sequences[name] = (shuffled.select("start_s", "end_s").to_numpy(), features)
    write_csd(folder / "CMU_MOSEI_Labels.csd", "All Labels", sequences)


def write_meld_tables(folder: Path, table: pl.DataFrame) -> None:
    """The three csv files, of a table with the columns split, dialogue_id, utterance_id (its number or our own), text,
    sentiment, emotion, start_time, end_time."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, theirs in MELD_SPLITS.items():
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(_MELD_HEADER)
        for place, row in enumerate(table.filter(pl.col("split") == split).iter_rows(named=True), 1):
            number = str(row["utterance_id"]).rpartition("utt")[2]
            named = [row["text"], "Somebody", row["emotion"], row["sentiment"], row["dialogue_id"], number]
            writer.writerow([place, *named, 1, 1, row["start_time"], row["end_time"]])
        (folder / f"{theirs}_sent_emo.csv").write_bytes(text.getvalue().encode())


def content(n: int, seed: int) -> pl.DataFrame:
    """n rows of pantomime's factors with the sentence, the label, and classes that follow from it."""
    rng = np.random.default_rng(seed)
    factors = draw(np.arange(n), FRAMES, rng).factors
    columns = (factors[name].tolist() for name in ("shared", "text_only", "tone"))
    voice = grammar.Voice.draw(rng)
    value = label(factors, _WEIGHTS)
    sentiment = np.select([value < -0.4, value > 0.4], ["negative", "positive"], "neutral").tolist()
    emotions = {"negative": ("anger", "disgust", "fear", "sadness"), "neutral": ("neutral",), "positive": ("joy",)}
    return pl.DataFrame(
        {
            **factors,
            "text": [grammar.sentence(*levels, voice, rng) for levels in zip(*columns, strict=True)],
            "label": value,
            "sentiment": sentiment,
            "emotion": [emotions[s][i % len(emotions[s])] if i % 5 else "surprise" for i, s in enumerate(sentiment)],
        }
    )


def faces(made: pl.DataFrame, seed: int) -> Iterator[np.ndarray]:
    """Of each row, frames that show its factors."""
    rng = np.random.default_rng(seed)
    looks = face.Looks.draw(rng)
    for shared, eyes, brow in made.select("shared", "vision_only", "brow").iter_rows():
        mouths = np.full(FRAMES, SHARED[shared] / SHARED.max())
        yield face.clip(mouths, float(OWN[eyes]), float(SIGNS[brow]), looks, rng)
