"""Files that are meant as tables of user-supplied datasets: malformed ones are refused with the line of the fault."""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from helpers.own_data import own_config
from trml.base.errors import ContractError, DataMissing
from trml.corpora.registry import build_corpus
from trml.corpora.user_table.rows import read
from trml.corpora.user_table.table import read_table


def build(folder: Path, out: Path):
    out.mkdir(exist_ok=True)
    build_corpus(own_config(folder), Path(), out, "x", 1)


SOUND = b"text,label,split\na,1,train\nb,2,dev\nc,3,test\n"
FORMS = [
    ("empty", b"", "is empty; expected a line of column names"),
    ("no rows", b"text,label\n", "has no rows; expected one for each utterance"),
    ("latin-1", SOUND.replace(b"b,2", b"caf\xe9,2"), "line 3: byte 0xe9 is not UTF-8"),
    ("latin-1 behind a mark", b"\xef\xbb\xbf" + SOUND.replace(b"b,2", b"caf\xe9,2"), "line 3: byte 0xe9 is not UTF-8"),
    ("utf-16", SOUND.decode().encode("utf-16"), "is UTF-16; expected UTF-8"),
    ("a NUL", SOUND.replace(b"c,", b"c\0,"), "line 4: it holds a NUL byte"),
    ("a cell too many", SOUND.replace(b"b,2", b"b,b,2"), "line 3: 4 cells; expected 3"),
    ("a cell too few", SOUND.replace(b"c,3,test", b"c,3"), "line 4: 2 cells; expected 3"),
    ("a line too late", SOUND.replace(b"a,1", b'"a\na",1').replace(b"c,3", b"3"), "line 5: 2 cells; expected 3"),
    ("semicolons", SOUND.replace(b",", b";"), "the cells are separated by ';'; expected ','"),
    ("tabs", SOUND.replace(b",", b"\t"), "the cells are separated by '\\t'; expected ','"),
    ("an open quote", SOUND.replace(b"b,2", b'"b,2'), "line 3: a double quote is never closed"),
    ("a stray quote", SOUND.replace(b"b,2", b'"b"b,2'), "line 3: ',' expected after '\"'"),
    ("a column twice", SOUND.replace(b"split", b"text"), "line 1: column 'text' is listed twice"),
    ("no such column", SOUND.replace(b"label", b"lable"), "has no column 'label' for label; did you mean 'lable'?"),
    ("no text", SOUND.replace(b"text", b"x"), "has no column 'text' for text; known are label, split, x"),
]


@pytest.mark.parametrize(("content", "words"), [case[1:] for case in FORMS], ids=[case[0] for case in FORMS])
def test_a_table_that_is_none_is_refused_in_words(tmp_path, content, words):
    (tmp_path / "utterances.csv").write_bytes(content)
    for use in (lambda: build(tmp_path, tmp_path / "out"), lambda: read(own_config(tmp_path), tmp_path)):
        with pytest.raises(ContractError) as refusal:
            use()
        assert words in str(refusal.value)


def test_columns_of_parquet_that_are_no_text_are_not_there(tmp_path):
    columns = {"text": ["a"], "label": [1.5], "bytes": [b"x"], "list": [[1]], "took": [timedelta(seconds=1)]}
    pl.DataFrame(columns).write_parquet(tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet")
    assert table.columns["label"] == ["1.5"]
    assert not {"bytes", "list", "took"} & set(table.columns)


def test_a_stated_column_that_is_not_there_is_refused(tmp_path):
    (tmp_path / "utterances.csv").write_bytes(SOUND)
    with pytest.raises(ContractError, match="has no column 'splti' for split; did you mean 'split'"):
        own_config(tmp_path, columns={"split": "splti"}).raw_files(Path())


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("table.xlsx", ContractError, "has the suffix '.xlsx'; expected a table: .csv, .tsv, .parquet"),
        ("utterance.csv", DataMissing, "the folder holds other.csv: corpus.table=other.csv"),
        ("broken.parquet", ContractError, "cannot be read as parquet"),
    ],
)
def test_a_table_of_another_kind(tmp_path, name, error, words):
    (tmp_path / "other.csv").write_bytes(SOUND)
    if name == "broken.parquet":
        (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(error, match=words):
        read(own_config(tmp_path, table=name), tmp_path)
