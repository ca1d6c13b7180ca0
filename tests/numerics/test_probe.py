"""The probes of really trained cells, from end to end."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from helpers.stored import block_of
from helpers.synthetic_cells import STUDY, inputs_of, real_methods
from helpers.synthetic_features import PAIR, SETTINGS, TRIPLE, synthetic_features
from helpers.synthetic_report import inputs_of_report
from helpers.synthetic_training import CPU
from trml.base.artifacts import read_json
from trml.evaluation.contract import ProbeInputs
from trml.evaluation.probing.probe import probe
from trml.features.contract import View
from trml.report.dataset import Dataset
from trml.report.figures import embedding, examples, factors, retrieval, similarity
from trml.report.style import plt
from trml.training.worker import train_block

METHODS = ("trml", "supervised_single", "zero_fill", "supervised_double")
LACKING = "u105"  # a test utterance whose text is missing for real


def trained(raw, folder, classes, modalities):
    """Return the inputs of a small study whose probed cells are trained."""
    features = synthetic_features(n=120, classes=classes, modalities=modalities)
    text = features.signals["text"]
    values, mask = text.values.copy(), text.mask.copy()
    values[105], mask[105] = 0, False
    features = replace(features, signals={**features.signals, "text": View(values, mask)})
    victims = tuple(reversed(modalities))
    study = replace(STUDY, modalities=modalities, victims=victims, rates=(0.0, 0.5), complete=(), seeds=(1, 2))
    inputs = inputs_of(folder, replace(study, methods=real_methods(raw, METHODS)), features)
    cells = list({cell.digest: cell for cell in inputs.probed_cells().values()}.values())
    settings = replace(SETTINGS, epochs=2)
    train_block(block_of(folder, cells, inputs.features, settings), CPU)
    return ProbeInputs(inputs, settings, Path("data"), 3)


def probed(inputs, folder):
    folder.mkdir()
    probe(inputs, folder, CPU)
    return read_json(folder / "probes.json"), read_json(folder / "examples.json")["examples"]


def draw(inputs, folder):
    """Return the names of the figures of the probes, each drawn once."""
    report = inputs_of_report(inputs.evaluation, folder, folder, inputs.settings)
    names = []
    for kind in (retrieval, factors, similarity, embedding, examples):
        for drawn in kind.figures(Dataset(report)):
            drawn.figure.canvas.draw()
            plt.close(drawn.figure)
            names.append(drawn.name)
    return names


@pytest.mark.parametrize(
    ("classes", "modalities"), [(0, PAIR), (3, PAIR), (0, TRIPLE)], ids=["regression", "classes", "three modalities"]
)
def test_trained_cells_are_probed_and_drawn(default_raw, tmp_path, classes, modalities):
    inputs = trained(default_raw, tmp_path, classes, modalities)
    folder, victims, m = tmp_path / "probes", list(reversed(modalities)), len(modalities)
    about, shown = probed(inputs, folder)
    assert (about["reason"], about["method"], about["victims"], about["n"]) == (None, "trml", victims, 19)
    ranked = pl.read_parquet(folder / "ranks.parquet")
    assert ranked.group_by("victim", "seed").len()["len"].to_list() == [19] * 2 * m
    assert LACKING not in ranked["utterance_id"]
    by_cell = pl.read_parquet(folder / "retrieval.parquet")
    for (victim, seed), part in ranked.group_by("victim", "seed"):
        row = by_cell.row(by_predicate=(pl.col("victim") == victim) & (pl.col("seed") == seed), named=True)
        assert row["r5"] == pytest.approx((part["rank"] <= 5).mean())
        assert row["diagonal"] == pytest.approx(part["diagonal"].mean())
    with np.load(folder / "similarity.npz") as matrices:
        assert matrices["text_virtual"].shape == matrices["vision_real"].shape == (19, 19)
        assert (np.diff(matrices["vision_label"]) >= 0).all()
    points = pl.read_parquet(folder / "embedding.parquet")
    assert points.group_by("modality", "kind").len()["len"].to_list() == [19] * 2 * m
    assert [(e["victim"], e["outcome"]) for e in shown] == [
        (victim, outcome) for victim in victims for outcome in ["worst"] * 4 + ["best"] * 2
    ]
    for example in shown:
        assert Image.open(folder / example["strip"]).size == (20, 10)
        assert example["text"] == f"sentence of {example['utterance_id']}"
        assert {len(p["missing"]) for p in example["predictions"].values()} == {2}
    expected = [f"virtual_{name}" for name in ("retrieval", "similarity", "embedding")]
    assert draw(inputs, folder) == expected  # factors and examples are of generated corpora
    again = tmp_path / "again"
    probed(inputs, again)
    for path in (p for p in folder.rglob("*") if p.is_file()):
        assert path.read_bytes() == (again / path.relative_to(folder)).read_bytes(), path
