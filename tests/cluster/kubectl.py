#!/usr/bin/env python
"""A stand-in for kubectl: it checks a manifest and runs its command on this machine. It knows jobs and nothing else.

The jobs are in the folder KUBECTL_JOBS, each with its manifest and, when it has ended, its exit code.
"""

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import kubernetes_validate

JOBS = Path(os.environ["KUBECTL_JOBS"])


def create():
    job = json.load(sys.stdin)
    kubernetes_validate.validate(job, "1.31", strict=True)
    name = job["metadata"]["name"] = f"{job['metadata'].pop('generateName')}{uuid.uuid4().hex[:5]}"
    (JOBS / f"{name}.json").write_text(json.dumps(job))
    command = job["spec"]["template"]["spec"]["containers"][0]["command"]
    ended = ["bash", "-c", f'"$@"; echo $? > {JOBS / name}.part; mv {JOBS / name}.part {JOBS / name}.rc', "job"]
    with (JOBS / f"{name}.log").open("w") as log:
        subprocess.Popen([*ended, *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    print(json.dumps(job))


def get(name):
    code = JOBS / f"{name}.rc"
    if not code.exists():
        print(json.dumps({"status": {"active": 1}}))
    else:
        kind = "Complete" if code.read_text().strip() == "0" else "Failed"
        print(json.dumps({"status": {"conditions": [{"type": kind, "status": "True"}]}}))


if __name__ == "__main__":
    verb, *rest = sys.argv[1:]
    create() if verb == "create" else get(rest[1])
