"""Verbs that show how far a run is: status, and its old name plan."""

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trml.base.errors import CommandError
from trml.cli.common import Json, Params, Words, examples, plans_of
from trml.cli.composing import Asked
from trml.cli.ending import Code
from trml.cli.output import aligned, emit, is_live, left

if TYPE_CHECKING:
    from trml.planning.plan import Plan
    from trml.planning.progress import Progress, Stage

_EVERY_S = 2.0
_UP, _DOWN = "\x1b[{}F", "\x1b[J"


@examples(
    "  trml status                     the configuration in force\n"
    "  trml status --watch             until the run ends\n"
    "  trml status --by method         a row for each method\n"
    "  trml status pantomime_full --folders    every folder of work/ that it needs"
)
def status(
    words: Words = None,
    params: Params = None,
    watch: Annotated[bool, typer.Option("--watch", help="show it again every two seconds, until the run ends")] = False,
    by: Annotated[str | None, typer.Option(metavar="method", help="a row for each method")] = None,
    folders: Annotated[bool, typer.Option("--folders", help="list every folder, and whether it is done")] = False,
    as_json: Json = False,
) -> None:
    """Show what of an experiment is done, running, failed and left, and for how long."""
    from trml.planning.progress import progress

    if by not in (None, "method"):
        raise CommandError(f"--by is {by!r}; expected method")
    asked = Asked.of(words or (), None, {})
    path, planned = _planned(asked, params)
    if folders:
        listed = list(folders_of(planned))
        lines = [f"{each['what']:10} {each['words']}" for each in listed]
        emit("folders", {"folders": listed}, lines, as_json=as_json)
        return
    shown, counts = 0, None
    while True:
        found = progress(planned, path)
        lines = status_lines(found, by_method=by is not None)
        if is_live(sys.stdout) and not as_json and shown:
            sys.stdout.write(_UP.format(shown) + _DOWN)
        elif not as_json and counts == _counts(found):
            lines = []  # where lines cannot be rewritten, what has not changed is not said again
        shown, counts = len(lines), _counts(found)
        emit("status", found, lines, as_json=as_json, indent=None if watch else 1)
        sys.stdout.flush()
        if not watch or found.state != "running":
            return
        time.sleep(_EVERY_S)


def _counts(found: "Progress") -> object:
    return found.state, [(stage.done, stage.running, stage.failed) for stage in found.stages]


def plan(params: Params = None, as_json: Json = False) -> None:
    """List everything the configuration needs and whether it is done: `trml status --folders`."""
    status(params=params, folders=True, as_json=as_json)


def foresee(asked: Asked, params: str | None, into: Path | None, *, as_json: bool) -> int:
    """Show what a run would have to do, and change nothing; return the exit code.

    Args:
        asked: What is to be run.
        params: The configuration that is run without any words, that in force by default.
        into: Another folder to run in, which need not exist.
        as_json: Whether a document takes the place of the lines.
    """
    from trml.planning.progress import progress

    path, planned = _planned(asked, params, into)
    found = progress(planned, path, (into or Path()) / "work")
    emit("status", found, status_lines(found), as_json=as_json)
    return Code.DONE


def _planned(asked: Asked, params: str | None, into: Path | None = None) -> "tuple[str, list[Plan]]":
    """Return the configuration file and its plans; what words ask for is composed, and nothing is written.

    Raises:
        ConfigError: If the configuration is at fault, which may be that of somebody else's results.
    """
    from trml.base.commands import params_file

    if not asked.words and into is None:
        return params or params_file(), plans_of(params)
    from trml.base.checkout import config_folder
    from trml.base.yaml_reader import parse_yaml, read_yaml
    from trml.config.load import check
    from trml.planning.plan import plans

    path = params or params_file()
    named = f"config/experiment/{asked.experiment}.yaml" if asked.experiment else path
    raw = parse_yaml(asked.text()) if asked.words else read_yaml(Path(path))
    there = (into or Path()) / "config"
    config = there if there.is_dir() else config_folder()  # a run in a new folder takes that of this one
    return named, plans(check(raw, named), (into or Path()) / "work", config)


def status_lines(found: "Progress", *, by_method: bool = False) -> list[str]:
    """Return how far an experiment is, in words."""
    head = f"{found.experiment}: {found.state}"
    if found.run and found.state != "running":
        head += f". Another run is at work here: {found.run['experiment']}, process {found.run['pid']}"
    elif found.run:
        head += f", {left(found.seconds_left)}" if found.seconds_left else ""
        head += f". Log: {found.run['log']}" if found.run["log"] else f", process {found.run['pid']}"
    rows = [_row(stage) for stage in found.stages]
    if by_method:
        rows += [_row(method, "  ") for method in found.methods]
    lines = [head, *aligned(rows, right=(1, 2))]
    for each in found.failed:
        where = f" ({each['log']})" if each["log"] else ""
        lines.append(f"failed  {each['what']}: {each['reason']}{where}")
    if found.page:
        is_new = found.state == "done"
        lines.append(f"page    {found.page}{'' if is_new else ' (of an earlier run)'}")
    return lines


def _row(stage: "Stage", indent: str = "") -> Sequence[str]:
    rest = [
        f"{count:,} {word}"
        for count, word in ((stage.running, "running"), (stage.failed, "failed"), (stage.left, "left"))
        if count
    ]
    return f"{indent}{stage.stage}", f"{stage.done:,}", f"of {stage.total:,}", ", ".join(rest)


def folders_of(planned: "Sequence[Plan]") -> Iterator[dict[str, object]]:
    """Yield every folder and block of some plans, once each: what, path, done and the words that say so."""
    from trml.training.store import is_done

    shown: set[Path | None] = set()  # datasets share corpora, encoders and features

    def entry(what: str, path: Path | None, done: bool, words: str = "") -> Iterator[dict[str, object]]:
        if path is not None and path in shown:
            return
        shown.add(path)
        state = "" if path is None else " (done)" if done else " (to do)"
        text = f"{path or 'none to train'}{words}{state}"
        yield {"what": what, "path": str(path) if path else None, "done": done, "words": text}

    for each in planned:
        for what, path in [("corpus", each.corpus), ("encoder", each.encoder), ("features", each.features)]:
            yield from entry(what, path, path is not None and path.is_dir())
        for block in each.blocks.values():
            trained = sum(map(is_done, block.cells))
            yield from entry("block", block.done, block.done.is_file(), f" {trained}/{len(block.cells)} cells")
        for what, path in [("evaluation", each.evaluation), ("probes", each.probes), ("results", each.results)]:
            if path is not None:
                yield from entry(what, path, path.is_dir())
