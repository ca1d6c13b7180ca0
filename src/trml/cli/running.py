"""The verb run."""

import os
from pathlib import Path
from typing import Annotated

import typer

from trml.base.errors import CommandError
from trml.base.nearest import nearest
from trml.cli.common import CHECKOUT, Json, Words, examples, plans_of
from trml.cli.composing import ARCHIVE, CORES, Asked
from trml.cli.ending import Code
from trml.cli.output import emit
from trml.cli.snakemake import workflow

UNTIL = {
    "corpora": ["data"],
    "features": ["features_only"],
    "training": ["cells"],
    "evaluation": ["evaluated"],
    "report": [],
}
Cores = Annotated[
    str,
    typer.Option(metavar="N", envvar=CORES, help="cores to use (default: all)", show_default=False, show_envvar=False),
]
DataFolder = Annotated[
    str | None, typer.Option(metavar="FOLDER", help="folder of the corpora (default: that of the configuration)")
]


@examples(
    "  trml run                                         the configuration in force, params.yaml\n"
    "  trml run pantomime_full                          everything that the paper studies\n"
    "  trml run paper --data ../data                    the paper's corpora, raw files in ../data\n"
    "  trml run 'protocol.seeds=[2020,2021]'            other settings, published under another name\n"
    "  trml run pantomime_full --only 5dc1a71d3a31      one training, as `trml trace` names it\n"
    '  open "$(trml run)"                               stdout is the path of the page'
)
def run(
    words: Words = None,
    data: DataFolder = None,
    params: Annotated[
        str | None, typer.Option(metavar="FILE", help="a composed configuration, instead of an experiment")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show what is left to do, and change nothing")] = False,
    until: Annotated[
        str | None, typer.Option(metavar="STAGE", help=f"the last stage to make: {', '.join(UNTIL)}")
    ] = None,
    only: Annotated[
        str | None, typer.Option(metavar="CELL", help="train one cell, and say whether it is as published")
    ] = None,
    archive: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="ARCHIVE",
            envvar=ARCHIVE,
            show_envvar=False,
            help="make the page of what `trml export` packed, without training",
        ),
    ] = None,
    into: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="the folder to make work/ and results/ in (default: here)")
    ] = None,
    cores: Cores = "all",
    as_json: Json = False,
) -> int:
    """Run an experiment to its report page, and print the page's path.

    What is done already stays. Progress is on stderr, one line a stage, and Snakemake's output in a log file. Ctrl-C
    saves trainings in progress and prints the command that resumes.
    """
    from trml.cli.following import follow
    from trml.cli.single import train_one
    from trml.cli.watching import status_lines
    from trml.planning.progress import progress

    asked = Asked.of(words or (), data)
    if until is not None and until not in UNTIL:
        raise CommandError(f"there is no stage {until!r}{nearest(until, UNTIL)}")
    if asked.words and (params or archive):
        raise CommandError(f"--params and --from have a whole configuration; expected no {asked.words} beside it")
    snakefile, again = workflow(), asked.command("run")
    if archive is not None:
        from trml.planning.bundle import bring

        params = str(bring(archive))
    again = f"trml run --params {params}" if params else again
    params = params or asked.write("run", into)
    if into is not None:
        params = params if asked.words else str(Path(params).absolute())
        _move_into(into)
        again += f" --into {into}"
    if only is not None:
        return train_one(params, only, snakefile, cores, as_json=as_json)
    if dry_run:
        found = progress(plans_of(params), params)
        emit("status", found, status_lines(found), as_json=as_json)
        return Code.DONE
    return follow(params, UNTIL[until or "report"], cores, again, snakefile, whole=not until, as_json=as_json)


def _move_into(folder: Path) -> None:
    """Make a folder the current one, with what a run reads beside its configuration."""
    here = Path.cwd()
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("config", "submissions"):
        source = here / name if (here / name).is_dir() else CHECKOUT / name
        if source.is_dir() and not (folder / name).exists():
            (folder / name).symlink_to(source.resolve())
    os.chdir(folder)
