"""Verbs on results: refer, probe, evaluate, report, headline, publish, bring. The workflow runs them."""

from pathlib import Path
from typing import Annotated

import typer

from trml.cli.common import CHECKOUT, Folder, Params, device_of, examples, plan_of


def probe(params: Params = None, folder: Folder = None) -> None:
    """Probe the virtual modalities of the proposed method, and pick examples. Run by the workflow."""
    plan = plan_of(params, folder, "probes")
    device = device_of(plan)
    from trml.base.artifacts import new_folder
    from trml.evaluation.probing.probe import probe as run
    from trml.planning.handover import probe_inputs

    assert plan.probes is not None  # --folder chooses among plans with probes; the own plan has them
    with new_folder(plan.probes, "probes.json") as made:
        run(probe_inputs(plan), made, device)


def refer(params: Params = None, folder: Folder = None) -> None:
    """Fit the reference models, and keep what they predict. Run by the workflow."""
    from trml.base.artifacts import new_folder
    from trml.evaluation.references import write_references

    plan = plan_of(params, folder, "references")
    with new_folder(plan.references, "references.parquet") as made:
        write_references(plan.study, plan.corpus, plan.features, made)


def evaluate(params: Params = None, folder: Folder = None) -> None:
    """Score every cell, with intervals, and decide the claims. Run by the workflow."""
    from trml.base.artifacts import new_folder
    from trml.evaluation.evaluate import evaluate as run
    from trml.planning.handover import evaluation_inputs

    plan = plan_of(params, folder, "evaluation")
    with new_folder(plan.evaluation, "claims.json") as made:
        run(evaluation_inputs(plan), made)


def report(params: Params = None, folder: Folder = None) -> None:
    """Make tables, figures and the report page. Run by the workflow."""
    from trml.base.artifacts import new_folder
    from trml.planning.handover import report_inputs
    from trml.report.build import build

    plan = plan_of(params, folder, "results")
    assert plan.results is not None
    with new_folder(plan.results, "manifest.json") as made:
        build(report_inputs(plan), made)


def headline(params: Params = None, folder: Folder = None) -> None:
    """Write what DVC compares: work/headline/metrics.json, rates.csv and claims.csv. Run by dvc.yaml."""
    from trml.report.headline import headline as run

    plan = plan_of(params, folder, "results")
    assert plan.results is not None
    run(plan.results, Path("work/headline"))


@examples("  trml publish --replace    in place of another machine's results of the same recipe")
def publish(
    params: Params = None,
    folder: Folder = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="replace published results of the same recipe too")
    ] = False,
) -> None:
    """Copy finished results to results/<experiment>. Run by the workflow."""
    from trml.report.publish import publish as run

    plan = plan_of(params, folder, "results")
    assert plan.results is not None
    published = Path("results") / plan.named.published
    is_free = plan.named.experiment is None  # a name that no file in config/experiment defines
    run(
        plan.results.name,
        plan.results,
        plan.cells,
        published,
        checkout=CHECKOUT,
        replace=replace,
        keep=is_free,
    )


def bring(
    archive: Annotated[Path, typer.Argument(metavar="ARCHIVE", help="what `trml export` wrote", show_default=False)],
) -> None:
    """Put what `trml export` packed into work/, and print its configuration. `trml run --from ARCHIVE` does it too."""
    from trml.planning.bundle import bring as run

    print(run(archive))
