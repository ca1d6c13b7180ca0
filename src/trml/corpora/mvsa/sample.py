"""Build the sample of MVSA-Single: posts of a photo and a text in three classes. A photo is a clip of one frame."""

from pathlib import Path

import polars as pl

from trml.base.errors import ContractError
from trml.base.printable import shortened
from trml.corpora.contract import CorpusInfo, write_corpus
from trml.corpora.mvsa.config import MvsaSampleConfig
from trml.sources.formats.names import unsafe_file
from trml.sources.formats.parquet import read_parquet

_CLASSES = ["negative", "neutral", "positive"]


def build(config: MvsaSampleConfig, data: Path, folder: Path, digest: str, workers: int) -> None:
    """Write the corpus into `folder`: photos as their original JPEG bytes; labels index negative, neutral, positive."""
    (path,) = config.raw_files(data)
    raw = read_parquet(path)
    (folder / "media").mkdir()
    for guid, jpeg in raw.select("guid", "image_jpeg").iter_rows():
        if (reason := unsafe_file(str(guid))) is not None or not isinstance(jpeg, bytes):
            raise ContractError(f"{path}: guid {shortened(guid)} is {reason or 'without a photo'}")
        with (folder / "media" / f"{guid}.jpg").open("xb") as file:
            file.write(jpeg)
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
            "300 posts are too few for a result. A run on them shows that the way from JPEG bytes to the page works.",
        ],
        digest=digest,
    )
    write_corpus(folder, info, utterances)
