"""Every corpus states its own facts, and one in an extension package needs no other edit."""

import importlib
import re
from dataclasses import asdict, replace
from pathlib import Path

import polars as pl
import pytest

from conftest import ROOT
from helpers.extension import extension
from helpers.own_data import png
from trml.base.errors import ConfigError, ContractError, DataMissing
from trml.base.modules import module_file
from trml.corpora import registry
from trml.corpora.checking.check import check
from trml.corpora.checking.user_table import Stated
from trml.corpora.common.config import CorpusConfig
from trml.corpora.contract import read_corpus
from trml.missing.modalities import in_order

SHIPPED = registry.shipped(ROOT / "config")

GUIDE = (ROOT / "docs/adding_a_corpus.md").read_text()
CONFIG, BUILD = re.findall(r"^```python\n(.*?)^```$", GUIDE, re.S | re.M)


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
def reviews(tmp_path):
    """Return a data folder with the corpus of the guide, which is in an extension package as the guide has it."""
    files = {"corpora/reviews/config.py": CONFIG, "corpora/reviews/build.py": BUILD}
    with extension(tmp_path / "package", files, name="trml_mylab"):
        importlib.reload(registry)
        folder = tmp_path / "data" / "reviews"
        (folder / "photos").mkdir(parents=True)
        for i in range(0, 9, 2):
            (folder / f"photos/{i}.jpg").write_bytes(png((32, 32)))
        columns = {
            "id": list(range(9)),
            "customer": [i // 2 for i in range(9)],
            "split": ["train", "train", "train", "train", "valid", "valid", "test", "test", "test"],
            "text": [f"product {i}" for i in range(9)],
            "stars": [i % 5 + 1 for i in range(9)],
        }
        pl.DataFrame(columns).write_csv(folder / "reviews_en.csv")
        yield tmp_path / "data"
    importlib.reload(registry)


def test_a_corpus_in_an_extension_package_needs_no_other_edit(reviews, tmp_path):
    values = {"kind": "reviews", "name": "reviews", "folder": "reviews", "language": "en"}
    assert registry.defaults() == {"reviews": values}
    config = registry.shipped(ROOT / "config")["reviews"]
    assert isinstance(config, CorpusConfig)
    assert registry.builder(config) == "trml_mylab.corpora.reviews.build"
    with pytest.raises(DataMissing, match=r"reviews_de\.csv is missing"):
        german = replace(config, language="de")
        registry.require_files(german, german.raw_files(reviews))
    registry.require_files(config, config.raw_files(reviews))
    (tmp_path / "built").mkdir()
    registry.build_corpus(config, reviews, tmp_path / "built", "x", 1)
    info, table = read_corpus(tmp_path / "built")
    assert info.modalities == ["text", "vision"]
    assert table["label"].to_list()[:5] == [-3, -1.5, 0, 1.5, 3]
    assert table["clip"].null_count() == 4


def test_a_corpus_in_an_extension_package_is_checked(reviews, monkeypatch):
    monkeypatch.setattr("trml.corpora.checking.check.shipped", registry.shipped)
    report = check(reviews / "reviews", Stated(), ROOT / "config")
    lines, sound = report.lines, report.is_sound
    assert sound
    assert lines[0] == f"{reviews / 'reviews'} holds the raw files of corpus reviews (kind reviews)"
    assert any("5 are pictures" in line for line in lines)
    command = f"trml compose corpus=reviews encoder=classical name=reviews data={reviews} && make results"
    assert lines[-1].strip() == command


def test_a_fault_of_a_builder_is_a_fault_of_the_raw_files(reviews, tmp_path):
    config = registry.shipped(ROOT / "config")["reviews"]
    (reviews / "reviews/reviews_en.csv").write_text("id,stars\n1,2\n")
    with pytest.raises(ContractError, match="corpus reviews: its raw files do not have the expected form"):
        registry.build_corpus(config, reviews, tmp_path, "x", 1)


def test_two_corpora_of_one_kind_are_refused(tmp_path):
    files = {f"corpora/{name}/config.py": CONFIG for name in ("reviews", "others")}
    with extension(tmp_path, files):
        registry.kinds.cache_clear()
        with pytest.raises(ConfigError, match=r"'reviews' is defined in trml_scratch\.corpora\.others\.config and"):
            registry.kinds()
    registry.kinds.cache_clear()


def test_a_file_of_config_that_is_no_corpus_is_refused(tmp_path):
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "x.yaml").write_text("kind: nothing")
    with pytest.raises(ConfigError, match=r"x\.yaml is not the configuration of a corpus"):
        registry.shipped(Path(tmp_path))
