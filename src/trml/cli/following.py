"""Follow a run of Snakemake from its start to the findings."""

import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trml.base.errors import TrmlError
from trml.base.progress import say
from trml.cli.common import plans_of
from trml.cli.composing import put_in_force
from trml.cli.display import Display
from trml.cli.ending import Code
from trml.cli.output import clock, emit, is_live, paragraph
from trml.cli.snakemake import Snakemake
from trml.planning.progress import TRAINING, Progress, progress, run_at_work

if TYPE_CHECKING:
    from trml.planning.plan import Plan

_EVERY_S, _SELDOM_S = 2.0, 5.0  # between two looks at work/: on a terminal, elsewhere
_SHOWN = 5  # faults


def follow(
    params: str,
    targets: Sequence[str],
    cores: str,
    again: str,
    snakefile: Path,
    *,
    whole: bool,
    caller: Path | None = None,
    as_json: bool = False,
    search: bool = False,
) -> int:
    """Run Snakemake, show its progress, and end with what was found and the page's path on stdout.

    Args:
        params: The configuration file.
        targets: What to make, nothing for all.
        cores: For Snakemake.
        again: The command that resumes.
        snakefile: The workflow.
        whole: Whether the run ends with a page.
        caller: The folder that paths are printed relative to; by default this one.
        as_json: Whether a document takes the place of the path.
        search: Whether the trials of a search on dev are trained.

    Returns:
        The exit code.
    """
    _refuse_second()
    put_in_force(params, again)
    plans = plans_of(params)
    _require_terms(plans)
    begun, started, display = time.monotonic(), time.time(), Display()
    first = progress(plans, params, search=search)
    run = Snakemake(params, targets, cores, snakefile)
    caller = caller or Path.cwd()
    log = os.path.relpath(run.log, caller)
    say(f"{first.experiment}: {first.of(TRAINING).total:,} trainings. Log: {log}")
    found = first
    for said in run.watch(_EVERY_S if is_live(sys.stderr) else _SELDOM_S):
        for line in said:
            display.say(line)
        if any(plan.unfetched for plan in plans) and found.is_fetched:
            plans = plans_of(params)  # names follow from what was fetched
        found = progress(plans, params, search=search, since=started)
        display.show(found)
    display.close()
    if run.code != Code.DONE:
        return _stopped(run, log, found, again)
    if not whole:
        return Code.DONE
    return _finished(found, log, caller, time.monotonic() - begun, as_json=as_json)


def _refuse_second() -> None:
    """Refuse a second run in one folder.

    Raises:
        TrmlError: If one is at work.
    """
    at_work = run_at_work()
    if at_work:
        whose = f"process {at_work['pid']} on {at_work['node']}"
        raise TrmlError(
            f"another run is at work in this folder ({whose}); wait for it to end, or stop it",
            command="trml status --watch",
        )


def _require_terms(plans: "Sequence[Plan]") -> None:
    """Ask for terms before anything starts, on a terminal.

    Raises:
        TermsNotAccepted: If terms are not accepted of a corpus that must be downloaded.
    """
    from trml.cli.fetching import consent
    from trml.sources.fetching.config import FetchedCorpus
    from trml.sources.fetching.download import is_offline
    from trml.sources.fetching.terms import require_accepted

    for plan in plans:
        corpus, data = plan.params.corpus, Path(plan.params.data)
        if not isinstance(corpus, FetchedCorpus) or is_offline(False):
            continue
        absent = [each for each in corpus.unfetched_sources(data) if not (data / corpus.folder / each.file).is_file()]
        if absent:
            consent(corpus, data, list(plan.params.accept_terms))
            require_accepted(corpus, data, plan.params.accept_terms)


def _stopped(run: Snakemake, log: str, found: Progress, again: str) -> int:
    """Say why a run ended early and how to resume it; return the exit code."""
    training = found.of(TRAINING)
    if run.stopped is not None:
        say(f"Stopped with {training.done:,} of {training.total:,} trainings finished. Resume: {again}")
        return run.code
    faults = [f"{each['what']}: {each['reason']}" for each in found.failed if each["log"]] or run.last_words()
    for fault in faults[:_SHOWN]:
        say(fault)
    if len(faults) > _SHOWN:
        say(f"{len(faults) - _SHOWN} more in {log}")
    say(f"trml run: a stage failed; finished work is kept. Log: {log}\nResume: {again}")
    return run.code


def _finished(found: Progress, log: str, caller: Path, seconds: float, *, as_json: bool) -> int:
    """Say what was found, and print the page's path."""
    from trml.report.published import Published

    assert found.page is not None
    page, result = os.path.relpath(found.page, caller), Published(Path(found.page).parents[1])
    sentences = result.findings
    for number, words in enumerate(sentences[:_SHOWN], 1):
        for line in paragraph(words, f"{number}. "):
            say(line)
    verdicts = Counter(claim["verdict"] for claim in result.claims())
    counted = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items())) or "none"
    contents = f"{result.count('tables')} tables, {result.count('figures')} figures"
    say(f"Claims: {counted}. {contents}, {clock(seconds)}. Page:")
    about = {
        "page": page,
        "experiment": found.experiment,
        "findings": sentences,
        "claims": dict(verdicts),
        "log": log,
        "seconds": round(seconds, 3),
    }
    emit("run", about, [page], as_json=as_json)
    sys.stdout.flush()
    return Code.DONE
