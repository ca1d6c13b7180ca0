"""Verbs on results: refer, probe, evaluate, report, headline, publish, export, bring."""

import argparse
from pathlib import Path

from trml.base.commands import run_again
from trml.base.errors import TrmlError
from trml.cli.common import CHECKOUT, Verbs, add_folder, add_verb, device_of, plan_of


def probe(arguments: argparse.Namespace) -> None:
    """Probe the virtual modalities of the proposed method, and pick examples. Run by the workflow."""
    plan = plan_of(arguments)
    device = device_of(plan)
    from trml.base.artifacts import new_folder
    from trml.evaluation.probing.probe import probe as run
    from trml.planning.handover import probe_inputs

    assert plan.probes is not None  # --folder chooses among plans with probes; the own plan has them
    with new_folder(plan.probes, "probes.json") as folder:
        run(probe_inputs(plan), folder, device)


def refer(arguments: argparse.Namespace) -> None:
    """Fit the reference models, and keep what they predict. Run by the workflow."""
    from trml.base.artifacts import new_folder
    from trml.evaluation.references import write_references

    plan = plan_of(arguments)
    with new_folder(plan.references, "references.parquet") as folder:
        write_references(plan.study, plan.corpus, plan.features, folder)


def evaluate(arguments: argparse.Namespace) -> None:
    """Score every cell, with intervals, and decide the claims. Run by the workflow."""
    from trml.base.artifacts import new_folder
    from trml.evaluation.evaluate import evaluate as run
    from trml.planning.handover import evaluation_inputs

    plan = plan_of(arguments)
    with new_folder(plan.evaluation, "claims.json") as folder:
        run(evaluation_inputs(plan), folder)


def report(arguments: argparse.Namespace) -> None:
    """Make tables, figures and the report page. Run by the workflow."""
    from trml.base.artifacts import new_folder
    from trml.planning.handover import report_inputs
    from trml.report.build import build

    plan = plan_of(arguments)
    assert plan.results is not None
    with new_folder(plan.results, "manifest.json") as folder:
        build(report_inputs(plan), folder)


def headline(arguments: argparse.Namespace) -> None:
    """Write what DVC compares: work/headline/metrics.json, rates.csv and claims.csv. Run by dvc.yaml."""
    from trml.report.headline import headline as run

    plan = plan_of(arguments)
    assert plan.results is not None
    run(plan.results, Path("work/headline"))


def publish(arguments: argparse.Namespace) -> None:
    """Copy finished results to results/<experiment>. Run by the workflow."""
    from trml.report.publish import publish as run

    plan = plan_of(arguments)
    assert plan.results is not None
    published = Path("results") / plan.named.published
    is_free = plan.named.experiment is None  # a name that no file in config/experiment defines
    run(
        plan.results.name,
        plan.results,
        plan.cells,
        published,
        checkout=CHECKOUT,
        replace=arguments.replace,
        keep=is_free,
    )


def export(arguments: argparse.Namespace) -> None:
    """Pack published results with all that their page is made from: an archive to deposit.

    `make results FROM=ARCHIVE` computes scores, claims and page from it, without training.
    """
    from trml.config.load import load
    from trml.planning.bundle import export as run
    from trml.planning.plan import plans

    published = Path("results") / arguments.result
    if not (published / "params.yaml").is_file():
        raise TrmlError(f"there are no results {published}. Make them: {run_again()}")
    archive = arguments.output or Path(f"{arguments.result}.zip")
    run(plans(load(published / "params.yaml")), published, archive)
    print(archive)


def bring(arguments: argparse.Namespace) -> None:
    """Put what `trml export` packed into work/, and print its configuration. Run by `make results FROM=ARCHIVE`."""
    from trml.planning.bundle import bring as run

    print(run(arguments.archive))


def register(verbs: "Verbs[argparse.ArgumentParser]") -> None:
    """Add the verbs."""
    add_folder(add_verb(verbs, probe), "probes")
    add_folder(add_verb(verbs, refer), "references")
    add_folder(add_verb(verbs, evaluate), "evaluation")
    add_folder(add_verb(verbs, report), "results")
    add_folder(add_verb(verbs, headline), "results")
    verb = add_verb(
        verbs, publish, "  trml publish --replace    in place of another machine's results of the same recipe"
    )
    add_folder(verb, "results")
    verb.add_argument("--replace", action="store_true", help="replace published results of the same recipe too")
    verb = add_verb(verbs, export, "  trml export pantomime_full\n  trml export pantomime_full --output deposit.zip")
    verb.add_argument("result", metavar="RESULT", help="a name below results/")
    verb.add_argument("--output", type=Path, metavar="FILE", help="file to write (default: RESULT.zip)")
    add_verb(verbs, bring).add_argument("archive", type=Path, metavar="ARCHIVE", help="what `trml export` wrote")
