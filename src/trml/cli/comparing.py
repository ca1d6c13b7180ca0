"""The verb compare."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trml.cli.common import Json, examples, opened, result_names
from trml.cli.output import aligned, counted, emit, moved, number, paragraph

if TYPE_CHECKING:
    from trml.report.compare import Compared

_WORDS = "a name below results/, NAME@COMMIT, a folder, an archive or its address"
_SETTINGS = 20  # rows; --json has all


@examples(
    "  trml compare pantomime pantomime_full\n"
    "  trml compare pantomime_full@HEAD~1 pantomime_full     two commits\n"
    "  trml compare pantomime_full results/pantomime_138886 --page compared.html"
)
def compare(
    a: Annotated[str, typer.Argument(metavar="A", help=_WORDS, autocompletion=result_names, show_default=False)],
    b: Annotated[str, typer.Argument(metavar="B", help="the other", autocompletion=result_names, show_default=False)],
    page: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write them side by side as an HTML page too", dir_okay=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare two results: what differs between them, and from which setting. Published files alone are read."""
    from trml.report.compare import compare as run
    from trml.report.published import Published

    with ExitStack() as stack:
        one, other = (stack.enter_context(opened(each)) for each in (a, b))
        results = (Published(one), Published(other))
        compared = run(*results)
        if page is not None:
            from trml.base.artifacts import write_text
            from trml.report.page.comparison import comparison_page

            write_text(page, comparison_page(compared, *results, (a, b)))
        emit("compare", compared, _lines(compared, (a, b), page), as_json=as_json)


def _lines(c: "Compared", names: tuple[str, str], page: Path | None) -> Iterator[str]:
    rows = [
        (
            name,
            side.digest,
            f"{counted(side.seeds, 'seed')},",
            f"{counted(side.rates, 'missing rate')},",
            counted(side.trainings, "training"),
        )
        for name, side in zip(names, (c.a, c.b), strict=True)
    ]
    yield from aligned(rows)
    yield from paragraph(f"{c.same_inputs} {c.same_scores}")
    if c.settings:
        yield ""
        settings = [(each["key"], moved(each["a"]), moved(each["b"])) for each in c.settings[:_SETTINGS]]
        yield from aligned(settings, ("setting", *names))
        if len(c.settings) > _SETTINGS:
            more = len(c.settings) - _SETTINGS
            yield f"{counted(more, 'more setting')} {'differs' if more == 1 else 'differ'} (--json)"
    same = [claim for claim in c.claims if claim["a"] == claim["b"] and claim["largest_change"] == 0]
    if same:
        yield f"The same verdict and effects in both: {len(same)} of {counted(len(c.claims), 'claim')}."
    if len(same) < len(c.claims):
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
            if claim not in same
        ]
        header = ("claim", *names, "shared effects", "largest change", "changed sign", "left interval")
        yield from aligned(claims, header, right=range(3, 7))
    yield ""
    yield from paragraph(c.conclusion)
    if page is not None:
        yield f"Page: {page}"
