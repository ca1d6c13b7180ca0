"""The search on dev: the same number of trials for every method, on seeds that nothing else uses."""

from collections.abc import Mapping
from itertools import product
from typing import Any

import yaml

from trml.config.params import Params
from trml.methods.config import MethodConfig
from trml.planning.grid import cell_spec
from trml.seeding import generator
from trml.training.contract import CellSpec, Training

TRIALS = 12  # of each method
SEARCH_SEEDS = (1001, 1002)  # of masks and trainings


def trial_options(params: Params) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the trials: method -> trial -> the options that it moves.

    They are a Latin hypercube over the values of the method's `search`: every value is tried about equally often.
    """
    return {name: _latin(params.seed, name, method) for name, method in params.methods.items()}


def _latin(seed: int, name: str, method: MethodConfig) -> dict[str, dict[str, Any]]:
    rng = generator(seed, "search", name)
    columns = {
        option: [values[i * len(values) // TRIALS] for i in rng.permutation(TRIALS)]
        for option, values in method.search.items()
    }
    return {f"trial-{i}": {option: values[i] for option, values in columns.items()} for i in range(TRIALS)}


def trial_specs(params: Params) -> dict[str, dict[str, list[CellSpec]]]:
    """Return the trainings of the search: method -> trial -> its cells, on complete data and at the study rate.

    Methods without a `search` are left out.
    """
    protocol, modalities = params.protocol, params.modalities
    victims, rates = protocol.single_victims(modalities), (0.0, protocol.study_training_rate)
    conditions = dict.fromkeys((victims[0] if rate == 0 else victim, rate) for rate in rates for victim in victims)
    runs = [(victim, rate, seed) for (victim, rate), seed in product(conditions, SEARCH_SEEDS)]
    return {
        method: {
            trial: [
                cell_spec(params, Training(method, trial, victim, rate, rate, seed), options)
                for victim, rate, seed in runs
            ]
            for trial, options in trials.items()
        }
        for method, trials in trial_options(params).items()
        if params.methods[method].search
    }


def chosen_yaml(params: Params, chosen: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the text of a file in config/chosen.

    Args:
        params: The configuration of the dataset.
        chosen: Method -> what was chosen (training.selection.choose).
    """
    protocol = params.protocol
    victims, rate = " and ".join(protocol.single_victims(params.modalities)), protocol.study_training_rate
    head = (
        f"# What the search on dev chose on {params.corpus.name} through {params.encoder.name}, written by\n"
        f"# `make search`: {TRIALS} trials of each method, on complete data and with {victims} missing at rate\n"
        f"# {rate:g}, seeds {', '.join(map(str, SEARCH_SEEDS))}; the lowest mean dev loss.\n"
    )
    return head + yaml.safe_dump({name: dict(entry) for name, entry in chosen.items()}, sort_keys=False)
