"""The guide to adding an encoder, followed in a package outside the repository."""

import importlib
import re
from pathlib import Path

import numpy as np
import pytest
import torch

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


def test_its_configuration_composes_and_its_source_is_in_its_recipe(thumbnails, raw, monkeypatch):
    from trml.planning.source_digest import closure

    config = registry.kinds()["thumbnails"]()
    assert closure((config.encoder_module,)) >= {config.encoder_module, type(config).__module__}
    with pytest.raises(ModuleNotFoundError):
        registry.pretrain(config, Path(), Path(), Path(), 1, torch.device("cpu"))
