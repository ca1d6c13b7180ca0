"""The metrics of a task, found by scanning `evaluation/metrics`."""

from importlib import import_module

from trml.base.errors import ContractError
from trml.base.modules import components
from trml.evaluation.metrics.common.metric import Metric


def metrics_of(task: str, classes: int) -> tuple[Metric, ...]:
    """Return the metrics of a task, the primary one first.

    Args:
        task: `regression` or `classification`.
        classes: How many classes there are, 0 for a regression.

    Raises:
        ContractError: If not exactly one metric of the task is the primary one.
    """
    every = [
        metric
        for module in components("evaluation.metrics").values()
        for metric in import_module(module).metrics(task, classes)
    ]
    primary = [metric.name for metric in every if metric.primary]
    if len(primary) != 1:
        raise ContractError(f"primary metrics of a {task} are {primary}; expected exactly one in evaluation/metrics/")
    return tuple(sorted(every, key=lambda metric: not metric.primary))
