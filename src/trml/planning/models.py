"""Which training stands for a method where one model of it is handed on."""

from trml.base.errors import ConfigError
from trml.base.nearest import nearest
from trml.methods.config import DEFAULT
from trml.planning.plan import Plan
from trml.training.contract import Cell


def exported_cell(plan: Plan, method: str, digest: str | None = None) -> Cell:
    """Return the training of a method that is exported.

    It is the default on complete data with the first seed. A method that is another model for each pattern has none
    such: then it is the one for the first modality missing. Scores choose nothing.

    Args:
        plan: Of the experiment's own dataset.
        method: Its name in the configuration.
        digest: The cell to take instead.

    Raises:
        ConfigError: If the experiment has no such method or cell.
    """
    if method not in plan.params.methods:
        known = plan.params.methods
        raise ConfigError(f"the experiment has no method {method}{nearest(method, known)}; it has {', '.join(known)}")
    of_method = {training: cell for training, cell in plan.trainings.items() if training.method == method}
    if digest is not None:
        found = next((cell for cell in of_method.values() if cell.digest == digest), None)
        if found is None:
            raise ConfigError(f"method {method} has no cell {digest}; cells.csv of the results lists its cells")
        return found
    study = plan.study
    victim = study.single_victims[0] if study.by_name[method].single else None
    rate = study.study_training_rate if victim else 0.0
    for training, cell in of_method.items():
        is_wanted = training.variant == DEFAULT and training.seed == study.seeds[0]
        if is_wanted and (training.rate, training.dev_rate) == (rate, rate) and victim in (None, training.victim):
            return cell
    raise ConfigError(f"method {method} has no training with seed {study.seeds[0]} at rate {rate:g}. Name one: --cell")
