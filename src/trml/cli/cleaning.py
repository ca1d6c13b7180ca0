"""The verb gc."""

from pathlib import Path
from typing import Annotated

import typer

from trml.base.errors import TrmlError
from trml.cli.common import Json, Params, Yes, agreed, examples, plans_of, remove
from trml.cli.output import emit


@examples(
    "  trml gc --dry-run                 what would be removed, with sizes\n"
    "  trml gc --aside --only cells      keep unused cells in work/attic, where they are found again",
    many=("--only",),
)
def gc(
    params: Params = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="list only; change nothing")] = False,
    set_apart: Annotated[bool, typer.Option("--aside", help="move to work/attic instead of removing")] = False,
    yes: Yes = False,
    only: Annotated[
        list[str] | None, typer.Option(metavar="FOLDER ...", help="folders of work/ to look in (default: all)")
    ] = None,
    as_json: Json = False,
) -> None:
    """Remove from work/ what neither the configuration nor published results need, or set aside what is not in force.

    It lists paths with their sizes, and asks. What results/ were made from stays.
    """
    from trml.planning.attic import aside, is_among, rested_on, set_aside, size, unreachable

    work, plans = Path("work"), plans_of(params)
    for each in plans:
        if each.unfetched:
            raise TrmlError(
                f"raw files of {each.params.corpus.name} are absent from {each.params.data}, so the names of what was "
                "made from them are unknown. Bring the files back (trml fetch), or use another configuration"
            )
    paths = unreachable(plans, only or (), work)
    needed = set() if set_apart else rested_on()
    if not set_apart:
        paths = [path for path in [*paths, *([] if only else aside(work))] if not is_among(path, needed)]
    sizes = {path: size(path) for path in paths}
    total = sum(sizes.values())
    words = f"{len(paths)} paths, {total / 1e6:.1f} MB"
    if set_apart:
        lines = [f"{'would set aside' if dry_run else 'set aside'} {path}" for path in paths]
    else:
        lines = [f"{size / 1e6:10.1f} MB  {path}" for path, size in sizes.items()]
        if dry_run or not paths:
            lines.append(f"would remove {words}" if paths else "nothing to remove")
    listed = [{"path": str(path), "bytes": size} for path, size in sizes.items()]
    gone = bool(paths) and not dry_run
    if gone and not set_apart and not yes:
        emit("gc", {}, lines, as_json=False)
        if not agreed(f"Remove {words}?"):
            raise TrmlError(f"nothing was removed. To remove {words} without a question: trml gc --yes")
        lines = []
    if gone:
        for path in paths:
            set_aside(path, work) if set_apart else remove(path)
        lines += [] if set_apart else [f"removed {words}"]
    emit("gc", {"removed": gone, "aside": set_apart, "bytes": total, "paths": listed}, lines, as_json=as_json)
