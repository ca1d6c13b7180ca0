"""C1b: the proposed method copes with a modality that was never missing in training."""

from collections.abc import Iterator
from itertools import permutations

from trml.evaluation.claims.common.comparing import gain
from trml.evaluation.claims.common.judge import Claim, Statement, Test, judged
from trml.evaluation.contract import MATCHED, StudyMethod
from trml.evaluation.metrics.common.metric import Array
from trml.evaluation.predictions import Evaluation
from trml.missing.modalities import written


def claim(evaluation: Evaluation, proposed: StudyMethod) -> Claim:
    """Compare with every baseline, trained with one modality missing and evaluated with another missing everywhere.

    Where methods may show themselves missing modalities, none is new to them. A method of one modality is shaped by
    what is missing in training, and has none to cope with.
    """
    study = evaluation.study
    statement = Statement(
        "C1b",
        f"{proposed.label} beats each baseline with a modality missing that was never missing in training.",
        f"Trained with one modality missing at rate {study.study_rate:g}, without modality dropout or masked views, "
        "and evaluated with another one missing in every test utterance.",
        [],
    )
    return judged(evaluation, statement, list(_tests(evaluation, proposed)))


def _tests(evaluation: Evaluation, proposed: StudyMethod) -> Iterator[Test]:
    study = evaluation.study
    if study.told or study.training != MATCHED:
        return
    for trained, victim in permutations(study.single_victims, 2):
        ours = _predictions(evaluation, proposed, trained, victim)
        for baseline in study.baselines:
            theirs = _predictions(evaluation, baseline, trained, victim)
            if ours is not None and theirs is not None:
                yield Test(baseline.name, baseline.label, victim, 1.0, gain(evaluation, ours, theirs))


def _predictions(evaluation: Evaluation, method: StudyMethod, trained: str, victim: str) -> Array | None:
    """Return predictions [seeds, N] without `victim` of a method trained with `trained` missing, None without such."""
    study = evaluation.study
    cells = None if method.single else evaluation.trained_with(method.name, trained, study.study_rate)
    present = written(set(study.modalities) - {victim})
    return None if cells is None else evaluation.all_predicted_with(cells, present)
