"""The verb show."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trml.cli.common import Json, Result, examples, opened, result_names
from trml.cli.output import aligned, counted, emit, interval, number, paragraph

if TYPE_CHECKING:
    from trml.report.show import Shown

_SCORE = ("value", "effect")  # what an interval is of
_P = {"p": "p", "p_equivalent": "p (equivalent)"}
# Machine words that a reader does not need, where they are the same in every row.
_LEFT_OUT = ("low", "high", "leads", "failed", "label", "speaks")


@examples(
    "  trml show                                        the findings and claims of the only result\n"
    "  trml show pantomime_full main --method trml,zero_fill --condition vision@0.5\n"
    "  trml show pantomime_full C1                      a claim: by how much, and is it significant\n"
    "  trml show pantomime_full pairs --method trml --condition text\n"
    "  trml show pantomime_full main --condition vision@0.5 --metric all"
)
def show(
    result: Result = None,
    table: Annotated[
        str | None,
        typer.Argument(metavar="TABLE|CLAIM", help="a table or a claim (default: the findings)", show_default=False),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(metavar="M,..", help="these methods alone, pairs among them (without a table: of main)"),
    ] = None,
    condition: Annotated[
        str | None, typer.Option(metavar="C", help="complete, vision@0.5, or a pattern with all its rates")
    ] = None,
    metric: Annotated[
        str | None, typer.Option(metavar="NAME", help="a metric of a table, or all (default: the primary one)")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what was found, by how much, and whether it is significant. Published files alone are read."""
    from trml.report.published import Published
    from trml.report.show import show as run

    if result is not None and table is None and _is_table(result):
        result, table = None, result
    methods = [word.strip() for word in (method or "").split(",") if word.strip()]
    with opened(result) as folder:
        shown = run(Published(folder), table, methods, condition, metric)
        emit("show", shown, _lines(shown), as_json=as_json)


def _is_table(word: str) -> bool:
    """Return whether a single word names a table or claim of the default result, and no result."""
    from trml.base.errors import TrmlError
    from trml.cli.common import result_folder
    from trml.report.published import Published

    if word in result_names() or "/" in word or "." in word or "@" in word:
        return False
    try:
        Published(result_folder(None)).table_name(word)
    except TrmlError:
        return False
    return True


def _lines(shown: "Shown") -> Iterator[str]:
    if shown.table is None:
        for i, words in enumerate(shown.findings, 1):
            yield from paragraph(words, f"{i}. ")
        if shown.findings:
            yield ""
        rows = [
            (
                claim["id"],
                claim["dataset"] or "own",
                claim["verdict"],
                f"{claim['supporting']}/{claim['refuting']}/{claim['undecided']}",
                number(claim["largest"], sign=True),
                claim["text"],
            )
            for claim in shown.claims
        ]
        header = ("claim", "dataset", "verdict", "for/against/open", "largest", "text")
        yield from aligned(rows, header, right=(3, 4))
        yield ""
        yield f"A claim in full: trml show {shown.result} {shown.claims[0]['id'] if shown.claims else 'C1'}"
        if shown.page:
            yield f"Page: {shown.page}"
        return
    if shown.claim:
        yield f"{shown.claim['id']} {shown.claim['verdict']}: {shown.claim['text']}"
        yield from paragraph(str(shown.claim["how"]))
        yield ""
    yield from _table(shown.columns, shown.rows)


def _table(columns: Sequence[str], rows: Sequence[Any]) -> list[str]:
    """Return rows as lines: a score and its interval in one column, columns that never vary left out."""
    score = next((name for name in _SCORE if name in columns and {"low", "high"} <= {*columns}), None)
    kept = [name for name in columns if name not in _LEFT_OUT or (score is None and name in ("low", "high"))]
    varying = [name for name in kept if len(rows) < 2 or len({str(row[name]) for row in rows}) > 1 or name == score]
    same = {name: rows[0][name] for name in kept if name not in varying and rows and rows[0][name] is not None}
    header = [f"{name} [95 %]" if name == score else _P.get(name, name) for name in varying]
    body = [
        [
            interval(row[name], row["low"], row["high"], sign=score == "effect") if name == score else _entry(row[name])
            for name in varying
        ]
        for row in rows
    ]
    right = [i for i, name in enumerate(varying) if rows and isinstance(rows[0][name], int | float) and name != score]
    shared = ", ".join(f"{name} {_entry(value)}" for name, value in same.items())
    count = counted(len(rows), "row")
    return [f"{count}; {shared}" if shared else count, *aligned(body, header, right)]


def _entry(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)
