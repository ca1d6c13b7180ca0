"""The corpus contract: what every corpus folder holds, checked when it is written and when it is read.

    utterances.parquet  one row an utterance (SCHEMA below)
    corpus.json         name, task, classes, source, licence, media, digest
    media/ or given/    the clips (video or image files), or the features a corpus brings: text, frames, frame_mask and,
                        where presence is not told by the texts, present (as features.py has them)
    pairs.parquet       text + image pairs to pretrain an encoder on (where the corpus offers any)
    ceiling.parquet     the best reachable scores, where the corpus is generated and they are known
    left_out.parquet    what of the raw files is in no utterance, and why

`clip` is a path inside the folder, or where the media are raw inside data/<root>; `#t=12.3,15.2` behind it (a media
fragment) means these seconds of it; `given/frames.npy#7` is row 7 of an array.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from trml.base.artifacts import read_json, write_json
from trml.base.errors import ContractError

SPLITS = ("train", "valid", "test")

SCHEMA = {
    "utterance_id": pl.String,
    "video_id": pl.String,
    "split": pl.String,
    "text": pl.String,
    "clip": pl.String,
    "start_s": pl.Float32,
    "end_s": pl.Float32,
}

LEFT_OUT_SCHEMA = {"what": pl.String, "reason": pl.String}

PAIRS_SCHEMA = {"text": pl.String, "image": pl.String, "group": pl.Int32, "split": pl.String}


@dataclass(frozen=True)
class CorpusInfo:
    """corpus.json.

    task: `regression` has f32 labels in [-3, 3], `classification` has i32 labels that index `classes`.
    media: `files` has clips to decode, `raw` has them in data/<root>, where they lie already, and `given` brings
    features in given/{text,frames,frame_mask}.npy.
    """

    name: str
    title: str
    task: Literal["regression", "classification"]
    classes: list[str]
    source: str
    licence: str
    media: Literal["files", "raw", "given"]
    notes: list[str]
    digest: str
    root: str = ""


def write_corpus(
    folder: Path, info: CorpusInfo, utterances: pl.DataFrame, left_out: Sequence[tuple[str, str]] = ()
) -> None:
    """Check and write the files every corpus has (media are written by the caller before). `left_out`: what of the raw
    files is in no utterance, and why."""
    label = pl.Float32 if info.task == "regression" else pl.Int32
    utterances = utterances.cast({"start_s": pl.Float32, "end_s": pl.Float32, "label": label})
    check_utterances(utterances, info)
    pl.DataFrame(list(left_out), LEFT_OUT_SCHEMA, orient="row").write_parquet(folder / "left_out.parquet")
    utterances.select([*SCHEMA, "label"]).write_parquet(folder / "utterances.parquet")
    write_json(folder / "corpus.json", asdict(info))


def read_corpus(folder: Path) -> tuple[CorpusInfo, pl.DataFrame]:
    """The checked corpus of a folder. Raises ContractError that says what is wrong, in words."""
    info = CorpusInfo(**read_json(folder / "corpus.json"))
    utterances = pl.read_parquet(folder / "utterances.parquet")
    check_utterances(utterances, info)
    return info, utterances


def media_folder(folder: Path, info: CorpusInfo, data: Path) -> Path:
    """Where the paths of `clip` start."""
    return data / info.root if info.media == "raw" else folder


def check_utterances(table: pl.DataFrame, info: CorpusInfo) -> None:
    """Raise ContractError unless the table holds to the contract."""

    def require(condition: bool, message: str) -> None:
        if not condition:
            raise ContractError(f"corpus {info.name}: {message}")

    wanted = {**SCHEMA, "label": pl.Float32 if info.task == "regression" else pl.Int32}
    for column, dtype in wanted.items():
        require(column in table.columns, f"utterances.parquet has no column {column}; it has {table.columns}")
        require(table[column].dtype == dtype, f"column {column} is {table[column].dtype}; expected {dtype}")
    require(table.height > 0, "it has no utterances")
    for column in ("utterance_id", "video_id", "split", "text", "label"):
        require(table[column].null_count() == 0, f"column {column} has {table[column].null_count()} nulls")
    require(table["utterance_id"].is_unique().all(), "utterance_id is not unique")
    strange = set(table["split"].unique()) - set(SPLITS)
    require(not strange, f"split has {sorted(strange)}; expected {list(SPLITS)}")
    for split in SPLITS:
        require((table["split"] == split).any(), f"split {split} is empty")
    low, high = (-3, 3) if info.task == "regression" else (0, len(info.classes) - 1)
    found = table["label"].to_numpy()
    reach = f"labels reach from {found.min()} to {found.max()}"
    require(bool(((found >= low) & (found <= high)).all()), f"{reach}; expected {low} to {high}")
