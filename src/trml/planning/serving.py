"""Which trainings predict an utterance that has some of the modalities."""

from collections.abc import Collection

from trml.base.errors import ConfigError
from trml.base.nearest import nearest
from trml.methods.config import DEFAULT
from trml.missing.modalities import in_order
from trml.planning.plan import Plan
from trml.training.contract import Cell


def serving_cells(plan: Plan, method: str, present: Collection[str]) -> tuple[Cell, ...]:
    """Return the trainings that predict what has these modalities, one a seed.

    They are those that met it: the default at the study's rate with the others missing, or on complete data if none is.
    A method that is not trained with the others missing is served by its training on complete data, as in evaluation.

    Args:
        plan: Of the experiment's own dataset.
        method: Its name.
        present: The modalities of the utterance.

    Raises:
        ConfigError: If the experiment has no such method, or no training of it that can predict this.
    """
    study = plan.study
    if method not in study.by_name:
        raise ConfigError(f"{study.name} has no method {method}{nearest(method, study.by_name)}")
    missing = "+".join(in_order(set(study.modalities) - set(present)))
    wanted: list[tuple[str | None, float]] = [(None, 0.0)]
    if missing:
        wanted.insert(0, (missing, study.study_training_rate))
    elif study.by_name[method].single:
        wanted = [(study.single_victims[0], study.study_training_rate)]
    for victim, rate in wanted:
        cells = {
            training.seed: cell
            for training, cell in plan.trainings.items()
            if (training.method, training.variant) == (method, DEFAULT)
            and training.rate == training.dev_rate == rate
            and victim in (None, training.victim)
        }
        if len(cells) == len(study.seeds):
            return tuple(cells[seed] for seed in study.seeds)
    raise ConfigError(
        f"no training of {method} in {study.name} predicts from {' and '.join(in_order(present)) or 'nothing'}; add "
        f"`{missing}` to protocol.victims, or name another method"
    )
