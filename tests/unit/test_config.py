"""The configuration: the committed one is what config/ composes to, and every refusal is one clear line."""

import copy
import json
import subprocess
import sys

import pytest

from conftest import ROOT
from trml.base.errors import ConfigError
from trml.config.compose import compose
from trml.config.load import check, json_schema


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
    ({"protocol.seeds": []}, "protocol.seeds is []; expected"),
    ({"protocol.victims": ["vidio"]}, "protocol.victims.0 is 'vidio'; did you mean 'vision'?"),
    ({"protocol.victims": ["text", "text"]}, "victims names a value twice"),
    ({"protocol.study_rate": 0.4}, "study_rate 0.4 is not one of rates"),
    ({"protocol.ratez": [0.5]}, "protocol.ratez is unknown; did you mean 'rates'?"),
    ({"training.epochs": "thirty"}, "training.epochs is 'thirty'; expected"),
    ({"training.epochs": 0}, "training.epochs is 0; expected greater than or equal to 1"),
    ({"training.learning_rate": "1e-3"}, "training.learning_rate is '1e-3'; expected"),
    ({"device": "gpu"}, "device is 'gpu'; did you mean"),
    ({"corpus.weights.shared": 2.0}, "2*shared + the others must be <= 3"),
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
    ({"methods.trml.options.temperature": 0}, "methods.trml.options.temperature is 0; expected greater than 0"),
    (
        {"methods.zero_fill.options.drop": 1.5},
        "methods.zero_fill.options.drop is 1.5; expected less than or equal to 1",
    ),
    ({"methods.trml.options": {"hidden": 64}}, "methods.trml.options lacks alpha, beta, detach"),
    ({"methods.trml.sweeps": {"hidden": [32.0]}}, "only options that are numbers with a point can be varied"),
    ({"methods.trml.variants.default": {"label": "x", "options": {}}}, "the name is taken"),
    ({"methods.zero_fill.role": "proposed"}, "have role proposed; the claims judge one"),
    ({"encoder.vision.foo": 1}, "encoder.vision.foo is unknown"),
    ({"encoder.vision.width": 100}, "width 100 is no multiple of head_width 32"),
    ({"also.other.corpus": {}}, "also.other.corpus.kind is missing"),
    ({"also.other.encoder.vision.foo": 1}, "also.other.encoder.vision.foo is unknown"),
    ({"also.other.corpus.frames": 1}, "also.other.corpus.frames is 1; expected greater than or equal to 2"),
    ({"also.other.encoder": {"kind": "given", "name": "g"}}, "encoder g does not fit corpus pantomime"),
    ({"also": {"pantomime": "other"}}, "also.pantomime has the name of the experiment's own corpus"),
    ({"report.resamples": 1000}, "report.resamples is 1000; with 54 comparisons in a claim"),
    ({"report.conditions": [0.2]}, "report.conditions [0.2] are not among protocol.rates"),
]


@pytest.mark.parametrize(("changes", "words"), REFUSED, ids=[next(iter(c)) for c, _ in REFUSED])
def test_refused_in_words(raw, changes, words):
    other = {"corpus": copy.deepcopy(raw["corpus"]), "encoder": copy.deepcopy(raw["encoder"])}
    raw["also"] = {"other": other}
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


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("experiment=mosy", "experiment=mosy: no such choice; did you mean 'mosi'?"),
        ("method=[trml,zero_fil]", "method=zero_fil: no such choice; did you mean 'zero_fill'?"),
        ("trainig.epochs=3", "trainig.epochs is unknown; did you mean 'training.epochs'?"),
        ("experiment=own corpus.foldr=x", "corpus.foldr is unknown; did you mean 'corpus.folder'?"),
        ("experiment=own corpus.title=a,b", "To use it as string, quote the value"),
        ("training.epochs=0", "training.epochs is 0; expected greater than or equal to 1"),
    ],
)
def test_command_refuses_in_one_line(tmp_path, override, words):
    command = [sys.executable, "-m", "trml", "compose", *override.split(), "--output", str(tmp_path / "params.yaml")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "params.yaml").exists()


def test_planning_starts_without_torch():
    code = (
        "import sys; from trml.config import load; from trml.plan import Plan; Plan(load('params.yaml')).results; "
        "import trml.cli, trml.publish; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
