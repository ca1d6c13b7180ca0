"""What all tests share: the layers, one thread for torch, the default configuration and a small corpus.

Everything else lies in tests/helpers. trml is imported inside the fixtures, so that a module that cannot be imported
fails the tests which need it and no others.
"""

import copy
import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: two workers share two cores

import pytest
import torch
import yaml

ROOT = Path(__file__).parents[1]
LAYERS = ("cluster", "workflow", "numerics", "unit")  # the slowest first, so that both workers end together
FIRST = ("test_workflow", "test_guides")  # one makes the miniature that others start from, the other needs none


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by its folder, and run the slow folders first."""
    for item in items:
        item.add_marker(layer(item))
    items.sort(key=lambda item: (LAYERS.index(layer(item)), item.path.stem not in FIRST))


def layer(item: pytest.Item) -> str:
    return item.path.relative_to(ROOT / "tests").parts[0]


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def default_raw() -> dict[str, Any]:
    """The committed params.yaml as a plain mapping."""
    return yaml.safe_load((ROOT / "params.yaml").read_text())


@pytest.fixture
def raw(default_raw: dict[str, Any]) -> dict[str, Any]:
    """A copy of it that a test may change."""
    return copy.deepcopy(default_raw)


@pytest.fixture
def params(default_raw: dict[str, Any]) -> Any:
    """The committed configuration, checked."""
    from trml.config.load import check

    return check(default_raw)


@pytest.fixture(scope="session")
def miniature(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A finished run of a small study: a folder with work/ and results/. Tests must not change it."""
    from helpers.checkout import shared_miniature

    return shared_miniature(tmp_path_factory)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory, default_raw: dict[str, Any]) -> Path:
    """A small pantomime: 12 / 4 / 4 utterances, 64 pairs to pretrain on and 24 held out. Tests must not change it."""
    from trml.config.load import check
    from trml.corpora.pantomime import build
    from trml.corpora.pantomime.config import Speakers

    config = check(default_raw).corpus
    sizes = {"draws": 1, "speakers": Speakers(train=3, valid=1, test=1), "utterances": 4}
    config = replace(config, **sizes, pretraining_pairs=64, heldout_pairs=24)
    folder = tmp_path_factory.mktemp("corpus")
    build.build(config, folder, folder, "x", 1)
    return folder


@pytest.fixture(scope="module")
def layouts(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Layouts of the real corpora, and what was put in."""
    from helpers.raw_builds import all_layouts

    return all_layouts(tmp_path_factory.mktemp("layouts"))


@pytest.fixture(name="copy")
def copy_of_layout(layouts: Any, tmp_path: Path) -> Callable[[str], Any]:
    """A function that copies a layout, for a test to damage."""
    from helpers.raw_builds import copied

    return partial(copied, layouts, tmp_path)
