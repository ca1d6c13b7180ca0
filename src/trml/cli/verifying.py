"""The verb verify."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trml.base.commands import remake_published
from trml.base.errors import ConfigError, DataMissing
from trml.cli.common import Json, Result, examples, opened
from trml.cli.ending import Code
from trml.cli.output import emit

if TYPE_CHECKING:
    from trml.report.verify import Verification


@examples(
    "  trml verify pantomime_full                    what was built here against what is published\n"
    "  trml verify pantomime_full --run              train and build it first, where it is absent\n"
    "  trml verify pantomime_full --against FOLDER   two folders of results\n"
    "  trml verify deposit.zip                       an archive of `trml export`, or its https:// address\n"
    "  trml verify pantomime_full --exact            other bytes are a difference on any machine"
)
def verify(
    result: Result = None,
    against: Annotated[
        str | None, typer.Option(metavar="RESULT", help="what to compare with (default: what was built here)")
    ] = None,
    build: Annotated[bool, typer.Option("--run", help="build it here first, where it is absent")] = False,
    exact: Annotated[bool, typer.Option("--exact", help="end with 1 unless every byte is the same")] = False,
    as_json: Json = False,
) -> int:
    """Check whether a result reproduces: same bytes, the same within statistics, or different, and from where on.

    It compares published results with those that were built here. The exit code is 0 for the same and for the same
    within statistics, 1 for a difference, 3 where nothing was built here.
    """
    from trml.report.verify import verify as run

    with ExitStack() as stack:
        published = stack.enter_context(opened(result))
        found = stack.enter_context(opened(against)) if against else _built(published, build=build)
        verification = run(published, found)
    emit("verify", verification, _words(verification), as_json=as_json)
    differs = verification.outcome == "differs" or (exact and not verification.exact)
    return Code.NO if differs else Code.DONE


def _built(published: Path, *, build: bool) -> Path:
    """Return the results that were built here of the configuration that is published; `build`: build them if not.

    Raises:
        DataMissing: If they were not built here.
    """
    from trml.config.load import load
    from trml.planning.plan import plans

    params = published / "params.yaml"
    try:
        own = plans(load(params))[0]
    except ConfigError as error:
        raise DataMissing(
            f"{published} was published by a version with other settings ({error}). Compare with another folder: "
            f"trml verify {published.name} --against FOLDER"
        ) from None
    built = own.results
    if build and built is not None and not (built / "manifest.json").is_file():
        from trml.cli.following import follow
        from trml.cli.snakemake import workflow

        follow(str(params), [], "all", f"trml verify {published.name} --run", workflow(), whole=False, as_json=True)
    if built is None or not (built / "manifest.json").is_file():
        raise DataMissing(
            f"the results of {published} were not built here with this source: {built} is absent",
            command=f"{remake_published(published.name)}\n"
            f"or compare with another folder: trml verify {published.name} --against FOLDER",
        )
    return built


def _words(v: "Verification") -> list[str]:
    if v.outcome == "same":
        return [f"Same: all {v.files} files, {v.scores:,} scores and {len(v.claims)} claims are identical."]
    return [line for part in (_files(v), _statistics(v), _claims(v), _reason(v)) for line in part]


def _files(v: "Verification") -> Iterator[str]:
    if v.outcome == "within":
        yield f"Within statistics: bits differ in {len(v.other_files)} of {v.files} files."
    else:
        yield f"Differs: {len(v.other_files)} of {v.files} files, {v.other_scores:,} of {v.scores:,} scores."
        tables = [name for name in v.other_files if name.startswith("tables/") and name.endswith(".csv")]
        if tables:
            yield f"Tables: {', '.join(tables)}"
    if v.largest:
        yield f"Largest difference of a score: {v.largest[0]:.6f}, {v.largest[1]}."


def _statistics(v: "Verification") -> Iterator[str]:
    widest = max(v.equivalence, key=lambda row: max(abs(row["low"]), abs(row["high"])), default=None)
    if widest:
        all_are = "all" if all(row["equivalent"] for row in v.equivalence) else "not all"
        yield (
            f"Methods are {all_are} equivalent within {widest['margin']:.4f}; the widest interval is "
            f"{widest['method']}'s, {widest['difference']:+.6f} [{widest['low']:+.6f}, {widest['high']:+.6f}]."
        )


def _claims(v: "Verification") -> Iterator[str]:
    outside, effects = (sum(claim[key] for claim in v.claims) for key in ("outside_interval", "effects"))
    moved = [claim for claim in v.claims if claim["published"] != claim["found"]]
    yield f"Claims: {outside} of {effects} effects left their published interval; {len(moved)} verdicts changed."
    for claim in moved:
        of = f" of {claim['dataset']}" if claim["dataset"] else ""
        yield f"  {claim['id']}{of}: {claim['published']} -> {claim['found']}"


def _reason(v: "Verification") -> Iterator[str]:
    if v.first:
        yield f"First at {v.first.stage}: expected {v.first.expected}, found {v.first.found}."
    yield f"Likely cause: {v.cause}."
