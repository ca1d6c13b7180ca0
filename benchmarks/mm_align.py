"""Seconds per training of MM-Align at CMU-MOSI's size, and per epoch at MVSA-Single's.

CMU-MOSI's size: 1,283 utterances to train on, 229 to validate, 686 to test, 50 tokens of 300 numbers and 50 frames of
35 each, batches of 32, 40 epochs. MVSA-Single's: 3,611, 450 and 450 posts, texts of up to 77 tokens of 512 numbers, of
which the median has 27, and one photo of 512 numbers, batches of 64, 8 epochs. All numbers are random; hidden size 32,
8 heads, half of the utterances without one modality.

A process a core, each with one thread and one stack of five seeds, all at once. The time is from the first start to the
last end over the number of trainings (and of epochs), so python's start, imports, reading and predictions are in it.

The published program took, on two such cores with nothing else to do, 13 to 18 s to start and 5.8 to 8.1 s an epoch
at CMU-MOSI's size, as seen elsewhere and not measured here: 245 to 342 s a training of 40 epochs, and 4.5 to 6.3 ms
an utterance, which gives 16 to 23 s an epoch of MVSA-Single, were its sequences no longer than 50 steps. The ratios
hold its two ends against the time measured here; the aim is five times.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks import child
from benchmarks.row import Row
from benchmarks.synthetic import Size, cell, index, settings
from benchmarks.timing import seconds
from trml.features.contract import FeatureInfo, FeatureSet, View
from trml.features.writer import write_features

SEEDS, START_S, EPOCH_S, OF_MOSI = 5, (13, 18), (5.8, 8.1), 1283


class Case(NamedTuple):
    """A corpus's size: tokens of a text at most, and their median; frames of a clip and their numbers."""

    size: Size
    epochs: int
    tokens: int
    median: int
    frames: int
    frame: int


MOSI = Case(Size("mosi", 300, 32, 32, (OF_MOSI, 229, 686)), 40, 50, 50, 50, 35)
MVSA = Case(Size("mvsa_single", 512, 32, 64, (3611, 450, 450)), 8, 77, 27, 1, 512)


def measure(quick: bool) -> Iterator[Row]:
    """One run of all processes for each corpus."""
    yield Row("mm_align", "processes", os.cpu_count() or 1, "")
    training = _seconds_a_training(MOSI, quick)
    yield Row("mm_align", "mosi, a training", training, "s")
    for end, start, epoch in zip(("low", "high"), START_S, EPOCH_S, strict=True):
        published = start + MOSI.epochs * epoch
        yield Row("mm_align", f"mosi, published program ({end} end) over it", published / training, "times")
    epoch_here = _seconds_a_training(MVSA, quick) / MVSA.epochs
    yield Row("mm_align", "mvsa_single, an epoch", epoch_here, "s")
    for end, epoch in zip(("low", "high"), EPOCH_S, strict=True):
        published = epoch / OF_MOSI * MVSA.size.utterances[0]
        yield Row("mm_align", f"mvsa_single, published program ({end} end) over it", published / epoch_here, "times")


def _seconds_a_training(case: Case, quick: bool) -> float:
    if quick:
        case = case._replace(size=case.size._replace(utterances=(96, 16, 16)), epochs=3)
    processes = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_features(folder, _features(case))
        jobs = [json.dumps(_job(case, number)) for number in range(processes)]

        def run(job: str) -> object:
            return child.python("-m", "benchmarks.one_stack", temporary, job)

        with ThreadPoolExecutor(processes) as pool:
            return seconds(lambda: list(pool.map(run, jobs))) / (processes * SEEDS)


def _job(case: Case, number: int) -> dict[str, object]:
    missing = ("vision", "text")[number % 2]
    specs = [cell("mm_align", case.size, missing, 0.5, 2020 + seed).spec for seed in range(SEEDS)]
    trained = replace(settings(case.size, case.epochs), chunk=SEEDS)
    return {"specs": [asdict(spec) for spec in specs], "settings": asdict(trained)}


def _features(case: Case) -> FeatureSet:
    n, rng = sum(case.size.utterances), np.random.default_rng(0)
    lengths = np.full(n, case.tokens)
    if case.median < case.tokens:  # about as many longer as shorter ones, 95 % under twice the median
        lengths = np.clip(case.median * np.exp(rng.normal(0, 0.38, n)), 1, case.tokens).round().astype(np.int64)
    tokens = rng.standard_normal((n, case.tokens, case.size.d), dtype=np.float32)
    frames = rng.standard_normal((n, case.frames, case.frame), dtype=np.float32)
    vision = View(frames, np.ones((n, case.frames), dtype=bool))
    text = View(tokens.mean(axis=1, keepdims=True), np.ones((n, 1), dtype=bool))
    info = FeatureInfo(
        "synthetic", "random numbers", False, None, "regression", [], "synthetic", ["text", "vision"], ["text"]
    )
    views = {"text": View(tokens, np.arange(case.tokens) < lengths[:, None])}
    return FeatureSet(info, index(case.size, rng), {"text": text, "vision": vision}, views)
