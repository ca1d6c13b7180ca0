"""The name of results: an experiment's own for its own configuration, another for every other."""

import shutil

import pytest
import yaml

from conftest import ROOT
from trml.base.errors import DataMissing
from trml.cli.common import result_folder
from trml.config.compose import compose
from trml.config.load import check
from trml.planning import naming as module
from trml.planning.naming import naming
from trml.planning.plan import plans


def named(tmp_path, *overrides, device="cpu", config=ROOT / "config", **changes):
    raw = yaml.safe_load(compose(list(overrides), ROOT / "config"))
    raw.update(changes)
    return naming(check(raw), device, config, tmp_path)


@pytest.mark.parametrize(
    "overrides",
    [[], ["data=../elsewhere"], ["device=cpu"], ["accept_terms=[mvsa]"], ["experiment=pantomime_full"]],
    ids=str,
)
def test_an_experiment_has_its_own_name_wherever_it_runs(tmp_path, overrides):
    name, base, experiment, moved = named(tmp_path, *overrides)
    assert name == base == experiment == ("pantomime_full" if "full" in str(overrides) else "pantomime")
    assert moved == {}


CHANGES = [
    (["protocol.seeds=[2020,2021]"], "protocol.seeds", ([2020, 2021, 2022], [2020, 2021])),
    (["methods.trml.options.weight=0.2"], "methods.trml.options.weight", (0.1, 0.2)),
    (["~datasets.untold"], "datasets.untold.purpose", ("regime", "absent")),
    (["seed=2"], "seed", (1, 2)),
    (["threads=2"], "threads", (1, 2)),
    (["chosen.trml.dev_loss=0.1"], "chosen.trml.dev_loss", (0.3652, 0.1)),
]


@pytest.mark.parametrize(("overrides", "key", "values"), CHANGES, ids=[key for _, key, _ in CHANGES])
def test_a_changed_experiment_has_another_name_and_says_what_it_changes(tmp_path, overrides, key, values):
    name, base, experiment, moved = named(tmp_path, *overrides)
    assert base == experiment == "pantomime"
    assert moved[key] == values
    assert name.startswith("pantomime_")
    assert named(tmp_path, *overrides).published == name
    assert named(tmp_path, *overrides, name=name).published == name  # as from results/<name>/params.yaml


def test_two_changes_have_two_names(tmp_path):
    assert len({named(tmp_path, *overrides).published for overrides, _, _ in CHANGES}) == len(CHANGES)


def test_what_a_gpu_computes_has_a_name_of_its_own(tmp_path):
    assert named(tmp_path, device="cuda").published == "pantomime_cuda"
    changed = named(tmp_path, "seed=2", device="cuda").published
    assert changed == named(tmp_path, "seed=2").published + "_cuda"
    assert named(tmp_path, "seed=2", device="cuda", name=changed).published == changed


def test_a_name_that_config_does_not_have_stays(tmp_path):
    assert named(tmp_path, "seed=2", name="mine") == ("mine", "mine", None, {})


def test_an_edit_of_the_experiment_itself_is_seen(tmp_path, monkeypatch):
    """What is remembered is of the files as they are."""
    config, composed = tmp_path / "config", []
    shutil.copytree(ROOT / "config", config)
    monkeypatch.setattr(module, "compose", lambda *a: composed.append(a) or compose(*a))
    assert [named(tmp_path, "seed=2", config=config).published for _ in range(2)] != ["pantomime"] * 2
    assert len(composed) == 1
    with (config / "experiment/pantomime.yaml").open("a") as file:
        file.write("seed: 2\n")
    assert named(tmp_path, "seed=2", config=config).published == "pantomime"


def test_results_and_their_command_have_the_name(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    raw = yaml.safe_load(compose(["protocol.seeds=[2020]"], ROOT / "config"))
    changed, own = (plans(check(each), tmp_path)[0] for each in (raw, yaml.safe_load(compose([], ROOT / "config"))))
    assert changed.results.name.startswith(changed.named.published + "-")
    assert changed.command == f"snakemake --cores all --config params=results/{changed.named.published}/params.yaml"
    assert own.command == "make results EXPERIMENT=pantomime"


def test_without_a_name_the_results_of_the_configuration_in_force_are_meant(tmp_path, monkeypatch):
    """Under whichever name they are published; a faulty configuration means none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRML_PARAMS", raising=False)
    (tmp_path / "config").symlink_to(ROOT / "config")
    (tmp_path / "params.yaml").write_text(compose(["experiment=own", "seed=2"], ROOT / "config"))
    published = named(tmp_path, "experiment=own", "seed=2").published
    for name in ("own", published, "pantomime"):
        (tmp_path / "results" / name).mkdir(parents=True)
        (tmp_path / "results" / name / "manifest.json").write_text("{}")
    assert result_folder(None).name == published != "own"
    shutil.rmtree(tmp_path / "results" / published)
    with pytest.raises(
        DataMissing, match=rf"has own, pantomime, not {published} of params.yaml; name one with --model"
    ):
        result_folder(None, "--model")
    (tmp_path / "params.yaml").write_text("seed: [")
    with pytest.raises(DataMissing, match=r"results/ has own, pantomime; name one$"):
        result_folder(None)
    shutil.rmtree(tmp_path / "results/own")
    assert result_folder(None).name == "pantomime"
