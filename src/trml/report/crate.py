"""Describe published results as a Workflow Run RO-Crate: which workflow made which files from what, and with what.

<https://w3id.org/ro/wfrun/workflow>. The crate is the published folder, with a copy of the workflow's rules in it, so
an archive of it is one too. Everything is taken from manifest.json, the workflow and CITATION.cff: the same manifest
gives the same bytes. It names the run, so it is left out of comparisons, as the page is (report/contract.py).
"""

import mimetypes
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from rocrate.model import ContextEntity
from rocrate.rocrate import ROCrate

from trml.base.artifacts import read_json, write_json
from trml.report.contract import CRATE, SUMS

RO_CRATE = "1.1"  # which the profile extends
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
LICENCE = "https://spdx.org/licenses/MIT.html"
WORKFLOW, CITATION = "workflow/Snakefile", "CITATION.cff"
_TERMS = "https://w3id.org/ro/terms/workflow-run/context"
_PARAMETER = "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"
_WORKFLOW_PROFILE = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
_HOMES = {
    "python": "https://www.python.org/",
    "torch": "https://pytorch.org/",
    "snakemake": "https://snakemake.github.io/",
    "dvc": "https://dvc.org/",
    "polars": "https://pola.rs/",
    "numpy": "https://numpy.org/",
    "open_clip_torch": "https://github.com/mlfoundations/open_clip",
    "av": "https://pyav.org/",
    "matplotlib": "https://matplotlib.org/",
    "pydantic": "https://docs.pydantic.dev/",
}


def write_crate(folder: Path, checkout: Path) -> None:
    """Make a folder of results a crate: copy the workflow into it, and write ro-crate-metadata.json.

    Args:
        folder: The results, with manifest.json.
        checkout: The repository, with workflow/ and CITATION.cff. Without them, as beside an installed package,
            nothing is written.
    """
    if not all((checkout / name).is_file() for name in (WORKFLOW, CITATION)):
        return
    rules = [WORKFLOW, *(str(path.relative_to(checkout)) for path in sorted(checkout.glob("workflow/rules/*.smk")))]
    for name in rules:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(checkout / name, folder / name)
    cited = yaml.safe_load((checkout / CITATION).read_text())
    write_json(folder / CRATE, _crate(folder, rules, cited).metadata.generate())


def _crate(folder: Path, rules: list[str], cited: Mapping[str, Any]) -> ROCrate:
    manifest = read_json(folder / "manifest.json")
    crate = ROCrate(version=RO_CRATE)
    crate.metadata.extra_contexts.append(_TERMS)
    authors = _one_or_many([_add(crate, *_author(author)) for author in cited["authors"]])
    profiles = [
        _add(crate, url, {"@type": "CreativeWork", "name": name, "version": url.rpartition("/")[2]})
        for url, name in PROFILES.items()
    ]
    licence = _add(crate, LICENCE, {"@type": "CreativeWork", "name": "MIT License", "identifier": "MIT"})
    files = {name: _file(crate, folder, name, checksum) for name, checksum in manifest["files"].items()}
    files["manifest.json"] = _file(crate, folder, "manifest.json")
    crate.add_file(dest_path=SUMS, properties={"name": SUMS, "encodingFormat": "text/plain"})
    workflow = _workflow(crate, rules, manifest, cited["version"])
    run = _run(crate, workflow, files, manifest)
    workflow["license"] = licence
    workflow["creator"] = run["agent"] = authors
    about = {
        "name": f"Results of {manifest['experiment']}",
        "description": f"{cited['title']}. Results of the experiment {manifest['experiment']}.",
        "datePublished": manifest["made_at"],
        "license": licence,
        "author": authors,
        "conformsTo": profiles,
        "mentions": run,
    }
    for key, value in about.items():
        crate.root_dataset[key] = value
    return crate


def _add(crate: ROCrate, identifier: str, properties: dict[str, Any]) -> Any:
    return crate.add(ContextEntity(crate, identifier, properties=properties))


def _one_or_many(values: list[Any]) -> Any:
    """Return one value as itself: a list of one is not RO-Crate's form."""
    return values[0] if len(values) == 1 else values


def _author(author: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return an author of CITATION.cff as a person, or as an organisation where it has one name."""
    if "name" in author:
        return f"#{author['name'].replace(' ', '-')}", {"@type": "Organization", "name": author["name"]}
    name = f"{author['given-names']} {author['family-names']}"
    return author.get("orcid", f"#{name.replace(' ', '-')}"), {"@type": "Person", "name": name}


def _file(crate: ROCrate, folder: Path, name: str, checksum: str | None = None) -> Any:
    path = folder / name
    properties = {
        "name": name,
        "contentSize": str(path.stat().st_size),
        "encodingFormat": _format(path),
        **({"sha256": checksum} if checksum else {}),
    }
    return crate.add_file(dest_path=name, properties=properties)


def _format(path: Path) -> str:
    known = {".parquet": "application/vnd.apache.parquet", ".yaml": "application/yaml", ".md": "text/markdown"}
    return known.get(path.suffix) or mimetypes.guess_type(path.name, strict=True)[0] or "application/octet-stream"


def _workflow(crate: ROCrate, rules: list[str], manifest: Mapping[str, Any], version: str) -> Any:
    """Add the workflow with its rules and what it requires; its version is the commit where one is known."""
    used = [_software(crate, name, number) for name, number in manifest["versions"].items()]
    changed = "" if manifest["git_clean"] else ", with changes"
    about = {
        "name": "trml",
        "description": f"trml {version}, commit {manifest['git_commit'] or 'unknown'}{changed}",
        "version": manifest["git_commit"] or version,
        "encodingFormat": "text/plain",
    }
    workflow = crate.add_workflow(
        dest_path=rules[0],
        properties=about,
        main=True,
        lang="snakemake",
        lang_version=manifest["versions"]["snakemake"],
    )
    workflow["softwareRequirements"] = used
    workflow["conformsTo"] = {"@id": _WORKFLOW_PROFILE}
    workflow["hasPart"] = [
        crate.add_file(dest_path=name, properties={"name": name, "encodingFormat": "text/plain"}) for name in rules[1:]
    ]
    return workflow


def _software(crate: ROCrate, name: str, version: str) -> Any:
    about = {"@type": "SoftwareApplication", "name": name, "softwareVersion": version}
    home = _HOMES.get(name)
    return _add(crate, home, {**about, "url": home}) if home else _add(crate, f"#{name}-{version}", about)


def _run(crate: ROCrate, workflow: Any, files: Mapping[str, Any], manifest: Mapping[str, Any]) -> Any:
    """Add the run: what it took, what it made, when and on which machine."""
    read = {name: file for name, file in files.items() if name == "params.yaml" or name.endswith(".croissant.json")}
    workflow["input"] = _one_or_many([_parameter(crate, name, file) for name, file in read.items()])
    workflow["output"] = [_parameter(crate, name, files[name]) for name in ("metrics.csv", "claims.json")]
    machine = manifest["machine"]
    environment = [
        _add(crate, f"#environment-{name}", {"@type": "PropertyValue", "name": name, "value": value})
        for name, value in machine["environment"].items()
    ]
    about = {
        "@type": "CreateAction",
        "name": f"Run of {manifest['experiment']}",
        "description": f"{manifest['command']}, on {machine['system']}, {machine['processor']}",
        "endTime": manifest["made_at"],
        "actionStatus": "http://schema.org/CompletedActionStatus",
        "instrument": workflow,
        "object": _one_or_many(list(read.values())),
        "result": [file for name, file in files.items() if name not in read],
        **({"environment": _one_or_many(environment)} if environment else {}),
    }
    return _add(crate, f"#run-{manifest['run']}", about)


def _parameter(crate: ROCrate, name: str, file: Any) -> Any:
    """Add what a file is to the workflow."""
    about = {
        "@type": "FormalParameter",
        "conformsTo": {"@id": _PARAMETER},
        "name": name,
        "additionalType": "File",
        "workExample": file,
    }
    parameter = _add(crate, f"#parameter-{name}", about)
    file["exampleOfWork"] = parameter
    return parameter
