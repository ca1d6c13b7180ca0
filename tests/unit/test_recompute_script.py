"""Scores, intervals and p-values computed again from what is published, by the script in docs/ alone."""

import runpy

import pytest

from conftest import ROOT
from helpers.synthetic_cells import evaluated, fill, inputs_of
from trml.report.build import published_scores


@pytest.fixture
def said(monkeypatch, capsys):
    """A function that runs the script on a folder and returns what it prints, split into words."""

    def run(folder):
        monkeypatch.setattr("sys.argv", ["recompute.py", str(folder)])
        capsys.readouterr()
        runpy.run_path(str(ROOT / "docs/recompute.py"))
        return [line.split() for line in capsys.readouterr().out.splitlines()]

    return run


def test_the_script_finds_the_published_numbers(tmp_path, said):
    inputs = inputs_of(tmp_path)
    fill(inputs, lambda cell, present: 0.4 + len(cell.spec.method) / 200 + 0.1 * (present != "text+vision"))
    evaluated(inputs, tmp_path / "results")
    published_scores(tmp_path / "results").write_csv(tmp_path / "results/metrics.csv")
    scores, effects = said(tmp_path / "results")
    assert (int(scores[0]), int(effects[0])) == (201, 6)
    assert float(scores[-1]) < 1e-6
    assert float(effects[-1]) < 1e-9
    claims = (tmp_path / "results/claims.json").read_text()
    (tmp_path / "results/claims.json").write_text(claims.replace('"p": ', '"p": 1'))
    assert float(said(tmp_path / "results")[1][-1]) > 1e-3
