"""Find rows that a double quote has swallowed.

A quote at the start of a text opens a cell that ends at the next quote, which may be many rows below. Where a separator
follows that one, the table is sound, and the rows between are lines of one text.
"""

import re
from collections.abc import Iterator, Mapping

from trml.corpora.user_table.table import SEPARATORS, Table

_ENDS = re.compile("\r\n|\r|\n")

_LOOKED_AT = 1000  # lines of a text: one may have millions


def swallowed(table: Table, roles: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """Yield the line, and a note, of each text whose lines are rows of the table, with a label that others have too.

    Args:
        table: The table; one of parquet has no quotes.
        roles: The column of each role.
    """
    separator = SEPARATORS.get(table.path.suffix.lower())
    if separator is None:
        return
    names, labels = list(table.columns), set(table.columns[roles["label"]])
    at, label = names.index(roles["text"]), names.index(roles["label"])
    for line, text in zip(table.lines, table.columns[roles["text"]], strict=True):
        ends = _ENDS.split(text, _LOOKED_AT)
        rows = [each.split(separator) for each in ends[:_LOOKED_AT]]
        # The first line lacks the columns before the text, and the last one those after it.
        sizes = [len(names) - at, *[len(names)] * (len(ends) - 2), at + 1]
        if len(rows) < 2 or [len(row) for row in rows] != sizes[:_LOOKED_AT]:
            continue
        whole = rows[1:-1]
        cells = [row[label] for row in (*whole, rows[-1] if label < at else [""] * at + rows[0])]
        if all(cell.strip() in labels for cell in cells):
            look = f"is {len(ends):,} lines, which look like {len(ends):,} rows of the table"
            remedy = "If a double quote in it is part of the text, double it, and put quotes around the text"
            yield line, f"ATTENTION: the text of this row {look}. {remedy}."
