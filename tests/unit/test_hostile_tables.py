"""Tables, names and numbers from outside: no other file is read, nothing is taken for a number that is none, and what a
later stage could not take is refused or noted here."""

import os
import re

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import ROOT
from helpers.own_data import composed, own_config, report, rows, write
from trml.base import confined
from trml.base.errors import ConfigError, ContractError, DataMissing
from trml.base.printable import setting, shell_word
from trml.corpora.checking.check import stated_columns
from trml.corpora.mvsa.config import MvsaSampleConfig
from trml.corpora.registry import build_corpus
from trml.corpora.user_table.rows import read
from trml.corpora.user_table.table import read_table
from trml.sources.formats import csv_rows, csv_text, parquet
from trml.sources.formats.names import unsafe_file, unsafe_path
from trml.sources.formats.numbers import count, number, seconds

calmly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault

# --- one file, and that one -----------------------------------------------------------------------------------


def test_a_parquet_path_is_no_pattern(tmp_path):
    for name, text in (("data1", "other"), ("data[1]", "own")):
        (tmp_path / name).mkdir()
        pl.DataFrame({"text": [text], "label": [1]}).write_parquet(tmp_path / name / "t.parquet")
    assert read_table(tmp_path / "data[1]/t.parquet").columns["text"] == ["own"]
    (tmp_path / "data[1]/t.parquet").unlink()
    with pytest.raises(DataMissing, match="is missing"):
        read_table(tmp_path / "data[1]/t.parquet")


@pytest.mark.parametrize("name", ["utterances.csv", "t.parquet"])
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (os.mkfifo, "is a named pipe"),
        (os.mkdir, "is a folder"),
        (lambda path: path.symlink_to("/dev/zero"), "is a link to a device"),
    ],
)
def test_a_table_that_is_no_file_is_not_said_to_be_missing(tmp_path, name, make, words):
    write(tmp_path, rows(), "other.tsv")
    make(tmp_path / name)
    with pytest.raises(DataMissing, match=re.escape(f"{tmp_path / name} {words}; the folder holds")):
        read_table(tmp_path / name)
    with pytest.raises(DataMissing, match=words):
        report(tmp_path, table=name)


@pytest.mark.parametrize("name", ["$(touch x).csv", "a b;touch x.csv", "it's ${x}.csv", "\x1b[2J.csv"])
def test_a_table_in_a_command_is_one_word(tmp_path, name):
    write(tmp_path, rows(), name)
    with pytest.raises(DataMissing) as refusal:
        read_table(tmp_path / "t.csv")
    words = str(refusal.value)
    assert words.endswith(
        f": {shell_word(setting('corpus.table', name))}, or trml check ... --table {shell_word(name)}"
    )
    write(tmp_path, rows(), "z.csv")
    with pytest.raises(DataMissing) as refusal:
        report(tmp_path)
    assert str(refusal.value).endswith(f"Choose one: --table {shell_word(name)}")


def test_millions_of_equal_rows_are_refused_before_they_are_read(tmp_path, monkeypatch):
    path = tmp_path / "t.parquet"
    pl.DataFrame({"text": pl.repeat("a", 3_000_000, eager=True), "label": 1}).write_parquet(path)
    assert path.stat().st_size < 100_000
    with pytest.raises(
        ContractError, match=r"t.parquet states 3,000,000 rows of 2 columns; expected at most 2,000,000"
    ):
        read_table(path)


def test_text_that_a_dictionary_repeats_is_counted(tmp_path, monkeypatch):
    path = tmp_path / "t.parquet"
    pl.DataFrame({"text": pl.repeat("a" * 100_000, 500, eager=True), "label": 1}).write_parquet(path)
    monkeypatch.setattr(confined, "MEMORY", 1 << 24)
    with pytest.raises(ContractError, match=r"t\.parquet has 47 MB of text, from 0 MB; expected at most 16 MB"):
        parquet.attempt(path)


def test_a_file_that_takes_more_memory_than_the_budget_ends_another_process(tmp_path, monkeypatch):
    path = tmp_path / "t.parquet"
    pl.repeat(1, 20_000_000, eager=True).implode().to_frame("numbers").write_parquet(path)
    assert path.stat().st_size < 200_000
    monkeypatch.setattr(confined, "MEMORY", 1 << 26)
    with pytest.raises(ContractError, match=r"t\.parquet cannot be read"):
        parquet.read_parquet(path)
    monkeypatch.undo()
    pl.DataFrame({"numbers": [1]}).write_parquet(path)
    assert parquet.read_parquet(path).height == 1, "another process is started for the next file"


def test_a_table_of_too_many_cells(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_rows, "CELLS", 30)
    (tmp_path / "t.csv").write_text("text,label\n" + "a,1\n" * 20)
    with pytest.raises(ContractError, match=r"t\.csv has more than 2,000,000 rows or 30 cells"):
        read_table(tmp_path / "t.csv")


def test_a_csv_of_too_many_cells(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_text, "CELLS", 30)
    (tmp_path / "t.csv").write_text("text,label\n" + "a,1\n" * 20)
    with pytest.raises(ContractError, match=r"t\.csv has 21 lines of 2 columns; expected at most .* 30 cells"):
        csv_text.read_csv(tmp_path / "t.csv")


def test_a_table_of_many_columns_is_named_by_its_first(tmp_path):
    columns = ",".join(f"c{i}" for i in range(30_000))
    (tmp_path / "utterances.csv").write_text(f"{columns}\n{',' * 29_999}\n")
    with pytest.raises(ContractError) as refusal:
        report(tmp_path)
    words = str(refusal.value)
    assert "no column that looks like the" in words and "it has c0, c1, " in words and " and 29,988 more" in words
    assert len(words) < 500


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_other_encodings_are_named(tmp_path, encoding):
    (tmp_path / "t.csv").write_bytes("text,label\na,1\n".encode(encoding))
    with pytest.raises(ContractError, match=rf"t\.csv is {encoding.upper()}; expected UTF-8: iconv"):
        read_table(tmp_path / "t.csv")


def test_a_csv_is_read_as_polars_reads_it(tmp_path):
    frame = pl.DataFrame({"name": ["a,b", 'c"d', "é\nf"], "number": [1.5, None, -3.0]})
    frame.write_csv(tmp_path / "t[1].csv")
    assert csv_text.read_csv(tmp_path / "t[1].csv").equals(frame)
    (tmp_path / "t.csv").write_bytes(b"\xef\xbb\xbfid,x\n01,2\n")
    assert csv_text.read_csv(tmp_path / "t.csv", {"id": pl.String}).rows() == [("01", 2)]
    for content, words in (
        (b"", "cannot be read as a table"),
        (b"a,b\n1,2,3\n", "cannot be read as a table"),
        (b"a,a\n1,2\n", "t.csv line 1: column 'a' is listed twice"),
        (b'"a,b\n' + b"1,2\n" * 50_000, "t.csv line 1: a double quote is never closed"),
    ):
        (tmp_path / "t.csv").write_bytes(content)
        with pytest.raises(ContractError, match=words):
            csv_text.read_csv(tmp_path / "t.csv")


def test_a_name_of_a_column_may_be_longer_than_a_cell_of_pythons_reader(tmp_path):
    (tmp_path / "t.csv").write_text(f"a,{'b' * 200_000}\n1,2\n")
    assert csv_text.read_csv(tmp_path / "t.csv").width == 2


def test_a_guid_of_a_sample_is_no_path(tmp_path):
    for guid in ("../../evil", "/tmp/evil", "a/b", "..", "a" * 300, "a\nb"):
        columns = {"guid": [guid], "image_jpeg": [b"x"], "clean_split": ["train"], "text": ["t"], "label_id": [0]}
        pl.DataFrame(columns).write_parquet(tmp_path / "s.parquet")
        out = tmp_path / "in/out"
        out.mkdir(parents=True, exist_ok=True)
        config = MvsaSampleConfig("mvsa_sample", "mvsa_sample", ".", "s.parquet")
        with pytest.raises(ContractError, match=r"s.parquet, row 1: guid .* is "):
            build_corpus(config, tmp_path, out, "x", 1)
        assert not [path for path in tmp_path.rglob("*evil*")]


# --- numbers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["", " ", "１", "٣", "0_1", "1_000", "inf", "-inf", "nan", "NaN", "Infinity", "1e400", "0x1", "1,5", "1.", "--1",
     "1e", "1 2", "1" * 65, "\u00a01", "1\u200b", "1\n"],
)  # fmt: skip
def test_what_is_no_number(text):
    assert number(text) == (1.0 if text == "1." else None)


@given(value=st.floats(allow_nan=False, allow_infinity=False))
@calmly
def test_every_finite_number_reads_back(value):
    assert number(repr(value)) == value
    assert number(f" {value!r}\t") == value


@given(text=st.text(max_size=30))
@calmly
def test_any_text_is_a_finite_number_or_none(text):
    value = number(text)
    assert value is None or (text.isascii() and value == float(text) and abs(value) < float("inf"))
    assert count(text) is None or count(text) == int(text)


def test_counts_and_times():
    assert [count(text) for text in ("0", "012", "-1", "1.0", "1" * 19, "٣", "²")] == [0, 12, *[None] * 5]
    assert [seconds(text) for text in ("0", "1.2345", "-1", "1e300", "inf", "1e6", "1000001")] == [
        0,
        1.2345,
        None,
        None,
        None,
        1e6,
        None,
    ]


@pytest.mark.parametrize(
    ("start", "end"), [("0", "1e300"), ("1e300", "1e301"), ("nan", "1"), ("0", "inf"), ("１", "２")]
)
def test_times_that_no_clip_has_leave_the_row_without_vision(tmp_path, start, end):
    table = [row | {"clip": "a.mp4", "start_s": "0", "end_s": "1"} for row in rows(60)]
    table[7] |= {"start_s": start, "end_s": end}
    write(tmp_path, table)
    (tmp_path / "a.mp4").write_bytes(b"x")
    reading = read(own_config(tmp_path), tmp_path)
    (finding,) = reading.of("no vision")
    assert f"start_s {start!r}, end_s {end!r}; expected seconds, 0 <= start_s < end_s <= 1,000,000" in finding.words


@pytest.mark.parametrize("label", ["１", "٣", "0_1", "1e400", "0x10"])
def test_labels_among_numbers_are_numbers_of_the_grammar(tmp_path, label):
    table = rows(60)
    table[7] |= {"label": label}
    reading = read(own_config(write(tmp_path, table)), tmp_path)
    assert f"label {label!r} is not a number, unlike 59 others" in str(reading.of("refused")[0])


@pytest.mark.parametrize("digits", ["１２３", "١٢٣", "१२३", "²³¹"])
def test_labels_in_other_digits_are_no_classes(tmp_path, digits):
    table = [row | {"label": digits[i % 3]} for i, row in enumerate(rows(60))]
    reading = read(own_config(write(tmp_path, table)), tmp_path)
    words = f"label {min(digits)!r} has other digits than 0 to 9; expected numbers in these"
    assert words in str(reading.of("refused")[0])


@pytest.mark.parametrize("reach", [["nan", "3"], ["-inf", "inf"], ["-1e308", "1e308"]])
def test_a_range_of_labels_is_finite(tmp_path, reach):
    with pytest.raises(ConfigError, match="label_range"):
        report(write(tmp_path, rows()), label_range=[float(each) for each in reach])


def test_a_seed_that_no_configuration_takes_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"corpus\.seed: less than 1000000000000000000"):
        report(write(tmp_path, rows()), seed=10**18)


# --- names ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("caf\u00e9", "cafe\u0301"),
        ("good", "go\u200bod"),
        ("so so", "so  so"),
        ("so so", "so\u00a0so"),
        ("good", "ｇｏｏｄ"),
    ],
)
def test_classes_that_look_alike_are_noted(tmp_path, one, other):
    table = [row | {"label": (one, other, "bad")[i % 3]} for i, row in enumerate(rows(60))]
    text, sound = report(write(tmp_path, table))
    assert sound
    assert re.search(
        r"ATTENTION: labels '.*' \(\d+ characters\) and '.*' \(\d+ characters\) look alike and count as 2", text
    )
    assert "\u200b" not in text


def test_escape_sequences_do_not_reach_the_terminal(tmp_path):
    red = "\x1b[31m"
    table = [row | {f"{red}column": "x", "label": (f"{red}bad", "good")[i % 2]} for i, row in enumerate(rows(60))]
    table[0] |= {"video_id": f"{red}group", "split": "train"}
    table[-1] |= {"video_id": f"{red}group"}
    text, _ = report(write(tmp_path, table))
    assert "\x1b" not in text
    assert "\\x1b[31mbad" in text
    assert "(\\x1b[31mgroup)" in text
    with pytest.raises(ContractError) as refusal:
        read(own_config(tmp_path, columns={"label": "lab\x1b[31mel"}), tmp_path)
    assert "\x1b" not in str(refusal.value)


@pytest.mark.parametrize(
    "name", ["a${b}c", "back\\slash", "${oc.env:HOME}", "it's $(touch x)", "tab\tand\nline", "\x1b[2J"]
)
def test_the_printed_command_reads_back_whatever_the_names_are(tmp_path, name):
    columns = {"text": f"{name} text", "label": name}
    table = [{columns.get(role, role): cell for role, cell in row.items()} for row in rows()]
    table = [row | {name: (f"{name} 1", "good")[i % 2]} for i, row in enumerate(table)]
    folder = write(tmp_path / name.replace("/", ""), table)
    text, sound = report(folder, columns=columns, classes=[f"{name} 1", "good"])
    assert sound
    assert text.replace("\n", "").replace("\t", "").isprintable()
    if "\n" in name or "\x1b" in name:
        return  # $'...', which shlex does not know: tests/numerics/test_hostile_shell.py
    config, data = composed(text)
    assert (config.folder, data) == (folder.name, str(tmp_path))
    assert (config.columns.text, config.columns.label) == (columns["text"], name)
    assert config.classes == [f"{name} 1", "good"]


def test_a_folder_whose_name_is_not_utf8_is_refused(tmp_path):
    folder = write(tmp_path / os.fsdecode(b"caf\xe9"), rows())
    with pytest.raises(DataMissing, match=r"caf\\udce9 has a name that is not UTF-8, which no configuration can hold"):
        report(folder)


def test_a_role_is_stated_once():
    assert stated_columns(["text=said", "label=mood", "clip="]) == {"text": "said", "label": "mood", "clip": None}
    with pytest.raises(ConfigError, match=r"--column text=\.\.\. is there twice; expected one column for each role"):
        stated_columns(["text=said", "text=label"])
    with pytest.raises(ConfigError, match="--column text=mood is the label too; expected a column for each"):
        stated_columns(["text=mood", "label=mood"])


NAMES = st.text(alphabet=st.sampled_from(list("ab./\\:~\x00\n é-")), max_size=8)


@given(name=NAMES)
@calmly
def test_a_name_that_is_safe_stays_below_its_folder(name):
    base = ROOT / "x"
    if unsafe_path(name) is None:
        assert os.path.normpath(base / name).startswith(str(base))
    if unsafe_file(name) is None:
        assert (base / name).parent == base
        assert (base / name).name == name
