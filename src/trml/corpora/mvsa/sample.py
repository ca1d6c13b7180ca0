"""MVSA-Single: posts of one photo and a text, three classes. The photo is a clip of one frame."""

from pathlib import Path

import polars as pl

from trml.corpora.contract import CorpusInfo, write_corpus
from trml.corpora.mvsa.config import MvsaConfig

_CLASSES = ["negative", "neutral", "positive"]


def raw_files(config: MvsaConfig, data: Path) -> list[Path]:
    """The files a user has to bring."""
    return [data / config.file]


def build(config: MvsaConfig, data: Path, folder: Path, digest: str, workers: int) -> None:
    """Fill `folder`: photos as the JPEG bytes they came as, and labels."""
    raw = pl.read_parquet(raw_files(config, data)[0])
    (folder / "media").mkdir()
    for guid, jpeg in raw.select("guid", "image_jpeg").iter_rows():
        (folder / "media" / f"{guid}.jpg").write_bytes(jpeg)
    utterances = raw.select(
        pl.col("guid").cast(pl.String).alias("utterance_id"),
        pl.col("guid").cast(pl.String).alias("video_id"),
        pl.col("clean_split").alias("split"),
        "text",
        ("media/" + pl.col("guid").cast(pl.String) + ".jpg").alias("clip"),
        pl.lit(0.0).alias("start_s"),
        pl.lit(0.0).alias("end_s"),
        (pl.col("label_id") + 1).alias("label"),
    )
    info = CorpusInfo(
        name=config.name,
        title="MVSA-Single, a sample of 300 posts",
        task="classification",
        classes=_CLASSES,
        source="MVSA-Single (Niu et al., MMM 2016), a class-balanced sample of 300 posts",
        licence="no data licence stated; third-party posts, research use",
        media="files",
        notes=[
            "The encoder is a tiny CLIP pretrained on these 210 training posts alone. It is not aligned (see its"
            " retrieval below): this run shows that the way from JPEG bytes to the page is real. It is not a result.",
        ],
        digest=digest,
    )
    write_corpus(folder, info, utterances)
