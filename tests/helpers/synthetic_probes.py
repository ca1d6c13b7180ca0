"""The probes of a synthetic report, made by hand."""

import json
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from helpers.synthetic_study import CLASSIFICATION, METHODS, REGRESSION, SEEDS
from trml.base.artifacts import write_json
from trml.evaluation.contract import Study


def write_probes(folder: Path, study: Study, classes: Sequence[str], text: str, reason: str | None) -> None:
    rng = np.random.default_rng(2)
    victims = list(study.single_victims)
    about = {"reason": reason, "method": "trml", "train_rate": 0.5, "victims": [] if reason else victims}
    write_json(folder / "probes.json", {**about, "seeds": SEEDS, "n": 8, "cells": []})
    columns = ("r1", "r1_chance", "r1_best", "r5", "r5_chance", "r5_best", "median_rank", "median_rank_chance")
    columns += ("median_rank_best", "r1_raw", "r5_raw", "median_rank_raw", "diagonal", "off_diagonal")
    by_seed = [{"victim": victim, "seed": seed} for victim, seed in product(victims, SEEDS)]
    retrieval = [{**who, **{name: float(rng.uniform()) for name in columns}} for who in by_seed]
    pl.DataFrame(retrieval).write_parquet(folder / "retrieval.parquet")
    factors = [
        {**who, "factor": factor, "common": factor == "shared", "same": float(rng.uniform()), "chance": 0.3}
        for who in by_seed
        for factor in ("shared", "vision_only")
    ]
    pl.DataFrame(factors).write_parquet(folder / "factors.parquet")
    points = [("clean", 0.0), ("noise", 1.0), ("wrong", 0.5), ("shuffled", 1.0), ("absent", 0.0)]
    corruption = [
        {"method": method.name, "trained": trained, "modality": victim, "corruption": name, "level": level,
         "value": 0.5, "low": 0.4, "high": 0.6}
        for method, victim, (name, level) in product(METHODS, victims, points)
        for trained in ("none", victim)
    ]  # fmt: skip
    pl.DataFrame(corruption).write_parquet(folder / "corruption.parquet")
    conventions = [
        {"convention": name, "victim": victim, "metric": metric[0], "value": 0.5, "gain": 0.01, "spread": spread}
        for victim, metric in product(victims, CLASSIFICATION if classes else REGRESSION)
        for name, spread in (("as here", None), ("masks drawn anew", 0.02))
    ]
    pl.DataFrame(conventions).write_parquet(folder / "conventions.parquet")
    cost = [{"method": method.name, "parameters": 1000, "operations": 2e6} for method in METHODS]
    pl.DataFrame(cost).write_parquet(folder / "cost.parquet")
    matrices = {f"{victim}_{kind}": rng.uniform(-1, 1, (8, 8)) for victim in victims for kind in ("real", "virtual")}
    np.savez(folder / "similarity.npz", **matrices, **{f"{victim}_label": np.arange(8.0) for victim in victims})
    points = [
        {"modality": victim, "kind": kind, "x": float(rng.normal()), "y": float(rng.normal()),
         "label": float(i % len(classes)) if classes else float(rng.normal())}
        for victim, kind, i in product(victims, ("real", "virtual"), range(8))
    ]  # fmt: skip
    pl.DataFrame(points).write_parquet(folder / "embedding.parquet")
    (folder / "examples").mkdir()
    Image.new("RGB", (80, 20), "navy").save(folder / "examples/u1.png")
    predicted = {"missing": [1.0, 1.0], "complete": [0.0, 1.0]}
    examples = [
        {"victim": victim, "outcome": outcome, "utterance_id": "u1", "label": 1.0, "error": 0.5, "text": text,
         "clip": "1.mp4", "strip": "examples/u1.png", "predictions": {method.name: predicted for method in METHODS}}
        for victim, outcome in product(victims, ("worst", "best"))
    ]  # fmt: skip
    task = "classification" if classes else "regression"
    (folder / "examples.json").write_text(json.dumps({"task": task, "classes": list(classes), "examples": examples}))
