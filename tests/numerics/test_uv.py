"""The lock as uv reads it: the environment of the tests equals it."""

import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT


def test_uv_finds_nothing_to_change_in_an_environment_of_the_lock():
    uv = Path(sys.executable).with_name("uv")
    if not uv.exists():
        pytest.skip("uv is not installed in this environment")
    command = [uv, "pip", "sync", "--dry-run", "--offline", "--python", sys.executable, "requirements.lock"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stderr
    changes = [line for line in said.splitlines() if line.lstrip().startswith(("+", "-", "~"))]
    assert [line for line in changes if not line.startswith(" - trml==")] == []  # sync removes what the lock lacks
