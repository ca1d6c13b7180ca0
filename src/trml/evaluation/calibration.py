"""How far predictions can be trusted: do their intervals hold, and do probabilities mean what they say?

    coverage    of split conformal intervals (Vovk et al. 2005; Lei et al. 2018) at 90 %: y^ +- the 90 % quantile of
                absolute errors on dev. Calibrated on complete dev utterances, or on dev with the same modality missing.
    ece         expected calibration error of a classifier in ten bins of confidence (Guo et al. 2017)

Models are those of complete data, and those trained with the modality missing at the study's rate.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from trml.evaluation.contract import NOTHING
from trml.evaluation.predictions import Evaluation
from trml.evaluation.schemas import CALIBRATION
from trml.evaluation.statistics import Scores
from trml.missing.modalities import subsets, written
from trml.training.contract import Cell
from trml.training.store import read_cell

LEVEL, BINS = 0.9, 10


def calibration(evaluation: Evaluation) -> pl.DataFrame:
    """Return the rows of calibration.parquet."""
    rows: list[dict[str, Any]] = []
    for method in evaluation.study.methods:
        for trained in (NOTHING, *evaluation.study.single_victims):
            cells = evaluation.trained_on(method, trained, evaluation.study.study_training_rate)
            if cells:
                about = {"method": method.name, "trained": trained}
                rows += [{**about, **row} for row in _rows(evaluation, cells)]
    return pl.DataFrame(rows, schema=CALIBRATION)


def _rows(evaluation: Evaluation, cells: list[Cell]) -> Iterator[dict[str, Any]]:
    tables = [read_cell(cell)[1] for cell in cells]
    if any(table is None for table in tables):
        return
    whole = written(evaluation.study.modalities)
    words = [written(present) for present in subsets(evaluation.study.modalities)]
    lacking = [word for word in words if word == whole or len(word.split("+")) == len(whole.split("+")) - 1]
    for present in lacking:
        of_seeds = [_Of.read(table, present) for table in tables if table is not None]
        if evaluation.info.task == "classification":
            if any(column.startswith("p_") for column in of_seeds[0].test.columns):
                yield {"present": present, "calibrated_on": None, **_expected_error(evaluation, of_seeds)}
            continue
        for calibrated_on in dict.fromkeys((whole, present)):
            on_dev = [_Of.read(table, calibrated_on) for table in tables if table is not None]
            yield {"present": present, "calibrated_on": calibrated_on, **_coverage(evaluation, of_seeds, on_dev)}


class _Of(NamedTuple):
    """What one cell predicts of dev and of test with some modalities present."""

    dev: pl.DataFrame
    test: pl.DataFrame

    @classmethod
    def read(cls, table: pl.DataFrame, present: str) -> "_Of":
        return cls(*(table.filter(pl.col("split") == s, pl.col("present") == present) for s in ("valid", "test")))


def _coverage(evaluation: Evaluation, tested: list[_Of], calibrated: list[_Of]) -> dict[str, float | None]:
    """Return the share of test utterances within the intervals, with its 95 % interval, and their mean half width."""
    inside, reach = [], []
    for of_seed, on_dev in zip(tested, calibrated, strict=True):
        errors = np.sort(np.abs(on_dev.dev["prediction"].to_numpy() - evaluation.dev_label))
        place = min(len(errors), int(np.ceil(LEVEL * (len(errors) + 1)))) - 1
        reach.append(float(errors[place]))
        inside.append(np.abs(of_seed.test["prediction"].to_numpy() - evaluation.label) <= reach[-1])
    share: Scores = evaluation.groups.mean(np.stack(inside).astype(float))
    return {**share.columns(), "half_width": float(np.mean(reach))}


def _expected_error(evaluation: Evaluation, tested: list[_Of]) -> dict[str, float | None]:
    """Return the mean expected calibration error over seeds; it has no interval."""
    errors = []
    for of_seed in tested:
        probabilities = of_seed.test.select(pl.selectors.starts_with("p_")).to_numpy()
        confidence, hit = probabilities.max(axis=1), of_seed.test["prediction"].to_numpy() == evaluation.label
        place = np.minimum((confidence * BINS).astype(int), BINS - 1)
        gap = [abs((confidence - hit)[place == k].sum()) for k in range(BINS)]
        errors.append(sum(gap) / len(hit))
    return {"value": float(np.mean(errors)), "low": None, "high": None, "half_width": None}
