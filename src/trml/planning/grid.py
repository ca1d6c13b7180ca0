"""Expand a configuration into its trainings, and each training into the cell that stands for it.

Several trainings may be the same cell: complete data is one training for every missing pattern, a method that does not
depend on the missing rate is trained once, and a sweep passes through the default.
"""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from trml.config.params import Params
from trml.evaluation.contract import StudyVariant
from trml.methods.config import DEFAULT, MethodConfig, grid_name, grid_points, sweep_name
from trml.missing.modalities import written
from trml.missing.registry import missing_pattern
from trml.training.contract import CellSpec, Training


def expand(params: Params) -> list[tuple[Training, CellSpec]]:
    """Return every training of one dataset with the cell that stands for it, in the order of the configuration."""
    pairs = []
    for name, method in params.methods.items():
        moved = {variant.name: variant.options for variant in variants(params, method)}
        for seed, (variant, victim, rate, dev_rate) in product(params.protocol.seeds, list(_runs(params, method))):
            training = Training(name, variant, victim, rate, dev_rate, seed)
            pairs.append((training, cell_spec(params, training, moved.get(variant, {}))))
    return pairs


def variants(params: Params, method: MethodConfig) -> list[StudyVariant]:
    """Return the variants that are run: the named ones that move something, then those of its sweeps and grids."""
    default = default_options(params, method)
    if params.studies is not True:
        method = method.with_studies(params.studies or [])
    named = [
        StudyVariant(name, v.label, v.of, dict(v.options))
        for name, v in method.variants.items()
        if {**default, **v.options} != default
    ]
    swept = [
        StudyVariant(sweep_name(option, value), sweep_name(option, value), "sweep", {option: value})
        for option, values in method.sweeps.items()
        for value in values
    ]
    points = [point for grid in method.grids for point in grid_points(grid)]
    return [*named, *swept, *(StudyVariant(grid_name(point), grid_name(point), "grid", point) for point in points)]


def default_options(params: Params, method: MethodConfig) -> dict[str, Any]:
    """Return the options of a method's default under the protocol."""
    return {**method.options, **({} if params.protocol.told else method.untold)}


def is_shaped_by_missing(method: MethodConfig) -> bool:
    """Return whether a method is another one for each missing pattern."""
    return "victim" in method.depends_on


def _runs(params: Params, method: MethodConfig) -> Iterator[tuple[str, str, float, float]]:
    """Yield (variant, victim, rate, dev rate).

    The default at every rate of training and in Setting A; variants at the study's rate of training.
    """
    protocol, modalities = params.protocol, params.modalities
    single = protocol.single_victims(modalities)
    for victim in protocol.victims:
        pattern = missing_pattern(victim, modalities)
        # A method that is shaped by what is missing needs to know it, so it has no training under a random choice.
        if not (is_shaped_by_missing(method) and len(pattern.lost) > 1):
            rates = pattern.rates(protocol.rates) if protocol.training == "matched" else [0.0]
            yield from ((DEFAULT, victim, rate, rate) for rate in rates)
    yield from ((DEFAULT, victim, rate, 1.0) for victim, rate in product(single, protocol.setting_rates))
    for victim, variant in product(single, variants(params, method)):
        yield variant.name, victim, protocol.study_training_rate, protocol.study_training_rate


def cell_spec(params: Params, training: Training, moved: Mapping[str, Any]) -> CellSpec:
    """Return the cell that stands for a training.

    Args:
        params: The configuration of the dataset.
        training: What is asked for.
        moved: The options that its variant moves.
    """
    config = params.methods[training.method]
    rate, dev_rate = training.rate, training.dev_rate
    if "rate" not in config.depends_on:
        rate = dev_rate = 0.0
    missing: str | None = training.victim
    pattern = missing_pattern(training.victim, params.modalities)
    if pattern.level == "step" and rate == dev_rate == 1.0:
        missing = written(pattern.lost[0])  # no step is left of any sequence
    if rate == dev_rate == 0.0 and not is_shaped_by_missing(config):
        missing = None
    options = {**default_options(params, config), **moved}
    protocol, lacks = params.protocol, max(rate, dev_rate) > 0
    return CellSpec(
        training.method,
        training.variant,
        config.target,
        options,
        missing,
        rate,
        dev_rate,
        training.seed,
        labels=protocol.labels,
        label_noise=protocol.label_noise,
        absence=protocol.absence if lacks else "by_chance",
        weighted=protocol.weighted and lacks,
    )
