"""The extras of pyproject.toml: each part of the package imports what they bring, and an error names the right one."""

import re
import tomllib
from functools import cache
from importlib.metadata import packages_distributions

import grimp
import pytest

from conftest import ROOT
from trml.base.digests import versions
from trml.base.errors import PackageMissing
from trml.base.extras import extra_of, import_failed
from trml.cli.ending import Code, failure

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# What brings a dependency's dependency that we import too.
WITHIN = {"markupsafe": "jinja2", "omegaconf": "hydra-core", "urllib3": "requests"}
LIGHT = ("base", "seeding", "missing", "config", "planning", "evaluation")
# Modules that need more than the rest of their package.
SNAKEFILES = "trml.planning.workflow"
MODELS = ("trml.evaluation.probing", "trml.report.model_card")


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("trml", include_external_packages=True, cache_dir=None)


@cache
def packages() -> dict[str, str]:
    """The package that brings a module, for modules outside the standard library."""
    return {module: names[0] for module, names in packages_distributions().items()} | WITHIN


def brought(*extras: str) -> set[str]:
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in PROJECT["optional-dependencies"][extra])]
    return {re.split(r"[=\[]", line)[0].lower().replace("_", "-") for line in lines}


def wanted(chosen) -> dict[str, str]:
    """The packages that modules import, directly or not, each with a module that does."""
    own = [m for m in graph().modules if m.split(".")[0] == "trml"]
    modules = [m for m in own if chosen(m) and not m.startswith(MODELS)]
    assert modules
    outside = ((name, module) for module in modules for name in graph().find_upstream_modules(module) - set(own))
    return {packages()[n].lower().replace("_", "-"): module for n, module in outside if n in packages()}


def is_of(*packages: str):
    return lambda module: module != SNAKEFILES and any(module.split(".")[1:2] == [name] for name in packages)


def test_scores_statistics_and_claims_need_no_extra():
    found = wanted(is_of(*LIGHT))
    assert {"numpy", "polars", "scipy", "scikit-learn", "hydra-core"} <= found.keys()
    assert {p: m for p, m in found.items() if p not in brought()} == {}


def test_the_report_needs_its_own_extra_and_no_torch():
    found = wanted(is_of(*LIGHT, "report"))
    assert {"matplotlib", "jinja2", "rocrate"} <= found.keys()
    assert {p: m for p, m in found.items() if p not in brought("report")} == {}


def test_everything_needs_all_extras():
    # The Snakefile imports snakemake, and DVC is a program.
    found = wanted(lambda module: True) | {"snakemake": "", "dvc": ""}
    assert {p: m for p, m in found.items() if p not in brought("report", "models", "workflow")} == {}
    assert brought("report", "models", "workflow") == found.keys()


def test_an_absent_package_is_named_with_the_extra_that_brings_it():
    assert extra_of("open_clip_torch") == extra_of("Open-CLIP-Torch") == "models"
    assert extra_of("numpy") is None and extra_of("unheard-of") is None
    with pytest.raises(PackageMissing, match=r"package unheard-of is not installed.* pip install unheard-of"):
        versions("unheard-of")


@pytest.mark.parametrize(
    ("module", "extra"),
    [("torch.nn", "models"), ("PIL", "models"), ("skimage.feature", "models"), ("jinja2", "report")],
)
def test_a_failed_import_is_told_as_the_extra_to_install(module, extra):
    error = import_failed(ModuleNotFoundError(f"No module named {module!r}", name=module))
    assert f"pip install 'trml[{extra}]'" in str(error)


def test_the_command_ends_with_what_to_install():
    ended = failure(ModuleNotFoundError("No module named 'torch'", name="torch"))
    assert (ended.code, ended.next) == (Code.MISSING, "pip install 'trml[models]'")
    assert failure(ModuleNotFoundError("No module named 'my_methods'", name="my_methods")) is None


def test_a_failed_import_of_anything_else_is_no_matter_of_extras():
    assert import_failed(ModuleNotFoundError("No module named 'my_methods'", name="my_methods")) is None
