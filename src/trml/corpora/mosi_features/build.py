"""Build CMU-MOSI from utterance-level features of its text, video and audio.

The features were learned with the labels of the training videos of `bclstm_split`, so only its test part is honest. It
has no dev part. One is held out of the training videos, whole videos at a time, and has the same fault.
"""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trml.base.errors import ContractError
from trml.corpora.contract import CorpusInfo, write_corpus
from trml.corpora.mosi_features.config import MosiConfig
from trml.seeding import generator
from trml.sources.formats.npz import Npz

_ARRAYS = {"text": "text", "vision": "video", "audio": "audio"}  # modality -> its array in the .npz
_WIDTHS = {"text": 100, "vision": 100, "audio": 73}


def build(config: MosiConfig, data: Path, folder: Path, digest: str, workers: int) -> None:
    """Write the corpus into `folder`: features f32 [N, 1, 100], audio [N, 1, 73], and labels in [-3, 3].

    Raises:
        ContractError: If table and features disagree, or too many videos are held out.
    """
    table_path, features_path = config.raw_files(data)
    raw = pl.read_csv(table_path, glob=False)
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
    if arrays.read("utt_id").tolist() != utterances["utterance_id"].to_list():
        raise ContractError(f"{features_path} and {table_path} do not list the same utterances in the same order")
    for modality in config.modalities:
        name, expected = _ARRAYS[modality], (raw.height, _WIDTHS[modality])
        array = arrays.read(name)
        if array.shape != expected or array.dtype.kind not in "fiu":
            words = f"found {list(array.shape)} of {array.dtype}; expected numbers {list(expected)}"
            raise ContractError(f"{features_path}: {name}: {words}")
        values, mask = array.astype(np.float32), np.ones((raw.height, 1), dtype=bool)
        if modality == "text":
            mask = (utterances["text"] != "").to_numpy()[:, None]
        if modality == "audio":
            values = _standardised(values, (utterances["split"] == "train").to_numpy())
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
    return ((wide - wide[train].mean(axis=0)) / deviation).astype(np.float32)


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
