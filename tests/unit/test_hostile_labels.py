"""Labels, groups and texts of tables: numbers beyond any integer, thousands of classes, names that mislead."""

import time

import polars as pl
import pytest

from helpers.own_data import own_config, report, rows, write
from trml.base.errors import ContractError
from trml.corpora.registry import build_corpus
from trml.corpora.user_table.look_alike import look, other_number, shows
from trml.corpora.user_table.rows import read

# --- labels ---------------------------------------------------------------------------------------------------


def with_labels(tmp_path, *labels, n=60):
    """A folder whose labels repeat."""
    return write(tmp_path / "x", [row | {"label": labels[i % len(labels)]} for i, row in enumerate(rows(n))])


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_label_beyond_any_integer_is_a_finding(tmp_path, kind):
    label = str(2**100) if kind == "parquet" else "3000000000"
    folder = with_labels(tmp_path, "1", label, "0")
    if kind == "parquet":
        frame = pl.read_csv(folder / "utterances.csv", schema_overrides={"label": pl.String})
        (folder / "utterances.csv").unlink()
        frame.with_columns(pl.col("label").cast(pl.Int128)).write_parquet(folder / "t.parquet")
    text, sound = report(folder)
    assert not sound
    assert f"label {label} is outside [-3, 3]" in text
    assert "Labels (" not in text


def test_thousands_of_classes_are_refused_in_time_and_in_few_words(tmp_path):
    lines = [f"t{i},w{i % 1600 if i % 5 < 2 else 'x'},{('train', 'valid', 'test')[i % 3]}" for i in range(4000)]
    (tmp_path / "utterances.csv").write_text("\n".join(["text,label,split", *lines]))
    began = time.process_time()
    text, sound = report(tmp_path)
    assert time.process_time() - began < 5
    assert not sound
    assert "different values on 4,000 rows; expected a few classes" in text
    assert "more labels are on 0.5% of the rows or less" in text
    assert len(text) < 8000


def test_long_cells_are_cut_in_messages(tmp_path):
    long = "b" * 10**5
    table = [row | {"label": "ac"[i % 2]} for i, row in enumerate(rows(60))]
    for i, role in enumerate(("label", "clip", "split", "utterance_id", "video_id", "utterance_id", "start_s")):
        for row in table[2 * i : 2 * i + 2]:
            row[role] = long
    folder = write(tmp_path / "x", [{"start_s": "", "end_s": "", **row} for row in table])
    began = time.process_time()
    text, _ = report(folder, classes=["a", "c"])
    assert time.process_time() - began < 5
    assert len(text) < 10_000
    with pytest.raises(ContractError) as refusal:
        build_corpus(own_config(folder, classes=["a", "c"]), tmp_path, tmp_path, "x", 1)
    assert len(str(refusal.value)) < 10_000


def test_a_column_that_is_not_among_thousands(tmp_path):
    (tmp_path / "utterances.csv").write_text("text," + ",".join(["c" * 10**5, *(f"c{i}" for i in range(5000))]) + "\n")
    for ask in (lambda: read(own_config(tmp_path), tmp_path), lambda: report(tmp_path)):
        with pytest.raises(ContractError) as refusal:
            ask()
        assert len(str(refusal.value)) < 2000


NOTATIONS = [
    (("-1,5", "0,5", "2,5"), "label '-1,5' looks like a number with a comma; write -1.5"),
    (("\u22121", "\u22122"), "label '\u22121' looks like a number with another minus sign; write -1"),
    (("50%", "10 %"), "label '50%' looks like a number with a percent sign; write 50"),
    (("1,000", "2,000"), "label '1,000' looks like a number with a comma; write 1000, or 1.000"),
    (("1", "2", "-1,5"), "label '-1,5' is not a number (it looks like one with a comma; write -1.5), unlike 40 others"),
]


@pytest.mark.parametrize(("labels", "words"), NOTATIONS)
def test_numbers_in_another_notation_are_no_classes(tmp_path, labels, words):
    text, sound = report(with_labels(tmp_path, *labels))
    assert words in text
    assert not sound
    if len(labels) == 2:
        assert report(tmp_path / "x", classes=list(labels))[1], "classes that are stated are meant"


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (
            ("50%", "high"),
            "ATTENTION: label '50%' looks like a number with a percent sign; write 50. It counts as a class",
        ),
        (
            ("good", "bad", "NA"),
            "ATTENTION: label 'NA' is on 20 rows and counts as a class. If it means that the label is",
        ),
        (("good", "bad", "None"), "ATTENTION: label 'None' is on 20 rows"),
        (("good", "bad", "n/a"), "ATTENTION: label 'n/a' is on 20 rows"),
    ],
)
def test_classes_that_may_be_none_are_noted(tmp_path, labels, words):
    text, sound = report(with_labels(tmp_path, *labels))
    assert words in text
    assert sound
    assert "ATTENTION: label" not in report(tmp_path / "x", classes=list(labels))[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("good", "g\u043eod"),  # a letter of Cyrillic
        ("TOP", "\u03a4OP"),  # and of Greek
        ("good", "go\u034fod"),
        ("good", "good\ufe0f"),
        ("good", "good\u3164"),
        ("so-so", "so\u2010so"),
        ("so-so", "so\u2013so"),
        ("it's", "it\u2019s"),
        ("class1", "class\u0661"),
    ],
)
def test_names_that_look_alike(tmp_path, one, other):
    assert look(one) == look(other)
    text, sound = report(with_labels(tmp_path, one, other, "bad"))
    assert sound
    assert "look alike and count as 2 classes" in text


def test_names_that_do_not_look_alike():
    names = [
        "good",
        "goods",
        "g0od",
        "\u0434\u0430",
        "\u043d\u0435\u0442",
        "\u597d",
        "\U0001f600",
        "\U0001f601",
        "-1",
        "1",
        "a b",
        "ab",
    ]
    assert len(set(map(look, names))) == len(names)
    assert [other_number(name) for name in ("1", "-1.5", "a", "1,a", "%", ",", "", "1" * 100 + "%")] == [None] * 8


def test_groups_and_ids_that_look_alike_are_noted(tmp_path):
    table = rows(60)
    table[0]["video_id"], table[-1]["video_id"] = "caf\u00e9", "cafe\u0301"
    table[3]["utterance_id"] = "U4"
    text, sound = report(write(tmp_path / "x", table))
    assert sound
    assert "ATTENTION: video_id has names that look alike and count as several: 1 such cases, the first are" in text
    assert (
        "ATTENTION: utterance_id has names that look alike and count as several: 1 such cases, the first are 'U4'"
        in text
    )


def test_a_training_part_that_teaches_nothing(tmp_path):
    text, sound = report(
        write(tmp_path / "x", [row | ({"label": "1"} if row["split"] == "train" else {}) for row in rows()])
    )
    assert not sound
    assert "every label of split train is 1; expected two different ones or more" in text
    table = [row | {"split": "train" if i < 4 else "valid" if i < 8 else "test"} for i, row in enumerate(rows())]
    assert "ATTENTION: split train has 4 of the rows" in report(write(tmp_path / "y", table))[0]


def test_a_text_that_shows_nothing_is_empty(tmp_path):
    table = rows(60)
    table[7] |= {"text": "\u200b\u2060\ufe0f", "clip": ""}
    table[8] |= {"text": "\u200b\u2060"}
    reading = read(own_config(write(tmp_path, table)), tmp_path)
    assert [finding.words for finding in reading.of("left out")] == ["no text, and no clip"]
    assert reading.utterances["text"].to_list().count("") == 1
    assert shows("\u200bfine\u200b")
