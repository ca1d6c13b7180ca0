#!/usr/bin/env python
"""Submit a job of Snakemake to Kubernetes, ask for its state, cancel it: the commands of the profile.

Usage:
    job.py submit --cores N --mem-mb N --minutes N --gpus N SCRIPT    prints the job's name
    job.py state NAMESPACE/NAME                                       prints running, success or failed
    job.py cancel NAMESPACE/NAME ...

It needs kubectl, and PyYAML of the environment. The manifest is job.yaml beside it.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

TEMPLATE = Path(__file__).with_name("job.yaml")


def manifest(template: dict[str, Any], script: str, cores: int, mem_mb: int, minutes: int, gpus: int) -> dict[str, Any]:
    """Return the manifest of a job.

    Args:
        template: job.yaml.
        script: The shell script that Snakemake wrote, on the shared volume.
        cores: Requested. They are no limit: a training uses the threads that its recipe says.
        mem_mb: Requested, and the limit.
        minutes: After which Kubernetes ends the job.
        gpus: Of NVIDIA.
    """
    job = json.loads(json.dumps(template))
    job["spec"]["activeDeadlineSeconds"] = 60 * minutes
    container = job["spec"]["template"]["spec"]["containers"][0]
    container["command"] = ["/bin/bash", script]
    memory = f"{mem_mb}M"
    container["resources"] = {"requests": {"cpu": str(cores), "memory": memory}, "limits": {"memory": memory}}
    if gpus:
        container["resources"]["limits"]["nvidia.com/gpu"] = str(gpus)
    return job


def state(status: dict[str, Any]) -> str:
    """Return Snakemake's word for the status of a job."""
    ended = {each["type"] for each in status.get("conditions") or [] if each["status"] == "True"}
    return "success" if "Complete" in ended else "failed" if "Failed" in ended else "running"


def _submit(arguments: argparse.Namespace) -> None:
    template = yaml.safe_load(TEMPLATE.read_text())
    asked = (arguments.cores, arguments.mem_mb, arguments.minutes, arguments.gpus)
    job = _kubectl(
        "create", "--filename=-", "--output=json", text=json.dumps(manifest(template, arguments.script, *asked))
    )
    about = json.loads(job)["metadata"]
    print(f"{about['namespace']}/{about['name']}")


def _state(arguments: argparse.Namespace) -> None:
    namespace, _, name = arguments.job.partition("/")
    found = _kubectl("get", "job", name, f"--namespace={namespace}", "--output=json", "--ignore-not-found")
    print(state(json.loads(found)["status"]) if found.strip() else "failed")  # one that was deleted is no more


def _cancel(arguments: argparse.Namespace) -> None:
    for job in arguments.jobs:
        namespace, _, name = job.partition("/")
        _kubectl("delete", "job", name, f"--namespace={namespace}", "--wait=false", "--ignore-not-found")


def _kubectl(*arguments: str, text: str | None = None) -> str:
    done = subprocess.run(["kubectl", *arguments], input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"kubectl {arguments[0]}: {done.stderr.strip()}")
    return done.stdout


def main() -> None:
    """Run the command that the profile asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    submit = commands.add_parser("submit")
    for option in ("--cores", "--mem-mb", "--minutes", "--gpus"):
        submit.add_argument(option, type=int, required=True)
    submit.add_argument("script")
    submit.set_defaults(run=_submit)
    ask = commands.add_parser("state")
    ask.add_argument("job")
    ask.set_defaults(run=_state)
    cancel = commands.add_parser("cancel")
    cancel.add_argument("jobs", nargs="+")
    cancel.set_defaults(run=_cancel)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
