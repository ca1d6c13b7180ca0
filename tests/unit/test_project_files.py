"""Where a run finds configuration and workflow: beside src/ in a checkout, in trml/project of a wheel."""

from pathlib import Path

import pytest

from conftest import ROOT
from trml.base import checkout
from trml.base.errors import ConfigError
from trml.config.compose import choices, compose

USUAL = Path("config")


@pytest.fixture
def wheel(tmp_path, monkeypatch) -> Path:
    """A package as a wheel has it, with one configuration, seen from a folder beside it."""
    shipped = tmp_path / "site" / "trml" / "project" / "config"
    (shipped / "experiment").mkdir(parents=True)
    (shipped / "config.yaml").write_text("name: shipped\n")
    (shipped / "experiment" / "of_wheel.yaml").write_text("{}\n")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr(checkout, "package_folder", lambda: tmp_path / "site")
    monkeypatch.chdir(tmp_path / "elsewhere")
    return shipped


def test_a_checkout_has_them_beside_the_source(tmp_path, monkeypatch):
    assert checkout.project() == ROOT
    assert checkout.package_folder() == ROOT / "src"
    monkeypatch.chdir(tmp_path)
    assert checkout.config_folder() == USUAL
    with pytest.raises(ConfigError, match="run this in the project's folder"):
        compose([], USUAL)


def test_a_wheel_has_a_copy(wheel):
    assert checkout.project() == wheel.parent
    assert checkout.config_folder(USUAL) == wheel
    assert choices(USUAL)["experiment"] == ["of_wheel"]


def test_a_config_beside_the_user_comes_first(wheel):
    Path("config").mkdir()
    assert checkout.config_folder(USUAL) == USUAL
    assert checkout.config_folder(Path("other")) == Path("other")
