"""From words to a configuration: whatever characters a value has, it stays a value."""

import re
import shlex

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from conftest import ROOT
from helpers.command import ended
from trml.base.errors import CommandError, ConfigError, DataMissing
from trml.cli.composing import Asked
from trml.cli.ending import Code
from trml.config.compose import _literal, compose

SETTINGS = (ROOT / "params.yaml").read_text()
VALUES = [
    "it's",
    'a b"c',
    "; touch x; true",
    "$(touch x)",
    "a,b",
    "${name}",
    "back\\slash",
    "end\\",
    "{a: 1}",
    "~",
    "ü",
    "#x",
]


@pytest.mark.parametrize("value", VALUES)
def test_a_folder_is_taken_as_it_is_written(value, monkeypatch):
    monkeypatch.chdir(ROOT)
    for asked in (Asked.of(["mosi"], value, {}), Asked.of(["mosi"], None, {"TRML_RUN_DATA": value})):
        assert yaml.safe_load(asked.text())["data"] == value
        words = shlex.split(asked.command("run"))
        assert words == ["trml", "run", "mosi", "--data", value]


@pytest.mark.parametrize("value", VALUES)
def test_no_name_of_an_experiment_is_more_than_a_name(value, monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    with pytest.raises(CommandError, match="there is no experiment"):
        Asked.of([], None, {"TRML_RUN_EXPERIMENT": value}).text()


def test_words_of_make_are_split_as_a_shell_splits_them_and_never_run():
    given = {
        "TRML_RUN_SET": "training.epochs=3 'protocol.seeds=[1, 2]' ~datasets.untold; touch",
        "TRML_RUN_EXPERIMENT": "",
    }
    with pytest.raises(CommandError, match=r"two experiments|there is no"):
        Asked.of(["pantomime"], None, given)
    asked = Asked.of(["pantomime"], None, given | {"TRML_RUN_SET": given["TRML_RUN_SET"].removesuffix("; touch")})
    assert asked.overrides == ("training.epochs=3", "protocol.seeds=[1, 2]", "~datasets.untold")
    with pytest.raises(CommandError, match=r"SET is .*; expected settings as a shell quotes them"):
        Asked.of([], None, {"TRML_RUN_SET": "a='b"})


def test_settings_without_an_experiment_change_the_configuration_in_force(monkeypatch, tmp_path):
    """And nothing but these, whatever characters its texts have."""
    words = ["experiment=own", "training.epochs=7", "corpus.folder='a\\${b}'", "method=[trml,zero_fill]"]
    before = yaml.safe_load(compose(words, ROOT / "config"))
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(before))
    (tmp_path / "config").symlink_to(ROOT / "config")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRML_PARAMS", raising=False)

    def moved(*words):
        after = yaml.safe_load(Asked.of(words, None, {}).text())
        return {key: after.get(key) for key in before if after.get(key) != before[key]}

    assert moved("training.patience=3") == {"training": {**before["training"], "patience": 3}}
    assert moved("encoder=open_clip")["encoder"]["kind"] == "open_clip"
    assert list(moved("method=[zero_fill,mfm]")["methods"]) == ["zero_fill", "mfm"]
    assert moved("~datasets") == {"datasets": None}
    assert yaml.safe_load(Asked.of([], "../raw", {}).text()) == {**before, "data": "../raw"}
    assert yaml.safe_load(Asked.of(["own", "seed=2"], None, {}).text())["training"] != before["training"]
    with pytest.raises(ConfigError, match=r"trainin\.epochs is unknown; did you mean 'training\.epochs'"):
        moved("trainin.epochs=1")
    with pytest.raises(ConfigError, match=r"encoder=opn: no such choice; did you mean 'open_clip'"):
        moved("encoder=opn")


@given(st.text("ab\\$\u007b}'\"?: \u00fc", max_size=8))
def test_a_text_of_a_composed_configuration_refers_to_nothing(text):
    """As `${name}` in a folder's name: the composed file has it plainly."""
    config = OmegaConf.create(_literal({"name": "x", "ab": [text]}))
    assert OmegaConf.to_container(config, resolve=True) == {"name": "x", "ab": [text]}


def test_an_experiment_is_named_once_in_either_form(monkeypatch):
    monkeypatch.chdir(ROOT)
    for words in (["mosi", "seed=2"], ["experiment=mosi", "seed=2"]):
        asked = Asked.of(words, None, {})
        assert (asked.experiment, asked.overrides) == ("mosi", ("seed=2",))
        assert yaml.safe_load(asked.text())["name"] == "mosi"
    with pytest.raises(CommandError, match="two experiments, mosi and meld"):
        Asked.of(["mosi", "experiment=meld"], None, {})


def test_without_words_nothing_is_written_and_the_configuration_in_force_is_run(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRML_PARAMS", raising=False)
    assert Asked.of([], None, {}).write("run") == "params.yaml"
    assert Asked.of([], None, {}).command("run") == "trml run"
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(DataMissing, match="no config/experiment"):
        Asked.of(["pantomime"], None, {}).write("run")
    assert list(tmp_path.iterdir()) == []


def test_a_run_in_another_folder_has_its_own_file_and_the_same_data(monkeypatch, tmp_path):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "here/params.yaml").write_text(SETTINGS.replace("data: data", "data: ../raw"))
    path = Asked.of([], None, {}).write("run", tmp_path / "there")
    assert path == "work/params/default.yaml"
    assert yaml.safe_load((tmp_path / "there" / path).read_text())["data"] == str(tmp_path / "here/../raw")


def test_a_published_result_is_run_by_its_own_settings(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "results/pantomime_0123ab"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    (folder / "params.yaml").write_text(SETTINGS)
    asked = Asked.of(["pantomime_0123ab"], None, {})
    assert asked.text() == SETTINGS
    with pytest.raises(CommandError, match="whose settings stand"):
        Asked.of(["pantomime_0123ab", "seed=2"], None, {}).text()


STRANGE = {
    "octal": (b"seed: 010\n", "'010' is a number in one version of YAML and not in another"),
    "a key twice": (b"seed: 1\nseed: 2\n", "key 'seed' is there twice"),
    "latin-1": (b"name: caf\xe9\n", "line 1: byte 0xe9 is not UTF-8"),
    "digits": (b"seed: " + b"1" * 5001, "is a number in one version of YAML"),
    "deep": (b"[" * 5000, "nests deeper than 32"),
    "NUL": (b"a: \0", "it has the character"),
    "itself": (b"a: &a [1, *a]", "it holds itself"),
    "list": (b"[1]", "the configuration is [1]"),
    "nothing": (b"", "the configuration is None"),
    "no data": (re.sub(r"(?m)^data: .*\n", "", SETTINGS).encode(), "data"),
    "escapes": (SETTINGS.encode() + b'"\\e[2J": 1\n', "\\x1b[2J is unknown"),
}


@pytest.mark.parametrize("case", STRANGE)
def test_a_configuration_of_somebody_else_is_read_as_every_other(monkeypatch, tmp_path, capsys, case):
    content, words = STRANGE[case]
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "results/theirs"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    (folder / "params.yaml").write_bytes(content)
    theirs = "results/theirs/params.yaml"
    for command in (["run", "--params", theirs, "--into", tmp_path / "there"], ["run", "theirs", "--dry-run"]):
        code, out, err = ended(capsys, *command)
        assert code == Code.WRONG
        assert f"trml run: {theirs}" in err and words in err
        assert "\x1b" not in out + err
    assert not (tmp_path / "there/work/params").exists()
