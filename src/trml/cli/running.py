"""The verb run."""

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from trml.base.errors import CommandError
from trml.base.nearest import nearest
from trml.base.printable import shortened
from trml.cli.common import CHECKOUT, Json, Words, examples
from trml.cli.composing import ARCHIVE, CORES, Asked
from trml.cli.snakemake import workflow
from trml.cli.watching import foresee
from trml.sources.formats.numbers import count

UNTIL = {
    "corpora": ["data"],
    "features": ["features_only"],
    "training": ["cells"],
    "evaluation": ["evaluated"],
    "report": [],
}


_MOST_CORES = 4096


def _number_or_all(value: str) -> str:
    given = None if value == "all" else count(value)
    if value != "all" and (given is None or not 1 <= given <= _MOST_CORES):
        raise typer.BadParameter(f"{shortened(value)}; expected a number from 1 to {_MOST_CORES:,}, or all")
    return value.strip()


Cores = Annotated[
    str,
    typer.Option(
        metavar="N",
        envvar=CORES,
        help="cores to use (default: all)",
        show_default=False,
        show_envvar=False,
        callback=_number_or_all,
    ),
]
DataFolder = Annotated[
    str | None, typer.Option(metavar="FOLDER", help="folder of the corpora (default: that of the configuration)")
]


@examples(
    "  trml run                                         the configuration in force, params.yaml\n"
    "  trml run pantomime_full                          everything that the paper studies\n"
    "  trml run paper --data ../data                    the paper's corpora, raw files in ../data\n"
    "  trml run 'protocol.seeds=[2020,2021]'            params.yaml with other seeds, published under another name\n"
    "  trml run pantomime_full --only 1f861ec30a8e      one training, as `trml trace` names it\n"
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
    asked = Asked.of(words or (), data)
    _refuse_mixture(asked, params, archive, into, until, dry_run)
    if dry_run:
        return foresee(asked, params, into, as_json=as_json)
    from trml.cli.following import follow
    from trml.cli.single import train_one

    snakefile = workflow()
    params, again = _settled(asked, params, archive, into)
    caller = Path.cwd()
    if into is not None:
        _move_into(into)
    if only is not None:
        return train_one(params, only, snakefile, cores, as_json=as_json)
    return follow(
        params, UNTIL[until or "report"], cores, again, snakefile, whole=not until, caller=caller, as_json=as_json
    )


def _refuse_mixture(
    asked: Asked, params: str | None, archive: Path | None, into: Path | None, until: str | None, dry_run: bool
) -> None:
    """Raise CommandError for options that do not go together, and for an unknown stage."""
    if until is not None and until not in UNTIL:
        raise CommandError(f"there is no stage {until!r}{nearest(until, UNTIL)}")
    if asked.words and (params or archive):
        raise CommandError(f"--params and --from have a whole configuration; expected no {asked.words} beside it")
    if archive and dry_run:
        raise CommandError("--from unpacks into work/, and --dry-run changes nothing; expected one of them")
    if archive and (params or into):
        raise CommandError("--from unpacks into work/ of this folder; expected neither --params nor --into beside it")


def _settled(asked: Asked, params: str | None, archive: Path | None, into: Path | None) -> tuple[str, str]:
    """Return the configuration file, relative to the folder that the run is in, and the command that resumes."""
    if archive is not None:
        from trml.planning.bundle import bring

        params = str(bring(archive))
    elsewhere = f" --into {shlex.quote(str(into))}" if into is not None else ""
    if params is None:
        return asked.write("run", into), asked.command("run") + elsewhere
    again = f"trml run --params {shlex.quote(params)}{elsewhere}"
    return asked.write("run", into, params) if into is not None else params, again


def _move_into(folder: Path) -> None:
    """Make a folder the current one, with what a run reads beside its configuration, and modules of methods there."""
    here = Path.cwd()
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(here))))
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("config", "submissions"):
        source = here / name if (here / name).is_dir() else CHECKOUT / name
        if source.is_dir() and not (folder / name).exists():
            (folder / name).symlink_to(source.resolve())
    os.chdir(folder)
