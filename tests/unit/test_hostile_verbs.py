"""Words of a command line, and folders, that a verb must not obey, follow or wait for."""

import pytest

from helpers.command import ended


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
