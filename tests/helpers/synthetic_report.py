"""What the report reads, made by hand: every file of the stages before, with numbers that are drawn."""

from collections.abc import Callable, Sequence
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from helpers.synthetic_probes import write_probes
from helpers.synthetic_study import CELLS, CLASSIFICATION, METHODS, RATES, REGRESSION, SEEDS, N
from trml.base.artifacts import write_json, write_sums
from trml.corpora.contract import SPLITS, CorpusInfo, write_corpus
from trml.evaluation.contract import EvaluationInputs, Searched, Study
from trml.evaluation.schemas import METRICS
from trml.features.contract import MEDIA_SCHEMA
from trml.missing.modalities import subsets, written
from trml.report.contract import ReportInputs
from trml.training.contract import Settings

ABOUT: dict[str, Any] = {
    "digest": "study-0123456789ab",
    "searched": {"trml": Searched(8, 0.5, 0.6, {"temperature": 0.1})},
    "settings": Settings(7, "made", 3, 2, 16, 0.01, 0.0, 1.0, None),
    "command": "make results EXPERIMENT=study",
    "name": "study",
    "experiment": "study",
    "moved": {},
    "params": {"name": "study", "seeds": SEEDS, "methods": {}},
    "encoder": None,
    "references": Path("nowhere"),
    "made_from": {"corpus": "corpus-1", "encoder": None, "features": "features-1", "cells": 2},
}


def inputs_of_report(
    evaluated: EvaluationInputs, folder: Path, probes: Path | None = None, settings: Settings | None = None
) -> ReportInputs:
    """Return what the report reads of scores that a test computed into `folder`."""
    about = {**ABOUT, "searched": {}, "settings": settings or ABOUT["settings"], "digest": None}
    read = {"evaluation": folder, "probes": probes, "corpus": evaluated.corpus, "features": evaluated.features}
    return ReportInputs(study=evaluated.study, **read, **about, published_as=None)


def report_inputs(
    folder: Path,
    *,
    modalities: Sequence[str] = ("text", "vision"),
    victims: Sequence[str] = ("vision", "text", "random_modality", "frames"),
    classes: Sequence[str] = (),
    dataset: str | None = None,
    purpose: Any = "own",
    corpus: str = "made",
    text: str = "an utterance",
    failed: tuple[str, str, float] | None = None,
    reason: str | None = None,
    published_as: str | None = None,
    training: Any = "matched",
    labels: int | None = None,
    others: Sequence[ReportInputs] = (),
    factors: dict[str, list[str]] | None = None,
    paired: bool = False,
) -> ReportInputs:
    """Write the folders of a small study and return what the report is handed of it.

    Args:
        folder: Where they are written.
        modalities: In order.
        victims: Missing patterns.
        classes: Of a classification, empty for regression.
        dataset: Name of a further dataset. purpose: What it is there for.
        corpus: Name of the corpus. text: Of every example.
        failed: Method, victim and rate of trainings that failed. reason: Why nothing was probed.
        published_as: Its name in published figures.
        training: `matched` or `complete`. labels: How many training utterances keep theirs.
        others: The further datasets.
        factors: Latent factors of a generated corpus, with the modalities that each shows in.
        paired: Whether every two methods were compared, not each with the constant predictor alone.
    """
    name = "study" if dataset is None else f"study-{dataset}"
    compared = (name, dataset, purpose, corpus, tuple(modalities), METHODS, training, victims, RATES, 0.5, (0.5,))
    study = Study(*compared, labels, training == "matched", SEEDS, (0.5, 1.0), 7)
    names = {name: folder / name for name in ("evaluation", "probes", "corpus", "features")}
    for path in names.values():
        path.mkdir(parents=True)
    _write_corpus(names["corpus"], names["features"], study, classes, factors or {})
    _write_evaluation(names["evaluation"], study, classes, failed, paired=paired)
    if any(other.study.purpose == "redundancy" for other in others):
        _write_redundancy(names["evaluation"], study)
    write_probes(names["probes"], study, classes, text, reason)
    for path in names.values():
        write_sums(path)
    if dataset is not None:
        names["probes"] = None
    return ReportInputs(study=study, **names, **ABOUT, published_as=published_as, others=others)


def _write_corpus(
    corpus: Path, features: Path, study: Study, classes: Sequence[str], factors: dict[str, list[str]]
) -> None:
    rng = np.random.default_rng(0)
    rows = {
        "utterance_id": [f"u{i}" for i in range(N)],
        "video_id": [f"v{i // 2}" for i in range(N)],
        "split": np.repeat(SPLITS, [14, 8, 8]),
        "text": [f"text {i}" for i in range(N)],
        "clip": [f"{i}.mp4" for i in range(N)],
        "start_s": np.zeros(N),
        "end_s": rng.uniform(1, 9, N),
        "label": rng.integers(0, len(classes), N) if classes else rng.uniform(-3, 3, N),
    }
    task = "classification" if classes else "regression"
    info = CorpusInfo(
        study.corpus, "A made corpus", task, list(classes), "here", "none", "given", ["A note."], "x",
        modalities=list(study.modalities), factors=factors,
    )  # fmt: skip
    if factors:
        levels = {"utterance_id": rows["utterance_id"], **{name: np.arange(N) % 3 for name in factors}}
        pl.DataFrame(levels).write_parquet(corpus / "factors.parquet")
    write_corpus(corpus, info, pl.DataFrame(rows))
    pl.DataFrame(schema=MEDIA_SCHEMA).write_parquet(features / "media.parquet")
    pl.DataFrame(rows).select("utterance_id", "split", "label", draw=0).write_parquet(features / "index.parquet")
    for modality in study.modalities:
        np.save(features / f"{modality}_mask.npy", np.arange(N)[:, None] % 5 > 0)
    about = {"encoder": "given", "weights": "features of the corpus", "aligned": False, "retrieval": None}
    about |= {"task": task, "classes": list(classes), "digest": "x", "modalities": list(study.modalities)}
    write_json(features / "features.json", about)


def _write_evaluation(
    folder: Path, study: Study, classes: Sequence[str], failed: tuple[str, str, float] | None, *, paired: bool
) -> None:
    rng = np.random.default_rng(1)
    metrics = CLASSIFICATION if classes else REGRESSION
    keys = ("name", "label", "higher_is_better", "headline", "drawn")
    write_json(folder / "metrics.json", [dict(zip(keys, metric, strict=True)) for metric in metrics])

    def score(method: str, victim: str, rate: float) -> dict[str, Any]:
        if (method, victim, rate) == failed:
            return {"value": None, "low": None, "high": None, "leads": False, "failed": 1}
        value = float(rng.uniform(0.2, 0.8))
        return {"value": value, "low": value - 0.1, "high": value + 0.1, "leads": method == "trml", "failed": 0}

    matched = [(victim, rate) for victim in study.victims for rate in study.rates_of(victim)]
    conditions = [("matched", victim, r, r) for victim, r in matched if r == 0 or study.training == "matched"]
    conditions += [("complete", victim, 0.0, rate) for victim in study.victims for rate in study.rates_of(victim)[1:]]
    if study.training == "matched":
        conditions += [("setting_a", victim, 0.5, 1.0) for victim in study.single_victims]
    summary = []
    for (protocol, victim, trained, rate), metric in product(conditions, metrics):
        about = {"protocol": protocol, "victim": victim, "trained": trained, "rate": rate, "present": "all"}
        about |= {"metric": metric[0]}
        methods = [method for method in study.methods if study.runs(method, victim)]
        for method in methods:
            key = {"method": method.name, "variant": "default", "role": method.role}
            summary.append({**about, **key, **score(method.name, victim, rate)})
            studied = protocol == study.training and victim in study.single_victims and rate == study.study_rate
            for variant in method.variants if studied else ():
                summary.append({**about, **key, "variant": variant.name, **score(method.name, victim, rate)})
        for name in ("constant", "ceiling"):
            key = {"method": name, "variant": "default", "role": name}
            summary.append({**about, **key, **score(name, victim, rate), "leads": False})
    _write_summary(folder, study, summary, paired=paired)
    _write_matrix(folder, study, metrics, score)
    write_json(folder / "claims.json", [_claim(study, *each, failed) for each in _CLAIMS])
    about = {"variant": "default", "device": "cpu", "parameters": 12, "epochs_run": 20}
    reason = "the loss was nan" if failed else None
    cells = [
        {**about, "method": "trml", "digest": CELLS[0], "wall_s": 1.25, "failed": None, "content": "c1"},
        {**about, "method": "zero_fill", "digest": CELLS[1], "wall_s": 1.0, "content": None, "failed": reason},
    ]
    write_json(folder / "cells.json", cells)
    _write_scores(folder, study, [metric[0] for metric in metrics], failed=bool(failed))
    _write_predictions(folder / "predictions", study, classes)


def _write_scores(folder: Path, study: Study, metrics: Sequence[str], *, failed: bool) -> None:
    """Write metrics.csv and .parquet: two cells, trained at the study rate with the first modality missing."""
    victim, rate = (*study.single_victims, *study.victims)[0], study.study_rate
    about = {"variant": "default", "train_victim": victim, "train_rate": rate, "dev_rate": rate, "seed": SEEDS[0]}
    rows = [
        {"method": method, **about, "cell": cell, "condition": f"{victim}@{rate:g}", "metric": metric, "value": value}
        for method, cell, value in (("trml", CELLS[0], 0.5), ("zero_fill", CELLS[1], None if failed else 0.6))
        for metric in metrics
    ]
    pl.DataFrame(rows, schema=METRICS).write_parquet(folder / "metrics.parquet")
    pl.DataFrame(rows, schema=METRICS).write_csv(folder / "metrics.csv")


def _write_predictions(folder: Path, study: Study, classes: Sequence[str]) -> None:
    """Write what the two cells predict for the test utterances."""
    folder.mkdir()
    ids = [f"u{i}" for i in range(22, N)]
    labels = [float(i % max(1, len(classes))) if classes else i / 10 for i in range(len(ids))]
    pl.DataFrame({"utterance_id": ids, "group": ids, "label": labels}).write_parquet(folder / "test.parquet")
    cells = [
        {"cell": cell, "present": written(present), "utterance_id": name, "steps": i % 2 if classes else 100 * i}
        for cell in CELLS
        for present in subsets(study.modalities)
        for i, name in enumerate(ids)
    ]
    pl.DataFrame(cells).write_parquet(folder / "cells.parquet")
    write_json(folder / "protocol.json", {"classes": list(classes), "per_unit": 1 if classes else 1000})


def _write_summary(folder: Path, study: Study, summary: list[dict[str, Any]], *, paired: bool) -> None:
    """Write the rows, the same for what utterances keep at the study rate, and the pairs of methods."""
    halves = [
        {**row, "present": present}
        for row in summary
        if row["protocol"] == study.training
        and row["victim"] in study.single_victims
        and row["rate"] == study.study_rate
        for present in (written(study.modalities), written(set(study.modalities) - {row["victim"]}))
    ]
    pl.DataFrame(summary + halves, infer_schema_length=None).write_parquet(folder / "summary.parquet")
    pairs = [
        {**{key: row[key] for key in ("protocol", "victim", "trained", "rate", "present", "metric")},
         "first": row["method"], "second": "constant", **_GAIN, "p": 0.01, "p_equivalent": 0.9, "margin": 0.03,
         "verdict": "better"}
        for row in summary + halves
        if row["variant"] == "default" and row["role"] not in ("constant", "ceiling")
    ]  # fmt: skip
    if paired:
        pairs += [
            {**row, "first": one.name, "second": other.name, "effect": 0.02, "low": -0.01, "high": 0.05, "p": 0.2,
             "verdict": "undecided" if other.name == "single" else "equivalent"}
            for row in pairs if row["first"] == METHODS[0].name
            for one, other in combinations(METHODS, 2)
        ]  # fmt: skip
    pl.DataFrame(pairs, infer_schema_length=None).write_parquet(folder / "pairs.parquet")


def _write_matrix(
    folder: Path, study: Study, metrics: Sequence[tuple[Any, ...]], score: Callable[[str, str, float], dict[str, Any]]
) -> None:
    matrix = [
        {"method": method.name, "victim": victim, "rate": rate, "present": written(present), "metric": metric[0],
         **score(method.name, victim, rate)}
        for method in study.methods
        for victim, rate in (("none", 0.0), *product(study.victims, RATES[1:]))
        if (victim != "none" or not method.single) and (victim == "none" or study.runs(method, victim))
        for present in subsets(study.modalities)
        for metric in metrics
    ]  # fmt: skip
    pl.DataFrame(matrix, infer_schema_length=None).write_parquet(folder / "matrix.parquet")
    victims = (*study.single_victims, "all")
    aggregates = [
        {"method": method.name, "victim": victim, "value": 0.9 - i / 10, "low": 0.8 - i / 10, "high": 1 - i / 10,
         "rank": 1 + i}
        for (i, method), victim in product(enumerate(study.methods), victims)
    ]  # fmt: skip
    pl.DataFrame(aggregates).write_parquet(folder / "aggregates.parquet")
    improvement = [
        {
            "victim": victim,
            "first": first.name,
            "second": second.name,
            "probability": 0.75,
            **_GAIN,
            "verdict": "better",
        }
        for victim, (first, second) in product(victims, combinations(study.methods, 2))
    ]
    pl.DataFrame(improvement).drop("detectable").write_parquet(folder / "improvement.parquet")
    calibration = [
        {"method": method.name, "trained": trained, "present": present, "calibrated_on": written(study.modalities),
         "value": 0.8, "low": 0.7, "high": 0.9, "half_width": 0.5}
        for method, trained, present in product(study.methods, ("none", *study.single_victims), study.modalities)
    ]  # fmt: skip
    pl.DataFrame(calibration).write_parquet(folder / "calibration.parquet")
    robustness = [
        {"protocol": protocol, "method": method.name, "victim": victim, "metric": metric[0], "measure": measure,
         "value": 0.4, "low": 0.3, "high": 0.5}
        for protocol, method, victim, metric, measure in product(
            ("matched", "complete"), study.methods, study.victims, metrics, ("relative", "effective")
        )
    ]  # fmt: skip
    pl.DataFrame(robustness).write_parquet(folder / "robustness.parquet")


def _write_redundancy(folder: Path, study: Study) -> None:
    rows = [
        {"dataset": f"redundancy_{share}", "redundancy": share, "method": method.name, "above_constant": 0.1,
         "against_single": "worse" if method.name == "trml" else "undecided",
         **dict.fromkeys(("recovered", "recovered_low", "recovered_high"), share or None)}
        for share, method in product((0.0, 0.5), study.methods)
    ]  # fmt: skip
    pl.DataFrame(rows, infer_schema_length=None).write_parquet(folder / "redundancy.parquet")


_GAIN = {"effect": 0.1, "low": 0.05, "high": 0.15, "detectable": 0.07}
_CLAIMS = (("C1", "all", ["rates_vision"]), ("C3", "all", ["ablation"]), ("C6", "any", ["sweep_trml_temperature"]))


def _claim(
    study: Study, id_: str, needs: str, figures: list[str], failed: tuple[str, str, float] | None
) -> dict[str, Any]:
    comparisons = []
    for victim in study.single_victims:
        lost = failed is not None and failed[1] == victim
        effect = dict.fromkeys(("effect", "low", "high", "detectable")) if lost else _GAIN
        sides = {"verdict": "failed", "speaks": ""} if lost else {"verdict": "better", "speaks": "for"}
        about = {"against": "zero_fill", "label": "Zero fill", "victim": victim, "rate": 0.5, "margin": 0.03}
        comparisons.append({**about, **effect, "p": 0.02, "p_equivalent": 0.9, **sides})
    return {
        "id": id_, "text": f"{id_} holds.", "how": "Compared.", "figures": figures, "metric": "mae", "unit": "MAE",
        "utterances": 8, "groups": 4, "seeds": 2, "needs": needs,
        "comparisons": comparisons, "verdict": "undecided" if failed else "supported",
    }  # fmt: skip
