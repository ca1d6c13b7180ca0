"""Verbs on data and corpora: check, corpus."""

from pathlib import Path
from typing import Annotated

import typer

from trml.cli.common import Config, Folder, Json, Params, examples, plan_of
from trml.cli.ending import Code
from trml.cli.output import emit


@examples(
    "  trml check ../my_posts\n  trml check ../my_posts --column label=mood --column clip=\n  trml check ../data/meld",
    many=("--classes",),
)
def check(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="a table with media beside it, or a raw corpus")],
    table: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="the table's file name (default: utterances.csv, or the only table)"),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE=NAME",
            help="name of a column, as in label=sentiment; an empty name means that there is none; may be repeated",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="seed of the split, if the table has none")] = None,
    label_range: Annotated[
        tuple[float, float] | None, typer.Option(metavar="LOW HIGH", help="range of numeric labels")
    ] = None,
    classes: Annotated[list[str] | None, typer.Option(metavar="LABEL ...", help="the classes, in their order")] = None,
    config: Config = Path("config"),
    as_json: Json = False,
) -> int:
    """Validate a folder of data, and print the command that runs the benchmark on it."""
    from trml.corpora.checking.check import Stated, stated_columns
    from trml.corpora.checking.check import check as run
    from trml.evaluation.foreseen import detectable_words

    stated = Stated(table, stated_columns(column or ()), seed, list(label_range or ()), list(classes or ()))
    report = run(folder, stated, config)
    lines = list(report.lines)
    if report.is_sound and report.facts is not None:
        test = next(row for row in report.facts.splits.iter_rows(named=True) if row["split"] == "test")
        lines.append(detectable_words(report.task, test["groups"], test["rows"]))
    about = {"folder": str(folder), "is_sound": report.is_sound, "task": report.task, "lines": lines}
    emit("check", about, lines, as_json=as_json)
    return Code.DONE if report.is_sound else Code.NO


def corpus(
    params: Params = None,
    folder: Folder = None,
    threads: Annotated[int, typer.Option(metavar="N", help="processes to use (default: 1)", show_default=False)] = 1,
) -> None:
    """Build a corpus from its raw files, or generate it. Run by the workflow."""
    from trml.base.artifacts import new_folder
    from trml.corpora.registry import build_corpus

    plan = plan_of(params, folder, "corpus")
    with new_folder(plan.corpus, "corpus.json", bulk=True) as made:
        build_corpus(plan.params.corpus, Path(plan.params.data), made, plan.corpus.name, threads)
