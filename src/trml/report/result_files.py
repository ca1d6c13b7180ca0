"""Read the files of published results, which may be anybody's: each has the form that is relied on, or is named.

What other versions wrote has fewer keys. A key that is asked for and not there is an error of that file. A file that is
absent is none; a folder, pipe or device in its place is an error, and is not waited for.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Never

import polars as pl
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from trml.base.digests import file_digest
from trml.base.errors import ContractError, DataMissing
from trml.base.files import not_a_file
from trml.base.printable import few, one_line, shortened
from trml.base.yaml_reader import read_yaml
from trml.evaluation.contract import LABELLED, PUBLISHED
from trml.sources.formats.csv_text import read_csv
from trml.sources.formats.names import unsafe_path
from trml.sources.formats.parquet import read_parquet

JSON_BYTES = 1 << 23  # of a JSON file: parsed, it takes up to fifty times that. Published ones have some 60 kB
_ROWS = 20_000_000  # of cells.parquet: a full study has six million

# Columns of tables that may look otherwise, and those that are numbers where they hold anything.
_NAMES = ("method", "variant", "against", "first", "second", "victim", "condition", "metric", "present", "protocol")
_TEXT = {name: pl.String for name in ("cell", "content", "train_victim", *_NAMES)}
_NUMBERS = ("value", "effect", "rate", "low", "high", "p", "p_equivalent", "margin")
_SCORES = (
    "method",
    "variant",
    "train_victim",
    "train_rate",
    "dev_rate",
    "seed",
    "cell",
    "condition",
    "metric",
    "value",
)


# A key may be absent; defaults are never read.


class _Stages(BaseModel):
    """What a dataset was made from, or what that held: names or digests."""

    corpus: str | None = None
    encoder: str | None = None
    features: str | None = None
    references: str | None = None
    probes: str | None = None
    cells: int | str | None = None  # how many, or their digest


class _AllStages(_Stages):
    further: dict[str, _Stages] = {}


class _Manifest(BaseModel):
    experiment: str | None = None
    digest: str = ""
    command: str = ""
    made_from: _AllStages = _AllStages()
    git_commit: str | None = None
    git_clean: bool | None = None
    versions: dict[str, Any] = {}
    content: _AllStages = _AllStages()
    machine: dict[str, Any] = {}
    quality: list[dict[str, Any]] = []
    files: dict[str, str] = {}


class _Comparison(BaseModel):
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    margin: float | None = None
    verdict: str = ""
    against: str | None = None
    label: str | None = None
    victim: str | None = None
    rate: float | None = None
    speaks: str | None = None


class _Claim(BaseModel):
    id: str = ""
    text: str = ""
    how: str = ""
    verdict: str = ""
    comparisons: list[_Comparison] = []


class _Finding(BaseModel):
    headline: str = ""
    body: str = ""
    address: str = ""


class _Method(BaseModel):
    label: str = ""
    role: str = ""


class _Params(BaseModel):
    methods: dict[str, _Method] = {}
    protocol: dict[str, Any] = {}


class _Protocol(BaseModel, strict=True):
    """predictions/protocol.json, of which no key may be absent."""

    corpus: str
    task: Literal["regression", "classification"]
    classes: list[str]
    seeds: list[int] = Field(min_length=1)
    present: list[str] = Field(min_length=1)
    trained: list[str] = Field(min_length=1)
    per_unit: float = Field(gt=0, allow_inf_nan=False)


class _Named(dict[str, Any]):
    """An object of a file. A key that it lacks is an error that names the file."""

    def __init__(self, path: Path, content: Mapping[str, Any]) -> None:
        super().__init__(content)
        self._path = path

    def __missing__(self, key: str) -> Never:
        raise ContractError(f"{self._path} has no {key!r}; expected it of published results. It has {few(list(self))}")


def manifest_of(folder: Path) -> Mapping[str, Any]:
    """Return manifest.json of results.

    Raises:
        DataMissing: If there is none.
        ContractError: If it has another form.
    """
    path = folder / "manifest.json"
    if not _is_there(path):
        raise DataMissing(f"{folder} holds no results: manifest.json is absent")
    return _Named(path, _checked(path, _document(path), _Manifest))


def is_results(folder: Path) -> bool:
    """Return whether a folder is one of results, as far as its name and its manifest.json can be found."""
    return not_a_file(folder / "manifest.json") is None


def params_of(folder: Path) -> Mapping[str, Any]:
    """Return params.yaml of results, as it is written: settings of other versions are among them; empty without it."""
    path = folder / "params.yaml"
    return _Named(path, _checked(path, read_yaml(path) or {}, _Params) if _is_there(path) else {})


def claims_in(path: Path) -> list[Mapping[str, Any]]:
    """Return the claims of a claims.json; none without the file."""
    found: Sequence[Mapping[str, Any]] = _checked(path, _document(path), list[_Claim]) if _is_there(path) else []
    return [
        _Named(path, {**claim, "comparisons": [_Named(path, row) for row in claim.get("comparisons", [])]})
        for claim in found
    ]


def findings_of(folder: Path) -> list[Mapping[str, Any]]:
    """Return findings.json of results; none where an earlier version published none."""
    path = folder / "findings.json"
    found = _checked(path, _document(path), list[_Finding]) if _is_there(path) else []
    return [_Named(path, each) for each in found]


def protocol_of(folder: Path) -> dict[str, Any]:
    """Return what predictions fit: predictions/protocol.json of results, the fields of submissions.Protocol.

    Raises:
        ContractError: If it is absent, or has another form.
    """
    path = folder / PUBLISHED / "protocol.json"
    content = _checked(path, _document(path), _Protocol)
    return {name: content[name] for name in _Protocol.model_fields}


def utterances_of(folder: Path) -> pl.DataFrame:
    """Return the test utterances of results: utterance_id and label, null where labels are not published.

    Raises:
        ContractError: If the table is absent, no parquet, has no rows, names an utterance twice or has other columns.
    """
    path = folder / PUBLISHED / LABELLED
    found = _cast(path, parquet_in(path), {"utterance_id": pl.String, "label": pl.Float64})
    if found.is_empty() or found["utterance_id"].null_count() or found["utterance_id"].is_duplicated().any():
        raise ContractError(f"{path} has no rows, or utterances without a name of their own; expected each once")
    return found


def predictions_of(folder: Path) -> pl.DataFrame:
    """Return the predictions of results as they are published: cell, present, utterance_id and steps.

    Raises:
        ContractError: If they are absent, no parquet, have other columns, or more rows than a study can have.
    """
    path = folder / PUBLISHED / "cells.parquet"
    if (kind := not_a_file(path)) is not None:
        raise ContractError(f"{path} {kind}; expected a parquet file")
    try:
        lazy = pl.scan_parquet(path, glob=False)
        rows = lazy.select(pl.len()).collect().item()
        if rows > _ROWS:
            raise ContractError(f"{path} states {rows:,} rows; expected at most {_ROWS:,}")
        return _cast(
            path,
            pl.read_parquet(path, glob=False),
            {"cell": pl.String, "present": pl.String, "utterance_id": pl.String, "steps": None},
        )
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ContractError(f"{path} cannot be read as parquet: {_reason(error)}") from None


def parquet_in(path: Path) -> pl.DataFrame:
    """Return a parquet table of results. Raises ContractError if it is absent, no parquet, or beyond the budget."""
    return read_parquet(path)


def altered(folder: Path, wanted: Callable[[str], bool] = bool) -> dict[str, str]:
    """Return how files of results differ from what manifest.json says of them: name -> what is wrong, in words.

    Args:
        folder: The results.
        wanted: Of which files, by their names in the manifest. Scores and claims that it does not list are among them.

    Raises:
        ContractError: If manifest.json has another form.
    """
    manifest = manifest_of(folder)
    if "files" not in manifest:  # of an early version
        return {}
    listed = manifest["files"]
    found = {name: _fault(folder, name, checksum) for name, checksum in listed.items() if wanted(name)}
    read = [path.name for pattern in ("metrics*.csv", "claims*.json", "cells.csv") for path in folder.glob(pattern)]
    beside = {name: "is not listed" for name in sorted(read) if name not in listed}
    return {name: fault for name, fault in (found | beside).items() if fault}


def _fault(folder: Path, name: str, checksum: str) -> str | None:
    path = folder / name
    if (unsafe := unsafe_path(name)) is not None:
        return f"is {unsafe}"
    if (kind := not_a_file(path)) is not None:
        return "is absent" if kind == "is missing" else kind
    if path.is_symlink():
        return "is a link"
    return None if file_digest(path) == checksum else "changed"


def in_words(found: Mapping[str, str]) -> str:
    """Return what `altered` found as a part of a sentence."""
    return few([f"{name} {fault}" for name, fault in found.items()], 4)


def table_in(path: Path, types: Mapping[str, Any] | None = None, columns: Sequence[str] = ()) -> pl.DataFrame:
    """Return a table of results.

    Args:
        path: The csv file.
        types: Of columns that may look otherwise.
        columns: That it must have.

    Raises:
        ContractError: If it is absent, no csv, lacks a column, or has words in a column of numbers.
    """
    read = read_csv(path, {**_TEXT, **(types or {})})
    lacking = [name for name in columns if name not in read.columns]
    if lacking:
        raise ContractError(f"{path} has no column {', '.join(lacking)}; it has {few(read.columns)}")
    for name in _NUMBERS:
        if name in read.columns and not read[name].dtype.is_numeric():
            _require_numbers(path, read[name])
    return read


def _require_numbers(path: Path, column: pl.Series) -> None:
    """Raise ContractError at the first word of a column that should hold numbers; one without values is as good."""
    for line, value in enumerate(column.to_list(), start=2):
        try:
            float("nan" if value is None else str(value))
        except ValueError:
            raise ContractError(f"{path} line {line}: {column.name} is {shortened(value)}; expected a number") from None


def scores_in(path: Path) -> pl.DataFrame:
    """Return the rows of a metrics.csv. Raises ContractError as `table_in` does."""
    numbers = {"value": pl.Float64, "train_rate": pl.Float64, "dev_rate": pl.Float64, "seed": pl.Int64}
    return table_in(path, numbers, _SCORES)


def _is_there(path: Path) -> bool:
    """Return whether there is anything at a path: what is no file is an error of whoever reads it."""
    return not_a_file(path) != "is missing"


def _document(path: Path) -> Any:
    """Return the JSON of a file from outside. Raises ContractError if it is no file, no JSON, or too large."""
    if (kind := not_a_file(path)) is not None:
        raise ContractError(f"{path} {kind}; expected a file of published results")
    with path.open("rb") as file:
        content = file.read(JSON_BYTES + 1)
    if len(content) > JSON_BYTES:
        raise ContractError(f"{path} has more than {JSON_BYTES:,} bytes; expected less of published results")
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:  # no JSON, or no text at all
        raise ContractError(f"{path} is not valid JSON ({_reason(error)}). Get the results again") from None


def _cast(path: Path, table: pl.DataFrame, kinds: Mapping[str, Any]) -> pl.DataFrame:
    """Return columns of a table, as values of a kind; None: of any numbers."""
    lacking = [name for name in kinds if name not in table.columns]
    if lacking:
        raise ContractError(f"{path} has no column {', '.join(lacking)}; it has {few(table.columns)}")
    for name, kind in kinds.items():
        if kind in (None, pl.Float64) and not table[name].dtype.is_numeric() and table[name].dtype != pl.Null:
            raise ContractError(f"{path}: column {name} holds {table[name].dtype}; expected numbers")
    return table.select(pl.col(name) if kind is None else pl.col(name).cast(kind) for name, kind in kinds.items())


def _reason(error: Exception) -> str:
    return one_line((str(error).strip().splitlines() or [type(error).__name__])[0][:300])


def _checked(path: Path, content: Any, form: Any) -> Any:
    """Return what a file holds, if what is there has the right form."""
    try:
        TypeAdapter(form).validate_python(content)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"])) or "all of it"
        raise ContractError(
            f"{path} has not the form of published results: {one_line(where)}: {fault['msg']}"
        ) from None
    return content
