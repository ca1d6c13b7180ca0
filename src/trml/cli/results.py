"""Verbs on results: refer, probe, evaluate, report, publish. The workflow runs them."""

import argparse
from pathlib import Path

from trml.cli.common import Verbs, add_folder, add_verb, device_of, plan_of


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
    run(plan.results.name, plan.results, plan.cells, published, replace=arguments.replace, keep=is_free)


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
