"""Read the files of published results, which may be anybody's: each has the form that is relied on, or is named.

What other versions wrote has fewer keys. A key that is asked for and not there is an error of that file.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Never

import polars as pl
from pydantic import BaseModel, TypeAdapter, ValidationError

from trml.base.artifacts import read_json
from trml.base.errors import ContractError, DataMissing
from trml.base.printable import few, one_line
from trml.base.yaml_reader import read_yaml
from trml.sources.formats.csv_text import read_csv

_TEXT = {"cell": pl.String, "variant": pl.String}  # columns that may look like numbers
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


class _Manifest(BaseModel):
    experiment: str | None = None
    digest: str = ""
    command: str = ""
    made_from: dict[str, Any] = {}
    git_commit: str | None = None
    git_clean: bool | None = None
    versions: dict[str, Any] = {}
    content: dict[str, Any] = {}
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
    if not path.is_file():
        raise DataMissing(f"{folder} holds no results: manifest.json is absent")
    return _Named(path, _checked(path, read_json(path), _Manifest))


def params_of(folder: Path) -> Mapping[str, Any]:
    """Return params.yaml of results, as it is written: settings of other versions are among them; empty without it."""
    path = folder / "params.yaml"
    return _Named(path, _checked(path, read_yaml(path) or {}, _Params) if path.is_file() else {})


def claims_in(path: Path) -> list[Mapping[str, Any]]:
    """Return the claims of a claims.json; none without the file."""
    found: Sequence[Mapping[str, Any]] = _checked(path, read_json(path), list[_Claim]) if path.is_file() else []
    return [
        _Named(path, {**claim, "comparisons": [_Named(path, row) for row in claim.get("comparisons", [])]})
        for claim in found
    ]


def findings_of(folder: Path) -> list[Mapping[str, Any]]:
    """Return findings.json of results; none where an earlier version published none."""
    path = folder / "findings.json"
    found = _checked(path, read_json(path), list[_Finding]) if path.is_file() else []
    return [_Named(path, each) for each in found]


def table_in(path: Path, types: Mapping[str, Any] | None = None, columns: Sequence[str] = ()) -> pl.DataFrame:
    """Return a table of results.

    Args:
        path: The csv file.
        types: Of columns that may look otherwise.
        columns: That it must have.

    Raises:
        ContractError: If it is absent, no csv, or lacks a column.
    """
    read = read_csv(path, types)
    lacking = [name for name in columns if name not in read.columns]
    if lacking:
        raise ContractError(f"{path} has no column {', '.join(lacking)}; it has {few(read.columns)}")
    return read


def scores_in(path: Path) -> pl.DataFrame:
    """Return the rows of a metrics.csv. Raises ContractError as `table_in` does."""
    numbers = {"value": pl.Float64, "train_rate": pl.Float64, "dev_rate": pl.Float64, "seed": pl.Int64}
    return table_in(path, {**_TEXT, **numbers}, _SCORES)


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
