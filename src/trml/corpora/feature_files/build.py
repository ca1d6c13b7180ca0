"""Build a corpus from features in .npz files, pickles or .csd files. Their layouts: docs/given_features.md."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from trml.base.confined import memory_for
from trml.base.errors import ContractError
from trml.base.printable import one_line, shortened
from trml.base.progress import say
from trml.corpora.contract import SPLITS, CorpusInfo, write_corpus
from trml.corpora.feature_files.config import ArraysConfig
from trml.corpora.feature_files.layouts import read_npz, read_pickle
from trml.corpora.feature_files.scaling import Given, GivenSignal, write_given
from trml.corpora.feature_files.sequences import read_sequences
from trml.sources.formats.filetype import content_of, may_be_pickle
from trml.sources.formats.npz import is_npz


def build(config: ArraysConfig, data: Path, folder: Path, digest: str, workers: int) -> None:
    """Write the corpus into `folder`.

    Raises:
        ContractError: If the files have an unknown layout, or an array does not have the expected form.
    """
    paths = [data / config.folder / name for name in config.files]
    given = _labelled(read(paths, config))
    _check(given.table, paths[0])
    (folder / "given").mkdir()
    room = max(memory_for(path) for path in paths)
    table, notes, empty = write_given(given, config.frames, room, folder / "given")
    _check(table, paths[0])
    _check_labels(table, config, paths[0])
    videos = table.group_by("video_id").agg(pl.col("split").n_unique())["split"]
    notes = [*given.notes, *notes, f"Videos with utterances in more than one split: {int((videos > 1).sum())}."]
    for note in notes:
        say(f"corpus {config.name}: {note}")
    info = CorpusInfo(
        name=config.name,
        title=f"Given features: {', '.join(config.files)}",
        task=config.task,
        classes=config.classes,
        source=f"given features, in {', '.join(config.files)}",
        licence="that of the corpus that the features were computed from",
        media="given",
        notes=["The features are given, not made by a CLIP: their spaces are not aligned.", *notes],
        digest=digest,
        modalities=list(config.modalities),
    )
    seen = "vision" in config.modalities
    clips = [f"given/vision.npy#{row}" if seen else None for row in range(table.height)]
    write_corpus(folder, info, table.with_columns(clip=pl.Series(clips, dtype=pl.String)), [*given.left_out, *empty])


def read(paths: Sequence[Path], config: ArraysConfig) -> Given:
    """Read the files in the layout that their first bytes tell; raise ContractError for an unknown one."""
    contents = [content_of(path) for path in paths]
    if contents == ["an HDF5 file"] * (1 + len(config.modalities)):
        return read_sequences(list(paths), config)
    if contents == ["a zip archive"] and is_npz(paths[0]):
        return read_npz(paths[0], config)
    if len(paths) == 1 and may_be_pickle(contents[0]):
        return read_pickle(paths[0], config)
    files = ", ".join(f"{path.name} is {content}" for path, content in zip(paths, contents, strict=True))
    raise ContractError(
        f"corpus {config.name}: {files}; expected one .npz, one pickle, or .csd files: labels, "
        f"{', '.join(config.modalities)}"
    )


def _labelled(given: Given) -> Given:
    """Leave out the utterances without a label."""
    kept = np.flatnonzero(given.table["label"].is_not_null().to_numpy())
    if len(kept) == given.table.height:
        return given
    without = given.table.filter(pl.col("label").is_null())["utterance_id"]

    def labelled(signal: GivenSignal) -> GivenSignal:
        return replace(signal, rows=lambda i: signal.rows(int(kept[i])))

    return replace(
        given,
        table=given.table[kept],
        signals={name: labelled(signal) for name, signal in given.signals.items()},
        left_out=[*given.left_out, *((name, "no label") for name in without)],
    )


def _check(table: pl.DataFrame, path: Path) -> None:
    """Raise ContractError if an id is there more than once, or a split is empty."""
    twice = table.filter(pl.col("utterance_id").is_duplicated())
    if twice.height:
        name = twice["utterance_id"][0]
        splits = twice.filter(pl.col("utterance_id") == name)["split"].unique().sort().to_list()
        raise ContractError(
            f"{path}: {twice['utterance_id'].n_unique()} utterance ids are not unique ({shortened(name)} in "
            f"{' and '.join(splits)}); expected each once, in one split"
        )
    for split in SPLITS:
        if not (table["split"] == split).any():
            raise ContractError(f"{path}: split {split} has no utterance; expected some in each of {', '.join(SPLITS)}")


def _check_labels(table: pl.DataFrame, config: ArraysConfig, path: Path) -> None:
    """Raise ContractError if every label is the same, as own tables do."""
    labels = table["label"].cast(pl.Float32)
    if labels.n_unique() == 1:
        only = one_line(config.classes[int(labels[0])]) if config.classes else f"{labels[0]:g}"
        raise ContractError(f"{path}: every label is {only}; expected two different ones or more")
