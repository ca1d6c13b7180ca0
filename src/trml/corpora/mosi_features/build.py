"""Build CMU-MOSI from utterance-level features of its text, video and audio.

The features were learned with the labels of the training videos of `bclstm_split`, so only its test part is honest. It
has no dev part. One is held out of the training videos, whole videos at a time, and has the same fault.
"""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trml.base.confined import memory_for
from trml.base.errors import ContractError
from trml.base.printable import one_line, shortened
from trml.corpora.contract import CorpusInfo, write_corpus
from trml.corpora.mosi_features.config import MosiConfig
from trml.corpora.mosi_features.table import read_utterances
from trml.seeding import generator
from trml.sources.formats.npz import Npz

_ARRAYS = {"text": "text", "vision": "video", "audio": "audio"}  # modality -> its array in the .npz
_WIDTHS = {"text": 100, "vision": 100, "audio": 73}

_AN_UTTERANCE = 5_000  # bytes that its features take in all their forms

_SHOWN = 80  # characters of a type


def build(config: MosiConfig, data: Path, folder: Path, digest: str, workers: int) -> None:
    """Write the corpus into `folder`: features f32 [N, 1, 100], audio [N, 1, 73], and labels in [-3, 3].

    Raises:
        ContractError: If a table or array is not as expected, they disagree, or too many videos are held out.
    """
    table_path, features_path = config.raw_files(data)
    raw, lines = read_utterances(table_path)
    utterances = raw.select(
        pl.col("utt_id").alias("utterance_id"),
        "video_id",
        _split(raw, config.valid_videos),
        "text",
        (pl.lit("given/vision.npy#") + pl.int_range(pl.len()).cast(pl.String)).alias("clip"),
        "start_s",
        "end_s",
        pl.col("sentiment").alias("label"),
    )
    if "vision" not in config.modalities:
        utterances = utterances.with_columns(clip=pl.lit(None, pl.String))
    given = folder / "given"
    given.mkdir()
    arrays = Npz(features_path)
    if raw.height > (most := memory_for(features_path) // _AN_UTTERANCE):
        raise ContractError(
            f"{table_path} has {raw.height:,} utterances; expected at most {most:,} for {features_path}"
        )
    _check_ids(arrays, table_path, raw["utt_id"].to_list(), lines)
    for modality in config.modalities:
        name, expected = _ARRAYS[modality], (raw.height, _WIDTHS[modality])
        array = arrays.read(name)
        if array.shape != expected or array.dtype.kind not in "fiu":
            found = one_line(f"{list(array.shape)} of {array.dtype}"[:_SHOWN])
            raise ContractError(f"{features_path}: {name}: found {found}; expected numbers {list(expected)}")
        with np.errstate(over="ignore"):
            values, mask = array.astype(np.float32), np.ones((raw.height, 1), dtype=bool)
        _check_finite(f"{features_path}: {name}", values)
        if modality == "text":
            mask = (utterances["text"] != "").to_numpy()[:, None]
        if modality == "audio":
            values = _standardised(values, (utterances["split"] == "train").to_numpy())
            _check_finite(f"{features_path}: {name}, scaled to deviation 1 in split train", values)
        np.save(given / f"{modality}.npy", values[:, None, :])
        np.save(given / f"{modality}_mask.npy", mask)
    write_corpus(folder, _info(config, digest), utterances)


def _split(raw: pl.DataFrame, held_out: int) -> pl.Expr:
    videos = raw.filter(pl.col("bclstm_split") == "train")["video_id"].unique().sort().to_list()
    if held_out >= len(videos):
        raise ContractError(f"corpus.valid_videos is {held_out}; expected less than {len(videos)}, the training videos")
    chosen = generator(0, "mosi dev videos").choice(videos, held_out, replace=False).tolist()
    split = pl.when(pl.col("video_id").is_in(chosen)).then(pl.lit("valid")).otherwise(pl.col("bclstm_split"))
    return split.alias("split")


def _standardised(values: NDArray[np.float32], train: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the columns with mean 0 and deviation 1 in the training part: their units differ by five digits."""
    wide: NDArray[Any] = values.astype(np.float64)
    deviation = wide[train].std(axis=0)
    deviation[deviation == 0] = np.inf
    with np.errstate(over="ignore"):
        return ((wide - wide[train].mean(axis=0)) / deviation).astype(np.float32)


def _check_ids(arrays: Npz, table: Path, names: list[str], lines: list[int]) -> None:
    """Raise ContractError unless the arrays are of the table's utterances, in its order."""
    ids = arrays.read("utt_id")
    where = f"{arrays.path} and {table} do not list the same utterances in the same order"
    if ids.shape != (len(names),):
        raise ContractError(f"{where}: utt_id has {list(ids.shape)}, the table {len(names):,} rows")
    try:
        found = ids.tolist()
    except SystemError as error:  # characters beyond Unicode
        raise ContractError(f"{arrays.path}: utt_id: it cannot be read ({error})") from None
    for row, (one, other) in enumerate(zip(found, names, strict=True)):
        if one != other:
            words = f"row {row} of utt_id is {shortened(one)}, and line {lines[row]} has {shortened(other)}"
            raise ContractError(f"{where}: {words}")


def _check_finite(where: str, values: NDArray[np.float32]) -> None:
    wrong = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if wrong.size:
        words = f"row {wrong[0]}, and {wrong.size - 1:,} more, " if wrong.size > 1 else f"row {wrong[0]} "
        raise ContractError(f"{where}: {words}with a value that is not finite; expected finite numbers of 4 bytes")


def _info(config: MosiConfig, digest: str) -> CorpusInfo:
    widths = ", ".join(f"{modality} {_WIDTHS[modality]}" for modality in config.modalities)
    notes = [
        f"The features are given, one vector an utterance ({widths} numbers). They are not made by a CLIP: their spaces"
        " are not aligned.",
        "Split: the features' own train/test split by video, since they were learned with the labels of its training"
        f" videos. {config.valid_videos} of those videos are held out as dev, which the features therefore know too:"
        " dev scores are optimistic, and the choice of the epoch is not quite honest.",
    ]
    if "audio" in config.modalities:
        notes.append(
            "The origin of the audio features is not documented; they look like means of acoustic descriptors in"
            " different units. Their columns are scaled to mean 0 and deviation 1 in the training part."
        )
    return CorpusInfo(
        name=config.name,
        title="CMU-MOSI, given features",
        task="regression",
        classes=[],
        source="CMU-MOSI (Zadeh et al. 2016); utterance-level features published with the bc-LSTM code",
        licence="no data licence stated; research use",
        media="given",
        notes=notes,
        digest=digest,
        modalities=list(config.modalities),
    )
