"""Results of somebody else: whatever their files hold ends in words that name the file, never in a traceback."""

import json
import random
import shutil

import pytest

from conftest import ROOT
from helpers.command import ended
from trml.base.artifacts import read_json
from trml.base.digests import file_digest
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


def changed(name, key, value):
    """Put a value at a key of a file of the copy, or take the key away."""

    def change(folder):
        document = read_json(folder / name)
        (folder / name).write_text(json.dumps(with_value(document, (key,), value)))

    return change


def words_for_numbers(folder):
    """The columns are there; that the cells are others, the checksum tells."""
    path = folder / "tables/main.csv"
    (folder / "SHA256SUMS").write_text(f"{file_digest(path)}  tables/main.csv\n")
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
        "{} is not as it was published: tables/main.csv changed after it was written",
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
