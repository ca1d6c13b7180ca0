"""Test utterances with what every method predicts for them, from the published predictions."""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trml.base.artifacts import read_json
from trml.evaluation.contract import LABELLED, PUBLISHED, Study
from trml.missing.modalities import written
from trml.report.page.published import Published

_MISSING = 65535  # of a method that has no prediction
_STEPS = 2000  # in a unit of the label: finer than what is shown
_OFFSET = 30000


def utterances(results: Published, texts: pl.DataFrame | None) -> dict[str, Any] | None:
    """Return what the page's script shows of test utterances, None where predictions are not published.

    A prediction is the mean over seeds, or the most frequent class.

    Args:
        results: The experiment's own results.
        texts: utterance_id and text, None where they may not be shown.
    """
    folder = results.folder / PUBLISHED
    if not (folder / "cells.parquet").is_file() or not results.study.victims:
        return None
    test, protocol = pl.read_parquet(folder / LABELLED), read_json(folder / "protocol.json")
    cells = _cells(results)
    classes, ids = protocol["classes"], test["utterance_id"].to_list()
    views = []
    for label, victim, present in _views(results.study):
        by_method = _predicted(results, cells, ids, victim, present, bool(classes), protocol["per_unit"])
        if by_method:
            views.append({"label": label, "methods": list(by_method), "values": _packed(list(by_method.values()))})
    if not views:
        return None
    shown = (
        None
        if texts is None
        else test.join(texts, on="utterance_id", how="left", maintain_order="left")["text"].to_list()
    )
    return {
        "ids": ids,
        "texts": shown,
        "labels": None if texts is None else [None if y is None else round(y, 4) for y in test["label"].to_list()],
        "classes": classes,
        "steps": _STEPS,
        "offset": _OFFSET,
        "views": views,
    }


def _views(study: Study) -> list[tuple[str, str | None, str]]:
    """Return what is shown: in words, what is missing in training at the study rate, and what is present at test."""
    whole = written(set(study.modalities))
    views: list[tuple[str, str | None, str]] = [("nothing missing", None, whole)]
    for victim in study.single_victims:
        views.append((f"without {victim}", victim, written(set(study.modalities) - {victim})))
    return views


def _trainings(results: Published, victim: str | None) -> dict[str, list[str]]:
    """Return the cells of each method: trained at the study rate, or on complete data."""
    study = results.study
    pattern, rate = (study.victims[0], 0.0) if victim is None else (victim, study.study_rate)
    return {method: results.cells(study.training, method, pattern, rate) for method in results.looks}


def _cells(results: Published) -> pl.DataFrame:
    """Return the rows of cells.parquet that some view shows: a full study has millions."""
    rows = pl.read_parquet(results.folder / PUBLISHED / "cells.parquet")
    views = (_trainings(results, victim) for _, victim, _ in _views(results.study))
    wanted = sorted({cell for by_method in views for cells in by_method.values() for cell in cells})
    known = pl.Series(wanted, dtype=pl.String).cast(rows["cell"].dtype, strict=False).drop_nulls()
    return rows.filter(pl.col("cell").is_in(known.implode())).cast({"cell": pl.String, "utterance_id": pl.String})


def _predicted(
    results: Published,
    cells: pl.DataFrame,
    ids: list[str],
    victim: str | None,
    present: str,
    is_class: bool,
    per_unit: float,
) -> Mapping[str, NDArray[np.float64]]:
    """Return what each method predicts [N], NaN where it does not."""
    here = cells.filter(pl.col("present") == present)
    made = {}
    for method, trained in _trainings(results, victim).items():
        rows = here.filter(pl.col("cell").is_in(trained))
        if rows.height:
            mean = rows.group_by("utterance_id").agg(
                pl.col("steps").mode().min() if is_class else pl.col("steps").cast(pl.Float64).mean() / per_unit
            )
            ordered = pl.DataFrame({"utterance_id": ids}).join(
                mean, on="utterance_id", how="left", maintain_order="left"
            )
            made[method] = ordered["steps"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return made


def _packed(columns: list[NDArray[np.float64]]) -> str:
    """Return numbers [methods, N] as 16-bit steps in base64."""
    values = np.stack(columns)
    steps = np.where(
        np.isnan(values), _MISSING, np.clip(np.rint(np.nan_to_num(values) * _STEPS) + _OFFSET, 0, _MISSING - 1)
    )
    return base64.b64encode(steps.astype("<u2").tobytes()).decode()
