"""Seconds per training of MM-Align at CMU-MOSI's size.

1,283 utterances to train on, 229 to validate, 686 to test, 50 tokens of 300 numbers and 50 frames of 35 each, all
random; hidden size 32, 8 heads, batches of 32, 40 epochs, half of the utterances without one modality.

A process a core, each with one thread and one stack of five seeds, all at once. The time is from the first start to the
last end over the number of trainings, so python's start, imports, reading and predictions are in it.

The published program took, on two such cores with nothing else to do, 13 to 18 s to start and 5.8 to 8.1 s an epoch,
as seen elsewhere and not measured here: 245 to 342 s a training of 40 epochs. The ratios hold its two ends against the
time measured here; the aim is five times.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks import child
from benchmarks.row import Row
from benchmarks.synthetic import Size, cell, settings
from benchmarks.timing import seconds
from trml.features.contract import FeatureInfo, FeatureSet, View
from trml.features.writer import write_features

SIZE = Size("mosi", 300, 32, 32, (1283, 229, 686))
STEPS, FRAME, EPOCHS, SEEDS = 50, 35, 40, 5
PUBLISHED_S = 13 + EPOCHS * 5.8, 18 + EPOCHS * 8.1


def measure(quick: bool) -> Iterator[Row]:
    """One run of all processes."""
    size = SIZE._replace(utterances=(96, 16, 16)) if quick else SIZE
    epochs, processes = 3 if quick else EPOCHS, os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_features(folder, _features(size.utterances))
        jobs = [json.dumps(_job(size, epochs, number)) for number in range(processes)]

        def run(job: str) -> object:
            return child.python("-m", "benchmarks.one_stack", temporary, job)

        with ThreadPoolExecutor(processes) as pool:
            each = seconds(lambda: list(pool.map(run, jobs))) / (processes * SEEDS)
    yield Row("mm_align", "processes", processes, "")
    yield Row("mm_align", "a training", each, "s")
    for end, published in zip(("low", "high"), PUBLISHED_S, strict=True):
        yield Row("mm_align", f"published program ({end} end) over it", published / each, "times")


def _job(size: Size, epochs: int, number: int) -> dict[str, object]:
    missing = ("vision", "text")[number % 2]
    specs = [cell("mm_align", size, missing, 0.5, 2020 + seed).spec for seed in range(SEEDS)]
    trained = replace(settings(size, epochs), chunk=SEEDS)
    return {"specs": [asdict(spec) for spec in specs], "settings": asdict(trained)}


def _features(utterances: tuple[int, int, int]) -> FeatureSet:
    n, rng = sum(utterances), np.random.default_rng(0)
    tokens = rng.standard_normal((n, STEPS, SIZE.d), dtype=np.float32)
    columns = {
        "utterance_id": [f"u{i}" for i in range(n)],
        "split": np.repeat(["train", "valid", "test"], utterances),
        "label": rng.uniform(-3, 3, n).astype(np.float32),
    }
    vision = View(rng.standard_normal((n, STEPS, FRAME), dtype=np.float32), np.ones((n, STEPS), dtype=bool))
    text = View(tokens.mean(axis=1, keepdims=True), np.ones((n, 1), dtype=bool))
    info = FeatureInfo(
        "synthetic", "random numbers", False, None, "regression", [], "synthetic", ["text", "vision"], ["text"]
    )
    views = {"text": View(tokens, np.ones((n, STEPS), dtype=bool))}
    return FeatureSet(info, pl.DataFrame(columns), {"text": text, "vision": vision}, views)
