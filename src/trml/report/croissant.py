"""Describe a corpus in Croissant, the vocabulary for data sets of machine learning, with its responsible-AI fields.

<https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html>. The description is of the corpus's folder: its
files with their checksums, and every table with its columns. Paths are relative to that folder, so a copy of the
description in it can be loaded with mlcroissant. Raw corpora are described and not handed on.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

import bibtexparser
import polars as pl

from trml import __version__
from trml.base.artifacts import write_json
from trml.base.digests import file_digest
from trml.corpora.contract import CorpusInfo
from trml.report.card import Card
from trml.report.contract import SUMS, Origin

WHOLE = "whole"  # the mark of a folder of work/ that has its bulk
CONFORMS_TO = ("http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0")

_FORMATS = {
    ".parquet": "application/x-parquet",
    ".json": "application/json",
    ".mp4": "video/mp4",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    "": "text/plain",
}
_TYPES: Mapping[Any, str] = {
    pl.String: "sc:Text",
    pl.Boolean: "sc:Boolean",
    pl.Float32: "cr:Float32",
    pl.Float64: "cr:Float64",
    pl.Int8: "cr:Int8",
    pl.Int16: "cr:Int16",
    pl.Int32: "cr:Int32",
    pl.Int64: "cr:Int64",
}
_TABLES = {
    "utterances": "The utterances, one a row.",
    "pairs": "Pairs of a text and an image to pretrain an encoder on.",
    "factors": "The number of the level that each utterance drew of each latent factor, and what shows of it.",
    "terms": "What each term adds to the label.",
    "oracle": "The best prediction of each test utterance from the modalities that are present.",
    "ceiling": "The best reachable scores by the modalities that are present.",
    "left_out": "Raw items that are in no utterance.",
}
_COLUMNS = {
    "utterance_id": "Name of the utterance.",
    "video_id": "The video, speaker, dialogue or post that it is of, which stays in one split.",
    "split": "train, valid (dev) or test.",
    "text": "What is said or written; empty where it is missing.",
    "clip": "Where its picture or video is; null where it is missing.",
    "start_s": "Start of the utterance in its video, in seconds.",
    "end_s": "End of the utterance in its video, in seconds.",
    "draw": "Which of the corpus's training sets it is in, from 0.",
    "image": "Where the image is.",
    "group": "Pairs of one group show the same.",
    "present": "The modalities that are present, joined by +.",
    "prediction": "The prediction.",
    "metric": "Name of the metric.",
    "value": "Its value.",
    "what": "The raw item.",
    "reason": "Why it is left out.",
    "text_reading": "The level of the shared factor that the sentence shows.",
    "frame_readings": "The levels of the shared factor that the frames show.",
}


def write_croissant(card: Card, corpus: Path, origin: Origin, path: Path) -> None:
    """Write the description of a corpus.

    Args:
        card: Its card.
        corpus: Its folder; of media only the names are needed.
        origin: Where it is from.
        path: The file to write.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, croissant(card, corpus, origin))


def croissant(card: Card, corpus: Path, origin: Origin) -> dict[str, Any]:
    """Return the description of a corpus as JSON-LD."""
    info, cited = card.info, bibtexparser.parse_string(origin.bibtex).entries
    years = [entry.fields_dict["year"].value for entry in cited if "year" in entry.fields_dict]
    described: dict[str, Any] = {
        "@context": json.loads(Path(__file__).with_name("croissant_context.json").read_text()),
        "@type": "sc:Dataset",
        "conformsTo": list(CONFORMS_TO),
        "name": info.name,
        "description": " ".join([f"{info.title}.", *info.notes, _what_is_described(info)]),
        "license": _licence(info),
        "conditionsOfAccess": origin.terms or None,
        "url": origin.url,
        "creator": [_creator(name) for name in _authors(cited[0])] if cited else None,
        "datePublished": years[0] if years else None,
        "version": f"{__version__}+{info.digest.rpartition('-')[2]}",
        "citeAs": origin.bibtex.strip() or None,
        "inLanguage": "en",
        "keywords": ["sentiment analysis", "multimodal learning", "missing modalities", *info.modalities],
        **_responsible(card, origin),
        "distribution": list(_distribution(info, corpus)),
        "recordSet": list(_record_sets(info, corpus)),
    }
    return {key: value for key, value in described.items() if value is not None}


def _what_is_described(info: CorpusInfo) -> str:
    if _is_generated(info):
        return "Generated: every file can be made again from the source."
    return "The tables are built from raw files that the user provides. Neither they nor the raw files are handed on."


def _is_generated(info: CorpusInfo) -> bool:
    return bool(info.factors)


def _licence(info: CorpusInfo) -> list[str]:
    return ["https://spdx.org/licenses/MIT.html", info.licence] if _is_generated(info) else [info.licence]


def _authors(entry: Any) -> list[str]:
    return [name.strip() for name in entry.fields_dict["author"].value.split(" and ")]


def _creator(name: str) -> dict[str, str]:
    """Return a person, or an organisation where BibTeX has its name in braces."""
    if name.startswith("{"):
        return {"@type": "sc:Organization", "name": name.strip("{}")}
    last, _, first = name.partition(", ")
    return {"@type": "sc:Person", "name": f"{first} {last}".strip()}


def _responsible(card: Card, origin: Origin) -> dict[str, Any]:
    """Return the fields of the responsible-AI extension that the corpus and its card answer."""
    info, generated = card.info, _is_generated(card.info)
    rows = card.table.data
    absent = [
        f"{row['what']}: {row['train']} of train, {row['valid']} of valid, {row['test']} of test"
        for row in rows.filter(part="missing for real").iter_rows(named=True)
    ]
    repeated = [
        f"{row['what']}: {row['valid']} of valid, {row['test']} of test"
        for row in rows.filter(part="repeated").iter_rows(named=True)
    ]
    nobody = "None: speakers, faces and sentences are generated."
    return {
        "rai:dataCollection": info.source,
        "rai:dataCollectionType": ["Software Collection" if generated else "Secondary Data Analysis"],
        "rai:dataCollectionMissingData": "; ".join(absent),
        "rai:dataPreprocessingProtocol": list(info.notes),
        "rai:dataLimitations": [f"Repeated across splits: {'; '.join(repeated)}.", *_left_out(card)],
        "rai:dataUseCases": ["To measure how well sentiment is predicted when a modality is missing."],
        "rai:personalSensitiveInformation": [nobody] if generated else ([origin.terms] if origin.terms else None),
    }


def _left_out(card: Card) -> list[str]:
    count = card.left_out.height
    return [f"{count} raw items are in no utterance; left_out.parquet says why."] if count else []


def _distribution(info: CorpusInfo, corpus: Path) -> Iterator[dict[str, Any]]:
    """Yield the files of the corpus's folder. Media are one set a kind, with their checksums in SHA256SUMS."""
    media: dict[str, int] = {}
    for name, checksum in _checksums(corpus).items():
        path = PurePath(name)
        if path.parts[0] == "media":
            media[path.suffix] = media.get(path.suffix, 0) + 1
        elif name != WHOLE:
            yield _file(name, checksum)
    yield _file(SUMS, file_digest(corpus / SUMS)) | {"description": "The checksum of every file, media included."}
    for suffix, count in sorted(media.items()):
        yield {
            "@type": "cr:FileSet",
            "@id": f"media{suffix}",
            "name": f"media{suffix}",
            "description": f"{count} files, named in the column clip of utterances. {SUMS} has their checksums.",
            "encodingFormat": _FORMATS.get(suffix, "application/octet-stream"),
            "includes": f"media/*{suffix}",
        }


def _file(name: str, checksum: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "encodingFormat": _FORMATS.get(PurePath(name).suffix, "application/octet-stream"),
        "sha256": checksum,
    }


def _checksums(corpus: Path) -> dict[str, str]:
    """Return the checksum of every file by its name below the corpus's folder, as they were when it was written."""
    lines = (corpus / SUMS).read_text().splitlines()
    return {name: checksum for checksum, _, name in (line.partition("  ") for line in lines)}


def _record_sets(info: CorpusInfo, corpus: Path) -> Iterator[dict[str, Any]]:
    """Yield every table of the corpus's folder."""
    names = _checksums(corpus)
    for table in (name.removesuffix(".parquet") for name in names if name.endswith(".parquet")):
        schema = pl.read_parquet_schema(corpus / f"{table}.parquet")
        yield {
            "@type": "cr:RecordSet",
            "@id": table,
            "name": table,
            "description": _TABLES.get(table, f"The table {table}.parquet."),
            **({"key": {"@id": "utterances/utterance_id"}} if table == "utterances" else {}),
            "field": [_column(info, table, name, dtype) for name, dtype in schema.items()],
        }


def _column(info: CorpusInfo, table: str, name: str, dtype: Any) -> dict[str, Any]:
    is_list, is_foreign = isinstance(dtype, pl.List), name == "utterance_id" and table != "utterances"
    return {
        "@type": "cr:Field",
        "@id": f"{table}/{name}",
        "name": name,
        "description": _described(info, table, name),
        "dataType": ["sc:Text", "cr:Split"] if name == "split" else _TYPES[type(dtype.inner if is_list else dtype)],
        **({"isArray": True, "arrayShape": "-1"} if is_list else {}),
        "source": {"fileObject": {"@id": f"{table}.parquet"}, "extract": {"column": name}},
        **({"references": {"field": {"@id": "utterances/utterance_id"}}} if is_foreign else {}),
    }


def _described(info: CorpusInfo, table: str, name: str) -> str:
    if name == "label":
        classes = ", ".join(f"{i} {label}" for i, label in enumerate(info.classes))
        return f"The class: {classes}." if info.classes else "Sentiment, from -3 to 3."
    if name in _COLUMNS:
        return _COLUMNS[name]
    if table == "factors" and name in info.factors:
        shown = " and ".join(info.factors[name]) or "nothing"
        return f"The level of a latent factor that shows in {shown}."
    return f"What the term {name} adds to the label." if table == "terms" else f"The column {name}."
