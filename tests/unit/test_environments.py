"""Every way to install has the same pins: pyproject.toml, the lock, the environments of conda, the image."""

import tomllib
from fnmatch import fnmatch

import pytest
import yaml

from conftest import ROOT
from write_lock import CONDA_NAMES, HEAD, PINS, PIP, split, with_pins

FILES = ("environment.yml", "workflow/envs/trml.yaml")
UNPINNED = ("python", "pip", "ffmpeg")  # conda's alone


def lock() -> dict[str, str]:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def environment(path: str) -> tuple[dict[str, str], list[str]]:
    """Return what conda installs, by PyPI's names, and the lines for pip."""
    *conda, by_pip = yaml.safe_load((ROOT / path).read_text())["dependencies"]
    pypi = {name: known for known, name in CONDA_NAMES.items()}
    pins = [line.split("==") for line in conda if line.split("=")[0] not in UNPINNED]
    return {pypi[name]: version for name, version in pins}, by_pip["pip"]


def test_direct_dependencies_are_pinned_as_locked():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = {name.lower().replace("_", "-"): version for name, version in lock().items()}
    extras = [pin for pins in project["optional-dependencies"].values() for pin in pins if not pin.startswith("trml[")]
    for pin in project["dependencies"] + extras:
        name, version = pin.split("==")
        assert locked[name.lower().replace("_", "-")] == version


@pytest.mark.parametrize("path", FILES)
def test_conda_installs_the_versions_of_the_lock(path):
    assert environment(path)[0] == {name: lock()[name] for name in CONDA_NAMES}


def test_pip_installs_the_rest_in_the_environment_of_rules():
    conda, pip = environment("workflow/envs/trml.yaml")
    assert dict(pin.split("==") for pin in pip) == {name: v for name, v in lock().items() if name not in conda}


def test_pip_installs_the_rest_in_the_environment_of_users():
    assert environment("environment.yml")[1] == ["-r requirements.lock", "-e ."]


@pytest.mark.parametrize("path", FILES)
def test_conda_makes_clips_and_finds_snakemake(path):
    text = yaml.safe_load((ROOT / path).read_text())
    assert "ffmpeg=*=gpl*" in text["dependencies"]  # conda-forge's LGPL builds have no libx264
    assert text["channels"] == ["conda-forge", "bioconda", "nodefaults"]


def test_make_lock_writes_what_is_committed():
    pins = [f"{name}=={version}" for name, version in lock().items()]
    conda, pip = split(pins)
    assert (ROOT / "requirements.lock").read_text() == HEAD + "".join(f"{pin}\n" for pin in pins)
    for path, listed in zip(FILES, (None, pip), strict=True):
        text = (ROOT / path).read_text()
        emptied = text[: text.index(PINS)] + PINS + PIP + ("" if listed else text.partition(PIP)[2])
        assert with_pins(emptied, conda, listed) == text


def instructions() -> list[list[str]]:
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", "")
    return [line.split() for line in text.splitlines() if line and not line.startswith("#")]


def test_the_image_runs_the_lock_as_an_ordinary_user():
    lines = instructions()
    assert ["RUN", "pip", "install", "--no-cache-dir", "--requirement", "requirements.lock"] in lines
    assert lines[-2:] == [["USER", "trml"], ["CMD", '["snakemake",', '"--cores",', '"all"]']]
    (python,) = (line[1] for line in lines if line[0] == "FROM")
    assert python.startswith("python:3.11-")


def test_the_image_has_what_a_run_reads():
    ignored = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    read = ("Snakefile", "workflow/rules/common.smk", "profiles", "config/config.yaml", "params.yaml", "pyproject.toml",
            "README.md", "requirements.lock", "dvc.yaml", "src/trml/report/page", "results/pantomime_full")  # fmt: skip
    for path in read:
        assert (ROOT / path).exists()
        parents = ["/".join(path.split("/")[: i + 1]) for i in range(path.count("/") + 1)]
        assert not [(p, pattern) for p in parents for pattern in ignored if fnmatch(p, pattern.removeprefix("**/"))]
    assert {".git", ".venv", "work", "data"} <= set(ignored)
