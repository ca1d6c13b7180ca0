"""The configuration: the committed one is what config/ composes to, and every fault is refused in one clear line."""

import copy
import json

import pytest

from conftest import ROOT
from helpers.command import ended
from trml.base.errors import ConfigError
from trml.config.compose import compose
from trml.config.load import check, json_schema
from trml.config.method_options import known_options, modality_limit


def test_committed_params_are_the_default_composition():
    assert (ROOT / "params.yaml").read_text() == compose([], ROOT / "config")


def test_committed_schema_is_the_dataclasses():
    committed = json.loads((ROOT / "workflow/schemas/params.schema.json").read_text())
    assert committed == json_schema()


@pytest.mark.parametrize("experiment", sorted(p.stem for p in (ROOT / "config/experiment").glob("*.yaml")))
def test_every_experiment_composes(experiment):
    compose([f"experiment={experiment}"], ROOT / "config")


REFUSED = [
    ({"protocol.rates": [0.5, 1.2]}, "protocol.rates.1 is 1.2; expected less than or equal to 1"),
    ({"threads": 10**12}, "threads is 1000000000000; expected less than or equal to 1024"),
    ({"training.hidden": 10**9}, "training.hidden is 1000000000; expected less than or equal to 8192"),
    ({"training.learning_rate": 1e30}, "training.learning_rate is 1e+30; expected less than or equal to 10"),
    ({"methods.trml.options.temperature": 1e-300}, "temperature is 1e-300; expected greater than or equal to"),
    ({"methods.trml.label": "=cmd|' /C calc'!A0"}, "methods.trml.label is"),
    ({"methods.trml.label": "<script>alert(1)</script>"}, "methods.trml.label is '<script>"),
    ({"methods.trml.label": ""}, "methods.trml.label is ''; expected"),
    ({"methods.zero_fill.label": "TRML"}, "two methods have the label 'TRML'; expected one each"),
    ({"protocol.seeds": []}, "protocol.seeds is []; expected"),
    (
        {"protocol.victims": ["vidio"]},
        "protocol.victims: missing pattern 'vidio' is unknown for text, vision; did you mean 'vision'?",
    ),
    ({"protocol.victims": ["audio", "text"]}, "missing pattern 'audio' is unknown for text, vision"),
    ({"protocol.victims": ["random_modality"]}, "expected at least one of text or vision"),
    ({"protocol.victims": ["text", "text"]}, "victims names a value twice"),
    ({"protocol.study_rate": 0.4}, "study_rate 0.4 is not one of rates"),
    ({"protocol.ratez": [0.5]}, "protocol.ratez is unknown; did you mean 'rates'?"),
    ({"training.epochs": "thirty"}, "training.epochs is 'thirty'; expected"),
    ({"training.epochs": 0}, "training.epochs is 0; expected greater than or equal to 1"),
    ({"training.learning_rate": "1e-3"}, "training.learning_rate is '1e-3'; expected"),
    ({"device": "gpu"}, "device is 'gpu'; did you mean"),
    ({"corpus.weights.shared": 2.0}, "it must stay within 3"),
    ({"corpus.weights.sared": 2.0}, "corpus.weights.sared is unknown; did you mean 'shared'?"),
    ({"corpus.kind": "pantomine"}, "corpus.kind is 'pantomine'; expected one of"),
    ({"encoder.kind": "given", "encoder": {"kind": "given", "name": "given"}}, "use an encoder that encodes"),
    (
        {"methods.trml.options.temprature": 0.1},
        "methods.trml.options.temprature is unknown; did you mean 'temperature'?",
    ),
    ({"methods.trml.options.generator": "mlp"}, "methods.trml.options.generator is 'mlp'; expected 'residual_mlp'"),
    ({"methods.trml.options.weight": "big"}, "methods.trml.options.weight is 'big'; expected number"),
    ({"methods.trml.sweeps.tau": [0.1]}, "methods.trml.sweeps.tau is unknown"),
    ({"methods.trml.target": "trml.methods.trml.TRMLL"}, "has no class 'TRMLL'"),
    ({"methods.trml.target": "trml.methods.nowhere.X"}, "no module 'trml.methods.nowhere' can be found"),
    ({"seed": -1}, "seed is -1; expected greater than or equal to 0"),
    ({"methods.trml.options.temperature": 0}, "trml.options.temperature is 0; expected greater than or equal to"),
    (
        {"methods.zero_fill.options.drop": 1.5},
        "methods.zero_fill.options.drop is 1.5; expected less than or equal to 1",
    ),
    ({"methods.trml.options": {"hidden": 64}}, "methods.trml.options lacks alpha, beta, detach"),
    ({"methods.trml.sweeps": {"hidden": [32.0]}}, "only float options can be varied"),
    ({"methods.trml.variants.default": {"label": "x", "options": {}}}, "the name is taken"),
    ({"methods.zero_fill.role": "proposed"}, "have role proposed; the claims judge one"),
    ({"encoder.vision.foo": 1}, "encoder.vision.foo is unknown"),
    ({"encoder.vision.width": 100}, "width 100 is no multiple of head_width 32"),
    ({"datasets.other.corpus": {}}, "datasets.other.corpus.kind is missing"),
    (
        {"datasets.other.encoder.vision.widht": 1},
        "datasets.other.encoder.vision.widht is unknown; did you mean 'width'?",
    ),
    ({"datasets.other.corpus.frames": 3}, "datasets.other.corpus.frames is 3; expected a multiple of 2"),
    ({"datasets.other.encoder": {"kind": "given", "name": "g"}}, "encoder g does not fit corpus pantomime"),
    ({"datasets": {"pantomime": "other"}}, "datasets.pantomime has the name of the experiment's own corpus"),
    (
        {"protocol.training": "complete"},
        "protocol: complete is [0.5]; with training on complete data it must be []",
    ),
    (
        {"protocol.training": "complete", "protocol.complete": []},
        "protocol: told is true; with training on complete data no method may be told",
    ),
    (
        {
            "protocol.training": "complete",
            "protocol.complete": [],
            "protocol.told": False,
            "protocol.absence": "by_label",
        },
        "protocol: absence is by_label; nothing is absent in training on complete data",
    ),
    (
        {"protocol.victims": ["vision", "frames"], "protocol.absence": "by_label"},
        "protocol.victims: absence is by_label, which frames cannot follow; name whole modalities",
    ),
    ({"protocol.weighted": True}, "protocol: weighted is true, which needs absence by_label and all labels"),
    (
        {
            "protocol.victims": ["vision", "frames"],
            "protocol.rates": [0.0, 0.42],
            "protocol.complete": [],
            "protocol.study_rate": 0.42,
            "report.conditions": [0.0],
        },
        "protocol.victims: frames is evaluated at none of the rates [0.0, 0.42]",
    ),
    (
        {"datasets.other.purpose": "rotation"},
        "datasets.other.purpose is rotation, which is the experiment's own corpus",
    ),
    ({"protocol.labels": 0}, "protocol.labels is 0; expected greater than or equal to 1"),
    ({"methods.trml.untold": {"bta": 0.0}}, "methods.trml.untold.bta is unknown; did you mean 'beta'?"),
    ({"report.conditions": [0.2]}, "report.conditions [0.2] are not among protocol.rates"),
    ({"threads": 0}, "threads is 0; expected greater than or equal to 1"),
    ({"datasets.other.methods": ["trm"]}, "datasets.other.methods names ['trm']; known are trml"),
    (
        {"datasets.other.purpose": "regime"},
        "datasets.other.purpose is regime, which is the experiment's own corpus and encoder",
    ),
    ({"datasets.other.studies": ["no_l"]}, "datasets.other.studies names ['no_l']; known are"),
    ({"datasets.other.purpose": "alignments"}, "datasets.other.purpose is 'alignments'; did you mean 'alignment'?"),
]


@pytest.mark.parametrize(("changes", "words"), REFUSED, ids=[next(iter(c)) for c, _ in REFUSED])
def test_refused_in_words(raw, changes, words):
    other = {"corpus": copy.deepcopy(raw["corpus"]), "encoder": copy.deepcopy(raw["encoder"])}
    raw["datasets"] = {"other": other}
    for key, value in changes.items():
        node = raw
        *path, last = key.split(".")
        for part in path:
            node = node[part]
        node[last] = {"pantomime": other} if value == {"pantomime": "other"} else value
    with pytest.raises(ConfigError) as refusal:
        check(raw)
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_method_for_two_modalities_is_refused_on_three():
    three = ["experiment=mosi", "method=[trml,mm_align,supervised_double]"]
    with pytest.raises(ConfigError) as refusal:
        compose(three, ROOT / "config")
    assert str(refusal.value) == (
        "methods.mm_align is defined for 2 modalities; mosi has 3 (text, vision, audio). "
        "Leave it out: method=[...] without it"
    )


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("experiment=mosy", "experiment=mosy: no such choice; did you mean 'mosi'?"),
        ("method=[trml,zero_fil]", "method=zero_fil: no such choice; did you mean 'zero_fill'?"),
        ("trainig.epochs=3", "trainig.epochs is unknown; did you mean 'training.epochs'?"),
        ("experiment=own corpus.foldr=x", "corpus.foldr is unknown; did you mean 'corpus.folder'?"),
        ("experiment=own corpus.title=a,b", "To use it as string, quote the value"),
        ("methods.trml.sweeps={}", "so temperature, weight would stay. Remove keys first: ~methods.trml.sweeps.temper"),
        ("methods.trml.search={beta:[0.0]}", "so detach, epochs, learning_rate, temperature, weight would stay"),
        ("training.epochs=0", "training.epochs is 0; expected greater than or equal to 1"),
    ],
)
def test_command_refuses_in_one_line(tmp_path, capsys, monkeypatch, override, words):
    monkeypatch.chdir(ROOT)
    code, _, err = ended(capsys, "compose", *override.split(), "--output", tmp_path / "params.yaml")
    assert code == 2
    what, *following = err.splitlines()
    assert words.replace("; expected", "") in what + "".join(following).replace("Expected", "")
    assert all(line.startswith(("Expected ", "Settings: trml compose --keys ")) for line in following)
    assert not (tmp_path / "params.yaml").exists()


def test_options_are_read_through_the_bases_of_a_class(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "inherited_options.py").write_text(
        "from trml.methods.mm_align import MMAlign as Base\n\n\nclass Derived(Base):\n    pass\n\n\n"
        "class Free(Derived):\n    modalities = None\n"
    )
    known, required = known_options("inherited_options.Derived")
    assert (known, required) == known_options("trml.methods.mm_align.MMAlign")
    assert {"hidden", "window", "regularisation", "learning_rate"} <= known.keys()
    assert "regularisation" in required
    assert modality_limit("inherited_options.Derived") == 2
    assert modality_limit("inherited_options.Free") is None
    assert modality_limit("trml.methods.trml.TRML") is None
