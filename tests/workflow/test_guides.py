"""Every guide of docs/adding_*.md followed to the page, in a package beside the project: nothing else is edited."""

import json
import re
import shutil
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from PIL import Image

from conftest import ROOT
from helpers.checkout import SMALL_GRID, Checkout

N = 72
METHODS = "method=[trml,supervised_single,zero_fill,supervised_double,present_mean]"
VICTIMS = "protocol.victims=[vision,text,seldom_text]"


def blocks(guide, language="python"):
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / f"docs/adding_{guide}.md").read_text(), re.DOTALL)


def write_package(folder):
    """Write what the guides say, in the files that they name."""
    corpus, encoder, evaluation = blocks("a_corpus"), blocks("an_encoder"), blocks("a_claim")
    files = {
        "corpora/reviews/config.py": corpus[0],
        "corpora/reviews/build.py": corpus[1],
        "features/encoders/thumbnails/config.py": encoder[0],
        "features/encoders/thumbnails/encoder.py": encoder[1],
        "evaluation/claims/worst_case.py": evaluation[0],
        "evaluation/metrics/squared_error.py": evaluation[1],
        "missing/patterns/seldom_text.py": blocks("a_pattern")[0],
        "report/tables/parameters.py": blocks("a_table")[0],
        "__init__.py": "",
    }
    for name, text in files.items():
        (folder / "trml_mylab" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "trml_mylab" / name).write_text(text)
    (folder / "my_methods.py").write_text(blocks("a_method")[0])
    shutil.copytree(ROOT / "config", folder / "config")
    (folder / "config/method/present_mean.yaml").write_text(blocks("a_method", "yaml")[0])


def write_reviews(folder):
    """Write raw files in the form that the guide's corpus reads: stars are told by the words and by the colour."""
    rng = np.random.default_rng(0)
    (folder / "photos").mkdir(parents=True)
    stars = rng.integers(1, 6, N)
    for i, k in enumerate(stars):
        if i % 7:
            pixels = np.full((24, 24, 3), 40 * k) + rng.integers(0, 30, (24, 24, 3))
            Image.fromarray(pixels.astype(np.uint8)).save(folder / f"photos/{i}.jpg")
    columns = {
        "id": range(N),
        "customer": [i // 3 for i in range(N)],
        "split": ["train"] * 42 + ["valid"] * 12 + ["test"] * 18,
        "text": [f"{['awful', 'bad', 'fair', 'good', 'great'][k - 1]} thing number {i}" for i, k in enumerate(stars)],
        "stars": stars,
    }
    pl.DataFrame(columns).write_csv(folder / "reviews_en.csv")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run of all that the guides add, in a folder of its own (--into). Not to be changed."""
    folder = tmp_path_factory.mktemp("guides")
    write_package(folder)
    write_reviews(folder / "data/reviews")
    small = [o for o in SMALL_GRID if not o.startswith(("method=", "protocol.victims"))]
    added = ["corpus=reviews", "encoder=thumbnails", "name=reviews", METHODS, VICTIMS]
    command = [sys.executable, "-m", "trml", "compose", *added, "studies=false", *small]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    printed = Checkout(folder).trml("run", "--into", "there", "--cores", "2")
    assert printed.strip() == "there/results/reviews/report/index.html", "as seen from where it was called"
    return folder / "there/results/reviews"


@pytest.fixture(scope="module")
def page(run):
    return (run / "report/index.html").read_text()


def test_the_corpus_and_the_encoder_are_on_the_page(page):
    assert "Product reviews" in page
    assert "64 hashed words, thumbnails of 8 x 8" in page


def test_the_method_is_in_every_table_figure_and_claim(run, page):
    claims = {claim["id"]: claim for claim in json.loads((run / "claims.json").read_text())}
    assert "present_mean" in {comparison["against"] for comparison in claims["C1"]["comparisons"]}
    for table in ("main", "settings", "robustness", "complete_training_text", "parameters"):
        assert "| Mean of the present |" in (run / f"tables/{table}.md").read_text()
    # matplotlib leaves the words of a figure as comments beside their outlines.
    assert "Mean of the present" in re.findall(r"<!-- (.*?) -->", (run / "figures/rates_vision.svg").read_text())
    assert "Mean of the present" in page


def test_the_claim_is_decided(run, page):
    claims = {claim["id"]: claim for claim in json.loads((run / "claims.json").read_text())}
    assert len(claims["W1"]["comparisons"]) == 6
    assert claims["W1"]["text"] in page


def test_the_metric_is_scored(run):
    metrics = pl.read_csv(run / "metrics.csv")
    both = metrics.filter(pl.col("metric").is_in(["rmse", "mae"]))
    scores = both.pivot("metric", index=["cell", "condition"], values="value")
    assert scores.height > 0
    assert (scores["rmse"] >= scores["mae"]).all()
    assert "RMSE" in (run / "tables/main.md").read_text()


def test_the_pattern_is_trained_evaluated_and_drawn(run, page):
    metrics = pl.read_csv(run / "metrics.csv")
    assert {"seldom_text@0.5", "seldom_text@1"} <= set(metrics["condition"])
    assert (run / "figures/rates_seldom_text.png").stat().st_size > 5000
    assert "vision is missing nine times as often" in page


def test_the_table_is_on_the_page(run, page):
    assert "Parameters of each method" in page
    assert (run / "tables/parameters.tex").is_file()
