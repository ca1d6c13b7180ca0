"""The tutorial for user-supplied data, followed to the letter up to the run."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from conftest import ROOT
from helpers.own_data import report
from trml.base.errors import ContractError
from trml.config.compose import compose


def test_the_tutorial_says_what_really_comes(tmp_path, monkeypatch):
    """docs/own_data.md followed to the letter up to the run: its script, its two checks, its mending."""
    page = (ROOT / "docs/own_data.md").read_text()
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", page, re.S | re.M)
    (script,), blocks = ([body for tag, body in fenced if (tag == "python") == code] for code in (True, False))
    (first,) = (block for block in blocks if "to be fixed first" in block)
    (second,) = (block for block in blocks if "Ready. Next:" in block)
    (mending,) = (block for block in blocks if block.startswith("sed "))
    (refused,) = (block for block in blocks if block.startswith("trml check:"))
    monkeypatch.chdir(tmp_path)
    exec(compile(script, "make_posts.py", "exec"), {})
    with pytest.raises(ContractError) as refusal:
        report(Path("data/posts"))
    assert f"trml check: {refusal.value}\n" == refused
    text, sound = report(Path("data/posts"), columns={"label": "mood"})
    assert not sound
    assert set(first.splitlines()) <= set(text.splitlines())
    subprocess.run(mending, shell=True, check=True, executable="/bin/bash")
    text, sound = report(Path("data/posts"), columns={"label": "mood"})
    assert sound
    assert set(second.splitlines()) <= set(text.splitlines())
    (composition,) = (block.splitlines()[0] for block in blocks if block.startswith("trml compose experiment=own"))
    assert composition.startswith(second.splitlines()[-2].strip())
    compose(shlex.split(composition)[2:], ROOT / "config")
