"""Configurations, overrides and paths to write: what is broken or hostile ends in a line that names file and key."""

import copy
import json
import os
import re
import time
from contextlib import suppress
from pathlib import Path
from unittest.mock import Mock

import pytest
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from conftest import ROOT
from helpers.command import ended
from trml.base.artifacts import write_bytes
from trml.base.checksums import known_digests
from trml.base.digests import file_digest
from trml.base.errors import ConfigError, StoreError, TrmlError
from trml.base.files import not_a_file
from trml.base.printable import one_line, printable, shell_word, value_as_written
from trml.base.yaml_reader import NODES, SIZE, parse_yaml
from trml.cli.ending import Code, failure
from trml.config.compose import compose
from trml.config.load import check, load

BUSY = [HealthCheck.too_slow]  # a busy machine is no fault

LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
YAML = {
    "octal": (b"name: x\nseed: 010\n", "line 2: '010' is a number in one version of YAML and not in another"),
    "minutes": (b"a: 1:30", "'1:30' is a number in one version of YAML and not in another"),
    "infinite": (b"training: {learning_rate: .inf}", "'.inf' is a number in one version of YAML"),
    "beyond a float": (b"a: 1.0e+400", "'1.0e+400' is a number in one version of YAML"),
    "nan": (b"a: .NaN", "'.NaN' is a number"),
    "hexadecimal": (b"a: 0x1F", "'0x1F' is a number"),
    "underscores": (b"a: 1_000", "'1_000' is a number"),
    "5,001 digits": (b"seed: " + b"1" * 5001, "is a number in one version of YAML"),
    "a key twice": (b"seed: 1\nname: x\nseed: 2\n", "line 3: key 'seed' is there twice; expected each once"),
    "a key twice, inside": (b"a: {b: 1, b: 2}", "line 1: key 'b' is there twice"),
    "bytes": (b"a: !!binary aGk=", "line 1: it has the tag 'binary'; expected none"),
    "a set": (b"a: !!set {b, c}", "line 1: it has the tag 'set'; expected none"),
    "code": (b"a: !!python/object/apply:os.system ['touch canary']", "it has the tag 'python/object/apply:os.system'"),
    "a wrong tag": (b"a: !!int x", "line 1: 'x' is a number in one version"),
    "a list as a key": (b"? [1]\n: 2", "line 1: a key is a list; expected a name"),
    "in itself": (b"a: &a [1, *a]", "line 1: it holds itself, through an alias (*name)"),
    "an alias of nothing": (b"a: *b", "found undefined alias"),
    "5,000 deep": (b"a: " + b"[" * 5000, "line 1: it nests deeper than 32"),
    "billion laughs": (LAUGHS.encode(), "it has more than 200,000 values, those behind an alias (*name) counted"),
    "latin-1": (b"name: x\ntitle: caf\xe9\n", "line 2: byte 0xe9 is not UTF-8"),
    "binary": (b"\x7fELF\x02\x01\xff\xfe", "line 1: byte 0xff is not UTF-8"),
    "NUL": (b"a: \0", "line 1: it has the character '\\x00'; expected text"),
    "many values": (b"a: [" + b"0," * 200_000 + b"0]", "line 1: it has more than 200,000 values"),
    "many documents": (b"---\n" * 300_000, "it has more than 200,000 values"),
    "many directives": (b"%TAG !a! b\n" * 300_000, "it has more than 100 lines that start with %; expected none"),
    "large": (b"#" * (SIZE + 1), "has more than 4,194,304 bytes"),
    "no YAML": (b"a: [1", "is not YAML: while parsing a flow sequence"),
}


@pytest.mark.parametrize("case", YAML)
def test_a_file_of_yaml_that_is_ambiguous_or_broken_is_refused(tmp_path, case):
    content, words = YAML[case]
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as refusal:
        load(path)
    assert words in str(refusal.value)
    assert str(refusal.value).startswith(str(path))
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 700
    assert [found.name for found in tmp_path.iterdir()] == ["params.yaml"], "nothing ran"


@pytest.mark.parametrize(
    "content",
    ["- " + "x" * 16 + "\n", "- &a x\n", "? x\n", "#\n"],
)
def test_a_file_of_the_largest_size_is_read_in_seconds(content):
    """The reader in python takes minutes for it; libyaml's is used where PyYAML has it, as its wheels do."""
    began = time.process_time()
    with suppress(ValueError):
        parse_yaml(content * min(NODES - 1, SIZE // len(content)))
    assert time.process_time() - began < 40


def test_yaml_means_what_it_shows():
    text = "a: 2024-01-01\nb: 1.0e-3\nc: 0\nd: -12\ne: 1.50\nf: on\ng: ~\nh: '010'\non: 1\n12: x\n"
    expected = {"a": "2024-01-01", "b": 1e-3, "c": 0, "d": -12, "e": 1.5, "f": True, "g": None, "h": "010"}
    assert parse_yaml(text) == expected | {"on": 1, "12": "x"}


TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x85"), max_size=20)
FLOAT = st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | FLOAT | TEXT,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(TEXT, children, max_size=4),
    max_leaves=20,
)


@given(value=st.dictionaries(TEXT, PLAIN, max_size=5))
@settings(max_examples=150, deadline=None, suppress_health_check=BUSY)
def test_what_is_written_as_yaml_is_read_back(value):
    written = yaml.safe_dump(value, allow_unicode=True, sort_keys=False)
    assert parse_yaml(written) == value


@given(text=st.text(alphabet=st.sampled_from(list("ab01.:-_*&!{}[]\n ,'\"#|>?%@\t~\x00é")), max_size=40))
@settings(max_examples=300, deadline=None, suppress_health_check=BUSY)
def test_any_text_is_a_value_or_a_fault_in_one_line(text):
    try:
        parse_yaml(text)
    except ValueError as fault:
        assert "\n" not in str(fault)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.mkdir(), "is a folder; expected a YAML file"),
        (os.mkfifo, "is a named pipe; expected a YAML file"),
        (lambda path: path.symlink_to("/dev/zero"), "is a link to a device; expected a YAML file"),
        (lambda path: path.symlink_to("nowhere"), "is a link to a file that is missing; expected a YAML file"),
        (lambda path: path.symlink_to(path.name), "cannot be opened"),
        (lambda path: None, "does not exist; expected a composed configuration. Write it: trml compose"),
    ],
)
def test_what_is_no_file_is_not_said_to_be_missing(tmp_path, make, words):
    make(tmp_path / "params.yaml")
    with pytest.raises(ConfigError, match=re.escape(words)):
        load(tmp_path / "params.yaml")


def circular():
    value = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("name", "a" * 65, "name is 'aaa"),
        ("name", "a" * 65, "expected at most 64 characters"),
        ("seed", 10**18, "seed is 1000000000000000000; expected at most 18 digits"),
        ("data", "\ud800", "data is '\\ud800'; expected text that is UTF-8"),
        ("data", "a\x85b", "data is 'a\\x85b'; expected text without U+0085"),
        ("threads", float("inf"), "threads is inf; expected a finite number"),
        ("accept_terms", circular(), "nests deeper than 32"),
        ("chosen", {1: 2}, "chosen has the key 1; expected a name"),
        ("data", b"x", "data is b'x'; expected text, a number, true, false or null"),
    ],
)
def test_values_that_no_configuration_can_hold_are_named(raw, key, value, words):
    with pytest.raises(ConfigError) as refusal:
        check(raw | {key: value})
    assert words in str(refusal.value)
    assert len(str(refusal.value)) < 300


@pytest.mark.parametrize("key", ["learning_rate", "weight_decay", "clip_norm"])
def test_a_number_of_the_training_is_finite(raw, key):
    raw["training"] |= {key: float("nan")}
    with pytest.raises(ConfigError, match=f"training.{key} is nan; expected a finite number"):
        check(raw)


OVERRIDES = [
    ("experiment=null", "experiment=null: expected the name of a file in"),
    ("method=null", "method=null: expected the name of a file in"),
    ("seed=${seed}", "seed: Recursive interpolation detected"),
    ("name=${nope}", "name: Interpolation key 'nope' not found"),
    ("data={a:${data}}", "data.a: Interpolation to parent node detected"),
    (f"seed={'1' * 5001}", "Exceeds the limit (4300 digits)"),
    ("seed=1_000", "seed=1_000: '1_000' is a number in one version of YAML and not in another"),
    ("protocol.seeds=[1,2_0]", "'2_0' is a number in one version of YAML and not in another"),
    ("training.learning_rate=inf", "training.learning_rate is inf; expected a finite number"),
    ("methods.trml.options.weight=inf", "methods.trml.options.weight is inf; expected a finite number"),
    (f"name={'a' * 300}", "expected at most 64 characters"),
]


@pytest.mark.parametrize(("override", "words"), OVERRIDES, ids=[words for _, words in OVERRIDES])
def test_overrides_that_hydra_does_not_name(override, words):
    with pytest.raises(ConfigError) as refusal:
        compose([override], ROOT / "config")
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("word", ["'1_000'", "x_1_000", "1_0x", "/a_1_0/b_2"])
def test_a_text_with_digits_and_underscores_is_a_text(word):
    assert parse_yaml(compose([f"data={word}"], ROOT / "config"))["data"] == word.strip("'")


@given(value=st.text(alphabet=st.sampled_from(list("\\'\"${}a ,[]:=\n\té")), max_size=8))
@settings(max_examples=300, deadline=None, suppress_health_check=BUSY)
def test_a_value_of_a_command_reads_back(value):
    """As `compose` reads it: Hydra's grammar of overrides, then OmegaConf's of references."""
    read = OverridesParser.create().parse_override(f"data={value_as_written(value)}").value()
    assert OmegaConf.to_container(OmegaConf.create({"data": read}), resolve=True) == {"data": value}


@pytest.mark.parametrize("name", ["a${b}c", "back\\slash", "it's", "${", "end\\", "\\${x}"])
def test_a_folder_of_any_name_is_composed(name):
    text = compose(["experiment=own", f"corpus.folder={value_as_written(name)}"], ROOT / "config")
    assert parse_yaml(text)["corpus"]["folder"] == name


def unpipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (Path.mkdir, "is a folder"),
        (unpipe, "is a named pipe"),
        (lambda path: path.symlink_to("/dev/null"), "is a link to a device"),
        (lambda path: path.symlink_to("elsewhere"), "is a link to a file that is missing"),
        (lambda path: path.symlink_to(__file__), "is a link"),
    ],
)
def test_a_file_takes_the_place_of_a_file_alone(tmp_path, monkeypatch, capsys, make, words):
    path = tmp_path / "params.yaml"
    make(path)
    before = path.lstat()
    with pytest.raises(StoreError, match=f"{words}; expected a file to write, or nothing"):
        write_bytes(path, b"x")
    monkeypatch.chdir(ROOT)
    code, _, said = ended(capsys, "compose", "--output", path)
    assert code and words in said
    assert os.path.samestat(before, path.lstat())
    assert not (tmp_path / "elsewhere").exists()


def test_a_link_under_the_temporary_name_is_not_followed(tmp_path, monkeypatch):
    monkeypatch.setattr("trml.base.artifacts.platform.node", lambda: "here")
    (tmp_path / f".x.here.{os.getpid()}").symlink_to(tmp_path / "outside")
    write_bytes(tmp_path / "x", b"content")
    assert (tmp_path / "x").read_bytes() == b"content"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize(
    "content", ["[1]", '{"PATH": 5}', '{"PATH": []}', '{"PATH": [1,2,3,4,5]}', "[" * 100_000, "\x00", "5"]
)
def test_a_memory_of_checksums_that_is_not_one_is_made_again(tmp_path, content):
    raw, memory = tmp_path / "raw", tmp_path / "digests.json"
    raw.write_bytes(b"x")
    memory.write_text(content.replace("PATH", str(raw)))
    assert known_digests([raw], memory) == [file_digest(raw)]
    assert list(json.loads(memory.read_text())) == [str(raw)]


def test_words_from_outside_are_made_printable():
    assert printable("a\x1b[2J\u202eb\r\n\tc\ud800") == "a\\x1b[2J\\u202eb\\r\n\tc\\ud800"
    assert one_line("a\nb\u2028\u200b") == "a\\nb\\u2028\\u200b"
    assert printable("naïve \u0645\u06cc\u200c\u062e 👨\u200d👩") == "naïve \u0645\u06cc\u200c\u062e 👨\u200d👩"
    error = TrmlError("x\x1b[31m", expected="\x1b[2J", command="trml check \u202e")
    assert str(error) == "x\\x1b[31m; expected \\x1b[2J. Next: trml check \\u202e"
    assert failure(error).words("trml") == "trml: x\\x1b[31m\nExpected \\x1b[2J\ntrml check \\u202e"


def test_errors_that_nobody_foresaw_are_printable(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    for verb, error in (("experiments", ValueError("\x1b[2J" + "x" * 5000)), ("corpus", KeyError("\x1b[2J\u202e"))):
        monkeypatch.setattr("trml.cli.main._run", Mock(side_effect=error))
        code, out, err = ended(capsys, verb)
        assert code == Code.BUG
        assert not {"\x1b", "\u202e"} & {*out, *err}
        assert len(err.splitlines()[-2]) < 600


@given(text=st.text(max_size=20))
@settings(max_examples=200, deadline=None, suppress_health_check=BUSY)
def test_a_word_of_a_command_is_printable(text):
    word = shell_word(text)
    assert word.isprintable()
    assert printable(word) == word


def test_what_a_path_is(tmp_path):
    (tmp_path / "x").write_bytes(b"")
    (tmp_path / "link").symlink_to("x")
    assert not_a_file(tmp_path / "x") is None is not_a_file(tmp_path / "link")
    assert not_a_file(tmp_path) == "is a folder"
    assert not_a_file(tmp_path / "y") == "is missing"
    assert "cannot be opened" in str(not_a_file(tmp_path / ("y" * 300)))
    assert "cannot be opened" in str(not_a_file(tmp_path / "\0"))


NUMBERS = [True, -1, 0, 10**30, 0.5, float("nan"), float("inf")]
TEXTS = ["", "x" * 5000, "\ud800", "\x1b[2J", "${x}"]
JUNK = st.sampled_from([None, *NUMBERS, *TEXTS, [], [[]], {}, {"kind": "own"}])


@given(data=st.data(), value=JUNK)
@settings(max_examples=40, deadline=None, suppress_health_check=[*BUSY, HealthCheck.function_scoped_fixture])
def test_any_value_at_any_key_is_taken_or_named(default_raw, data, value):
    raw = copy.deepcopy(default_raw)
    node = raw
    while True:
        key = data.draw(st.sampled_from(sorted(node)))
        if not isinstance(node[key], dict) or not node[key] or data.draw(st.booleans()):
            break
        node = node[key]
    node[key] = value
    try:
        check(raw, "params.yaml")
    except ConfigError as fault:
        lines = str(fault).splitlines()
        assert all(line.startswith("params.yaml: ") and line.isprintable() for line in lines)
        assert max(map(len, lines)) < 1500
