"""What a public repository has: CI as here, hooks with the tools of the environment, templates that forms can read."""

import re
import tomllib

import pytest
import yaml
from pre_commit.clientlib import load_config

from conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]
MAKEFILE = (ROOT / "Makefile").read_text()
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
TEMPLATES = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("[!c]*.yml"))


def versions() -> list[str]:
    classified = (re.search(r"Python :: (3\.\d+)$", line) for line in PROJECT["project"]["classifiers"])
    return [found[1] for found in classified if found]


def runs(job: str) -> list[str]:
    return [step["run"] for step in WORKFLOW["jobs"][job]["steps"] if "run" in step]


def test_github_runs_what_ci_runs_on_every_supported_python():
    assert runs("test") == ["bash .ci/run"]
    assert WORKFLOW["jobs"]["test"]["strategy"]["matrix"]["python"] == versions()
    assert PROJECT["project"]["requires-python"] == f">={versions()[0]}"
    page = (ROOT / "docs/versions.md").read_text()
    assert f"{', '.join(versions()[:-1])} and {versions()[-1]}" in page


def test_further_jobs_name_targets_that_exist():
    for command in runs("coverage-and-site"):
        assert re.search(rf"^{command.removeprefix('make ')}:", MAKEFILE, re.MULTILINE)


def test_the_workflow_may_only_read():
    assert WORKFLOW["permissions"] == {"contents": "read"}


def test_hooks_are_the_tools_that_make_runs():
    config = load_config(ROOT / ".pre-commit-config.yaml")
    (repository,) = config["repos"]
    assert repository["repo"] == "local"
    for hook in repository["hooks"]:
        program = hook["entry"].split()[0]
        assert hook["language"] in ("system", "unsupported")  # the second is pre-commit's newer name for it
        assert program.startswith(".venv/bin/") and f"$(BIN)/{program.removeprefix('.venv/bin/')} " in MAKEFILE
        assert program.removeprefix(".venv/bin/") in {pin.split("==")[0] for pin in EXTRAS["dev"]}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_issue_templates_are_forms(path):
    form = yaml.safe_load(path.read_text())
    assert {"name", "description", "body"} <= form.keys()
    for field in form["body"]:
        assert field["type"] in ("textarea", "input", "dropdown", "markdown") and field["attributes"]["label"]
    assert any(field.get("validations", {}).get("required") for field in form["body"])


def test_what_the_templates_tell_people_to_run_exists():
    text = (ROOT / ".github/pull_request_template.md").read_text()
    for target in re.findall(r"`make ([a-z-]+)", text):
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)


def test_coverage_has_floors():
    assert PROJECT["tool"]["coverage"]["report"]["fail_under"] >= 50
    (floor,) = re.findall(r"^DECIDING_FLOOR = (\d+)$", MAKEFILE, re.MULTILINE)
    assert int(floor) > PROJECT["tool"]["coverage"]["report"]["fail_under"]
