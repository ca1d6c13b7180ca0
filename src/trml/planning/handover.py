"""Hand each stage its paths and one small dataclass. No stage knows `Plan` or `Params`."""

from dataclasses import asdict
from pathlib import Path

from trml.evaluation.contract import EvaluationInputs, ProbeInputs, Searched
from trml.planning.bibliography import origin_of
from trml.planning.blocks import Block
from trml.planning.plan import Plan
from trml.planning.study import settings_of
from trml.report.contract import ReportInputs
from trml.training.contract import BlockJob


def block_job(plan: Plan, block: Block) -> BlockJob:
    """Return what it takes to train a block."""
    return BlockJob(
        name=block.name,
        finished=(block.done, block.weights),
        cells=block.cells,
        restored=plan.restored,
        features=plan.features,
        unfinished=plan.unfinished(block),
        settings=settings_of(plan.params),
        about={
            "training": asdict(plan.params.training),
            "experiment_seed": plan.params.seed,
            "corpus": plan.corpus.name,
            "features": plan.features.name,
        },
        threads=plan.compute.threads,
        device=plan.compute.device,
    )


def evaluation_inputs(plan: Plan) -> EvaluationInputs:
    """Return what evaluation reads of a dataset, and of the further ones."""
    return EvaluationInputs(
        study=plan.study,
        cells=plan.trainings,
        corpus=plan.corpus,
        features=plan.features,
        references=plan.references,
        probes=plan.probes,
        others=tuple(evaluation_inputs(other) for other in plan.others),
        submissions=plan.named.submissions,
    )


def probe_inputs(plan: Plan) -> ProbeInputs:
    """Return what the probes read."""
    return ProbeInputs(
        evaluation=evaluation_inputs(plan),
        settings=settings_of(plan.params),
        data=Path(plan.params.data),
        frames=None if plan.is_given else plan.params.encoder.frames,
        analyses=plan.params.analyses,
    )


def report_inputs(plan: Plan) -> ReportInputs:
    """Return what the report reads of a dataset, and of the further ones."""
    return ReportInputs(
        study=plan.study,
        evaluation=plan.evaluation,
        probes=plan.probes,
        corpus=plan.corpus,
        features=plan.features,
        encoder=plan.encoder,
        references=plan.references,
        digest=plan.results.name if plan.results else None,
        searched={name: Searched(**asdict(chosen)) for name, chosen in plan.chosen.items()},
        settings=settings_of(plan.params),
        published_as=plan.params.corpus.published_as,
        command=plan.command,
        name=plan.named.published,
        experiment=plan.named.experiment,
        moved=plan.named.moved,
        params=asdict(plan.params),
        made_from=plan.made_from,
        forms=tuple(plan.params.report.forms),
        origin=origin_of(plan.params.corpus),
        others=tuple(report_inputs(other) for other in plan.others),
    )
