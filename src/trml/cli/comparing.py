"""The verb compare."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from trml.cli.common import Json, examples, opened, result_names
from trml.cli.output import aligned, emit, interval, moved, number, paragraph

if TYPE_CHECKING:
    from trml.report.compare import Compared

_WORDS = "a name below results/, NAME@COMMIT, a folder, an archive or its address"
_SETTINGS = 20  # rows; --json has all


@examples(
    "  trml compare pantomime pantomime_full\n"
    "  trml compare pantomime_full@HEAD~1 pantomime_full     two commits\n"
    "  trml compare pantomime_full results/pantomime_138886"
)
def compare(
    a: Annotated[str, typer.Argument(metavar="A", help=_WORDS, autocompletion=result_names, show_default=False)],
    b: Annotated[str, typer.Argument(metavar="B", help="the other", autocompletion=result_names, show_default=False)],
    as_json: Json = False,
) -> None:
    """Compare two results: what differs between them, and from which setting. Published files alone are read."""
    from trml.report.compare import compare as run
    from trml.report.published import Published

    with ExitStack() as stack:
        one, other = (stack.enter_context(opened(each)) for each in (a, b))
        compared = run(Published(one), Published(other))
        emit("compare", compared, _lines(compared, (a, b)), as_json=as_json)


def _lines(c: "Compared", names: tuple[str, str]) -> Iterator[str]:
    rows = [
        (name, side.digest, f"{side.seeds} seeds,", f"{side.rates} missing rates,", f"{side.trainings:,} trainings")
        for name, side in zip(names, (c.a, c.b), strict=True)
    ]
    yield from aligned(rows)
    yield from paragraph(f"{_inputs(c)} {_scores(c)}")
    if c.settings:
        yield ""
        settings = [(each["key"], moved(each["a"]), moved(each["b"])) for each in c.settings[:_SETTINGS]]
        yield from aligned(settings, ("setting", *names))
        if len(c.settings) > _SETTINGS:
            yield f"{len(c.settings) - _SETTINGS} more settings differ (--json)"
    if c.claims:
        yield ""
        claims = [
            (
                claim["id"] if claim["dataset"] is None else f"{claim['id']} {claim['dataset']}",
                claim["a"],
                claim["b"],
                claim["shared"],
                number(claim["largest_change"]),
                claim["changed_sign"],
                claim["outside_interval"],
            )
            for claim in c.claims
        ]
        header = ("claim", *names, "shared effects", "largest change", "changed sign", "left interval")
        yield from aligned(claims, header, right=range(3, 7))
    yield ""
    yield from paragraph(_conclusion(c))


def _inputs(c: "Compared") -> str:
    same = [stage for stage, name in c.a.made_from.items() if name == c.b.made_from.get(stage)]
    other = [stage for stage in c.a.made_from if stage not in same]
    parts = [f"Same {_and(same)}." if same else "", f"Other {_and(other)}." if other else ""]
    return " ".join(filter(None, parts))


def _scores(c: "Compared") -> str:
    shared, identical = c.scores["shared"], c.scores["identical"]
    if not shared:
        return "They share no score."
    if shared == identical:
        return f"All {shared:,} shared scores are identical."
    largest = c.scores["largest"]
    values = f"{interval(largest['a'], None, None)} and {interval(largest['b'], None, None)}"
    return f"{shared - identical:,} of {shared:,} shared scores differ, most at {largest['address']}: {values}."


def _conclusion(c: "Compared") -> str:
    changed = c.changed
    first = f"{_and(changed)} changed." if changed else "No verdict changed." if c.claims else "They share no claim."
    both = [f"{verdict.capitalize()} in both: {', '.join(c.alike(verdict))}." for verdict in _verdicts(c)]
    return " ".join(filter(None, [first, c.cause.words, *both]))


def _verdicts(c: "Compared") -> list[str]:
    return list(dict.fromkeys(claim["a"] for claim in c.claims if claim["a"] == claim["b"]))


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
