"""The guide to adding a method, followed in a module outside the package: with the plain loop, blind to masked values.

tests/workflow follows it to the page.
"""

import re
import sys

import pytest
import torch
import yaml

from conftest import ROOT
from helpers.synthetic_features import PAIR, SETTINGS, TRIPLE, synthetic_features
from helpers.synthetic_training import bare_cell, run
from trml.base.modules import module_file
from trml.config.class_source import lineage
from trml.config.method_options import check_options, known_options
from trml.methods.config import MethodConfig
from trml.training.reference import train_one

GUIDE = (ROOT / "docs/adding_a_method.md").read_text()
CODE, *_ = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
(CONFIG,) = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture
def target(tmp_path, monkeypatch):
    """The guide's class, in a module beside the project."""
    (tmp_path / "my_methods.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)
    _forget()
    yield "my_methods.PresentMean"
    sys.modules.pop("my_methods", None)
    _forget()


def _forget():
    for cached in (module_file, lineage, known_options):
        cached.cache_clear()


def test_the_configuration_fits_the_class(target):
    config = MethodConfig(**yaml.safe_load(CONFIG.replace("${training.hidden}", "8")))
    assert config.target == target
    check_options("present_mean", config)


@pytest.mark.parametrize("modalities", [PAIR, TRIPLE], ids=["two", "three"])
def test_many_agree_with_a_plain_loop_of_one(target, modalities):
    features = synthetic_features(modalities=modalities)
    cells = [
        bare_cell(target, {"hidden": 8, "scale": scale}, victim, 0.5) for victim in modalities for scale in (1.0, 2.0)
    ]
    together = run(cells, features, dtype=torch.float64, fill=float("nan"))
    for c in cells:
        alone = train_one(c, features, SETTINGS, dtype=torch.float64)
        assert together[c.digest].history == [pytest.approx(epoch, rel=1e-6) for epoch in alone.history]
