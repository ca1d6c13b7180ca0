"""Verbs on results: refer, probe, evaluate, report, headline, publish, export, bring."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from trml.base.commands import run_again
from trml.base.errors import TrmlError
from trml.cli.common import CHECKOUT, Verbs, add_folder, add_verb, device_of, plan_of

if TYPE_CHECKING:
    from trml.planning.plan import Plan


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

    `make results FROM=ARCHIVE` computes scores, claims and page from it, without training. With --hub, write the folder
    of one trained model instead: the method's training on complete data with the first seed or, of a method that is
    another model for each pattern, the one for the first modality missing.
    """
    from trml.config.load import load
    from trml.planning.bundle import export as run
    from trml.planning.plan import plans

    published = Path("results") / arguments.result
    if not (published / "params.yaml").is_file():
        raise TrmlError(f"there are no results {published}. Make them: {run_again()}")
    planned = plans(load(published / "params.yaml"))
    if arguments.hub:
        print(_export_model(arguments, planned[0], published))
        return
    archive = arguments.output or Path(f"{arguments.result}.zip")
    run(planned, published, archive)
    print(archive)


def _export_model(arguments: argparse.Namespace, plan: "Plan", published: Path) -> Path:
    """Write the folder of one trained model, and return it."""
    from trml.base.artifacts import new_folder
    from trml.features.contract import read_features
    from trml.planning.bibliography import cited, origin_of
    from trml.planning.models import exported_cell
    from trml.report.model_card import licence_of, write_model_card
    from trml.training.model_folder import CONFIG, write_model

    cell = exported_cell(plan, arguments.hub, arguments.cell)
    target = arguments.output or Path(f"{arguments.result}-{arguments.hub}")
    if target.exists():
        raise TrmlError(f"{target} exists already. Remove it, or name another folder: --output FOLDER")
    corpus = plan.params.corpus
    parts = [each for each in cited(plan.params) if each.what in (f"method {arguments.hub}", f"corpus {corpus.name}")]
    bibtex = "\n\n".join(entry for each in parts for entry in each.entries.values())
    with new_folder(target, CONFIG) as folder:
        config = write_model(cell, read_features(plan.features), folder)
        label = plan.params.methods[arguments.hub].label
        licence = licence_of(published, corpus.name)
        write_model_card(folder, config, published, label, licence, origin_of(corpus).terms, bibtex)
    return target


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
    verb = add_verb(
        verbs,
        export,
        "  trml export pantomime_full\n"
        "  trml export pantomime_full --output deposit.zip\n"
        "  trml export pantomime_full --hub trml          a model folder: weights, config.json, model card\n"
        "  trml export pantomime_full --hub trml --cell 0123456789ab   another training, as cells.csv names it",
    )
    verb.add_argument("result", metavar="RESULT", help="a name below results/")
    words = "file or, with --hub, folder to write (default: RESULT.zip, RESULT-METHOD)"
    verb.add_argument("--output", type=Path, metavar="PATH", help=words)
    verb.add_argument("--hub", metavar="METHOD", help="write a trained model of this method in the form of model hubs")
    verb.add_argument("--cell", metavar="DIGEST", help="the training to export with --hub (default: see above)")
    add_verb(verbs, bring).add_argument("archive", type=Path, metavar="ARCHIVE", help="what `trml export` wrote")
