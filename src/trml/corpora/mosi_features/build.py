"""CMU-MOSI as utterance-level text and video features that the corpus brings.

The features were learned with the labels of the training videos of `bclstm_split`, so its test part alone is
honest. It has no dev part: one is taken from the training videos, whole videos at a time, and shares that fault.
"""

from pathlib import Path

import numpy as np
import polars as pl

from trml.base.errors import ContractError
from trml.corpora.contract import CorpusInfo, write_corpus
from trml.corpora.mosi_features.config import MosiConfig
from trml.seeding import generator

_TABLE, _FEATURES = "mosi_utterances.csv", "mosi_features.npz"


def raw_files(config: MosiConfig, data: Path) -> list[Path]:
    """The files a user has to bring."""
    return [data / config.folder / _TABLE, data / config.folder / _FEATURES]


def build(config: MosiConfig, data: Path, folder: Path, digest: str, workers: int) -> None:
    """Fill `folder` with the corpus: text [N, 100] and video [N, 1, 100] features, labels in [-3, 3]."""
    table_path, features_path = raw_files(config, data)
    raw = pl.read_csv(table_path)
    videos = raw.filter(pl.col("bclstm_split") == "train")["video_id"].unique().sort().to_list()
    if config.valid_videos >= len(videos):
        raise ContractError(
            f"corpus.valid_videos is {config.valid_videos}; expected less than {len(videos)}, the training videos"
        )
    chosen = generator(0, "mosi dev videos").choice(videos, config.valid_videos, replace=False).tolist()
    split = pl.when(pl.col("video_id").is_in(chosen)).then(pl.lit("valid")).otherwise(pl.col("bclstm_split"))
    utterances = raw.select(
        pl.col("utt_id").alias("utterance_id"),
        "video_id",
        split.alias("split"),
        "text",
        (pl.lit("given/frames.npy#") + pl.int_range(pl.len()).cast(pl.String)).alias("clip"),
        "start_s",
        "end_s",
        pl.col("sentiment").alias("label"),
    )
    given = folder / "given"
    given.mkdir()
    with np.load(features_path, allow_pickle=False) as features:
        if features["utt_id"].tolist() != utterances["utterance_id"].to_list():
            raise ContractError(f"{features_path} and {table_path} do not list the same utterances in the same order")
        np.save(given / "text.npy", features["text"].astype(np.float32))
        np.save(given / "frames.npy", features["video"].astype(np.float32)[:, None, :])
        np.save(given / "frame_mask.npy", np.ones((raw.height, 1), dtype=bool))
    info = CorpusInfo(
        name=config.name,
        title="CMU-MOSI, given features",
        task="regression",
        classes=[],
        source="CMU-MOSI (Zadeh et al. 2016); utterance-level features published with the bc-LSTM code",
        licence="no data licence stated; research use",
        media="given",
        notes=[
            "Text and video features are given (100 numbers each, one frame a clip), not made by a CLIP: the two"
            " spaces are not aligned.",
            "Split: the features' own train/test split by video, since they were learned with the labels of its"
            f" training videos; {config.valid_videos} of those videos are held out as dev. So the dev part too is one"
            " that the features know: dev scores are optimistic, and the choice of the epoch is not quite honest.",
        ],
        digest=digest,
    )
    write_corpus(folder, info, utterances)
