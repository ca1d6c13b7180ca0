"""Which terms of the label a method's predictions follow, on a corpus whose labels are a sum of known terms.

The coefficients of a regression of the predictions on the terms of the label: 1 where predictions follow a term fully,
0 where they know nothing of it. The best prediction has less than 1 of a term that only noisy readings tell of.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from trml.evaluation.contract import StudyMethod
from trml.evaluation.metrics.common.metric import Array
from trml.evaluation.oracle import Oracle
from trml.evaluation.predictions import Evaluation
from trml.evaluation.schemas import TERMS
from trml.evaluation.statistics import Scores
from trml.missing.modalities import subsets, written


def terms(evaluation: Evaluation) -> pl.DataFrame | None:
    """Return the rows of terms.parquet, None for a corpus that knows no terms.

    Complete utterances are predicted by models of complete data, those that lack a modality by models that were trained
    with it missing at the study's rate.
    """
    design = _design(evaluation.inputs.corpus, evaluation.ids)
    if design is None:
        return None
    names, values = design
    rows, oracle = [], Oracle.read(evaluation.inputs.corpus, evaluation.ids)
    for present in map(written, subsets(evaluation.study.modalities)):
        of_methods = [("oracle", oracle.predictions(present, len(evaluation.seeds)) if oracle else None)]
        of_methods += [(m.name, _predictions(evaluation, m, present)) for m in evaluation.study.methods]
        for method, predictions in of_methods:
            if predictions is not None and not np.isnan(predictions).any():
                for name, score in zip(names, _coefficients(evaluation, values, predictions), strict=True):
                    columns = {key: value for key, value in score.columns().items() if key in TERMS}
                    rows.append({"method": method, "present": present, "term": name, **columns})
    return pl.DataFrame(rows, schema=TERMS)


def _design(corpus: Path, ids: list[str]) -> tuple[list[str], Array] | None:
    """Return the names of the terms and their values [N, terms] for the test utterances; terms of no weight are out."""
    path = corpus / "terms.parquet"
    if not path.is_file():
        return None
    table = pl.DataFrame({"utterance_id": ids}).join(
        pl.read_parquet(path), on="utterance_id", how="left", maintain_order="left"
    )
    names = [name for name in table.columns if name != "utterance_id" and table[name].std()]
    return names, table.select(names).to_numpy()


def _predictions(evaluation: Evaluation, method: StudyMethod, present: str) -> Array | None:
    """Return the predictions [seeds, N] of a method from these modalities, None where it has no model for them."""
    study = evaluation.study
    gone = [m for m in study.modalities if m not in present.split("+")]
    if not gone:
        return None if method.single else evaluation.on_complete_data(method.name)
    victim = written(gone)
    if victim not in study.victims or not study.runs(method, victim):
        return None
    cells = evaluation.trained_with(method.name, victim, study.study_training_rate)
    return None if cells is None else evaluation.all_predicted_with(cells, present)


def _coefficients(evaluation: Evaluation, terms: Array, predictions: Array) -> Iterator[Scores]:
    """Yield the coefficient of each term, with its variation between seeds and between groups.

    A coefficient is a weighted sum of predictions. Written as the mean over utterances of itself plus its weighted
    residual, it varies between groups as the sandwich estimator has it.
    """
    design = np.column_stack([np.ones(len(terms)), terms])
    weights = np.linalg.pinv(design)  # [1 + terms, N]
    fitted = predictions @ weights.T  # [seeds, 1 + terms]
    residuals = predictions - fitted @ design.T
    for i in range(1, design.shape[1]):
        yield evaluation.groups.mean(fitted[:, [i]] + len(terms) * weights[i] * residuals)
