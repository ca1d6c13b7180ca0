"""The verb robustness."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trml.base.printable import shortened
from trml.cli.common import Json, examples
from trml.cli.output import aligned, counted, emit, interval, number
from trml.sources.formats.numbers import number as parsed

if TYPE_CHECKING:
    from trml.evaluation.brought import Brought


def _margin(text: str) -> float:
    value = parsed(text)
    if value is None or value < 0:
        raise typer.BadParameter(f"{shortened(text)}; expected a number, 0 or more")
    return value


@examples(
    "  trml robustness predictions.csv\n"
    "  trml robustness predictions.csv --margin 0.03 --reference complete_model\n"
    "  trml robustness predictions.csv --metric corr --json"
)
def robustness(
    predictions: Annotated[
        Path, typer.Argument(metavar="PREDICTIONS", help="a .csv or .parquet, a row a prediction", show_default=False)
    ],
    metric: Annotated[
        str | None, typer.Option(metavar="NAME", help="a metric (default: the primary one of the task)")
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(metavar="X", parser=_margin, help="the smallest difference that matters (default: none)"),
    ] = None,
    reference: Annotated[
        str | None, typer.Option(metavar="METHOD", help="also measure effective robustness against this method")
    ] = None,
    as_json: Json = False,
) -> None:
    """Score the predictions of any model over missing rates: curves, intervals and verdicts.

    Columns: utterance_id, label, prediction, condition (complete, vision@0.5); optional: method, seed, group.
    """
    from trml.evaluation.brought import brought

    found = brought(predictions, metric=metric, margin=margin, reference=reference)
    emit("robustness", found, _lines(found), as_json=as_json)


def _lines(b: "Brought") -> Iterator[str]:
    points = "higher" if b.metric["higher_is_better"] else "lower"
    of = f"{len(b.classes)} classes" if b.classes else "a score"
    sizes = f"{counted(b.utterances, 'utterance')} in {counted(b.groups, 'group')}, {counted(len(b.seeds), 'seed')}"
    yield f"{b.metric['label']} ({points} is better) of {of}: {sizes}"
    drops = {(row["method"], row["victim"], row["rate"]): row for row in b.drops}
    yield ""
    rows = [_curve(row, drops.get((row["method"], row["victim"], row["rate"]))) for row in b.curves]
    header = ("method", "missing", "rate", "score [95 %]", "than on complete data", "p", "verdict")
    yield from aligned(rows, header, right=(2, 5))
    if b.robustness:
        yield ""
        measures = [
            (row["method"], row["victim"], row["measure"], interval(row["value"], row["low"], row["high"]))
            for row in b.robustness
        ]
        yield from aligned(measures, ("method", "missing", "robustness", "area [95 %]"))
    if b.pairs:
        yield ""
        pairs = [
            (
                row["victim"] if row["rate"] else "nothing",
                f"{row['rate']:g}",
                row["first"],
                row["second"],
                interval(row["effect"], row["low"], row["high"], sign=True),
                number(row["p"]),
                row["verdict"],
            )
            for row in b.pairs
        ]
        header = ("missing", "rate", "first", "second", "first better by [95 %]", "p", "verdict")
        yield from aligned(pairs, header, right=(1, 5))
    if b.notes:
        yield ""
        yield from b.notes


def _curve(row: Any, drop: Any) -> tuple[str, ...]:
    score = interval(row["value"], row["low"], row["high"])
    if drop is None:
        return (row["method"], row["victim"], f"{row['rate']:g}", score, "", "", "")
    effect = interval(drop["effect"], drop["low"], drop["high"], sign=True)
    return (row["method"], row["victim"], f"{row['rate']:g}", score, effect, number(drop["p"]), drop["verdict"])
