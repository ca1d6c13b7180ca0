"""Every number of the tables, worked out again from the stored predictions by a plain script.

It uses scikit-learn, scipy and loops, and nothing of the project's evaluation. The masks are the protocol's own
(trml.missing).
"""

import json
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy.stats import pearsonr
from sklearn.metrics import accuracy_score, f1_score, mean_absolute_error

from helpers.synthetic_cells import STUDY, fill, inputs_of, with_sweep
from helpers.synthetic_features import TRIPLE
from helpers.synthetic_report import inputs_of_report
from trml.evaluation.evaluate import evaluate
from trml.missing.registry import missing_pattern
from trml.report.dataset import Dataset
from trml.report.tables import main, matrix, rates, robustness, settings, studies
from trml.report.tables.common.table import write_table

VICTIMS = ("vision", "text", "random_modality", "frames")
THREE = {"modalities": TRIPLE, "victims": ("vision", "text", "audio", "text+audio", "random_modality")}


def made_of(study, folder):
    """Write the cells of a study with drawn predictions, their evaluation, and its tables as csv."""
    inputs = inputs_of(folder, study)
    complete = "+".join(study.modalities)
    fill(inputs, lambda cell, present: 0.3 + 0.1 * len(cell.spec.method) % 0.4 + 0.2 * (present != complete))
    evaluation, tables = folder / "evaluation", folder / "tables"
    evaluation.mkdir()
    evaluate(inputs, evaluation)
    data = Dataset(inputs_of_report(inputs, evaluation))
    for kind in (main, settings, rates, robustness, studies, matrix):
        for table in kind.tables(data):
            write_table(table, tables)
    return inputs, tables


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A study of two modalities with every protocol."""
    return made_of(with_sweep(replace(STUDY, victims=VICTIMS)), tmp_path_factory.mktemp("recomputed"))


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """A study of three modalities."""
    return made_of(replace(STUDY, **THREE), tmp_path_factory.mktemp("three"))


SCORES = {
    "mae": mean_absolute_error,
    "corr": lambda y, p: pearsonr(y, p).statistic if p.std() else 0.0,
    "acc7": lambda y, p: accuracy_score(np.round(np.clip(y, -3, 3)), np.round(np.clip(p, -3, 3))),
    "acc2_neg_nonneg": lambda y, p: accuracy_score(y >= 0, p >= 0),
    "acc2_neg_pos": lambda y, p: accuracy_score(y[y != 0] > 0, p[y != 0] > 0),
    "f1_neg_nonneg": lambda y, p: f1_score(y >= 0, p >= 0, average="weighted"),
    "f1_neg_pos": lambda y, p: f1_score(y[y != 0] > 0, p[y != 0] > 0, average="weighted"),
}
ON_COMPLETE_DATA = ("supervised_single", "supervised_single_matched", "supervised_double")  # whatever the rate
OF_ONE_MODALITY = ("supervised_single", "supervised_single_matched")


class Store:
    """The stored predictions, found by what records.json says."""

    def __init__(self, inputs):
        index = pl.read_parquet(inputs.features / "index.parquet")
        self.label = index.filter(pl.col("split") == "test")["label"].to_numpy().astype(float)
        train = index.filter(pl.col("split") == "train")["label"].to_numpy().astype(float)
        self.constant = np.full(len(self.label), np.median(train))
        self.study, self.cells = inputs.study, {}
        for path in inputs.features.parent.glob("cells/*/records.json"):
            (cell,) = json.loads(path.read_text()).values()
            table = pl.read_parquet(path.parent / "predictions.parquet").filter(pl.col("split") == "test")
            table = table.rename({cell["digest"]: "prediction"})
            key = cell["method"], json.dumps(cell["options"], sort_keys=True), cell["missing"]
            self.cells[*key, cell["rate"], cell["dev_rate"], cell["seed"]] = {
                name: part["prediction"].to_numpy().astype(float).round(3)  # as they are scored and published
                for (name,), part in table.group_by("present", maintain_order=True)
            }

    def score(self, row):
        """Return the mean score over seeds that a row of a table should hold."""
        predictions = [self.predictions(row, seed) for seed in self.study.seeds]
        return np.mean([SCORES[row["metric"]](self.label, p) for p in predictions])

    def predictions(self, row, seed):
        """Return what the method predicts for each utterance from what is left of it."""
        if row["method"] == "constant":
            return self.constant
        stored, victim, rate = self.stored(row, seed), row["victim"], row["rate"]
        complete, n = "+".join(self.study.modalities), len(self.label)
        if victim == "frames":
            return stored["text" if rate == 1 else complete if rate == 0 else f"frames@{rate:g}"]
        pattern = missing_pattern(victim, self.study.modalities)
        lost = pattern.losing("synthetic", "test", seed, rate, n)
        return np.array([stored[self.left(lost, i)][i] for i in range(n)])

    def left(self, lost, i):
        """Return the modalities that utterance i keeps, as one word."""
        return "+".join(name for name in self.study.modalities if name not in lost or not lost[name][i])

    def stored(self, row, seed):
        """Return the predictions of the cell that a row of the summary is about."""
        method, victim, trained = row["method"], row["victim"], row["trained"]
        dev = 1.0 if row["protocol"] == "setting_a" else trained
        if method in ON_COMPLETE_DATA:
            trained = dev = 0.0
        if victim == "frames" and trained == 1:
            victim = "vision"
        if trained == 0 and method not in OF_ONE_MODALITY:
            victim = None
        return self.cell(method, row["variant"], victim, trained, dev, seed)

    def cell(self, method, variant, missing, rate, dev, seed):
        """Return the predictions of one cell by what was present."""
        config = self.study.by_name[method]
        moved = next((v.options for v in config.variants if v.name == variant), {})
        options = json.dumps({**config.options, **moved}, sort_keys=True)
        return self.cells[method, options, missing, rate, dev, seed]


def check(inputs, table, at_least):
    """Compare every row of a table's csv with the plain script."""
    # Ceilings and reference models are held elsewhere.
    store, rows = Store(inputs), pl.read_csv(table).filter(~pl.col("role").is_in(["ceiling", "reference"]))
    assert rows.height > at_least
    for row in rows.iter_rows(named=True):
        assert row["value"] == pytest.approx(store.score(row), abs=2e-6), row


@pytest.mark.parametrize("name", ["main", "settings", "rates_random_modality", "rates_frames", "study_trml"])
def test_a_table_is_what_a_plain_script_finds(made, name):
    inputs, tables = made
    check(inputs, tables / f"{name}.csv", 20)


@pytest.mark.parametrize("victim", VICTIMS)
def test_complete_training_is_what_a_plain_script_finds(made, victim):
    inputs, tables = made
    table = tables / f"complete_training_{victim}.csv"
    assert set(pl.read_csv(table)["trained"]) == {0.0}
    check(inputs, table, 10)


@pytest.mark.parametrize("name", ["main", "rates_text+audio", "rates_random_modality", "settings"])
def test_three_modalities_are_what_a_plain_script_finds(three, name):
    inputs, tables = three
    check(inputs, tables / f"{name}.csv", 20)


def test_robustness_is_what_a_plain_script_finds(made):
    inputs, tables = made
    store = Store(inputs)
    for row in pl.read_csv(tables / "robustness.csv").iter_rows(named=True):
        at = sorted(inputs.study.rates_of(row["victim"]))

        def curve(method, protocol, row=row, at=at):
            about = {**row, "method": method, "variant": "default", "protocol": protocol}
            trained = {r: 0.0 if protocol == "complete" else r for r in at}
            return np.array([store.score({**about, "rate": r, "trained": trained[r]}) for r in at])

        ours = curve(row["method"], row["protocol"])
        if row["measure"] == "effective":
            reference = curve("supervised_double", "matched")
            ours = ours - (reference + ours[0] - reference[0])
        assert row["value"] == pytest.approx(np.trapezoid(ours, at) / (at[-1] - at[0]), abs=2e-6), row


@pytest.mark.parametrize("name", ["made", "three"])
def test_the_matrix_is_what_a_plain_script_finds(name, request):
    """Each training (complete data, or a pattern at the study rate) shown each set of modalities."""
    inputs, tables = request.getfixturevalue(name)
    store, study = Store(inputs), inputs.study
    rows = pl.read_parquet(tables.parent / "evaluation" / "matrix.parquet")
    assert rows.select("method", "victim", "rate", "present", "metric").is_duplicated().sum() == 0
    assert rows["present"].n_unique() == 2 ** len(study.modalities) - 1
    assert set(rows.filter(victim="none")["method"]) == {"trml", "zero_fill", "supervised_double"}
    # The upper bound is trained on complete data, whatever the pattern.
    patterns = rows.filter(pl.col("victim") != "none")
    assert set(patterns["victim"]) == set(study.victims)
    assert set(patterns["method"]) == {"trml", "zero_fill", "supervised_single", "supervised_single_matched"}
    for row in rows.filter(pl.col("metric").is_in(["mae", "f1_neg_pos"])).iter_rows(named=True):
        missing = None if row["victim"] == "none" else row["victim"]
        rate = 0.0 if row["method"] in ON_COMPLETE_DATA else row["rate"]
        expected = [
            SCORES[row["metric"]](
                store.label, store.cell(row["method"], "default", missing, rate, rate, seed)[row["present"]]
            )
            for seed in study.seeds
        ]
        assert row["value"] == pytest.approx(np.mean(expected), abs=1e-9), row
        assert row["low"] < row["value"] < row["high"]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX is installed")
def test_the_latex_compiles(made, tmp_path):
    _, tables = made
    inputs = [f"\\input{{{path}}}\\clearpage" for path in sorted(tables.glob("*.tex"))]
    head = ["\\documentclass{article}", "\\usepackage{booktabs,graphicx}", "\\begin{document}"]
    (tmp_path / "all.tex").write_text("\n".join([*head, *inputs, "\\end{document}"]))
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert f"({len(inputs)} pages" in done.stdout
