"""Read a table (.csv, .tsv or .parquet): every cell as text, every row with its line in the file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from trml.base.confined import memory_for
from trml.base.errors import ContractError, DataMissing
from trml.base.files import leads_out, not_a_file
from trml.base.printable import few, setting, shell_word, shortened
from trml.sources.formats.csv_rows import columns_of
from trml.sources.formats.parquet import read_parquet
from trml.sources.formats.texts import utf8_of

SEPARATORS = {".csv": ",", ".tsv": "\t"}

FORMATS = (*SEPARATORS, ".parquet")

_TEXT = 60  # bytes of memory that a python string takes beside its characters, and its place in a list


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        path: Its file.
        columns: Name -> cells, stripped, "" if empty.
        lines: The line on which each row begins; for parquet, the number of the row from 1.
        others: Columns of parquet that cannot have a role, with their type.
    """

    path: Path
    columns: Mapping[str, list[str]]
    lines: list[int]
    others: dict[str, str] = field(default_factory=dict)

    def said(self) -> str:
        """Return in words which columns there are."""
        bytes_and_lists = [f"{name} ({dtype})" for name, dtype in self.others.items()]
        beside = f", and of types that cannot be used: {few(bytes_and_lists)}" if bytes_and_lists else ""
        return few(list(self.columns)) + beside


class _Texts(Mapping[str, list[str]]):
    """The columns of a parquet file. A column becomes python strings when it is asked for: most have no role."""

    def __init__(self, path: Path, frame: pl.DataFrame) -> None:
        self._path, self._frame, self._taken = path, frame, 0
        self._made: dict[str, list[str]] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._frame.columns)

    def __len__(self) -> int:
        return self._frame.width

    def __contains__(self, name: object) -> bool:  # Mapping's would make the column
        return name in self._frame.columns

    def __getitem__(self, name: str) -> list[str]:
        if name not in self._made:
            if name not in self:
                raise KeyError(name)
            texts = self._frame[name].cast(pl.String).fill_null("")
            self._charge(texts)
            self._made[name] = [cell.strip() for cell in texts]
        return self._made[name]

    def _charge(self, texts: pl.Series) -> None:
        """Count what python strings of the texts take: 4 bytes a character if one is not ASCII."""
        size, characters = texts.str.len_bytes().cast(pl.Int64), texts.str.len_chars().cast(pl.Int64)
        wide = characters.zip_with(size == characters, 4 * characters)
        self._taken += _TEXT * len(texts) + int(wide.sum())
        if self._taken > (most := memory_for(self._path)):
            raise ContractError(
                f"{self._path}: the {len(texts):,} cells of column {shortened(texts.name)}, with those of the columns "
                f"before it, take {self._taken / 1e6:,.0f} MB of memory; expected at most {most / 1e6:,.0f} MB, for a "
                f"file of {self._path.stat().st_size / 1e6:,.1f} MB"
            )


def read_table(path: Path, folder: Path | None = None) -> Table:
    """Read a table.

    Args:
        path: The file.
        folder: Where it is to be, if that is another folder than its own. A link out of it is not read.

    Raises:
        DataMissing: If it is absent.
        ContractError: If it is malformed, or a link out of the folder; the message has a line for each fault.
    """
    if path.suffix.lower() not in FORMATS:
        raise ContractError(
            f"{path} has the suffix {path.suffix!r}; expected a table: {', '.join(FORMATS)}. Save it as one of these"
        )
    if (kind := not_a_file(path)) is not None:
        raise DataMissing(f"{path} {kind}; {_tables_beside(path)}")
    if leads_out(path, folder or path.parent):
        raise ContractError(f"{path} leads out of {folder or path.parent}; expected a table in it. Copy it there")
    return _read_parquet(path) if path.suffix.lower() == ".parquet" else _read_csv(path)


def _tables_beside(path: Path) -> str:
    if not path.parent.is_dir():
        return f"the folder {path.parent} is absent"
    names = sorted(p.name for p in path.parent.iterdir() if p.suffix.lower() in FORMATS and not_a_file(p) is None)
    if not names:
        return f"{path.parent} holds no table ({', '.join(FORMATS)}). Put it there"
    chosen = shell_word(setting("corpus.table", names[0]))
    return f"the folder holds {few(names)}: {chosen}, or trml check ... --table {shell_word(names[0])}"


def _read_csv(path: Path) -> Table:
    return _with_rows(Table(path, *columns_of(path, utf8_of(path), SEPARATORS[path.suffix.lower()])))


def _read_parquet(path: Path) -> Table:
    frame = read_parquet(path)
    others = {name: str(dtype) for name, dtype in frame.schema.items() if _is_nested(dtype)}
    return _with_rows(Table(path, _Texts(path, frame.drop(others)), list(range(1, frame.height + 1)), others))


def _is_nested(dtype: pl.DataType) -> bool:
    """Return whether a column holds lists, bytes and the like, which cannot have a role."""
    return dtype.is_nested() or dtype in (pl.Binary, pl.Object, pl.Duration)


def _with_rows(table: Table) -> Table:
    if not table.lines:
        raise ContractError(f"{table.path} has no rows; expected one for each utterance")
    return table
