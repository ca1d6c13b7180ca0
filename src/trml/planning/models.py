"""Which training stands for a method where one model of it is handed on, and the folder that DVC keeps it in."""

from pathlib import Path

from trml.base.digests import digest
from trml.base.errors import ConfigError
from trml.base.nearest import nearest
from trml.planning.plan import Plan
from trml.planning.source_digest import source_digest
from trml.planning.study import is_handed_on, is_kept
from trml.training.contract import Cell

_WRITER = "trml.training.model_folder"


def exported_cell(plan: Plan, method: str, digest: str | None = None) -> Cell:
    """Return the training of a method that is exported: the one that is handed on (study.py), with the first seed.

    Args:
        plan: Of the experiment's own dataset.
        method: Its name in the configuration.
        digest: The cell to take instead.

    Raises:
        ConfigError: If the experiment has no such method or cell.
    """
    if method not in plan.params.methods:
        known = plan.params.methods
        raise ConfigError(f"the experiment has no method {method}{nearest(method, known)}")
    of_method = {training: cell for training, cell in plan.trainings.items() if training.method == method}
    if digest is not None:
        found = next((cell for cell in of_method.values() if cell.digest == digest), None)
        if found is None:
            raise ConfigError(f"method {method} has no cell {digest}; cells.csv of the results lists its cells")
        return found
    for training, cell in of_method.items():
        if training.seed == plan.study.seeds[0] and is_handed_on(plan.study, training):
            return cell
    raise ConfigError(f"method {method} has no default training on complete data; name another training: --cell DIGEST")


def proposed_model(plan: Plan) -> tuple[Path, Cell] | None:
    """Return the folder of the proposed method's trained model and the training it holds.

    None if there is no such training.
    """
    study = plan.study
    kept = {training.seed: cell for training, cell in plan.trainings.items() if is_kept(study, training)}
    found = kept.get(study.seeds[0])
    if found is None:
        return None
    recipe = {"cell": found.name, "features": plan.features.name, "source": source_digest(_WRITER)}
    return plan.work / "models" / f"{found.spec.method}-{digest(recipe)}", found
