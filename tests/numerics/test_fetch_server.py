"""Fetching a corpus from a server on loopback."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import ROOT
from helpers.faulty_server import file, serving, status
from helpers.fetched import ARCHIVE, TABLE, ZIP, corpus
from trml.base.errors import FetchFailed, TermsNotAccepted
from trml.sources.fetching.fetch import fetch
from trml.sources.fetching.terms import accept


@pytest.fixture(autouse=True)
def _online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRML_OFFLINE", raising=False)


def test_a_corpus_is_fetched_and_unpacked_once(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    with serving() as server:
        archive = replace(ARCHIVE, urls=[server.at("/zip", file(ZIP))], size=len(ZIP))
        config = corpus(replace(TABLE, urls=[server.at("/csv", file(b"a,b\n1,2\n"))]), archive)
        fetch(config, tmp_path, ["mosi"])
        assert (tmp_path / "made/Raw/Video/a.mp4").read_text() == "Raw/Video/a.mp4"
        assert sorted(json.loads((tmp_path / "sources.lock").read_text())) == ["made/made.csv", "made/made.zip"]
        assert config.unfetched_sources(tmp_path) == []
        said = capsys.readouterr().err
        assert f"corpus made, in {tmp_path / 'made'}:" in said
        assert f"made.zip: to be fetched from 127.0.0.1 ({len(ZIP)} bytes), to be unpacked" in said
        (tmp_path / "made/made.zip").unlink()
        fetch(config, tmp_path)
        assert len(server.asked) == 2
        assert "made.zip: present" in capsys.readouterr().err


def test_terms_come_first(tmp_path: Path) -> None:
    with serving() as server:
        config = corpus(replace(TABLE, urls=[server.at("/csv", file(b"a,b\n"))]))
        with pytest.raises(
            TermsNotAccepted, match=r"Only for research\.\nhttp.*\nAccept them: trml fetch .* --accept-terms"
        ):
            fetch(config, tmp_path)
        assert server.asked == []
        terms = accept("mosi", tmp_path, ROOT / "config")
        with pytest.raises(TermsNotAccepted):  # of another text
            fetch(config, tmp_path)
        fetch(replace(config, terms=terms), tmp_path)
        assert len(server.asked) == 1


def test_a_message_names_the_configuration_in_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRML_PARAMS", "work/params/paper.yaml")
    with serving() as server:
        config = corpus(replace(TABLE, urls=[server.at("/csv", status(404))]))
        with pytest.raises(FetchFailed, match=r"Try again later: trml fetch --params work/params/paper\.yaml"):
            fetch(config, tmp_path, ["mosi"])
