"""The contract of corpora: what every corpus folder holds. It is checked when written and when read.

    utterances.parquet  one row an utterance: SCHEMA, `label` and `draw`
    corpus.json         CorpusInfo
    media/              clips (video or image files), if the corpus has its own
    given/              features, if the corpus brings them: for each modality <modality>.npy f32 [N, T, d] and
                        <modality>_mask.npy bool [N, T], rows as in the table, T = 1 for a single vector
    pairs.parquet       pairs of a text and an image to pretrain an encoder on, if the corpus has them: PAIRS_SCHEMA
    left_out.parquet    raw items that are in no utterance, and why: LEFT_OUT_SCHEMA

Generated corpora, whose labels follow from known latent factors, add

    factors.parquet     utterance_id, and the level of each factor
    terms.parquet       utterance_id, and what each term adds to the label
    oracle.parquet      the best prediction of each test utterance: ORACLE_SCHEMA, `present` as in ceiling.parquet
    ceiling.parquet     the best reachable scores: CEILING_SCHEMA; `present` is a set of modalities as one word, such as
                        `text+vision`, and empty where nothing is present

`draw` numbers the training sets of a corpus that has several, from 0: a training uses the one that its seed says, and
all share dev and test. It is 0 elsewhere.

`clip` is a path inside the folder or, for raw media, inside data/<root>. `x.mp4#t=12.3,15.2` are these seconds of a
video, `given/vision.npy#7` is row 7 of an array.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import polars as pl

from trml.base.artifacts import read_json, write_json
from trml.base.errors import ContractError
from trml.missing.modalities import in_order

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
ORACLE_SCHEMA = {"utterance_id": pl.String, "present": pl.String, "prediction": pl.Float64}
CEILING_SCHEMA = {"present": pl.String, "metric": pl.String, "value": pl.Float64}


@dataclass(frozen=True)
class CorpusInfo:
    """corpus.json.

    Attributes:
        name: Of the corpus.
        title: In full.
        task: `regression` has f32 labels in [-3, 3], `classification` has i32 labels that index `classes`.
        classes: Names of the classes, empty for regression.
        source: Where it is from.
        licence: Its licence, in words.
        media: `files` has clips below media/, `raw` has them in data/<root>, `given` brings features.
        notes: What a reader must know of it, in sentences.
        digest: Name of the corpus folder.
        root: Below data, for raw media.
        modalities: What an utterance may have, in order.
        factors: Of a generated corpus, each latent factor and the modalities it shows in.
        redundancy: Of a generated corpus, the share of what vision explains of the label's variance that the text
            explains too, 0 to 1.
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
    modalities: list[str] = field(default_factory=lambda: ["text", "vision"])
    factors: dict[str, list[str]] = field(default_factory=dict)
    redundancy: float | None = None


def write_corpus(
    folder: Path, info: CorpusInfo, utterances: pl.DataFrame, left_out: Sequence[tuple[str, str]] = ()
) -> None:
    """Check and write the files that every corpus has. The caller has written media or features.

    Args:
        folder: The corpus's folder.
        info: Its description.
        utterances: SCHEMA, `label` and, if there are several training sets, `draw`; numbers are cast.
        left_out: Raw items that are in no utterance, each with the reason.

    Raises:
        ContractError: If the corpus violates its contract.
    """
    label = pl.Float32 if info.task == "regression" else pl.Int32
    if "draw" not in utterances.columns:
        utterances = utterances.with_columns(draw=0)
    utterances = utterances.cast({"start_s": pl.Float32, "end_s": pl.Float32, "label": label, "draw": pl.Int32})
    check_utterances(utterances, info)
    pl.DataFrame(list(left_out), LEFT_OUT_SCHEMA, orient="row").write_parquet(folder / "left_out.parquet")
    utterances.select([*SCHEMA, "label", "draw"]).write_parquet(folder / "utterances.parquet")
    write_json(folder / "corpus.json", asdict(info))


def read_corpus(folder: Path) -> tuple[CorpusInfo, pl.DataFrame]:
    """Return the description and the utterances of a corpus folder.

    Raises:
        ContractError: If the corpus violates its contract.
    """
    info = CorpusInfo(**read_json(folder / "corpus.json"))
    utterances = pl.read_parquet(folder / "utterances.parquet")
    check_utterances(utterances, info)
    return info, utterances


def media_folder(folder: Path, info: CorpusInfo, data: Path) -> Path:
    """Return the folder that the paths in `clip` are relative to."""
    return data / info.root if info.media == "raw" else folder


def check_utterances(table: pl.DataFrame, info: CorpusInfo) -> None:
    """Raise ContractError unless the table and the description satisfy the contract."""

    def require(condition: bool, message: str) -> None:
        if not condition:
            raise ContractError(f"corpus {info.name}: {message}")

    require(list(in_order(info.modalities)) == info.modalities != [], f"modalities {info.modalities} are not in order")
    strange = {name for modalities in info.factors.values() for name in modalities} - set(info.modalities)
    require(not strange, f"factors show in {sorted(strange)}; the modalities are {info.modalities}")
    dtypes = {**SCHEMA, "label": pl.Float32 if info.task == "regression" else pl.Int32, "draw": pl.Int32}
    for column, dtype in dtypes.items():
        require(column in table.columns, f"utterances.parquet has no column {column}; it has {table.columns}")
        require(table[column].dtype == dtype, f"column {column} is {table[column].dtype}; expected {dtype}")
    require(table.height > 0, "it has no utterances")
    for column in ("utterance_id", "video_id", "split", "text", "label", "draw"):
        require(table[column].null_count() == 0, f"column {column} has {table[column].null_count()} nulls")
    require(table["utterance_id"].is_unique().all(), "utterance_id is not unique")
    others = set(table["split"].unique()) - set(SPLITS)
    require(not others, f"split has {sorted(others)}; expected {list(SPLITS)}")
    for split in SPLITS:
        require((table["split"] == split).any(), f"split {split} is empty")
    sizes = table.filter(pl.col("split") == "train").group_by("draw").len().sort("draw")
    numbered, equal = sizes["draw"].to_list() == list(range(sizes.height)), sizes["len"].n_unique() == 1
    require(numbered and equal, f"draws of train have sizes {dict(sizes.iter_rows())}; expected equal ones from draw 0")
    low, high = (-3, 3) if info.task == "regression" else (0, len(info.classes) - 1)
    labels = table["label"].to_numpy()
    reach = f"labels reach from {labels.min()} to {labels.max()}"
    require(bool(((labels >= low) & (labels <= high)).all()), f"{reach}; expected {low} to {high}")
