"""Features that somebody computed and passes around: .npz, pickles, .csd. docs/given_features.md has the layouts."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from trml.base.errors import ContractError
from trml.base.progress import say
from trml.corpora.contract import SPLITS, CorpusInfo, write_corpus
from trml.corpora.feature_files.config import ArraysConfig
from trml.corpora.feature_files.layouts import read_npz, read_pickle
from trml.corpora.feature_files.scaling import Given, write_given
from trml.corpora.feature_files.sequences import fold_files, read_sequences
from trml.sources.formats.filetype import content_of, may_be_pickle
from trml.sources.formats.npz import is_npz


def raw_files(config: ArraysConfig, data: Path) -> list[Path]:
    """The files a user has to bring, and the folds where .csd files need them."""
    paths = [data / config.folder / name for name in config.files]
    return paths + (fold_files() if len(paths) == 3 else [])


def build(config: ArraysConfig, data: Path, folder: Path, digest: str, workers: int) -> None:
    """Fill `folder` with the corpus; its features and given/present.npy are in write_given's form."""
    paths = [data / config.folder / name for name in config.files]
    given = _labelled(read(paths, config))
    _check(given.table, paths[0])
    (folder / "given").mkdir()
    table, notes, neither = write_given(given, config.frames, folder / "given")
    _check(table, paths[0])
    videos = table.group_by("video_id").agg(pl.col("split").n_unique())["split"]
    notes = [*given.notes, *notes, f"Videos with utterances in more than one split: {int((videos > 1).sum())}."]
    for note in notes:
        say(f"corpus {config.name}: {note}")
    info = CorpusInfo(
        name=config.name,
        title=f"Given features: {', '.join(config.files)}",
        task=config.task,
        classes=config.classes,
        source=f"features that were brought, in {', '.join(config.files)}",
        licence="that of the corpus the features were computed from",
        media="given",
        notes=["The features are given, not made by a CLIP: the two spaces are not aligned.", *notes],
        digest=digest,
    )
    clips = [f"given/frames.npy#{row}" for row in range(table.height)]
    write_corpus(folder, info, table.with_columns(clip=pl.Series(clips)), [*given.left_out, *neither])


def read(paths: Sequence[Path], config: ArraysConfig) -> Given:
    """The layout that the files' first bytes say. Raises ContractError where it is none of those known."""
    contents = [content_of(path) for path in paths]
    if contents == ["an HDF5 file"] * 3:
        return read_sequences(list(paths), config)
    if contents == ["a zip archive"] and is_npz(paths[0]):
        return read_npz(paths[0], config)
    if len(paths) == 1 and may_be_pickle(contents[0]):
        return read_pickle(paths[0], config)
    found = ", ".join(f"{path.name} is {content}" for path, content in zip(paths, contents, strict=True))
    raise ContractError(
        f"corpus {config.name}: {found}; expected one .npz, one pickle, or three .csd: of labels, of text, of vision"
    )


def _labelled(given: Given) -> Given:
    """Without the utterances that have no label."""
    kept = np.flatnonzero(given.table["label"].is_not_null().to_numpy())
    if len(kept) == given.table.height:
        return given
    without = given.table.filter(pl.col("label").is_null())["utterance_id"]
    return replace(
        given,
        table=given.table[kept],
        text=lambda i: given.text(int(kept[i])),
        frames=lambda i: given.frames(int(kept[i])),
        left_out=[*given.left_out, *((name, "no label") for name in without)],
    )


def _check(table: pl.DataFrame, path: Path) -> None:
    twice = table.filter(pl.col("utterance_id").is_duplicated())
    if twice.height:
        name = twice["utterance_id"][0]
        splits = twice.filter(pl.col("utterance_id") == name)["split"].unique().sort().to_list()
        raise ContractError(
            f"{path}: {twice['utterance_id'].n_unique()} utterance ids are there more than once ({name!r} in "
            f"{' and '.join(splits)}); expected each once, in one split"
        )
    for split in SPLITS:
        if not (table["split"] == split).any():
            raise ContractError(f"{path}: split {split} has no utterance; expected some in each of {', '.join(SPLITS)}")
