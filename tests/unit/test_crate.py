"""Published results are a Workflow Run RO-Crate: the profile's requirements one by one, equal bytes, no comparison.

The MUSTs are those of RO-Crate 1.1, Process Run Crate 0.5, Workflow Run Crate 0.5 and Workflow RO-Crate 1.0.
"""

import json
import warnings
from datetime import datetime
from pathlib import Path

import pytest
from rocrate.rocrate import ROCrate

from conftest import ROOT
from trml.base.artifacts import SUMS, read_json, write_json, write_sums
from trml.report.contract import CRATE, other_files
from trml.report.crate import PROFILES, write_crate
from trml.report.manifest import checksums
from trml.report.publish import is_published, publish

FILES = ("metrics.csv", "claims.json", "params.yaml", "cards/made.md", "cards/made.croissant.json", "figures/a b.svg")
MANIFEST = {
    "experiment": "study",
    "digest": "study-0123456789ab",
    "command": "make results EXPERIMENT=study",
    "git_commit": "0123456789abcdef",
    "git_clean": False,
    "versions": {"trml": "0.1.0", "python": "3.11.7", "torch": "2.13.0", "snakemake": "9.27.1"},
    "run": "7c0e",
    "made_at": "2026-11-28T10:00:00+00:00",
    "machine": {"system": "Linux", "processor": "A processor", "environment": {"MKL_CBWR": "AUTO"}},
    "quality": [],
}


@pytest.fixture
def results(tmp_path):
    """A finished folder of results that was made by hand."""
    folder = tmp_path / "work/study-0123456789ab"
    for name in FILES:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {name}\n")
    write_json(folder / "manifest.json", {**MANIFEST, "files": checksums(folder)})
    write_sums(folder)
    return folder


@pytest.fixture
def published(results, tmp_path):
    target = tmp_path / "results/study"
    publish(MANIFEST["digest"], results, [], target, checkout=ROOT)
    return target


@pytest.fixture
def graph(published):
    """The entities by id."""
    return {each["@id"]: each for each in read_json(published / CRATE)["@graph"]}


def types(entity) -> set[str]:
    found = entity["@type"]
    return {found} if isinstance(found, str) else set(found)


def referred(entity, key) -> list[str]:
    values = entity.get(key, [])
    return [each["@id"] for each in (values if isinstance(values, list) else [values])]


def test_the_descriptor_and_the_root_are_those_of_ro_crate(published, graph):
    made = read_json(published / CRATE)
    assert made["@context"][0] == "https://w3id.org/ro/crate/1.1/context"
    assert graph[CRATE]["about"] == {"@id": "./"}
    assert graph[CRATE]["@type"] == "CreativeWork"
    assert "https://w3id.org/ro/crate/1.1" in referred(graph[CRATE], "conformsTo")
    root = graph["./"]
    assert types(root) == {"Dataset"} and root["name"] and root["description"] and root["license"]
    assert datetime.fromisoformat(root["datePublished"])
    assert len(graph) == len(made["@graph"])  # no id twice
    for entity in graph.values():
        assert entity["@type"]
        for key, values in entity.items():
            for each in values if isinstance(values, list) else [values]:
                if isinstance(each, dict):
                    assert each.keys() == {"@id"}, (entity["@id"], key)
                    outside = key in ("conformsTo", "identifier", "url")
                    assert outside or each["@id"] in graph, (entity["@id"], key, each)


def test_every_file_is_in_the_crate_and_every_entity_of_a_file_is_a_file(published, graph):
    parts = set(referred(graph["./"], "hasPart")) | set(referred(graph["workflow/Snakefile"], "hasPart"))
    named = {each for each, entity in graph.items() if "File" in types(entity)}
    assert named == parts
    files = {str(path.relative_to(published)) for path in published.rglob("*") if path.is_file()}
    assert {each.replace("%20", " ") for each in named} == files - {CRATE}
    for name, checksum in read_json(published / "manifest.json")["files"].items():
        entity = graph[name.replace(" ", "%20")]
        assert entity["sha256"] == checksum
        assert entity["contentSize"] == str((published / name).stat().st_size)


def test_the_root_conforms_to_the_profiles(graph):
    assert set(referred(graph["./"], "conformsTo")) == set(PROFILES)
    for url in PROFILES:
        assert types(graph[url]) == {"CreativeWork"} and graph[url]["version"] in url


def test_the_main_entity_is_the_workflow(graph, published):
    (name,) = referred(graph["./"], "mainEntity")
    workflow = graph[name]
    assert types(workflow) == {"File", "SoftwareSourceCode", "ComputationalWorkflow"}
    assert (published / name).read_bytes() == (ROOT / "workflow/Snakefile").read_bytes()
    (language,) = referred(workflow, "programmingLanguage")
    assert types(graph[language]) == {"ComputerLanguage"} and graph[language]["version"] == "9.27.1"
    rules = {path.name for path in (ROOT / "workflow/rules").glob("*.smk")}
    assert {Path(each).name for each in referred(workflow, "hasPart")} == rules
    used = {graph[each]["name"]: graph[each]["softwareVersion"] for each in referred(workflow, "softwareRequirements")}
    assert used == MANIFEST["versions"]
    assert workflow["version"] == MANIFEST["git_commit"] and "with changes" in workflow["description"]
    for parameter in [*referred(workflow, "input"), *referred(workflow, "output")]:
        entity = graph[parameter]
        assert types(entity) == {"FormalParameter"} and entity["additionalType"]
        (example,) = referred(entity, "workExample")
        assert referred(graph[example], "exampleOfWork") == [parameter] and "File" in types(graph[example])


def test_the_run_says_what_it_took_and_made(graph):
    (run,) = [each for each in graph.values() if "CreateAction" in types(each)]
    assert run["@id"] == "#run-7c0e"
    assert referred(run, "instrument") == referred(graph["./"], "mainEntity")
    assert referred(graph["./"], "mentions") == ["#run-7c0e"]
    assert referred(run, "object") == ["cards/made.croissant.json", "params.yaml"]
    assert {"metrics.csv", "claims.json", "manifest.json", "figures/a%20b.svg"} <= set(referred(run, "result"))
    assert datetime.fromisoformat(run["endTime"]) and "A processor" in run["description"]
    (variable,) = referred(run, "environment")
    assert (graph[variable]["name"], graph[variable]["value"]) == ("MKL_CBWR", "AUTO")
    (agent,) = referred(run, "agent")
    assert graph[agent] == {"@id": agent, "@type": "Organization", "name": "the trml developers"}


def test_rocrate_reads_it(published):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        crate = ROCrate(published)
    assert crate.mainEntity.id == "workflow/Snakefile"
    assert crate.root_dataset["author"]["name"] == "the trml developers"
    assert crate.dereference("metrics.csv")["sha256"] == read_json(published / "manifest.json")["files"]["metrics.csv"]


def test_the_same_manifest_gives_the_same_bytes(results, published):
    before = (published / CRATE).read_bytes()
    publish(MANIFEST["digest"], results, [], published, checkout=ROOT, replace=True)
    assert (published / CRATE).read_bytes() == before
    assert f"{CRATE}\n" in (published / SUMS).read_text()


def test_it_is_left_out_of_comparisons(results, published):
    """It names run and machine, as the page does."""
    assert other_files({CRATE: "1", "metrics.csv": "2"}, {CRATE: "3", "metrics.csv": "2"}) == (["metrics.csv"], [])
    assert CRATE not in read_json(published / "manifest.json")["files"]
    (published / CRATE).write_text("{}")
    assert is_published(MANIFEST["digest"], published)


def test_persons_and_clean_checkouts(results, tmp_path):
    checkout = tmp_path / "checkout"
    (checkout / "workflow/rules").mkdir(parents=True)
    (checkout / "workflow/Snakefile").write_text("")
    orcid = "https://orcid.org/0000-0002-1825-0097"
    people = [{"family-names": "Carberry", "given-names": "Josiah", "orcid": orcid}, {"name": "a laboratory"}]
    (checkout / "CITATION.cff").write_text(json.dumps({"title": "T", "version": "1.0.0", "authors": people}))
    write_json(results / "manifest.json", {**read_json(results / "manifest.json"), "git_clean": True})
    write_crate(results, checkout)
    graph = {each["@id"]: each for each in read_json(results / CRATE)["@graph"]}
    assert graph[orcid] == {"@id": orcid, "@type": "Person", "name": "Josiah Carberry"}
    assert referred(graph["./"], "author") == [orcid, "#a-laboratory"]
    assert graph["workflow/Snakefile"]["description"] == "trml 1.0.0, commit 0123456789abcdef"


def test_without_a_checkout_results_are_published_without_it(results, tmp_path):
    (tmp_path / "workflow").mkdir()
    (tmp_path / "workflow/Snakefile").touch()  # and no CITATION.cff
    publish(MANIFEST["digest"], results, [], tmp_path / "results/study", checkout=tmp_path)
    assert (tmp_path / "results/study/metrics.csv").is_file() and not (tmp_path / "results/study" / CRATE).exists()
