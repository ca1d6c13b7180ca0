"""Results of somebody else: whatever their files hold ends in words that name the file, never in a traceback."""

# long because: every file of a result is damaged in turn, and every verb that reads it is asked

import json
import os
import random
import shutil

import polars as pl
import pytest

from conftest import ROOT
from helpers.command import ended
from trml.api.result import load
from trml.base.artifacts import read_json, write_sums
from trml.base.errors import ContractError, DataMissing
from trml.cli.ending import Code

RESULT = ROOT / "results/pantomime_full"
FILES = ("manifest.json", "params.yaml", "claims.json", "findings.json", "metrics.csv", "cells.csv")
TABLES = ("main", "claim_c1", "by_present", "pairs")
VERBS = (
    ("show", "{}"),
    ("show", "{}", "main"),
    ("show", "{}", "C1"),
    ("trace", "{}:main/trml/vision@0.5"),
    ("trace", "{}:C1/zero_fill/vision@0.5"),
    ("compare", "{}", str(RESULT)),
    ("compare", str(RESULT), "{}"),
    ("verify", "{}", "--against", str(RESULT)),
    ("cite", "{}"),
)
STRANGE = (None, 3, -1.5, "x", [], [1], {}, {"a": 1}, "\x1b[2J", True)


@pytest.fixture
def brought(tmp_path):
    """A small copy of the published results."""
    folder = tmp_path / "brought"
    (folder / "tables").mkdir(parents=True)
    for name in FILES:
        shutil.copyfile(RESULT / name, folder / name)
    for name in TABLES:
        shutil.copyfile(RESULT / f"tables/{name}.csv", folder / f"tables/{name}.csv")
    return folder


def places(value, path=()):
    """Every place in a document that another value may be put in, down to the fields of a list's first entry."""
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*path, key))
    elif isinstance(value, list) and value:
        yield from places(value[0], (*path, 0))


def with_value(document, path, value):
    """Put a value at a place; without one the key is removed."""
    if not path:
        return value
    document = json.loads(json.dumps(document))
    *way, last = path
    at = document
    for key in way:
        at = at[key]
    if value is Ellipsis:
        del at[last]
    else:
        at[last] = value
    return document


@pytest.mark.parametrize("name", ["manifest.json", "claims.json", "findings.json"])
def test_documents_with_other_values_or_without_keys(brought, capsys, name):
    rng = random.Random(name)
    document = read_json(brought / name)
    every = [path for path in places(document) if len(path) < 5]
    for path in rng.sample(every, min(6, len(every))):
        value = rng.choice([*STRANGE, ...]) if path else rng.choice(STRANGE)
        (brought / name).write_text(json.dumps(with_value(document, path, value)))
        for words in rng.sample(VERBS, 2):
            code, out, err = ended(capsys, *(word.format(brought) for word in words))
            assert code != 70, (words, path, value, err)
            assert "\x1b" not in out + err


@pytest.mark.parametrize("name", ["metrics.csv", "cells.csv", *(f"tables/{table}.csv" for table in TABLES)])
def test_tables_that_are_cut_off_empty_or_others(brought, capsys, name):
    rng = random.Random(name)
    whole = (brought / name).read_bytes()
    header, _, rows = whole.partition(b"\n")
    contents = [
        b"",
        b"\xff\xfe\x00",
        b"x\n",
        header + b"\n",
        whole[: len(whole) // 2],
        b",".join(b"z" + each for each in header.split(b",")) + b"\n" + rows,
        header + b"\n" + b",".join([b"word"] * (header.count(b",") + 1)) + b"\n",
    ]
    for content in contents:
        (brought / name).write_bytes(content)
        for words in rng.sample(VERBS, 2):
            code, _, err = ended(capsys, *(word.format(brought) for word in words))
            assert code != 70, (words, content[:60], err)


@pytest.mark.parametrize("content", ["", "[]", "3", "methods: 3", "methods: {a: 1}", "protocol: []", "a: [", "\x00"])
def test_configurations_of_other_forms(brought, capsys, content):
    (brought / "params.yaml").write_text(content)
    for words in VERBS:
        code, _, err = ended(capsys, *(word.format(brought) for word in words))
        assert code != 70, (words, err)


def piped(path):
    """Put a named pipe in a file's place: who opens it waits for ever."""
    path.unlink()
    os.mkfifo(path)


def foldered(path):
    """Put a folder in a file's place."""
    path.unlink()
    path.mkdir()


def to_a_device(path):
    """Put a link to a device that never ends in a file's place."""
    path.unlink()
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize(("put", "kind"), [(piped, "named pipe"), (foldered, "folder"), (to_a_device, "link to a dev")])
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("claims.json", ["show"]),
        ("findings.json", ["show"]),
        ("params.yaml", ["cite"]),
        ("tables/main.csv", ["show", "main"]),
        ("metrics.csv", ["verify"]),
        ("cells.csv", ["verify"]),
    ],
)
def test_what_is_no_file_is_named_and_not_waited_for(brought, capsys, name, words, put, kind):
    put(brought / name)
    verb, *rest = words
    code, _, err = ended(capsys, verb, brought, *rest, *(["--against", RESULT] if verb == "verify" else []))
    assert code in (1, 2)
    assert f"{name} is a {kind}" in err


@pytest.mark.parametrize("name", ["manifest.json", "claims.json", "findings.json"])
def test_a_large_document_is_not_read(brought, capsys, name):
    with (brought / name).open("r+") as file:
        file.truncate(20_000_000)
    code, _, err = ended(capsys, "show", brought)
    assert code == 1
    assert f"{name} has more than 8,388,608 bytes; expected less of published results" in err.replace("\nE", "; e")


@pytest.mark.parametrize(
    ("path", "value", "verb", "words"),
    [
        (("made_from", "further", "x"), 1e308, "verify", "made_from.further.x"),
        (("made_from", "further"), 3, "verify", "made_from.further"),
        (("content", "further", "x"), 1e308, "verify", "content.further.x"),
        (("content", "cells"), [], "verify", "content.cells"),
        (("versions",), {}, "trace", "source"),
    ],
)
def test_manifests_whose_checksums_fit(brought, capsys, path, value, verb, words):
    document = with_value({**read_json(brought / "manifest.json"), "files": {}}, path, value)
    (brought / "manifest.json").write_text(json.dumps(document))
    write_sums(brought)
    rest = ["--against", RESULT] if verb == "verify" else []
    place = f"{brought}:main/trml/vision@0.5" if verb == "trace" else brought
    code, out, err = ended(capsys, verb, place, *rest)
    assert code == (0 if verb == "trace" else 1)
    assert words in out + err


def test_tables_whose_checksums_fit(brought, capsys):
    table = brought / "tables/main.csv"
    header, first, *rest = table.read_text().splitlines()
    table.write_text(header + "\n")
    write_sums(brought)
    assert "main of brought has no row with a number" in ended(capsys, "trace", f"{brought}:main/trml/vision@0.5").err
    words = first.split(",")
    words[header.split(",").index("rate")] = "xx"
    table.write_text("\n".join([header, ",".join(words), *rest]) + "\n")
    write_sums(brought)
    for verb in (["trace", f"{brought}:main/trml/vision@0.5"], ["show", brought, "main"]):
        code, _, err = ended(capsys, *verb)
        assert code == 1
        assert "tables/main.csv line 2: rate is 'xx'" in err


def test_whatever_a_verb_trips_over_is_an_error_of_the_results(brought, capsys, monkeypatch):
    write_sums(brought)
    for error in (KeyError("k"), TypeError("t\x1b"), AssertionError(), ZeroDivisionError("z"), AttributeError("a")):

        def fail(*_, error=error):
            raise error

        monkeypatch.setattr("trml.report.show.show", fail)
        code, _, err = ended(capsys, "show", brought)
        assert code == 1
        assert f"{brought} has not the form of published results" in err
        assert type(error).__name__ in err
        assert "\x1b" not in err


def test_altered_results_are_shown_with_a_note(brought, capsys):
    text = (brought / "claims.json").read_text().replace("refuted", "supported")
    (brought / "claims.json").write_text(text)
    for words in (["show", brought], ["cite", brought], ["compare", brought, RESULT]):
        code, _, err = ended(capsys, *words)
        assert code == 0
        assert "ATTENTION: " in err
        assert "is not as its manifest.json says: " in err
        assert "claims.json changed" in err
    assert "ATTENTION" not in ended(capsys, "show", RESULT).err


@pytest.fixture
def predicted(brought):
    """A small copy of the published results, with their predictions."""
    shutil.copytree(RESULT / "predictions", brought / "predictions")
    return brought


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *((None, value) for value in ([], {}, None, 3)),
        *(("per_unit", value) for value in (0, -1.0, None, float("nan"), float("inf"), "x", True)),
        *(("seeds", value) for value in ([], None, [1.5], ["a"], 3, [True])),
        ("task", "both"),
        ("classes", None),
        ("present", [3]),
        ("trained", {}),
    ],
)
def test_a_protocol_of_another_form_is_named(predicted, capsys, tmp_path, key, value):
    path = predicted / "predictions/protocol.json"
    path.write_text(json.dumps(value if key is None else {**read_json(path), key: value}))
    code, _, err = ended(capsys, "submit", tmp_path, "--to", predicted, "--dry-run")
    assert code == 1
    assert f"{path} has not the form of published results: {key or ''}" in err
    with pytest.raises(ContractError, match=r"protocol\.json has not the form of published results"):
        load(predicted).predictions()


@pytest.mark.parametrize("name", ["test.parquet", "cells.parquet"])
@pytest.mark.parametrize("content", [b"", b"no parquet", None])
def test_predictions_that_are_no_parquet_are_named(predicted, capsys, tmp_path, name, content):
    path = predicted / "predictions" / name
    path.unlink()
    if content is None:
        os.mkfifo(path)
    else:
        path.write_bytes(content)
    if name == "test.parquet":
        code, _, err = ended(capsys, "submit", tmp_path, "--to", predicted, "--dry-run")
        assert code == 1
        assert f"{path} " in err
    with pytest.raises((ContractError, DataMissing), match="parquet"):
        load(predicted).predictions()


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (pl.DataFrame({"utterance_id": ["a"]}), "has no column label"),
        (pl.DataFrame({"utterance_id": ["a"], "label": ["x"]}), "column label holds String; expected numbers"),
        (pl.DataFrame({"utterance_id": ["a", "a"], "label": [0.0, 0.0]}), "utterances without a name of their own"),
        (pl.DataFrame({"utterance_id": [], "label": []}), "has no rows"),
    ],
)
def test_test_utterances_of_another_form_are_named(predicted, table, words):
    table.write_parquet(predicted / "predictions/test.parquet")
    with pytest.raises(ContractError, match=words):
        load(predicted).predictions()


@pytest.mark.parametrize("content", [b"", b"no parquet"])
def test_pairs_that_are_no_parquet_are_named(brought, content):
    (brought / "pairs.parquet").write_bytes(content)
    with pytest.raises(ContractError, match=r"pairs\.parquet"):
        load(brought).pairs()


def test_a_name_that_is_too_long_is_no_result():
    with pytest.raises(DataMissing, match="there are no results"):
        load("n" * 300)


def changed(name, key, value):
    """Put a value at a key of a file of the copy, or take the key away."""

    def change(folder):
        document = read_json(folder / name)
        (folder / name).write_text(json.dumps(with_value(document, (key,), value)))

    return change


def words_for_numbers(folder):
    """The columns are there, with other cells."""
    path = folder / "tables/main.csv"
    header = path.read_text().splitlines()[0]
    path.write_text(f"{header}\n{','.join(['word'] * (header.count(',') + 1))}\n")


ROWS = {
    "another form": (
        changed("manifest.json", "digest", 5),
        ("show", "{}"),
        "{}/manifest.json has not the form of published results: digest: Input should be a valid string",
    ),
    "claims of another form": (
        lambda folder: (folder / "claims.json").write_text("3"),
        ("show", "{}", "C1"),
        "{}/claims.json has not the form of published results: all of it: Input should be a valid list",
    ),
    "settings of another form": (
        lambda folder: (folder / "params.yaml").write_text("methods: 3"),
        ("compare", "{}", str(RESULT)),
        "{}/params.yaml has not the form of published results: methods: Input should be",
    ),
    "no key": (
        changed("manifest.json", "git_commit", ...),
        ("compare", "{}", str(RESULT)),
        "{}/manifest.json has no 'git_commit'",
    ),
    "no rows": (
        lambda folder: (folder / "tables/main.csv").write_bytes(b""),
        ("show", "{}", "main"),
        "{}/tables/main.csv cannot be read as a table",
    ),
    "no text": (
        lambda folder: (folder / "metrics.csv").write_bytes(b"\xff\xfe\x00"),
        ("compare", "{}", str(RESULT)),
        "{}/metrics.csv",
    ),
    "no column": (
        lambda folder: (folder / "metrics.csv").write_bytes(b"x\n1\n"),
        ("compare", "{}", str(RESULT)),
        "{}/metrics.csv has no column method, variant",
    ),
    "another table": (
        words_for_numbers,
        ("show", "{}", "main"),
        "{}/tables/main.csv line 2: value is 'word'",
    ),
}


@pytest.mark.parametrize("case", ROWS)
def test_what_is_wrong_with_results_is_named(brought, capsys, case):
    change, command, words = ROWS[case]
    change(brought)
    code, out, err = ended(capsys, *(word.format(brought) for word in command))
    assert code == Code.NO
    assert words.replace("{}", str(brought)) in err
    assert "\x1b" not in out + err
