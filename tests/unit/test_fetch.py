"""Fetching a corpus, without a server: terms, missing files, unpacking, and the sources in config/."""

import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from conftest import ROOT
from helpers.command import ended
from helpers.fetched import ARCHIVE, TABLE, TERMS, ZIP, brought, corpus
from trml.base.errors import ArchiveRefused, ConfigError, DataMissing, FetchFailed
from trml.cli.main import main
from trml.config.compose import compose
from trml.config.load import check
from trml.corpora.meld.config import MeldConfig
from trml.sources.fetching import fetch as fetching
from trml.sources.fetching.config import FetchedCorpus
from trml.sources.fetching.fetch import fetch, steps
from trml.sources.fetching.terms import known_terms
from trml.sources.formats.archives import unpack

CORPORA = ("cmu_mosi", "cmu_mosei", "meld", "mvsa_single")


@pytest.fixture(autouse=True)
def _online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRML_OFFLINE", raising=False)


def test_a_half_unpacked_archive_is_not_taken_for_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, times = corpus(ARCHIVE), []

    def killed(archive: Path, folder: Path) -> None:
        times.append(archive)
        unpack(archive, folder)
        if len(times) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr("trml.sources.formats.archives.unpack", killed)
    brought(tmp_path, "made.zip")
    with pytest.raises(KeyboardInterrupt):
        fetch(config, tmp_path)
    assert config.unfetched_sources(tmp_path) == [ARCHIVE]
    fetch(config, tmp_path)
    assert (len(times), config.unfetched_sources(tmp_path)) == (2, [])


@pytest.mark.parametrize(
    ("there", "lacks"),
    [
        ([], True),
        (["Raw/Video/a.mp4"], True),
        (["Raw/Video/a.mp4", "Raw/Text/a.txt"], False),
        (["Raw/Video/a.mp4", "Raw/Text/a.txt", "made.zip"], True),
        (["Raw/Video/a.mp4", "Raw/Text/a.txt", "made.zip", "made.zip.unpacked"], False),
        (["Raw/Video/a.mp4", "Raw/Text/a.txt", "made.zip.unpacking"], True),
        (["made.zip.unpacked"], True),
        (["made.zip.part", "made.zip.part.json"], True),
    ],
)
def test_what_counts_as_there(tmp_path: Path, there: list[str], lacks: bool) -> None:
    brought(tmp_path, *there)
    assert corpus(ARCHIVE).unfetched_sources(tmp_path) == [ARCHIVE] * lacks
    assert corpus(TABLE).unfetched_sources(tmp_path) == [TABLE]


def test_an_archive_of_another_layout_is_named(tmp_path: Path) -> None:
    config = corpus(replace(ARCHIVE, gives=["Raw/Video/*.mp4", "Raw/Other/*.txt"]))
    brought(tmp_path, "made.zip")
    with pytest.raises(FetchFailed, match=r"there is no Raw/Other/\*\.txt in .*made; expected the layout"):
        fetch(config, tmp_path)
    assert config.unfetched_sources(tmp_path) == config.sources


def test_a_refused_archive_can_be_fetched_anew(tmp_path: Path) -> None:
    brought(tmp_path, "made.zip")
    (tmp_path / "made/made.zip").write_bytes(ZIP[: len(ZIP) // 2])
    with pytest.raises(ArchiveRefused, match=r"made\.zip .*\. To fetch it again, remove .*sources\.lock"):
        fetch(corpus(ARCHIVE), tmp_path)


def test_what_was_brought_needs_no_acceptance(tmp_path: Path) -> None:
    brought(tmp_path, "made.csv", "made.zip")
    fetch(corpus(TABLE, ARCHIVE), tmp_path, offline=True)
    assert corpus(TABLE, ARCHIVE).unfetched_sources(tmp_path) == []


def test_offline_names_all_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRML_OFFLINE", "1")
    with pytest.raises(DataMissing) as caught:
        fetch(corpus(TABLE, ARCHIVE), tmp_path)
    assert f"{tmp_path / 'made/made.csv'} is missing (from http://host.invalid/made.csv)" in str(caught.value)
    assert f"{tmp_path / 'made/made.zip'} is missing" in str(caught.value)


def test_room_is_looked_for_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = fetching.shutil.disk_usage(tmp_path)._replace(free=25 * 10**8)
    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(FetchFailed, match=r"corpus made needs about 2\.0 GB, and 1\.1 GB must stay free"):
        fetch(corpus(replace(ARCHIVE, size=10**9)), tmp_path, ["mosi"])


def test_meld_without_vision_needs_no_archive(tmp_path: Path) -> None:
    config = MeldConfig("made", "made", "none", TERMS, [TABLE, ARCHIVE], "meld", "sentiment", False)
    assert config.unfetched_sources(tmp_path) == [TABLE]
    assert not any("made.zip" in line for line in steps(config, tmp_path))


# --- config/ and the verbs -------------------------------------------------------------------------------


def composed(name: str) -> FetchedCorpus:
    config = check(yaml.safe_load(compose([f"corpus={name}"], ROOT / "config"))).corpus
    assert isinstance(config, FetchedCorpus)
    return config


@pytest.mark.parametrize("name", CORPORA)
def test_the_sources_in_config(name: str) -> None:
    config = composed(name)
    assert config.name == config.kind == config.folder == name
    for source in config.sources:
        assert "/" not in source.file
        assert bool(source.gives) == source.file.endswith((".zip", ".tar.gz"))
        for url in source.urls:
            assert urlsplit(url).scheme in ("http", "https")
            assert url.endswith(f"/{source.file}")


def test_the_checksums_of_meld_are_the_known_ones() -> None:
    folds = ROOT.parent / "shared" / "data" / "folds" / "meld.json"
    if not folds.is_file():
        pytest.skip(f"{folds} is not there")
    found = {source.file: source.sha256 for source in composed("meld").sources if not source.gives}
    assert found == json.loads(folds.read_text())["sha256"]


def test_accept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("TRML_PARAMS", str(tmp_path / "none.yaml"))
    main(["accept", "meld", "--data", str(tmp_path)])
    said = capsys.readouterr().out
    assert "GPL-3.0" in said
    assert "accepted; recorded in" in said
    main(["accept", "--data", str(tmp_path)])
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if "accepted)" in line]
    assert sorted(lines) == [
        ["meld", "(accepted)"],
        *([name, "(not", "accepted)"] for name in ("mosei", "mosi", "mvsa")),
    ]
    main(["accept", "mvsa_single", "--data", str(tmp_path)])  # a corpus's own name
    assert set(json.loads((tmp_path / "terms.json").read_text())) == {"meld", "mvsa"}
    code, _, err = ended(capsys, "accept", "moseii", "--data", tmp_path)
    assert (code, "there are no terms 'moseii'; did you mean 'mosei'" in err) == (2, True)
    (tmp_path / "terms.json").write_text("[")
    code, _, err = ended(capsys, "accept", "--data", tmp_path)
    assert (code, "terms.json is damaged" in err) == (3, True)


def test_terms_of_a_broken_configuration(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    with pytest.raises(ConfigError, match="has no corpus with terms"):
        known_terms(tmp_path)
    (tmp_path / "corpus" / "bad.yaml").write_text("terms: {text: none}")
    with pytest.raises(ConfigError, match=r"bad\.yaml: its terms cannot be read"):
        known_terms(tmp_path)


def test_the_verb_fetch(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    params = tmp_path / "params.yaml"
    params.write_text(compose(["corpus=cmu_mosi", f"data='{tmp_path}'"], ROOT / "config"))
    main(["fetch", "--params", str(params), "--dry-run"])
    assert "CMU_MOSI_Opinion_Labels.csd: to be fetched from immortal.multicomp.cs.cmu.edu (674.7 kB)" in (
        capsys.readouterr().out
    )
    code, _, err = ended(capsys, "fetch", "--params", params)
    assert (code, "trml fetch: corpus cmu_mosi has terms" in err) == (3, True)
    assert err.endswith(f"Accept them: trml fetch cmu_mosi --data {tmp_path} --accept-terms\n")
    code, _, err = ended(capsys, "fetch", "--params", params, "--offline")
    assert (code, "CMU_MOSI.zip is missing" in err) == (3, True)
    params.write_text(compose([], ROOT / "config"))
    main(["fetch", "--params", str(params)])
    assert "has no corpus that can be fetched" in capsys.readouterr().out


def test_tables_that_lie_beside_the_clips_of_meld_are_there(tmp_path: Path) -> None:
    names = ["train_sent_emo.csv", "dev_sent_emo.csv", "test_sent_emo.csv"]
    tables = [replace(TABLE, file=name) for name in names]
    config = MeldConfig(
        "meld",
        "meld",
        "none",
        TERMS,
        [*tables, replace(ARCHIVE, gives=["MELD.Raw/*/*.mp4"])],
        "meld",
        "sentiment",
        True,
    )
    assert config.unfetched_sources(tmp_path) == config.sources
    for name in [*names, "train_splits/dia0_utt0.mp4"]:
        path = tmp_path / "meld/MELD.Raw" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert config.unfetched_sources(tmp_path) == []
    fetch(config, tmp_path, offline=True)


def test_whole_videos_are_looked_for_in_place_of_cut_ones(tmp_path: Path) -> None:
    archive = replace(ARCHIVE, gives=["Raw/Video/Segmented/*.mp4", "Raw/Text/*.txt"])
    config = replace(corpus(TABLE, archive), clips="full")
    assert [source.gives for source in config.wanted(tmp_path)] == [[], ["Raw/Video/Full/*.mp4", "Raw/Text/*.txt"]]
    assert corpus(TABLE, archive).wanted(tmp_path) == [TABLE, archive]
