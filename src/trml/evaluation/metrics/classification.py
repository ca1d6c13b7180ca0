"""Accuracy, weighted F1 and macro F1 over class numbers 0 ... classes - 1."""

from trml.evaluation.metrics.common.metric import Array, Metric
from trml.evaluation.metrics.common.sums import confusion, macro_f1, ratio, weighted_f1, with_count


def metrics(task: str, classes: int) -> list[Metric]:
    """Return the metrics of a classification."""
    if task != "classification":
        return []

    def of_classes(label: Array, prediction: Array) -> Array:
        return confusion(label, prediction, classes)

    return [
        Metric("accuracy", "Accuracy", True, _hits, ratio, headline=True, drawn=True, primary=True),
        Metric("f1_weighted", "F1 (weighted)", True, of_classes, weighted_f1, headline=True, drawn=True),
        Metric("f1_macro", "F1 (macro)", True, of_classes, macro_f1, headline=True),
    ]


def _hits(label: Array, prediction: Array) -> Array:
    return with_count((prediction == label).astype(float))
