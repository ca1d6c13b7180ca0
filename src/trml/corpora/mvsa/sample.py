"""Build the sample of MVSA-Single: posts of a photo and a text in three classes. A photo is a clip of one frame."""

from pathlib import Path

import polars as pl

from trml.base.errors import ClipUnreadable, ContractError
from trml.base.files import leads_out
from trml.base.printable import few, shortened
from trml.corpora.contract import SPLITS, CorpusInfo, write_corpus
from trml.corpora.mvsa.config import MvsaSampleConfig
from trml.sources.formats.names import unsafe_file
from trml.sources.formats.open_media import DAMAGE, open_picture
from trml.sources.formats.parquet import read_parquet

_CLASSES = ["negative", "neutral", "positive"]

# What each column may hold, and how that is called.
_COLUMNS = {
    "guid": (lambda dtype: dtype == pl.String or dtype.is_integer(), "texts or integers"),
    "text": (lambda dtype: dtype == pl.String, "texts"),
    "label_id": (lambda dtype: dtype.is_integer(), "integers"),
    "clean_split": (lambda dtype: dtype == pl.String, "texts"),
    "image_jpeg": (lambda dtype: dtype == pl.Binary, "bytes"),
}


def build(config: MvsaSampleConfig, data: Path, folder: Path, digest: str, workers: int) -> None:
    """Write the corpus into `folder`: photos as their original JPEG bytes; labels index negative, neutral, positive.

    Raises:
        ContractError: If the file does not have the expected form.
    """
    (path,) = config.raw_files(data)
    if leads_out(path, data / config.folder):
        raise ContractError(f"{path} leads out of {data / config.folder}; expected a file in it. Copy it there")
    raw = _posts(path)
    (folder / "media").mkdir()
    for row, (guid, jpeg) in enumerate(raw.select("guid", "image_jpeg").iter_rows(), 1):
        _write_photo(folder / "media" / f"{guid}.jpg", jpeg, f"{path}, row {row}: the photo of guid {shortened(guid)}")
    utterances = raw.select(
        pl.col("guid").alias("utterance_id"),
        pl.col("guid").alias("video_id"),
        pl.col("clean_split").alias("split"),
        "text",
        ("media/" + pl.col("guid") + ".jpg").alias("clip"),
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


def _posts(path: Path) -> pl.DataFrame:
    """Return the posts, guids as text; raise ContractError with the column, or the row, that is not as it should be."""
    raw = read_parquet(path)
    for name, (fits, kind) in _COLUMNS.items():
        if name not in raw.columns:
            raise ContractError(f"{path} has no column {name}; it has {few(raw.columns)}")
        if not fits(raw.schema[name]):
            raise ContractError(f"{path}: column {name} holds {shortened(str(raw.schema[name]))}; expected {kind}")
    # A number is widened before 1 is added to it, and a guid is text before it is a name.
    raw = raw.select(list(_COLUMNS)).with_columns(pl.col("guid").cast(pl.String), pl.col("label_id").cast(pl.Int64))
    seen: set[str] = set()
    for row, (guid, text, label, split, jpeg) in enumerate(raw.iter_rows(), 1):
        place = f"{path}, row {row}: guid {shortened(guid)}"
        if guid is None or (reason := unsafe_file(guid)) is not None:
            raise ContractError(f"{place} is {'null; expected a name' if guid is None else reason}")
        if guid in seen:
            raise ContractError(f"{place} is there twice; expected each once")
        seen.add(guid)
        if label not in (-1, 0, 1):
            raise ContractError(f"{place} has the label_id {shortened(label)}; expected -1, 0 or 1")
        if split not in SPLITS:
            raise ContractError(f"{place} has the clean_split {shortened(split)}; expected {', '.join(SPLITS)}")
        if text is None or not jpeg:
            raise ContractError(f"{place} is without a {'text' if text is None else 'photo'}")
    return raw


def _write_photo(path: Path, jpeg: bytes, what: str) -> None:
    with path.open("xb") as file:
        file.write(jpeg)
    try:
        with open_picture(path):
            pass
    except (*DAMAGE, ClipUnreadable) as error:
        reason = str(error) if isinstance(error, ClipUnreadable) else "it is not a picture, or is damaged"
        raise ContractError(f"{what} cannot be read: {reason}") from None
