"""Read a table of texts and clips to predict for, and check it before a model is loaded."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trml.base.errors import CommandError, DataMissing
from trml.base.printable import few, shortened
from trml.corpora.user_table.clips import Clips
from trml.corpora.user_table.table import FORMATS, read_table
from trml.sources.formats.media_fragment import split_part

COLUMNS = ("text", "clip")


def is_table(path: str) -> bool:
    """Return whether a file is a table, by its name."""
    return Path(path).suffix.lower() in FORMATS


def items_of(table: Path, trained_on: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the rows of a table, with all its columns; the paths of clips start at the table's folder.

    Args:
        table: With the columns text and clip, or one of them.
        trained_on: What text and clip were called in the table that the model was trained on. A table without the
            usual columns may have those, which are renamed.

    Raises:
        DataMissing: If the table or a clip is absent, or a clip is not below the table's folder.
        ContractError: If the table is malformed.
        CommandError: If it has no text and no clip, as a whole or in a row.
    """
    read, clips = read_table(table), Clips(table.parent)
    names = list(read.columns)
    if not set(COLUMNS) & set(names):
        usual = {theirs: ours for ours, theirs in trained_on.items() if ours in COLUMNS}
        names = [usual.get(name, name) for name in names]
    if not set(COLUMNS) & set(names):
        raise CommandError(f"{table} has the columns {few(list(read.columns))}; expected text, clip, or one of them")
    rows = [dict(zip(names, cells, strict=True)) for cells in zip(*read.columns.values(), strict=True)]
    for line, row in zip(read.lines, rows, strict=True):
        if not any(row.get(name) for name in COLUMNS):
            raise CommandError(f"{table} line {line}: there is neither text nor clip; expected one of them at least")
        if clip := row.get("clip"):
            if why := clips.find(split_part(clip)[0])[1]:
                raise DataMissing(f"{table} line {line}: clip {shortened(clip)} {why}")
            row["clip"] = str(table.parent / clip)
    return rows
