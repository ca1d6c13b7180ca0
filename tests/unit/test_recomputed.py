"""Every number of the tables, worked out again from the stored predictions by a plain script: scikit-learn, scipy and
loops, with nothing of the project's evaluation. The masks are the protocol's own (trml.missingness)."""

import json
import shutil
import subprocess

import numpy as np
import polars as pl
import pytest
from scipy.stats import pearsonr
from sklearn.metrics import accuracy_score, f1_score, mean_absolute_error
from test_results import fill, small_plan

from trml.evaluation.evaluate import evaluate
from trml.evaluation.metrics import metrics_of
from trml.methods.config import sweep_name
from trml.missing.masks import frames_condition, lost_of_either, missing
from trml.report.tables import main_table, rate_table, robustness_table, settings_table, study_table, write_table


@pytest.fixture(scope="module")
def made(default_raw, tmp_path_factory):
    """A plan with every protocol, its cells filled in with predictions, and its tables as csv."""
    folder = tmp_path_factory.mktemp("recomputed")
    raw = json.loads(json.dumps(default_raw))
    plan = small_plan(raw, folder, victims=["vision", "text", "either", "frames"], sweeps={"temperature": [0.07, 0.5]})
    fill(plan, lambda cell, condition: 0.3 + 0.1 * len(cell.method) % 0.4 + 0.2 * (condition != "complete"))
    evaluation, tables = folder / "evaluation", folder / "tables"
    evaluation.mkdir()
    evaluate(plan, evaluation)
    summary = pl.read_parquet(evaluation / "summary.parquet")
    robustness = pl.read_parquet(evaluation / "robustness.parquet")
    metrics, params = metrics_of("regression", 0), plan.params
    for table in (
        main_table(params, summary, metrics),
        settings_table(params, summary, metrics),
        *(
            rate_table(params, summary, p, v, metrics[0])
            for p in ("alike", "complete")
            for v in params.protocol.victims
        ),
        robustness_table(params, robustness, metrics[0]),
        study_table(params, summary, "trml", metrics[0]),
    ):
        write_table(table, tables)
    return plan, tables


SCORES = {
    "mae": mean_absolute_error,
    "corr": lambda y, p: pearsonr(y, p).statistic if p.std() else 0.0,
    "acc7": lambda y, p: accuracy_score(np.round(np.clip(y, -3, 3)), np.round(np.clip(p, -3, 3))),
    "acc2_neg_nonneg": lambda y, p: accuracy_score(y >= 0, p >= 0),
    "acc2_neg_pos": lambda y, p: accuracy_score(y[y != 0] > 0, p[y != 0] > 0),
    "f1_neg_nonneg": lambda y, p: f1_score(y >= 0, p >= 0, average="weighted"),
    "f1_neg_pos": lambda y, p: f1_score(y[y != 0] > 0, p[y != 0] > 0, average="weighted"),
}


class Store:
    """The stored predictions, found by what cell.json says."""

    def __init__(self, plan):
        index = pl.read_parquet(plan.features / "index.parquet")
        self.label = index.filter(pl.col("split") == "test")["label"].to_numpy().astype(float)
        train = index.filter(pl.col("split") == "train")["label"].to_numpy().astype(float)
        self.constant = np.full(len(self.label), np.median(train))
        self.depends_on = {name: method.depends_on for name, method in plan.params.methods.items()}
        self.options = {name: method.options for name, method in plan.params.methods.items()}
        self.variants = plan.params.methods["trml"].variants
        self.seeds, self.cells = plan.params.protocol.seeds, {}
        for path in plan.cell_store.rglob("cell.json"):
            cell = json.loads(path.read_text())
            table = pl.read_parquet(path.parent / "predictions.parquet").filter(pl.col("split") == "test")
            dev = cell["rate"] if cell["of_dev"] is None else cell["of_dev"]
            key = cell["method"], json.dumps(cell["options"], sort_keys=True), cell["victim"], cell["rate"], dev
            self.cells[*key, cell["seed"]] = {
                name: part["prediction"].to_numpy().astype(float)
                for (name,), part in table.group_by("condition", maintain_order=True)
            }

    def score(self, row):
        """The mean score over seeds that a row of a table should hold."""
        predictions = [self.predictions(row, seed) for seed in self.seeds]
        return np.mean([SCORES[row["metric"]](self.label, p) for p in predictions])

    def predictions(self, row, seed):
        if row["method"] == "constant":
            return self.constant
        victim, rate = row["victim"], row["rate"]
        stored = self.stored(row, seed)
        if rate == 0:
            return stored["complete"]
        if victim == "frames":
            return stored["vision_missing" if rate == 1 else frames_condition(rate)]
        found = stored["complete"].copy()
        n = len(found)
        if victim == "either":
            lost = lost_of_either("pantomime", "test", seed, rate, n)
            lost = {"text": lost[:, 0], "vision": lost[:, 1]}
        else:
            lost = {victim: missing("pantomime", victim, "test", seed, rate, n)}
        for i in range(n):
            for modality, of_modality in lost.items():
                if of_modality[i]:
                    found[i] = stored[f"{modality}_missing"][i]
        return found

    def stored(self, row, seed):
        method, victim, trained = row["method"], row["victim"], row["trained"]
        dev = 1.0 if row["protocol"] == "setting_a" else trained
        if "rate" not in self.depends_on[method]:
            trained = dev = 0.0
        if victim == "frames" and trained == 1:
            victim = "vision"
        if trained == 0 and "victim" not in self.depends_on[method]:
            victim = None
        options = dict(self.options[method])
        if row["variant"] in self.variants:
            options |= self.variants[row["variant"]].options
        elif row["variant"] == sweep_name("temperature", 0.5):
            options["temperature"] = 0.5
        return self.cells[method, json.dumps(options, sort_keys=True), victim, trained, dev, seed]


@pytest.mark.parametrize("name", ["main", "settings", "rates_vision", "rates_either", "rates_frames", "study_trml"])
def test_a_table_is_what_a_plain_script_finds(made, name):
    plan, tables = made
    store, rows = Store(plan), pl.read_csv(tables / f"{name}.csv").filter(pl.col("method") != "ceiling")
    assert rows.height > 20
    for row in rows.iter_rows(named=True):
        assert row["value"] == pytest.approx(store.score(row), abs=2e-6), row


def test_complete_training_is_what_a_plain_script_finds(made):
    plan, tables = made
    store = Store(plan)
    for victim in ("vision", "text", "either", "frames"):
        rows = pl.read_csv(tables / f"complete_training_{victim}.csv").filter(pl.col("method") != "ceiling")
        assert set(rows["trained"]) == {0.0}
        for row in rows.iter_rows(named=True):
            assert row["value"] == pytest.approx(store.score(row), abs=2e-6), row


def test_robustness_is_what_a_plain_script_finds(made):
    plan, tables = made
    store = Store(plan)
    for row in pl.read_csv(tables / "robustness.csv").iter_rows(named=True):
        rates = sorted(plan.params.protocol.rates_of(row["victim"]))

        def curve(method, protocol, row=row, rates=rates):
            about = {**row, "method": method, "variant": "default", "protocol": protocol}
            trained = {r: 0.0 if protocol == "complete" else r for r in rates}
            return np.array([store.score({**about, "rate": r, "trained": trained[r]}) for r in rates])

        ours = curve(row["method"], row["protocol"])
        if row["measure"] == "effective":
            reference = curve("supervised_double", "alike")
            ours = ours - (reference + ours[0] - reference[0])
        assert row["value"] == pytest.approx(np.trapezoid(ours, rates) / (rates[-1] - rates[0]), abs=2e-6), row


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
