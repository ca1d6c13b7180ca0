"""The command: help in users' words, quick to start, exit codes, slips and errors in three lines."""

import errno
import importlib
import json
import re
import shlex

import pytest

from conftest import ROOT
from helpers.command import ended, parses
from trml.base import errors
from trml.base.checkout import refuse_other_source
from trml.base.commands import AGAIN, fetch_again, in_force, remake, run_again
from trml.base.errors import TrmlError
from trml.cli.ending import MEANINGS, Code, failure
from trml.cli.group import command
from trml.cli.schemas import KINDS, checked
from trml.cli.verbs import HIDDEN, VERBS

PAGE = (ROOT / "docs/command.md").read_text()
SHOWN = [name for name, verb in VERBS.items() if verb.group != HIDDEN]


def test_the_help_names_every_verb_and_fits_80_columns(capsys):
    short, whole = (ended(capsys, *words).out for words in (["--help"], ["--help", "--all"]))
    assert max(map(len, short.splitlines())) <= 88
    for name, verb in VERBS.items():
        assert re.search(rf"\b{name}\b", whole)
        assert (re.search(rf"^ +(\w[\w ]+)? {name} .*", short, re.MULTILINE) is not None) == (
            verb.group not in (HIDDEN, "Look up")
        )
    assert ended(capsys).out == short == ended(capsys, "-h").out
    assert ended(capsys, "--version").out.startswith("trml ")


def test_the_verbs_are_those_of_the_docs_and_of_modules():
    """Laziness would hide a verb without a function."""
    listed = re.findall(r"^\| `(\w+)", PAGE.partition("## Verbs")[2].partition("\n## ")[0], re.MULTILINE)
    assert listed == SHOWN
    for name, verb in VERBS.items():
        assert callable(getattr(importlib.import_module(f"trml.cli.{verb.module}"), name))


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_every_verb_has_a_sentence_and_examples_that_parse(verb, capsys):
    code, words, _ = ended(capsys, verb, "--help")
    assert code == 0
    assert "Args:" not in words and "Namespace" not in words
    made = command(verb)
    summary = made.help.splitlines()[0]
    assert summary.endswith(".") and summary[0].isupper()
    options = words.partition("\n  examples:")[0]
    assert max(map(len, options.splitlines())) <= 80
    examples = [line for line in (made.epilog or "").splitlines() if re.match(r"  (trml|[A-Z_]+=\w+ trml) ", line)]
    assert examples or VERBS[verb].group == HIDDEN
    for line in examples:
        words = shlex.split(re.split(r"\s{2,}", line.strip())[0].partition(" > ")[0].partition(" && ")[0])
        parses(words[words.index("trml") + 1 :])


def test_commands_of_the_docs_parse():
    found = []
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for block in re.findall(r"^```\w*\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
            for line in block.splitlines():
                if match := re.match(r"(?:[A-Z_]+=\S+ )?trml ([a-z]+(?: .*)?)$", line):
                    words = shlex.split(re.split(r" && | > | \|", match[1])[0], comments=True)
                    parses(words)
                    found.append(words[0])
    assert {"run", "show", "compare", "trace", "verify", "check", "fetch", "robustness", "status"} <= set(found)


def test_the_exit_codes_of_the_docs_are_the_constants():
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", PAGE, re.MULTILINE)
    assert [(int(code), words) for code, words in rows] == [(int(code), words) for code, words in MEANINGS.items()]
    assert set(MEANINGS) == set(Code)


def test_the_documents_of_the_docs_are_the_schemas():
    listed = re.findall(r"^\| `(\w+)` \| ", PAGE.partition("## JSON")[2], re.MULTILINE)
    assert listed == list(KINDS)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TrmlError("x"), 1),
        (errors.ContractError("x"), 1),
        (errors.ConfigError("x"), 2),
        (errors.CommandError("x"), 2),
        (errors.DataMissing("x"), 3),
        (errors.TermsNotAccepted("x"), 3),
        (errors.FetchFailed("x"), 3),
        (errors.WeightsMissing("x"), 3),
        (errors.Interrupted("x"), 130),
        (OSError(errno.ENOSPC, "full", "x"), 3),
        (PermissionError(errno.EACCES, "denied", "x"), 3),
    ],
)
def test_every_error_has_its_exit_code(error, code):
    assert failure(error).code == code


@pytest.mark.parametrize(
    ("error", "lines"),
    [
        (
            TrmlError("params.yaml is absent in /x", expected="a configuration", command="trml compose"),
            ["params.yaml is absent in /x", "Expected a configuration", "trml compose"],
        ),
        (
            TrmlError("a/b.csv has no rows; expected one a clip. Check it again: trml check a"),
            ["a/b.csv has no rows", "Expected one a clip", "Check it again: trml check a"],
        ),
        (TrmlError("block x is unknown; known are a, b"), ["block x is unknown; known are a, b"]),
        (
            TrmlError("x.csv has faults:\n  line 2: 1 cell; expected 2\n  line 3: 1 cell; expected 2"),
            ["x.csv has faults:", "  line 2: 1 cell; expected 2", "  line 3: 1 cell; expected 2"],
        ),
        (
            errors.ConfigError("params.yaml: training.epocs is unknown; did you mean 'training.epochs'?"),
            [
                "params.yaml: training.epocs is unknown; did you mean 'training.epochs'?",
                "Settings: trml compose --keys training",
            ],
        ),
    ],
)
def test_an_error_says_what_was_expected_and_the_next_command(error, lines):
    assert failure(error).words("trml x").removeprefix("trml x: ").splitlines() == lines


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("verfy pantomime_full", "there is no verb 'verfy'; did you mean 'verify'?"),
        ("show --metod trml", "there is no option --metod; did you mean '--method'?"),
        ("run pantomine", "there is no experiment 'pantomine'; did you mean 'pantomime'?"),
        ("run --until trainig", "there is no stage 'trainig'; did you mean 'training'?"),
        ("run training.epocs=50", "training.epocs is unknown; did you mean 'training.epochs'?"),
        ("compose --keys trainin", "there is no setting trainin; did you mean 'training'?"),
        ("show pantomime_full mian", "no table or claim 'mian'; did you mean 'main'?"),
        ("show pantomime_full C11", "no table or claim 'C11'; did you mean 'C1'?"),
        ("show pantomime_full main --method trlm", "main has no method 'trlm'; did you mean 'trml'?"),
        ("show pantomime_full main --metric mea", "main has no metric 'mea'; did you mean 'mae'?"),
        ("show pantomime_full main --condition vison@0.5", "no condition 'vison@0.5'; did you mean 'vision@0.5'?"),
        ("show pantomime_ful main", "there are no results pantomime_ful: results/ has pantomime_full; did you mean"),
        ("trace mian/trml/vision@0.5", "has no table 'mian'; did you mean 'main'?"),
        ("methods zero_fil", "there is no method 'zero_fil'; did you mean 'zero_fill'?"),
        ("corpora mled", "there is no corpus 'mled'; did you mean 'meld'?"),
        ("encoders tiny_clipp", "there is no encoder 'tiny_clipp'; did you mean 'tiny_clip'?"),
        ("experiments stres", "there is no experiment 'stres'; did you mean 'stress'?"),
        ("fetch mled", "there is no corpus 'mled'; did you mean 'meld'?"),
        ("schema comparr", "there is no JSON document 'comparr'; did you mean 'compare'?"),
        ("run pantomime pantomime_full", "two experiments, pantomime and pantomime_full"),
        ("status --by day", "--by is 'day'"),
    ],
)
def test_a_slip_is_named_with_the_nearest_name(words, said, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    code, out, err = ended(capsys, *words.split())
    assert said in err
    assert out == ""
    assert code == (3 if "no results" in said else 1 if words.startswith("trace") else 2)


def test_an_error_with_json_is_one_document(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    code, out, err = ended(capsys, "show", "pantomime_full", "mian", "--json")
    document = json.loads(out)
    checked(document)
    assert (document["kind"], document["code"]) == ("error", code) == ("error", 2)
    assert document["what"] in err


def test_a_fault_of_ours_is_one_line_and_a_file(capsys, monkeypatch, tmp_path):
    def fail(_):
        raise ZeroDivisionError("by nothing")

    monkeypatch.chdir(tmp_path)
    (tmp_path / "work").mkdir()
    monkeypatch.setattr("trml.cli.watching.plans_of", fail)
    code, out, err = ended(capsys, "status")
    assert (code, out) == (70, "")
    file = re.search(r"a fault of trml \(ZeroDivisionError: by nothing\); its traceback is in (\S+)", err)[1]
    assert 'raise ZeroDivisionError("by nothing")' in (tmp_path / file).read_text()
    assert "Traceback" not in err


def test_a_fault_in_a_job_is_in_its_log(capsys, monkeypatch):
    def fail(_):
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr("trml.cli.training.plans_of", fail)
    code, _, err = ended(capsys, "train", "--block", "x")
    assert code == 70
    assert "Traceback" in err and err.splitlines()[-2].startswith("trml train: a fault of trml (ZeroDivisionError")


def test_plan_lists_every_folder_once(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    lines = ended(capsys, "plan").out.splitlines()
    assert [line.split()[0] for line in lines if not line.startswith("block")] == [
        *("corpus", "encoder", "features", "evaluation", "probes", "results"),
        *["evaluation"] * 2,  # of each regime, which has the rest in common
    ]
    assert all(line.endswith(("(done)", "(to do)")) for line in lines)
    assert ended(capsys, "status", "--folders").out.splitlines() == lines


@pytest.mark.parametrize("verb", ["train --block x", "encode", "pretrain", "probe"])
def test_threads_are_no_option_of_what_computes(verb, capsys):
    """They are in the configuration, and in the names of what is computed."""
    code, _, err = ended(capsys, *verb.split(), "--threads", "2")
    assert (code, "--threads" in err) == (2, True)


def test_an_unknown_block_or_folder_is_named_with_the_next_command(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("TRML_PARAMS", "params.yaml")
    code, _, err = ended(capsys, "train", "--block", "trml-000000000000")
    assert (code, "block trml-000000000000 is not in params.yaml" in err) == (2, True)
    assert err.endswith("resume with: snakemake --cores all\n")
    err = ended(capsys, "corpus", "--folder", "work/corpora/other").err
    assert "work/corpora/other is no corpus folder of params.yaml; known are work/corpora/" in err
    assert "--shard is 3-of-2\nExpected I-of-N" in ended(capsys, "encode", "--shard", "3-of-2").err


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "full", "x"), "the disk is full; finished work is kept\nFree some space"),
        (
            FileNotFoundError(errno.ENOENT, "no", "work/corpora/a/b"),
            "work/corpora/a/b is absent\nRemove work/corpora/a",
        ),
        (FileNotFoundError(errno.ENOENT, "no", "data/x"), "data/x is absent. Put it there, or set data="),
        (
            PermissionError(errno.EACCES, "Permission denied", "results"),
            "results cannot be written (Permission denied)",
        ),
        (OSError(errno.EROFS, "Read-only", "work"), "cannot create work in "),
    ],
)
def test_errors_about_files_end_in_words(capsys, monkeypatch, error, words):
    def fail(_):
        raise error

    monkeypatch.setattr("trml.cli.watching.plans_of", fail)
    code, _, err = ended(capsys, "status")
    assert (code, err.startswith(f"trml status: {words}")) == (3, True)


def test_outside_a_checkout_the_remedy_is_to_go_to_one(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRML_PARAMS", raising=False)
    code, _, err = ended(capsys, "status")
    assert (code, err.splitlines()[-1]) == (3, "cd <checkout> && trml run")


def test_commands_name_the_configuration_in_force(monkeypatch):
    monkeypatch.delenv("TRML_PARAMS", raising=False)
    monkeypatch.delenv(AGAIN, raising=False)
    assert (run_again(), fetch_again()) == ("snakemake --cores all", "trml fetch")
    monkeypatch.setenv("TRML_PARAMS", "x")  # so that it is put back
    in_force("work/params/mosi.yaml")
    assert run_again() == "snakemake --cores all --config params=work/params/mosi.yaml"
    assert fetch_again() == "trml fetch --params work/params/mosi.yaml"
    assert remake("mosi", data=True) == "make results EXPERIMENT=mosi DATA=<folder of the corpora>"
    monkeypatch.setenv(AGAIN, "trml run mosi --data ../data")
    assert run_again() == "trml run mosi --data ../data"


def test_compose_says_what_a_run_can_find_out(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    output = ["--config", str(ROOT / "config"), "--output", str(tmp_path / "x.yaml")]

    def says(*arguments):
        return ended(capsys, "compose", *arguments, *output).out

    words = says("corpus.speakers.test=20")
    assert "With 200 test utterances in 20 groups, a difference" in words and "with 3 seeds" in words
    assert "Too few seeds to compare methods: 2" in says("protocol.seeds=[1,2]")
    assert says("experiment=mosi").splitlines() == [f"wrote {tmp_path / 'x.yaml'}"]


def test_options_take_several_values_in_a_row(capsys, monkeypatch):
    """As dvc.yaml writes them: `gc --aside --only encoders features`."""
    seen = {}

    def unreachable(plans, only, work):
        seen["only"] = only
        return []

    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("trml.cli.cleaning.plans_of", lambda _: [])
    monkeypatch.setattr("trml.planning.attic.unreachable", unreachable)
    assert ended(capsys, "gc", "--aside", "--only", "encoders", "features", "--dry-run").code == 0
    assert seen["only"] == ["encoders", "features"]


def test_a_job_refuses_the_source_of_another_checkout(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("TRML_SOURCE", str(ROOT / "docs/../src"))
    refuse_other_source()
    other = tmp_path / "other/src"
    monkeypatch.setenv("TRML_SOURCE", str(other))
    _, _, err = ended(capsys, "plan")
    assert f"has the trml of {ROOT / 'src'}" in err
    assert err.endswith(f"-m pip install --no-deps --editable {other.parent}\n")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("text,clip\nhello,../outside.png\n", "line 2: clip '../outside.png' leads out of the folder"),
        ("text,clip\nhello,/etc/hostname\n", "line 2: clip '/etc/hostname' leads out of the folder"),
        ("text,clip\nhello,absent.png\n", "line 2: clip 'absent.png' does not exist"),
        ("text,clip\nhello,a.mp4#t=x\n", "clip 'a.mp4#t=x': expected seconds after #t="),
        ("text,clip\na,\n,\n", "line 3: there is neither text nor clip"),
        ("texts\na\n", "posts.csv has the columns texts"),
        ("text\ncaf\xe9\n".encode("latin-1"), "line 2: byte 0xe9 is not UTF-8"),
        ("text,text\na,b\n", "column 'text' is listed twice"),
    ],
)
def test_a_table_to_predict_for_is_checked_before_a_model_is_loaded(tmp_path, capsys, content, words):
    path = tmp_path / "posts.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    code, _, err = ended(capsys, "predict", "--csv", path)
    assert code in (1, 2, 3)
    assert words in err
