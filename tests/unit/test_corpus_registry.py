"""Every corpus states its own facts, and one in an extension package needs no other edit."""

import importlib
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from conftest import ROOT
from helpers.extension import extension
from trml.base.errors import ConfigError, ContractError, DataMissing
from trml.base.modules import module_file
from trml.corpora import registry
from trml.corpora.checking.check import check
from trml.corpora.checking.user_table import Stated
from trml.corpora.common.config import CorpusConfig
from trml.corpora.contract import read_corpus
from trml.missing.modalities import in_order

SHIPPED = registry.shipped(ROOT / "config")

CONFIG = """
from pathlib import Path
from typing import ClassVar, Literal

from pydantic.dataclasses import dataclass

from trml.base.fields import Count, Name, strict
from trml.corpora.common.config import CorpusConfig


@dataclass(config=strict)
class MineConfig(CorpusConfig):
    kind: Literal["mine"] = "mine"
    name: Name = "mine"
    folder: str = "mine"
    repeat: Count = 2

    modalities = ("text", "vision")
    packages: ClassVar[tuple[str, ...]] = ("polars",)

    def raw_files(self, data: Path) -> list[Path]:
        return [data / self.folder / "lines.txt"]
"""
BUILD = """
import polars as pl

from trml.corpora.contract import SPLITS, CorpusInfo, write_corpus


def build(config, data, folder, digest, workers):
    (path,) = config.raw_files(data)
    texts = path.read_text().splitlines() * config.repeat
    n = len(texts)
    names = [str(i) for i in range(n)]
    table = pl.DataFrame({
        "utterance_id": names, "video_id": names, "split": [SPLITS[i % 3] for i in range(n)], "text": texts,
        "clip": [None] * n, "start_s": [None] * n, "end_s": [None] * n, "label": [i % 7 - 3 for i in range(n)],
    }, schema_overrides={"clip": pl.String})
    info = CorpusInfo(config.name, "Mine", "regression", [], "made by a test", "none", "files", [], digest)
    write_corpus(folder, info, table)
"""


@pytest.mark.parametrize("name", SHIPPED)
def test_every_corpus_states_its_facts(name):
    config = SHIPPED[name]
    assert config.name == name
    assert registry.kinds()[config.kind] is type(config)
    assert config.brings in ("media", "features")
    assert tuple(in_order(config.modalities)) == tuple(config.modalities)
    assert module_file(registry.builder(config)) is not None
    assert {"kind", "name"} <= set(config.recipe()) <= set(asdict(config))
    assert config.forms()[0] == config
    assert "results" in config.command("x") and "x" in config.command("x")


def test_addresses_and_terms_decide_no_bytes():
    config = SHIPPED["meld"]
    assert replace(config, sources=[], terms=replace(config.terms, text="others")).recipe() == config.recipe()
    assert replace(config, task="emotion").recipe() != config.recipe()


def test_what_brings_features_and_what_is_published():
    assert {name for name, config in SHIPPED.items() if config.brings == "features"} == {"arrays", "mosi"}
    published = {name: config.published_as for name, config in SHIPPED.items()}
    assert (published["cmu_mosi"], published["cmu_mosei"], published["pantomime"]) == ("CMU-MOSI", "CMU-MOSEI", None)
    assert SHIPPED["pantomime"].command("x") == "make results EXPERIMENT=x"
    assert SHIPPED["own"].command("x") == "snakemake --cores all --config params=results/x/params.yaml"


def test_only_fetched_corpora_are_unfetched(tmp_path):
    assert {name for name, config in SHIPPED.items() if config.unfetched(tmp_path)} == {
        "cmu_mosi", "cmu_mosei", "meld",
    }  # fmt: skip


def test_shipped_corpora_have_one_source_of_their_values():
    """dvc composes config/ too, and knows only files: a default in a class would say a value twice."""
    assert registry.defaults() == {}


@pytest.fixture
def mine(tmp_path):
    """An extension package with a corpus, as the scan of this process finds it."""
    with extension(tmp_path / "package", {"corpora/mine/config.py": CONFIG, "corpora/mine/build.py": BUILD}):
        importlib.reload(registry)
        yield tmp_path
    importlib.reload(registry)


def test_a_corpus_in_an_extension_package_needs_no_other_edit(mine):
    assert registry.defaults() == {"mine": {"kind": "mine", "name": "mine", "folder": "mine", "repeat": 2}}
    config = registry.shipped(ROOT / "config")["mine"]
    assert isinstance(config, CorpusConfig)
    assert registry.builder(config) == "trml_scratch.corpora.mine.build"
    with pytest.raises(DataMissing, match=r"lines\.txt is missing"):
        registry.require_files(config, config.raw_files(mine))
    (mine / "mine").mkdir()
    (mine / "mine/lines.txt").write_text("one\ntwo\nthree\nfour\n")
    registry.require_files(config, config.raw_files(mine))
    (mine / "built").mkdir()
    registry.build_corpus(config, mine, mine / "built", "x", 1)
    assert read_corpus(mine / "built")[1].height == 8


def test_a_corpus_in_an_extension_package_is_checked(mine, monkeypatch):
    monkeypatch.setattr("trml.corpora.checking.check.shipped", registry.shipped)
    folder = mine / "data" / "mine"
    folder.mkdir(parents=True)
    (folder / "lines.txt").write_text("one\ntwo\nthree\n")
    lines, sound = check(folder, Stated(), ROOT / "config")
    assert sound
    assert lines[0] == f"{folder} holds the raw files of corpus mine (kind mine)"
    assert lines[-1].strip() == f"make results EXPERIMENT=mine DATA={mine / 'data'}"


def test_a_fault_of_a_builder_is_a_fault_of_the_raw_files(mine):
    config = registry.shipped(ROOT / "config")["mine"]
    (mine / "mine").mkdir()
    (mine / "mine/lines.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ContractError, match="corpus mine: its raw files do not have the expected form"):
        registry.build_corpus(config, mine, mine, "x", 1)


def test_two_corpora_of_one_kind_are_refused(tmp_path):
    files = {f"corpora/{name}/config.py": CONFIG for name in ("mine", "yours")}
    with extension(tmp_path, files):
        registry.kinds.cache_clear()
        with pytest.raises(ConfigError, match=r"kind 'mine' is defined in trml_scratch\.corpora\.mine\.config and"):
            registry.kinds()
    registry.kinds.cache_clear()


def test_a_file_of_config_that_is_no_corpus_is_refused(tmp_path):
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "x.yaml").write_text("kind: nothing")
    with pytest.raises(ConfigError, match=r"x\.yaml is not the configuration of a corpus"):
        registry.shipped(Path(tmp_path))
