"""What is cited: every component's publications once, licences and terms, and this project."""

import ast
import json
import re
import sys

import bibtexparser
import jsonschema
import pytest
import yaml

from conftest import ROOT
from helpers.command import ended
from trml import __version__
from trml.base.errors import ContractError
from trml.config.compose import compose
from trml.corpora.registry import shipped
from trml.planning import bibliography
from trml.planning.bibliography import cited, origin_of

FILES = sorted((ROOT / "src/trml").rglob("*.bib"))


@pytest.fixture(scope="module")
def citation():
    return yaml.safe_load((ROOT / "CITATION.cff").read_text())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_of_publications_is_bibtex_with_what_a_reader_needs(path):
    library = bibtexparser.parse_string(path.read_text())
    assert not library.failed_blocks and library.entries
    for entry in library.entries:
        fields = {field.key: field.value for field in entry.fields}
        assert {"author", "title", "year"} <= fields.keys(), entry.key
        assert 1900 < int(fields["year"]) < 2100


def test_a_key_means_one_entry():
    known = {}
    for path in FILES:
        for entry in bibtexparser.parse_string(path.read_text()).entries:
            assert known.setdefault(entry.key, entry.raw) == entry.raw, path


def test_every_file_is_beside_a_component_of_its_name():
    """A file that no component finds would cite nothing."""
    methods = {ROOT / f"src/trml/methods/{path.stem}.py" for path in (ROOT / "src/trml/methods").glob("*.bib")}
    assert all(path.is_file() for path in methods)
    from trml.corpora.registry import kinds
    from trml.features.encoders.registry import kinds as encoders

    known = {
        f"{cls.__module__.rpartition('.')[0]}/{kind}" for each in (kinds(), encoders()) for kind, cls in each.items()
    }
    others = [path for path in FILES if path.parent.name != "methods"]
    found = {f"trml.{'.'.join(path.parent.relative_to(ROOT / 'src/trml').parts)}/{path.stem}" for path in others}
    assert found <= known and len(found) >= 10


def test_every_corpus_with_a_published_source_cites_it():
    """Those without are the user's own."""
    silent = {name for name, config in shipped(ROOT / "config").items() if not origin_of(config).bibtex}
    assert silent == {"own", "arrays"}


def test_the_licence_of_a_bib_file_is_that_of_the_corpus(corpus, params):
    licence = json.loads((corpus / "corpus.json").read_text())["licence"]
    (found,) = [each for each in cited(params) if each.what == "corpus pantomime"]
    assert found.remarks == (f"Licence: {licence}",)
    stated = [path for path in FILES if path.read_text().startswith("% Licence: ")]
    for path in stated:  # the builders of these corpora state the same words
        words = path.read_text().splitlines()[0].removeprefix("% Licence: ")
        assert any(f'licence="{words}"' in builder.read_text() for builder in path.parent.glob("*.py")), path
    assert len(stated) == 3


def printed(capsys, *arguments):
    return ended(capsys, "cite", *arguments)


def test_the_verb_prints_one_bib_file_of_everything_in_use(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    path = tmp_path / "params.yaml"
    path.write_text(compose(["experiment=paper", f"data='{tmp_path}'"], ROOT / "config"))
    text = printed(capsys, "--params", str(path)).out
    keys = [entry.key for entry in bibtexparser.parse_string(text).entries]
    assert len(keys) == len(set(keys))
    assert keys[0] == "trml"
    assert {"zhao2024trml", "zadeh2016mosi", "zadeh2018mosei", "poria2019meld", "radford2021clip"} <= set(keys)
    raw = yaml.safe_load(path.read_text())
    for name in raw["methods"]:
        assert f"% method {name}" in text
    words = " ".join(text.replace("%", "").split())
    for name in ("cmu_mosi", "cmu_mosei", "meld"):
        config = shipped(ROOT / "config")[name]
        assert " ".join(config.terms.text.split()) in words and config.licence in words
    assert "The weights have a licence of their own" in words


def test_a_published_result_is_cited_by_its_own_configuration(capsys, monkeypatch, tmp_path):
    folder = tmp_path / "results/mine"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    (folder / "params.yaml").write_text(compose(["method=[zero_fill,trml]"], ROOT / "config"))
    monkeypatch.chdir(tmp_path)
    text = printed(capsys, "mine").out
    assert "zhao2024trml" in text and "ma2021smil" not in text
    assert printed(capsys, "nothing").code == 3
    (folder / "params.yaml").write_text("unknown: 1\n")
    code, _, err = printed(capsys, "mine")
    assert (code, "has settings of another version" in err) == (2, True)


def test_a_method_outside_the_package_brings_its_own_publications(raw, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "cited_method.py").write_text("from trml.methods.zero_fill import ZeroFill as Mine\n")
    (tmp_path / "cited_method.bib").write_text(
        "@misc{me2026,\n  author = {Me},\n  title = {Mine},\n  year = {2026},\n}\n"
    )
    found = bibliography._method("mine", "cited_method.Mine")
    assert list(found.entries) == ["me2026"]
    (tmp_path / "cited_method.bib").write_text("@misc{me2026,\n  author = {Me\n")
    with pytest.raises(ContractError, match=r"cited_method.bib: line 1 is no BibTeX"):
        bibliography._method("mine", "cited_method.Mine")
    sys.modules.pop("cited_method", None)


def test_the_citation_file_is_valid_and_of_this_version(citation):
    schema = json.loads((ROOT / "tests/helpers/cff-1.2.0.schema.json").read_text())
    jsonschema.validate(citation, schema, format_checker=jsonschema.FormatChecker())
    assert citation["version"] == __version__
    assert f"Copyright (c) 2026 {citation['authors'][0]['name']}" in (ROOT / "LICENSE").read_text()
    assert citation["license"] == "MIT"
    (entry,) = bibtexparser.parse_string(bibliography.own_entry(citation)).entries
    assert {field.key for field in entry.fields} == {"author", "title", "version", "license"}


def test_a_method_that_names_a_preprint_cites_it():
    named = {}
    for path in (ROOT / "src/trml/methods").glob("*.py"):
        for number in re.findall(r"arXiv (\d{4}\.\d{5})", (ast.get_docstring(ast.parse(path.read_text())) or "")):
            named[path.stem] = number
            assert number in path.with_suffix(".bib").read_text()
    assert {"trml", "mfm", "smil", "mm_align"} == named.keys()
