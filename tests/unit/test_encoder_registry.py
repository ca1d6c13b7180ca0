"""Every encoder states its own facts, and two of one kind are refused."""

import json
from dataclasses import fields

import pytest
import yaml
from pydantic import TypeAdapter

from conftest import ROOT
from helpers.extension import extension
from trml.base.errors import ConfigError
from trml.base.modules import module_file
from trml.features.encoders import registry
from trml.features.encoders.common.config import EncoderConfig
from trml.missing.modalities import in_order
from trml.planning.source_digest import closure

FILES = sorted(path for path in (ROOT / "config/encoder").glob("*.yaml") if "defaults" not in path.read_text())
ROOTS = ("trml.features.encode", "trml.features.gather", "trml.features.given", "trml.features.chunk")


def config_of(path) -> EncoderConfig:
    return TypeAdapter(registry.Encoder).validate_json(json.dumps(yaml.safe_load(path.read_text())))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_encoder_states_its_facts(path):
    config = config_of(path)
    assert isinstance(config, registry.kinds()[path.stem])
    assert module_file(config.encoder_module) is not None
    assert config.pretrained == (module_file(config.pretrain_module) is not None)
    assert list(in_order(config.modalities)) == list(config.modalities)
    assert config.recipe().keys() == {field.name for field in fields(config)}
    assert not {"frames", "frames_per_second", "batch_size"} & config.pretraining_recipe().keys()


def test_every_kind_has_a_file():
    assert {path.stem for path in FILES} == registry.kinds().keys()


def test_shipped_encoders_have_one_source_of_their_values():
    """dvc composes config/ too, and knows only files: a default in a class would say a value twice."""
    assert registry.defaults() == {}


def test_no_encoder_is_in_the_recipe_of_another():
    modules = {kind: cls.__module__.rpartition(".")[0] for kind, cls in registry.kinds().items()}
    for root in ROOTS:
        reached = {kind for kind, package in modules.items() if any(m.startswith(package) for m in closure((root,)))}
        assert reached <= {"given"}, root
    for kind, package in modules.items():
        for module in ("encoder", "pretrain"):
            if module_file(f"{package}.{module}") is not None:
                others = {m for m in closure((f"{package}.{module}",)) if m.startswith("trml.features.encoders.")}
                own = (f"{package}.", "trml.features.encoders.common", "trml.features.encoders.contract")
                assert {m for m in others if not m.startswith(own) and m != package} == set(), kind


def test_two_encoders_of_one_kind_are_refused(tmp_path):
    text = (ROOT / "src/trml/features/encoders/given/config.py").read_text()
    with extension(tmp_path, {"features/encoders/other/config.py": text}):
        registry.kinds.cache_clear()
        with pytest.raises(ConfigError, match=r"'given' is defined in trml\.features\.encoders\.given\.config and"):
            registry.kinds()
    registry.kinds.cache_clear()
