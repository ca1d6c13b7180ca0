"""Profiles of Snakemake: their options and the rules that they name exist, and every job says what it needs."""

import importlib.util
import re

import pytest
import yaml

from conftest import ROOT

PROFILES = sorted((ROOT / "workflow/profiles").glob("*/config.yaml"))
KUBERNETES = ROOT / "workflow/profiles/kubernetes"
# These options are of rules: `rule=value`, or by rule.
BY_RULE = ("groups", "set-resources", "set-threads")


def rules():
    """Every rule with its text."""
    text = "\n".join(path.read_text() for path in [ROOT / "Snakefile", *(ROOT / "workflow/rules").glob("*.smk")])
    parts = re.split(r"^rule (\w+):$", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def local_rules():
    text = "\n".join(path.read_text() for path in [ROOT / "Snakefile", *(ROOT / "workflow/rules").glob("*.smk")])
    listed = re.findall(r"^localrules:\n((?:    \w+,\n)+)", text, flags=re.MULTILINE)
    return {name for names in listed for name in re.findall(r"\w+", names)}


@pytest.fixture(scope="module")
def jobs():
    """The module of the commands of the Kubernetes profile, which is no part of a package."""
    spec = importlib.util.spec_from_file_location("kubernetes_job", KUBERNETES / "job.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def named(entry):
    """The rules that an option of a profile names."""
    return set(entry) if isinstance(entry, dict) else {each.partition("=")[0] for each in entry}


def test_every_rule_with_a_command_says_its_memory_and_time():
    found = rules()
    assert len(found) > 10
    for name, text in found.items():
        if "    shell:" in text:
            resources = text.partition("    resources:\n")[2]
            assert "mem_mb=growing(" in resources, name
            assert "runtime=growing(" in resources, name


def test_what_needs_the_network_or_writes_results_runs_where_the_run_started():
    without_command = {name for name, text in rules().items() if "    shell:" not in text}
    said_so = {name for name, text in rules().items() if "    localrule: True" in text}
    assert local_rules() | said_so == {"fetch", "publish", *without_command}


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.parent.name)
def test_rules_named_by_a_profile_exist(path):
    profile = yaml.safe_load(path.read_text())
    for option in BY_RULE:
        assert named(profile.get(option, {})) <= rules().keys()
    groups = {entry.partition("=")[2] for entry in profile.get("groups", [])}
    assert named(profile.get("group-components", {})) <= groups
    scattered = re.findall(
        r"^scattergather:\n((?:    \w+=.*\n)+)", (ROOT / "workflow/rules/common.smk").read_text(), re.M
    )
    assert named(profile.get("set-scatter", {})) <= {line.partition("=")[0].strip() for line in scattered}


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.parent.name)
def test_a_profile_for_other_machines_has_what_the_default_has(path):
    """It takes the default's place, so it repeats the settings without which a run may change or hang."""
    default = yaml.safe_load((ROOT / "workflow/profiles/default/config.yaml").read_text())
    del default["resources"]  # GPUs of this machine
    profile = yaml.safe_load(path.read_text())
    assert default.items() <= profile.items()
    if "executor" in profile:
        assert profile["set-scatter"]  # else the jobs would count their own cores


def test_memory_and_time_grow_with_the_attempt():
    scope = {}
    text = (ROOT / "workflow/rules/common.smk").read_text()
    exec(re.search(r"^def growing.*?(?=\n\n\n)", text, re.S | re.M).group(), scope)
    assert [scope["growing"](4000)(None, attempt) for attempt in (1, 2, 3)] == [4000, 8000, 12000]


def test_a_manifest_asks_for_what_the_job_needs(jobs):
    template = yaml.safe_load((KUBERNETES / "job.yaml").read_text())
    job = jobs.manifest(template, "/trml/x.sh", cores=4, mem_mb=8000, minutes=30, gpus=1)
    container = job["spec"]["template"]["spec"]["containers"][0]
    assert container["command"] == ["/bin/bash", "/trml/x.sh"]
    assert container["resources"] == {
        "requests": {"cpu": "4", "memory": "8000M"},
        "limits": {"memory": "8000M", "nvidia.com/gpu": "1"},
    }
    assert job["spec"]["activeDeadlineSeconds"] == 1800
    assert job["spec"]["backoffLimit"] == 0
    without = jobs.manifest(template, "/trml/x.sh", cores=1, mem_mb=8000, minutes=30, gpus=0)
    assert "nvidia.com/gpu" not in str(without)
    assert "command" not in str(template)  # it was copied


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ({}, "running"),
        ({"active": 1, "conditions": None}, "running"),
        ({"conditions": [{"type": "Suspended", "status": "False"}]}, "running"),
        ({"conditions": [{"type": "Complete", "status": "True"}]}, "success"),
        ({"conditions": [{"type": "Failed", "status": "True", "reason": "DeadlineExceeded"}]}, "failed"),
    ],
)
def test_the_state_of_a_job_in_the_words_of_snakemake(jobs, status, word):
    assert jobs.state(status) == word
