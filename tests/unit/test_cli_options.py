"""Options of verbs, and what verbs say of settings: numbers as they are meant, values in full."""

import json
import re

import polars as pl
import pytest
import yaml

from conftest import ROOT
from helpers.command import ended
from helpers.own_data import rows, write
from trml.config.load import load
from trml.planning.plan import plans


@pytest.mark.parametrize("value", ["\u00b2", "\u0663", "0", "-1", "9" * 5000, "2.0", ""])
def test_cores_are_a_number_of_this_world_or_all(value, capsys):
    found = ended(capsys, "run", "--dry-run", f"--cores={value}")
    assert (found.code, "expected a number from 1 to 4,096, or all" in found.err) == (2, True)
    assert len(found.err) < 400


@pytest.mark.parametrize("value", ["inf", "nan", "-0.1", "1e999", "\u0661", "x"])
def test_a_margin_is_a_finite_number(value, capsys, tmp_path):
    found = ended(capsys, "robustness", str(tmp_path / "none.csv"), f"--margin={value}")
    assert (found.code, "expected a number, 0 or more" in found.err) == (2, True)


def test_a_method_is_described_in_full(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    words = ended(capsys, "methods", "trml").out
    chosen = yaml.safe_load((ROOT / "config/chosen/pantomime-tiny_clip.yaml").read_text())["trml"]["options"]
    assert json.dumps(chosen) in words and "..." not in words
    trained = dict(re.findall(r"^(\w+) .*  (\S.*)$", ended(capsys, "methods").out, re.MULTILINE))
    assert {trained[name] for name in ("trml", "mfm", "zero_fill")} == {"pattern, rate and seed"}
    assert (trained["supervised_single"], trained["supervised_double"]) == ("pattern and seed", "seed")


def test_a_dry_run_does_not_unpack(capsys, tmp_path):
    found = ended(capsys, "run", "--from", str(tmp_path / "none.zip"), "--dry-run")
    assert (found.code, "--dry-run changes nothing" in found.err) == (2, True)


def test_compose_knows_the_size_of_a_corpus_that_this_recipe_built_and_of_no_other(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    output = ["--config", str(ROOT / "config"), "--output", str(tmp_path / "x.yaml")]
    for folder in ("one", "two"):
        write(tmp_path / "data" / folder, rows())

    def says(folder):
        return ended(capsys, "compose", "experiment=own", f"corpus.folder={folder}", *output).out

    assert "test utterances" not in says("one")
    built = plans(load(tmp_path / "x.yaml"))[0].corpus  # which reads the files, and remembers their checksums
    built.mkdir(parents=True)
    (built / "corpus.json").write_text('{"task": "regression"}')
    utterances = {"video_id": [f"v{i // 10}" for i in range(300)], "split": ["test"] * 300}
    pl.DataFrame(utterances).write_parquet(built / "utterances.parquet")
    assert "With 300 test utterances in 30 groups" in says("one")
    assert "test utterances" not in says("two")
    with (tmp_path / "data/one/utterances.csv").open("a") as table:
        table.write("\n")
    assert "test utterances" not in says("one")
    assert "test utterances" not in says("none")
