"""Words that the captions of probes share."""

from trml.report.dataset import Dataset


def trained(data: Dataset) -> str:
    """Return which trainings the probes are of, and of how many utterances."""
    assert data.probes is not None
    about = data.probes.about
    label = data.study.by_name[about["method"]].label
    return f"{label} trained at missing rate {about['train_rate']:g}, {about['n']} complete test utterances"
