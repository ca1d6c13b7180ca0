"""The verb verify."""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from trml import __version__
from trml.base.errors import ConfigError, DataMissing
from trml.cli.common import Verbs, add_verb, result_folder

if TYPE_CHECKING:
    from trml.report.verify import Verification


def verify(arguments: argparse.Namespace) -> None:
    """Check whether a result reproduces: same bytes, the same within statistics, or different, and from where on.

    It compares published results with those that were built here. The exit code is 0 for the same and for the same
    within statistics, 1 for a difference, 3 where nothing was built here.
    """
    from trml.report.verify import verify as run

    try:
        published = result_folder(arguments.result)
        found = result_folder(arguments.against) if arguments.against else _built(published)
        verification = run(published, found)
    except DataMissing as error:
        sys.stderr.write(f"trml verify: {error}\n")
        sys.exit(3)
    if arguments.json:
        print(json.dumps({"trml": __version__, "kind": "verify", "schema": 1, **asdict(verification)}, indent=1))
    else:
        print("\n".join(_words(verification)))
    if verification.outcome == "differs" or (arguments.exact and not verification.exact):
        sys.exit(1)


def _built(published: Path) -> Path:
    """Return the results that were built here of the configuration that is published."""
    from trml.config.load import load
    from trml.planning.plan import plans

    try:
        own = plans(load(published / "params.yaml"))[0]
    except ConfigError as error:
        raise DataMissing(
            f"{published} was published by a version with other settings ({error}). Compare with another folder: "
            f"trml verify {published.name} --against FOLDER"
        ) from None
    built = own.results
    if built is None or not (built / "manifest.json").is_file():
        raise DataMissing(
            f"the results of {published} were not built here with this source: {built} is absent. Build them: "
            f"snakemake --cores all --config params={published / 'params.yaml'}\n"
            f"Or compare with another folder: trml verify {published.name} --against FOLDER"
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


def register(verbs: "Verbs[argparse.ArgumentParser]") -> None:
    """Add the verb."""
    verb = add_verb(
        verbs,
        verify,
        "  trml verify pantomime_full                    what was built here against what is published\n"
        "  trml verify pantomime_full --against FOLDER   two folders of results\n"
        "  trml verify pantomime_full --exact            other bytes are a difference on any machine",
    )
    verb.add_argument("result", metavar="RESULT", help="a name below results/, or a folder")
    verb.add_argument("--against", metavar="RESULT", help="what to compare with (default: what was built here)")
    verb.add_argument("--exact", action="store_true", help="end with 1 unless every byte is the same")
    verb.add_argument("--json", action="store_true", help="print one JSON document")
