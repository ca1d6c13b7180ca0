"""Words of a command line, and folders, that a verb must not obey, follow or wait for."""

import errno
import os
import shutil
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from helpers.command import ended
from trml.base.errors import CommandError, ContractError, StoreError
from trml.cli.ending import failure
from trml.cli.predicting import _print_csv
from trml.cli.sharing import labelled
from trml.evaluation.config import Card
from trml.planning.attic import entries, rested_on
from trml.planning.bundle import export
from trml.training.store import cells_of


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    """Run in a folder of one's own."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("verb", ["show", "verify"])
@pytest.mark.parametrize("commit", ["--output={}", "--output={}^{{commit}}", "--exec=touch {}", "-o{}"])
def test_a_commit_is_no_option_of_git(tmp_path, capsys, verb, commit):
    precious = tmp_path / "precious"
    precious.write_text("content")
    code, _, err = ended(capsys, verb, f"x@{commit.format(precious)}")
    assert (code, precious.read_text()) == (3, "content")
    assert f"there is no commit {commit.format(precious)}" in err


@pytest.mark.parametrize("name", ["..", "../x", "/etc", "a/b", ""])
def test_a_result_of_a_commit_is_a_plain_name(capsys, name):
    code, _, err = ended(capsys, "show", f"{name}@HEAD")
    assert code == 3
    assert "is no name of results\nExpected NAME@COMMIT" in err


def test_a_commit_without_git(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "git is not installed" in ended(capsys, "show", "x@HEAD").err
    assert not [*tmp_path.iterdir()]


LONG = "n" * 300


@pytest.mark.parametrize(
    "words",
    [
        ["show", LONG],
        ["show", f"{LONG}@HEAD"],
        ["verify", LONG],
        ["cite", LONG],
        ["trace", f"{LONG}:main"],
        ["merge", LONG],
        ["export", LONG],
        ["submit", LONG],
        ["cite", "--params", LONG],
        ["gc", "--params", LONG],
        ["status", "--params", LONG],
    ],
)
def test_a_name_that_is_too_long_ends_in_words(capsys, words):
    code, _, err = ended(capsys, *words)
    assert code in (1, 2, 3)
    assert "a fault of trml" not in err


def test_a_configuration_in_force_with_a_long_name(monkeypatch, capsys):
    monkeypatch.setenv("TRML_PARAMS", LONG)
    for verb in ("show", "cite", "gc", "corpora"):
        code, _, err = ended(capsys, verb)
        assert code in (1, 2, 3), err


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (IsADirectoryError(errno.EISDIR, "Is a directory", "x"), "x cannot be opened (Is a directory)"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "x/y"), "x/y cannot be opened (Not a directory)"),
        (OSError(errno.ELOOP, "Too many levels of symbolic links", "x"), "x cannot be opened (Too many levels"),
        (OSError(errno.EIO, "Input/output error", b"x\xff"), "x\\udcff cannot be opened (Input/output error)"),
        (
            OSError(errno.ENAMETOOLONG, "File name too long", LONG),
            f"{'n' * 160}… cannot be opened (File name too long)",
        ),
        (shutil.Error([("a\x1b", "b", "[Errno 13] no")]), "a\\x1b cannot be copied ([Errno 13] no)"),
        (shutil.Error("no list"), "a file cannot be copied (no list)"),
    ],
)
def test_every_error_that_names_a_file_ends_in_words(error, words):
    found = failure(error)
    assert found.code == 3
    assert found.what.startswith(words)


def test_an_error_that_names_no_file_is_a_fault_of_ours():
    assert failure(OSError("no file")) is None


@pytest.mark.parametrize("verb", ["corpora", "methods", "encoders", "experiments"])
def test_lists_outside_a_checkout(capsys, verb):
    code, _, err = ended(capsys, verb)
    assert code == 3
    assert "checkout of trml" in err


def test_citing_outside_a_checkout(capsys):
    assert "params.yaml does not exist" in ended(capsys, "cite").err


def test_gc_looks_in_folders_of_work_alone(capsys):
    for name in ("nope", "../..", "\x1b[2J"):
        with pytest.raises(CommandError, match="is no folder of work/ to look in; expected of corpora, "):
            entries(Path("work"), [name])


@pytest.mark.parametrize("manifest", ["{}", "[]", "null", '{"digest": "x", "made_from": 3}', "x"])
def test_what_damaged_results_rest_on_is_unknown(tmp_path, manifest):
    (tmp_path / "results/x").mkdir(parents=True)
    (tmp_path / "results/x/manifest.json").write_text(manifest)
    with pytest.raises(ContractError, match=r"results/x/manifest\.json"):
        rested_on(Path("results"))


def test_a_stamp_has_no_cells(tmp_path):
    (tmp_path / "x.done").write_text("")
    assert cells_of(tmp_path / "x.done") == []


def archived(folder, **files):
    """Return the names of what an archive of a folder of results holds."""
    for name, content in files.items():
        (folder / name).write_text(content)
    export([], folder, Path("out.zip"))
    with zipfile.ZipFile("out.zip") as packed:
        return packed.namelist()


def test_an_archive_has_plain_names(tmp_path):
    (tmp_path / "brought").mkdir()
    (tmp_path / "clone").mkdir()
    for folder in (tmp_path / "brought", Path("brought"), Path("clone/../brought"), Path("brought/.")):
        assert archived(folder, params="x") == ["results/brought/params"]


@pytest.mark.parametrize(
    ("put", "kind"),
    [
        (lambda path: path.symlink_to("/etc/hosts"), "is a link"),
        (lambda path: path.symlink_to("/etc"), "is a link"),
        (os.mkfifo, "is a named pipe"),
    ],
)
def test_an_archive_packs_files_alone(tmp_path, put, kind):
    (tmp_path / "brought").mkdir()
    put(tmp_path / "brought/x")
    with pytest.raises(StoreError, match=f"brought/x {kind}; expected files, which alone are packed"):
        archived(Path("brought"))
    assert not Path("out.zip").exists()


@pytest.mark.parametrize("target", ["nodir/x.zip", "/proc/x.zip"])
def test_an_archive_that_cannot_be_written_is_named(tmp_path, target):
    (tmp_path / "brought").mkdir()
    with pytest.raises(StoreError) as caught:
        export([], Path("brought"), Path(target))
    assert ".part" not in str(caught.value)
    assert str(Path(target).parent) in str(caught.value)


@pytest.mark.parametrize("label", [LONG, "=cmd|\x1b[31m", "a\u202eb", ""])
def test_a_label_that_no_card_may_have(label):
    card = Card("Mine", "A", "B", "C", "dev", False)
    with pytest.raises(CommandError, match="expected a name for tables"):
        labelled(card, label)
    assert labelled(card, "My model").label == "My model"
    assert labelled(card, None) == card


def test_predicted_classes_and_given_cells_move_no_cursor(capsys):
    found = SimpleNamespace(label="po\x1b[31ms", value=0.5, spread=None, present=("text",), rests_on={}, base=0.25)
    models = SimpleNamespace(modalities=("text",), label_range=None)
    _print_csv([{"te\x1b[2Jxt": "a\x1b[2J"}], [found], models)
    assert capsys.readouterr().out.splitlines() == [
        r"te\x1b[2Jxt,prediction,probability,spread,present,rests_on_text,base",
        r"a\x1b[2J,po\x1b[31ms,0.500000,,text,,0.250000",
    ]
