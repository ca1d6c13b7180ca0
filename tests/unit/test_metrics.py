"""Every metric against scikit-learn or scipy, and robustness of known curves."""

import numpy as np
import pytest
from scipy.stats import false_discovery_control, pearsonr
from sklearn import metrics as reference

from trml.evaluation.registry import metrics_of
from trml.evaluation.robustness import effective, relative
from trml.evaluation.statistics import Scores, holm

REGRESSION = metrics_of("regression", 0)


def regression_data(seed):
    rng = np.random.default_rng(seed)
    y = np.round(rng.normal(size=120) * 1.5, 1).clip(-3, 3)
    y[:10] = 0.0
    return y, y + rng.normal(size=120), rng


def plain(name, y, p):
    nonzero = y != 0
    sevens = (np.round(np.clip(v, -3, 3)).astype(int) for v in (y, p))
    return {
        "mae": lambda: reference.mean_absolute_error(y, p),
        "corr": lambda: pearsonr(y, p).statistic,
        "acc7": lambda: reference.accuracy_score(*sevens),
        "acc2_neg_nonneg": lambda: reference.accuracy_score(y >= 0, p >= 0),
        "acc2_neg_pos": lambda: reference.accuracy_score(y[nonzero] > 0, p[nonzero] > 0),
        "f1_neg_nonneg": lambda: reference.f1_score(y >= 0, p >= 0, average="weighted"),
        "f1_neg_pos": lambda: reference.f1_score(y[nonzero] > 0, p[nonzero] > 0, average="weighted"),
    }[name]()


@pytest.mark.parametrize("metric", REGRESSION, ids=lambda m: m.name)
@pytest.mark.parametrize("seed", range(3))
def test_regression_against_scikit_learn(metric, seed):
    y, p, _ = regression_data(seed)
    assert metric.score(y, p) == pytest.approx(plain(metric.name, y, p), abs=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_classification_against_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, size=100).astype(float)
    p = np.where(rng.random(100) < 0.5, y, rng.integers(0, 3, size=100))
    accuracy, weighted, macro = (metric.score(y, p) for metric in metrics_of("classification", 3))
    assert accuracy == pytest.approx(reference.accuracy_score(y, p))
    assert weighted == pytest.approx(reference.f1_score(y, p, average="weighted", zero_division=0))
    assert macro == pytest.approx(reference.f1_score(y, p, average="macro", zero_division=0))


def test_f1_tells_truth_from_prediction():
    y, p = np.array([0.0, 0, 0, 1, 1]), np.array([0.0, 1, 1, 1, 1])
    weighted = metrics_of("classification", 2)[1]
    assert weighted.score(y, p) != pytest.approx(float(weighted.score(p, y)))


def test_seven_classes_round_half_to_even():
    acc7 = REGRESSION[2]
    assert acc7.score(np.array([0.5, 1.5, 2.5]), np.array([0.0, 2.0, 2.0])) == 1.0
    assert acc7.score(np.array([3.0]), np.array([7.9])) == 1.0


def test_zero_is_not_negative_in_one_convention_and_left_out_of_the_other():
    y, p = np.array([0.0, 1.0, -1.0]), np.array([-0.1, 1.0, -1.0])
    named = {m.name: m for m in REGRESSION}
    assert named["acc2_neg_nonneg"].score(y, p) == pytest.approx(2 / 3)
    assert named["acc2_neg_pos"].score(y, p) == 1.0


def test_correlation_of_a_constant_is_zero():
    corr = REGRESSION[1]
    assert corr.score(np.arange(5.0), np.full(5, 0.3)) == 0.0


def test_metric_of_stacked_predictions_is_not_a_mean_of_batch_means():
    y, p, rng = regression_data(1)
    stacked = np.stack([p, rng.permutation(p)])
    for metric in REGRESSION:
        assert metric.score(y, stacked) == pytest.approx([float(metric.score(y, row)) for row in stacked])


@pytest.mark.parametrize("metric", REGRESSION, ids=lambda m: m.name)
def test_scores_without_a_group_against_a_plain_loop(metric):
    y, p, rng = regression_data(2)
    predictions, group = np.stack([p, p + rng.normal(size=len(y)), p * 0.5]), rng.permutation(len(y)) % 12
    counted = rng.random(predictions.shape) < 0.7
    without = metric.without_each(y, predictions, group, counted)
    assert without.shape == (3, 12)
    for s, g in np.ndindex(3, 12):
        kept = counted[s] & (group != g)
        assert without[s, g] == pytest.approx(plain(metric.name, y[kept], predictions[s][kept]))
    whole = [plain(metric.name, y[here], q[here]) for q, here in zip(predictions, counted, strict=True)]
    assert metric.score(y, predictions, counted) == pytest.approx(whole)
    assert np.isnan(metric.score(y, p, np.zeros(len(y), dtype=bool)))


def test_holm():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []
    p = list(np.random.default_rng(0).random(20) ** 3)
    adjusted = np.array(holm(p))
    assert (adjusted >= p).all()
    assert (adjusted <= np.minimum(1, np.array(p) * 20) + 1e-12).all()  # never more than Bonferroni
    assert (adjusted >= false_discovery_control(p) - 1e-12).all()  # never less than Benjamini-Hochberg


def test_robustness_of_straight_lines():
    rates = [0.0, 0.2, 1.0]

    def line(start, end):
        return [Scores(start + (end - start) * r, np.full((3, 12), start + (end - start) * r), 12) for r in rates]

    assert relative(rates, line(1.0, 0.0)).value == pytest.approx(0.5)
    assert effective(rates, line(1.0, 0.0), line(0.7, -0.3)).value == pytest.approx(0.0)  # the same fall
    assert effective(rates, line(1.0, 0.5), line(0.7, -0.3)).value == pytest.approx(0.25)  # half of it


def test_the_headline_and_drawn_metrics_of_each_task():
    def names(task, classes, wanted):
        return [m.name for m in metrics_of(task, classes) if wanted(m)]

    for task, classes, headline, drawn in (
        ("regression", 0, ["mae", "corr", "acc2_neg_nonneg"], ["mae", "acc2_neg_nonneg"]),
        ("classification", 3, ["accuracy", "f1_weighted", "f1_macro"], ["accuracy", "f1_weighted"]),
    ):
        assert names(task, classes, lambda m: m.headline) == headline
        assert names(task, classes, lambda m: m.drawn) == drawn
        assert names(task, classes, lambda m: m.primary) == [metrics_of(task, classes)[0].name]
