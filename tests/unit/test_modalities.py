"""Methods with any number of modalities: their parts, against plain computations; the published case stays in order."""

import pytest
import torch
from torch import Tensor

from helpers.method_batches import batch_of, method_and_data
from helpers.synthetic_features import PAIR, TRIPLE, synthetic_features
from helpers.synthetic_training import cell
from trml.base.errors import ConfigError
from trml.methods.contract import Shape, Signal, complete
from trml.methods.layers.fusion import mean_of_present
from trml.methods.layers.towers import SequenceTower, VectorTower, towers
from trml.methods.losses.matching import semantic_matching
from trml.methods.losses.task import task_loss
from trml.methods.supervised_single import SupervisedSingle
from trml.missing.registry import missing_pattern
from trml.training.new_method import method_class

SIZES = {"text": (1, 8), "vision": (4, 8), "audio": (3, 8)}


def test_a_vector_and_a_sequence_have_towers_of_their_own():
    built = towers(SIZES, 5)
    assert [type(tower) for tower in built.values()] == [VectorTower, SequenceTower, SequenceTower]


def test_the_mean_is_over_present_sources():
    def signal(present: list[bool]) -> Signal:
        mask = torch.tensor(present).unsqueeze(-1)
        return Signal(torch.zeros(4, 1, 2), mask, mask[:, 0].float())

    seen = {"text": signal([True, True, False, False]), "audio": signal([True, False, True, False])}
    made = {"text": torch.full((4, 2), 1.0), "audio": torch.full((4, 2), 5.0)}
    assert mean_of_present(made, seen)[:, 0].tolist() == [3.0, 1.0, 5.0, 3.0]
    assert mean_of_present({"text": made["text"]}, seen) is made["text"]


def weights_of(modalities: tuple[str, ...], alpha: float, switches: dict[str, float]) -> dict[str, float]:
    """The weight of each matching loss, by the formula of the class."""
    n = len(modalities)
    if "vision" not in modalities:
        return {name: switches[name] / n for name in modalities}
    return {name: switches[name] * (alpha if name == "vision" else (1 - alpha) / (n - 1)) for name in modalities}


@pytest.mark.parametrize("modalities", [PAIR, TRIPLE, ("text", "audio")], ids="+".join)
def test_trml_is_its_formula(params, modalities):
    """Loss and its parts, each view predicted on its own; the text is missing here and there, and single steps too."""
    c = cell(params, "trml")
    method, data = method_and_data(c, synthetic_features(modalities=modalities))
    at, last = torch.arange(data.splits["test"].n) % 4, modalities[-1]
    batch = batch_of(c, data, {"text": at != 0, last: at != 1})
    lossy = batch.signals[last]
    batch.signals[last] = lossy._replace(share=torch.where(at == 2, lossy.share / 2, lossy.share))
    switches = {"text": 0.5, "vision": 0.7, "audio": 0.9}
    options = {"temperature": 0.1, "weight": 0.3, "alpha": 0.2, "beta": 0.6}
    options |= {f"use_l_{name[0]}": value for name, value in switches.items()}
    real, virtual = method.net.encode({n: s._replace(values=s.values.nan_to_num()) for n, s in batch.signals.items()})
    share = {name: signal.share.unsqueeze(-1) for name, signal in batch.signals.items()}
    given = {name: share[name] * real[name] + (1 - share[name]) * virtual[name] for name in modalities}
    whole = complete(batch)
    ones = torch.ones(len(whole)).double()

    def task(vectors: dict[str, Tensor], weight: Tensor) -> Tensor:
        return task_loss(method.net.predict(vectors), batch.label, weight)

    views = sum(task({**real, name: virtual[name]}, whole.double()) for name in modalities) / len(modalities)
    weights = weights_of(modalities, 0.2, switches)
    matched = sum(
        weights[name] * semantic_matching(virtual[name], real[name], whole, torch.tensor(0.1)) for name in modalities
    )
    found = method.loss(batch, {name: torch.tensor(value).double() for name, value in options.items()})
    torch.testing.assert_close(found, task(given, ones) + 0.6 * views + 0.3 * matched)
    torch.testing.assert_close(method(batch.unlabelled), method.net.predict(given))


def test_a_virtual_vector_is_the_mean_over_the_present_others(params):
    c = cell(params, "trml")
    method, data = method_and_data(c, synthetic_features(modalities=TRIPLE))
    batch = batch_of(c, data, {"vision": False, "audio": torch.arange(data.splits["test"].n) % 2 == 0})
    seen = {n: s._replace(values=s.values.nan_to_num()) for n, s in batch.signals.items()}
    real, virtual = method.net.encode(seen)
    from_text, from_audio = (
        method.net.generators[f"vision_from_{name}"](real[name], seen[name].values, seen[name].mask)
        for name in ("text", "audio")
    )
    torch.testing.assert_close(virtual["vision"][::2], (from_text + from_audio)[::2] / 2)
    torch.testing.assert_close(virtual["vision"][1::2], from_text[1::2])


@pytest.mark.parametrize(
    ("pattern", "kept"),
    [("vision", ("text", "audio")), ("text+audio", ("vision",)), ("frames", ("text", "audio")), (None, TRIPLE)],
)
def test_supervised_single_has_what_is_never_missing(pattern, kept):
    missing = pattern and missing_pattern(pattern, TRIPLE)
    assert tuple(SupervisedSingle(Shape(SIZES, 1, missing), hidden=8).towers) == kept


def test_supervised_single_refuses_a_pattern_that_takes_all():
    with pytest.raises(ConfigError, match="random_modality may take each of text, vision, audio"):
        SupervisedSingle(Shape(SIZES, 1, missing_pattern("random_modality", TRIPLE)), hidden=8)


@pytest.mark.parametrize("missing", ["vision", "audio", "text+audio"])
def test_the_matched_twin_has_the_size_of_trml(params, missing):
    features = synthetic_features(modalities=TRIPLE)
    sizes = [
        sum(p.numel() for p in method_and_data(cell(params, name, missing), features)[0].parameters())
        for name in ("trml", "supervised_single_matched")
    ]
    assert abs(sizes[0] - sizes[1]) <= 2 * 8 + 1 + 1  # a unit of its head


@pytest.mark.parametrize("name", ["trml", "mfm", "smil", "modal_trans", "mean_fill", "learned_token"])
def test_virtual_vectors_are_of_every_modality_made_up(params, name):
    c = cell(params, name)
    method, data = method_and_data(c, synthetic_features(modalities=TRIPLE))
    pairs = method.virtual(batch_of(c, data).unlabelled)
    assert set(pairs) == (set() if "_" in name and name != "modal_trans" else set(TRIPLE))
    assert all(virtual.shape == real.shape and virtual.isfinite().all() for virtual, real in pairs.values())


def test_only_mm_align_is_limited(params):
    limits = {name: method_class(config.target).modalities for name, config in params.methods.items()}
    assert {name for name, limit in limits.items() if limit} == {"mm_align"}


FIRST_PARTS = {
    "trml": ["net.towers.text", "net.towers.vision", "net.generators.vision_from_text",
             "net.generators.text_from_vision", "net.head"],
    "mfm": ["towers.text", "towers.vision", "encoders.text", "encoders.vision", "encode_joint", "surrogates.text",
            "surrogates.vision", "factors.text", "factors.vision", "factors.joint", "decoders.text", "decoders.vision",
            "head"],
    "smil": ["net.towers.text", "net.towers.vision", "net.imputers.text_from_vision", "net.imputers.vision_from_text",
             "net.regularise", "net.head"],
    "modal_trans": ["encoders.text", "encoders.vision", "translators.text_from_vision",
                    "translators.vision_from_text", "head"],
    "mm_align": ["encoders.text", "encoders.vision", "aligners.text", "aligners.vision", "decoders.text",
                 "decoders.vision", "head"],
    "learned_token": ["text_token", "vision_token", "towers.text", "towers.vision", "head"],
}  # fmt: skip


@pytest.mark.parametrize("name", FIRST_PARTS)
def test_parameters_of_text_and_vision_stay_in_their_published_order(params, name):
    """Initial weights are drawn in this order, and the norm of a gradient is summed in it: another moves bits."""
    method, _ = method_and_data(cell(params, name), synthetic_features())
    names = [parameter for parameter, _ in method.named_parameters()]
    parts = [next(part for part in FIRST_PARTS[name] if parameter.startswith(part)) for parameter in names]
    assert list(dict.fromkeys(parts)) == FIRST_PARTS[name]
    assert parts == sorted(parts, key=FIRST_PARTS[name].index)
