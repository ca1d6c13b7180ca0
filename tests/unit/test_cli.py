"""The command: help in users' words, quick to start, and one line for every error that a user can fix."""

import errno

import polars as pl
import pytest

from conftest import ROOT
from trml.base.checkout import refuse_other_source
from trml.base.commands import fetch_again, in_force, remake, run_again
from trml.cli.main import main, parser

VERBS = parser()._subparsers._group_actions[0].choices


def says(capsys, *arguments):
    main(list(arguments))
    return capsys.readouterr().out


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_every_verb_is_a_sentence(verb, capsys):
    with pytest.raises(SystemExit) as end:
        main([verb, "--help"])
    assert end.value.code == 0
    words = capsys.readouterr().out
    assert "Args:" not in words and "Namespace" not in words
    summary = VERBS[verb].description.splitlines()[0]
    assert summary.endswith(".") and summary[0].isupper()


def test_help_of_the_command_names_every_verb_and_examples(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    words = capsys.readouterr().out
    assert all(f"    {verb} " in words for verb in VERBS)
    assert "examples:" in words and "snakemake --cores all" in words


def test_plan_lists_every_folder_once(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    lines = says(capsys, "plan").splitlines()
    assert [line.split()[0] for line in lines if not line.startswith("block")] == [
        *("corpus", "encoder", "features", "evaluation", "probes", "results"),
        *["evaluation"] * 2,  # of each regime, which has the rest in common
    ]
    assert all(line.endswith(("(done)", "(to do)")) for line in lines)


@pytest.mark.parametrize("verb", ["train --block x", "encode", "pretrain", "probe"])
def test_threads_are_no_option_of_what_computes(verb, capsys):
    """They are in the configuration, and in the names of what is computed."""
    with pytest.raises(SystemExit) as end:
        main([*verb.split(), "--threads", "2"])
    assert end.value.code == 2
    assert "--threads" in capsys.readouterr().err


def test_an_unknown_block_or_folder_is_named_with_the_next_command(monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("TRML_PARAMS", "params.yaml")
    with pytest.raises(SystemExit) as refusal:
        main(["train", "--block", "trml-000000000000"])
    assert "block trml-000000000000 is not in params.yaml" in refusal.value.code
    assert refusal.value.code.endswith("resume with: snakemake --cores all")
    with pytest.raises(
        SystemExit, match=r"work/corpora/other is no corpus folder of params.yaml; known are work/corpora/"
    ):
        main(["corpus", "--folder", "work/corpora/other"])
    with pytest.raises(SystemExit, match=r"--shard is 3-of-2; expected I-of-N"):
        main(["encode", "--shard", "3-of-2"])


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "full", "x"), "the disk is full; finished work is kept. Free some space"),
        (
            FileNotFoundError(errno.ENOENT, "no", "work/corpora/a/b"),
            "work/corpora/a/b is absent. Remove work/corpora/a",
        ),
        (FileNotFoundError(errno.ENOENT, "no", "data/x"), "data/x is absent. Put it there, or set data="),
        (
            PermissionError(errno.EACCES, "Permission denied", "results"),
            "results cannot be written (Permission denied)",
        ),
    ],
)
def test_errors_about_files_end_in_one_line(monkeypatch, error, words):
    def fail(_):
        raise error

    monkeypatch.setattr("trml.cli.configuration.plans_of", fail)
    with pytest.raises(SystemExit) as refusal:
        main(["plan"])
    assert refusal.value.code.startswith(f"trml plan: {words}")


def test_commands_name_the_configuration_in_force(monkeypatch):
    monkeypatch.delenv("TRML_PARAMS", raising=False)
    assert (run_again(), fetch_again()) == ("snakemake --cores all", "trml fetch")
    monkeypatch.setenv("TRML_PARAMS", "x")  # so that it is put back
    in_force("work/params/mosi.yaml")
    assert run_again() == "snakemake --cores all --config params=work/params/mosi.yaml"
    assert fetch_again() == "trml fetch --params work/params/mosi.yaml"
    assert remake("mosi", data=True) == "make results EXPERIMENT=mosi DATA=<folder of the corpora>"


def test_compose_says_what_a_run_can_find_out(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    output = ["--config", str(ROOT / "config"), "--output", str(tmp_path / "x.yaml")]
    words = says(capsys, "compose", "corpus.speakers.test=20", *output)
    assert "With 200 test utterances in 20 groups, a difference" in words and "with 3 seeds" in words
    assert "Too few seeds to compare methods: 2" in says(capsys, "compose", "protocol.seeds=[1,2]", *output)
    assert says(capsys, "compose", "experiment=mosi", *output).splitlines() == [f"wrote {tmp_path / 'x.yaml'}"]
    corpus = tmp_path / "work/corpora/mosi-0123456789ab"
    corpus.mkdir(parents=True)
    (corpus / "corpus.json").write_text('{"task": "regression"}')
    rows = {"video_id": [f"v{i // 10}" for i in range(300)], "split": ["test"] * 300}
    pl.DataFrame(rows).write_parquet(corpus / "utterances.parquet")
    assert "With 300 test utterances in 30 groups" in says(capsys, "compose", "experiment=mosi", *output)


def test_a_job_refuses_the_source_of_another_checkout(monkeypatch, tmp_path):
    monkeypatch.setenv("TRML_SOURCE", str(ROOT / "docs/../src"))
    refuse_other_source()
    other = tmp_path / "other/src"
    monkeypatch.setenv("TRML_SOURCE", str(other))
    with pytest.raises(SystemExit) as refusal:
        main(["plan"])
    assert f"has the trml of {ROOT / 'src'}; expected that of the Snakefile, {other}" in refusal.value.code
    assert refusal.value.code.endswith(f"-m pip install --no-deps --editable {other.parent}")
