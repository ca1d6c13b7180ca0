"""Setting a process up: portable instructions are in force before torch is imported, or it says that they are not."""

import json
import os
import subprocess
import sys

import pytest

from conftest import ROOT

ASK = """
import argparse, json, sys
from trml.planning.compute import Compute
from trml.cli.common import device_of
assert "torch" not in sys.modules
plan = argparse.Namespace(compute=Compute("cpu", 1, portable={portable}))
device_of(plan)
import numpy as np, torch
torch.manual_seed(0)
x = torch.randn(64, 48)
softmax, product = x.softmax(-1), x @ x.T
print(json.dumps([torch.backends.cpu.get_cpu_capability(), softmax.sum().item(), product.abs().sum().item()]))
"""


def ask(portable: bool, **environment: str):
    done = subprocess.run(
        [sys.executable, "-c", ASK.format(portable=portable)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr


def test_portable_computes_with_avx2_whatever_the_processor_has():
    own, *_ = ask(False)
    if own not in ("AVX2", "AVX512"):
        pytest.skip(f"this processor has {own} instructions")
    assert ask(True)[0] == "AVX2"
    # The environment of the user does not take its place.
    assert ask(True, ATEN_CPU_CAPABILITY="default", MKL_CBWR="COMPATIBLE") == ask(True)
