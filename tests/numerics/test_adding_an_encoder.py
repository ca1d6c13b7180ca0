"""The guide to adding an encoder, followed in a package outside the repository."""

import importlib
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import yaml

from conftest import ROOT
from helpers.encoding import encoded
from helpers.extension import extension
from trml.features.encoders import registry

GUIDE = (ROOT / "docs/adding_an_encoder.md").read_text()
CONFIG, ENCODER = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture
def thumbnails(tmp_path):
    """The package of the guide's encoder."""
    folder = "features/encoders/thumbnails"
    with extension(tmp_path, {f"{folder}/config.py": CONFIG, f"{folder}/encoder.py": ENCODER}, "trml_mylab") as package:
        importlib.reload(registry)
        yield package
    importlib.reload(registry)


def test_an_encoder_in_an_extension_package_needs_no_other_edit(thumbnails, corpus):
    (name, defaults), *others = registry.defaults().items()
    assert (name, others) == ("thumbnails", []) and defaults["words"] == 64
    config = registry.kinds()["thumbnails"](**defaults)
    features = encoded(config, corpus)
    assert features.info.weights == "64 hashed words, thumbnails of 8 x 8" and not features.info.aligned
    assert {name: view.values.shape for name, view in features.signals.items()} == {
        "text": (20, 1, 64),
        "vision": (20, 8, 192),
    }
    assert all(view.mask.all() and np.ptp(view.values) > 0 for view in features.signals.values())


def test_it_is_chosen_by_name_and_named_in_the_plan(thumbnails, tmp_path):
    def trml(*arguments: str) -> str:
        path = os.pathsep.join([str(thumbnails.parent), os.environ.get("PYTHONPATH", "")])
        command = [sys.executable, "-m", "trml", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def features() -> str:
        return re.search(r"pantomime-thumbnails-[0-9a-f]+", trml("plan", "--params", str(params)))[0]

    params = tmp_path / "params.yaml"
    trml("compose", "encoder=thumbnails", "encoder.words=32", "--output", str(params))
    assert yaml.safe_load(params.read_text())["encoder"]["words"] == 32
    before = features()
    source = thumbnails / "features/encoders/thumbnails/encoder.py"
    source.write_text(source.read_text().replace("flatten(1) / 255", "flatten(1) / 256"))
    assert features() != before
