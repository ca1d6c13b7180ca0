"""Two results compared: the same, the same within statistics, or different, and from which stage on."""

import functools
import json
import os
import shutil
import threading
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import polars as pl
import pytest

from helpers.command import ended
from trml.base.artifacts import write_json
from trml.base.digests import file_digest
from trml.report.verify import verify

MACHINE = {"processor": "P", "flags": ["avx2"], "devices": ["cpu"], "instructions": ["AVX2"], "threads": [1]}
METHODS, SEEDS, CONDITIONS = ("trml", "zero_fill"), (1, 2, 3, 4, 5), ("complete", "vision@0.5", "vision@1")


def results(folder, noise=0.0, shift=0.0, **manifest):
    """Write results whose scores differ from the first by noise, and of zero fill by a shift."""
    rng, noisy = np.random.default_rng(0), np.random.default_rng(1)
    rows, cells = [], []
    for method in METHODS:
        for seed in SEEDS:
            cell = f"{method[:2]}{seed}"
            cells.append({"cell": cell, "method": method, "variant": "default", "content": f"c{noise}{shift}"})
            about = {"method": method, "variant": "default", "train_victim": "vision", "train_rate": 0.5}
            for condition in CONDITIONS:
                value = 0.4 + 0.05 * rng.normal() + noise * noisy.normal() + shift * (method == "zero_fill")
                scored = {"condition": condition, "metric": "mae", "value": round(value, 6)}
                rows.append({**about, "dev_rate": 0.5, "seed": seed, "cell": cell, **scored})
    (folder / "tables").mkdir(parents=True)
    pl.DataFrame(rows).write_csv(folder / "metrics.csv")
    pl.DataFrame(rows).write_csv(folder / "tables/main.csv")
    pl.DataFrame(cells).write_csv(folder / "cells.csv")
    (folder / "params.yaml").write_text("name: study\n")
    claim(folder, "supported", 0.1)
    record = {
        "digest": "study-1",
        "made_from": {"corpus": "c-1", "encoder": "e-1", "features": "f-1", "further": {"more": {"features": "g-1"}}},
        "content": {"corpus": "1", "encoder": "2", "features": "3", "cells": f"4{noise}{shift}", "further": {}},
        "git_commit": "0123456789",
        "git_clean": True,
        "versions": {"torch": "2.13.0"},
        "machine": MACHINE,
        **manifest,
    }
    return seal(folder, record)


def linked(folder):
    """Put a link in the place of a table, to a file of the same bytes."""
    table = folder / "tables/main.csv"
    table.symlink_to(table.rename(folder.parent / "elsewhere.csv"))


def piped(folder):
    """Put a named pipe in the place of a table: who opens it waits for ever."""
    (folder / "tables/main.csv").unlink()
    os.mkfifo(folder / "tables/main.csv")


def claim(folder, verdict, effect):
    row = {"against": "zero_fill", "label": "Zero fill", "victim": "vision", "rate": 0.5, "margin": 0.02}
    one = {"id": "C1", "verdict": verdict, "comparisons": [{**row, "effect": effect, "low": 0.05, "high": 0.15}]}
    write_json(folder / "claims.json", [one])


def seal(folder, record):
    names = ("metrics.csv", "cells.csv", "claims.json", "params.yaml", "tables/main.csv")
    write_json(folder / "manifest.json", {**record, "files": {name: file_digest(folder / name) for name in names}})
    return folder


def said(capsys, *arguments):
    """Return the exit code of `trml verify` and what it prints."""
    code, out, err = ended(capsys, "verify", *arguments)
    return code, out + err


@pytest.fixture
def published(tmp_path):
    return results(tmp_path / "published")


OTHER = {"machine": {**MACHINE, "processor": "Q", "instructions": ["AVX512"]}}


def test_the_same_bytes_are_the_same(published, tmp_path, capsys):
    again = results(tmp_path / "again", **OTHER)
    code, words = said(capsys, published, "--against", again, "--exact")
    assert code == 0
    assert words == "Same: all 5 files, 30 scores and 1 claims are identical.\n"


def test_other_bits_of_another_machine_are_within_statistics(published, tmp_path, capsys):
    """Each method is equivalent within the narrowest margin of the claims."""
    other = results(tmp_path / "other", noise=0.005, **OTHER)
    found = verify(published, other)
    assert (found.outcome, found.exact, found.other_scores) == ("within", False, 30)
    assert [row["method"] for row in found.equivalence] == list(METHODS)
    assert all(-0.02 < row["low"] < row["high"] < 0.02 for row in found.equivalence)
    code, words = said(capsys, published, "--against", other)
    assert code == 0
    assert "Within statistics: bits differ in 3 of 5 files." in words
    assert "Likely cause: processor Q here, P there; instructions AVX512 here, AVX2 there." in words
    assert said(capsys, published, "--against", other, "--exact")[0] == 1


def test_a_method_that_moved_by_more_than_the_margin_differs_on_any_machine(published, tmp_path, capsys):
    moved = results(tmp_path / "moved", shift=0.03, **OTHER)
    code, words = said(capsys, published, "--against", moved)
    assert code == 1
    assert "Differs: 3 of 5 files, 15 of 30 scores." in words
    assert "Tables: tables/main.csv" in words
    assert "Methods are not all equivalent within 0.0200; the widest interval is zero_fill's, +0.030000" in words


def test_too_much_noise_is_not_shown_to_be_equivalent(published, tmp_path):
    assert verify(published, results(tmp_path / "noisy", noise=0.08, **OTHER)).outcome == "differs"


@pytest.mark.parametrize(("verdict", "outcome"), [("refuted", "differs"), ("undecided", "within")])
def test_a_claim_that_turns_into_its_opposite_differs(published, tmp_path, verdict, outcome):
    other = results(tmp_path / "other", noise=0.005, **OTHER)
    claim(other, verdict, -0.1)
    seal(other, json.loads((other / "manifest.json").read_text()))
    found = verify(published, other)
    assert found.outcome == outcome
    (row,) = found.claims
    assert (row["effects"], row["outside_interval"], row["changed_sign"]) == (1, 1, 1)


def test_other_bytes_on_the_same_machine_differ_and_the_first_stage_is_named(published, tmp_path, capsys):
    """As after one altered prediction."""
    other = tmp_path / "other"
    shutil.copytree(published, other)
    table = pl.read_csv(other / "cells.csv")
    pl.DataFrame(table).with_columns(
        content=pl.when(pl.col("cell") == "ze3").then(pl.lit("altered")).otherwise("content")
    ).write_csv(other / "cells.csv")
    record = json.loads((other / "manifest.json").read_text())
    record["content"]["cells"] = "altered"
    seal(other, record)
    code, words = said(capsys, published, "--against", other)
    assert code == 1
    assert "First at cells (zero_fill, default, ze3): expected c0.00.0, found altered." in words
    assert "Likely cause: cells (zero_fill, default, ze3) was changed after it was made" in words


def test_an_altered_encoder_is_named_before_what_follows_from_it(published, tmp_path):
    other = results(tmp_path / "other", noise=0.005)
    record = json.loads((other / "manifest.json").read_text())
    record["content"] |= {"encoder": "altered", "features": "follows"}
    seal(other, record)
    found = verify(published, other)
    assert (found.outcome, found.first.stage, found.first.found) == ("differs", "encoder", "altered")


def test_another_version_is_another_recipe(published, tmp_path, capsys):
    made = {"corpus": "c-1", "encoder": "e-2", "features": "f-2", "further": {"more": {"features": "g-2"}}}
    other = results(tmp_path / "other", noise=0.001, made_from=made, versions={"torch": "2.14.0"})
    code, words = said(capsys, published, "--against", other)
    assert code == 1
    assert "First at encoder: expected e-1, found e-2." in words
    assert "Likely cause: torch 2.14.0 here, 2.13.0 there." in words
    other = results(tmp_path / "edited", noise=0.001, made_from=made, git_clean=False)
    _, words = said(capsys, published, "--against", other)
    assert "Likely cause: other source: commit 0123456 with changes here, 0123456 there." in words
    (other / "params.yaml").write_text("name: study\nseed: 2\n")
    seal(other, json.loads((other / "manifest.json").read_text()))
    _, words = said(capsys, published, "--against", other)
    assert "Likely cause: other settings: see params.yaml of both." in words


def test_an_archive_and_its_address_are_results_too(published, tmp_path, capsys):
    archive = tmp_path / "deposit.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        for path in published.rglob("*"):
            zipped.write(path, f"results/study/{path.relative_to(published)}")
    assert said(capsys, archive, "--against", published)[1].startswith("Same: all 5 files")
    folder = functools.partial(SimpleHTTPRequestHandler, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), folder) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        code, words = said(capsys, f"http://127.0.0.1:{server.server_port}/deposit.zip", "--against", published)
        server.shutdown()
    assert (code, "Same: all 5 files" in words) == (0, True)
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("other.txt", "")
    code, words = said(capsys, archive)
    assert (code, "has 0 results\nExpected an archive of `trml export`" in words) == (3, True)


def test_json_has_the_whole_comparison(published, tmp_path, capsys):
    code, words = said(capsys, published, "--against", results(tmp_path / "o", noise=0.005, **OTHER), "--json")
    document = json.loads(words)
    assert (code, document["kind"], document["schema"], document["outcome"]) == (0, "verify", 1, "within")


def test_what_is_absent_is_named_with_what_to_do(published, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, words = said(capsys, "nothing")
    assert code == 3
    assert "trml verify: there are no results nothing: results/ has none" in words


def test_results_of_a_version_with_other_settings_are_named(published, capsys):
    code, words = said(capsys, published)  # its params.yaml has a name alone
    assert code == 3
    assert "was published by a version with other settings" in words


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda folder: (folder / "tables/main.csv").unlink(), "tables/main.csv is absent"),
        (lambda folder: (folder / "tables/main.csv").write_text("value\n1\n"), "tables/main.csv changed"),
        (lambda folder: claim(folder, "refuted", 0.1), "claims.json changed"),
        (lambda folder: shutil.copyfile(folder / "metrics.csv", folder / "metrics_new.csv"), "new.csv is not listed"),
        (linked, "tables/main.csv is a link"),
        (piped, "tables/main.csv is a named pipe"),
    ],
)
def test_results_with_a_file_that_was_changed_are_never_the_same(published, tmp_path, capsys, change, words):
    other = shutil.copytree(published, tmp_path / "altered")
    change(other)
    for one, two in ((published, other), (other, published), (other, other)):
        code, said_of = said(capsys, one, "--against", two)
        assert code == 1
        assert f"{other} is not as its manifest.json says: " in said_of
        assert words in said_of


def test_the_same_manifest_with_other_scores_is_a_difference(published, tmp_path):
    other = shutil.copytree(published, tmp_path / "altered")
    text = (other / "metrics.csv").read_text()
    (other / "metrics.csv").write_text(text.replace("\ntrml,", "\ntrml,", 1).replace(",0.", ",9.", 1))
    found = verify(published, other)
    assert (found.outcome, found.exact) == ("differs", False)
    record = json.loads((other / "manifest.json").read_text())
    seal(other, {**record, "files": {}})
    assert verify(published, other).outcome == "differs"
