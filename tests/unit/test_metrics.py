"""Every metric against scikit-learn or scipy, and the bootstrap against a plain loop."""

import numpy as np
import pytest
from scipy.stats import false_discovery_control, pearsonr
from sklearn import metrics as reference

from trml.evaluation.registry import metrics_of
from trml.evaluation.robustness import effective, relative
from trml.evaluation.statistics import Resamples, Scores, holm, leaders, p_beyond, p_within

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


@pytest.mark.parametrize("metric", REGRESSION, ids=lambda m: m.name)
def test_weights_are_repeated_utterances(metric):
    y, p, rng = regression_data(5)
    times = rng.integers(0, 4, size=len(y))
    again = np.repeat(np.arange(len(y)), times)
    assert metric.score(y, p, times[None].astype(float))[0] == pytest.approx(plain(metric.name, y[again], p[again]))


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
def test_bootstrap_against_a_plain_loop(metric):
    y, p, rng = regression_data(2)
    predictions = np.stack([p, p + rng.normal(size=len(y)), p * 0.5])
    resamples = Resamples(len(y), 3, 100, 7)
    scores = resamples.scores(metric, y, predictions)
    assert scores.value == pytest.approx(np.mean([plain(metric.name, y, q) for q in predictions]))
    for r in range(10):
        rows = np.repeat(np.arange(len(y)), resamples.utterances[r].astype(int))
        seeds = np.repeat(np.arange(3), resamples.of_seeds[r].astype(int))
        expected = np.mean([plain(metric.name, y[rows], predictions[s][rows]) for s in seeds])
        assert scores.replicates[r] == pytest.approx(expected)


def test_interval_covers_the_mean_at_about_its_level():
    rng = np.random.default_rng(0)
    y, mae, covered = np.zeros(80), REGRESSION[0], 0
    for trial in range(200):
        predictions = np.repeat(np.abs(rng.normal(size=80))[None], 2, axis=0)
        low, high = Resamples(80, 2, 400, trial).scores(mae, y, predictions).interval
        covered += low <= np.sqrt(2 / np.pi) <= high
    assert 0.88 <= covered / 200 <= 0.99


def test_p_value_of_no_difference_is_uniform_enough_and_of_a_clear_one_is_small():
    rng = np.random.default_rng(1)
    y, mae = np.zeros(100), REGRESSION[0]
    resamples = Resamples(100, 2, 500, 3)
    rejected = 0
    for _ in range(200):
        a, b = rng.normal(size=(2, 1, 100)).repeat(2, axis=1)
        rejected += (resamples.scores(mae, y, a) - resamples.scores(mae, y, b)).p_value < 0.05
    assert rejected / 200 < 0.1
    better = resamples.scores(mae, y, a) - resamples.scores(mae, y, a + 1)
    assert better.p_value == pytest.approx(2 / 501)


def test_holm():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []
    p = list(np.random.default_rng(0).random(20) ** 3)
    adjusted = np.array(holm(p))
    assert (adjusted >= p).all()
    assert (adjusted <= np.minimum(1, np.array(p) * 20) + 1e-12).all()  # never more than Bonferroni
    assert (adjusted >= false_discovery_control(p) - 1e-12).all()  # never less than Benjamini-Hochberg


def test_difference_is_paired():
    replicates = np.random.default_rng(0).normal(size=100)
    difference = Scores(1.0, replicates + 0.1) - Scores(0.9, replicates)
    assert difference.interval == pytest.approx((0.1, 0.1))


def test_equivalence_is_found_where_it_is_and_not_where_it_is_not():
    rng = np.random.default_rng(0)
    near, far = (Scores(value, value + rng.normal(size=2000) * 0.1) for value in (0.02, -0.9))
    assert p_within(near, 0.5) == pytest.approx(1 / 2001)
    assert p_within(near, 0.05) > 0.2  # the interval is wider than so small a margin
    assert p_within(far, 0.5) > 0.9
    assert p_beyond(far, 0.5) < 0.01
    assert p_beyond(near, 0.5) == pytest.approx(1.0)
    assert p_within(Scores.failed(10), 1.0) == p_beyond(Scores.failed(10), 1.0) == 1.0


def test_equivalence_errs_at_its_level_on_the_margin():
    """A true difference that lies on the margin is called near in at most 5 % of samples."""
    rng, called = np.random.default_rng(1), 0
    for _ in range(300):
        sample = rng.normal(0.5, 1.0, size=80)
        replicates = rng.choice(sample, size=(400, 80)).mean(axis=1)
        called += p_within(Scores(sample.mean(), replicates), 0.5) < 0.05
    assert called / 300 < 0.08


def test_the_mean_of_values_is_bootstrapped_as_a_metric_is():
    resamples, rng = Resamples(30, 3, 500, 1), np.random.default_rng(2)
    label, predictions = rng.normal(size=30), rng.normal(size=(3, 30))
    as_metric = resamples.scores(REGRESSION[0], label, predictions)
    as_mean = resamples.mean(np.abs(predictions - label))
    assert as_mean.value == pytest.approx(as_metric.value)
    np.testing.assert_allclose(as_mean.replicates, as_metric.replicates)


def test_robustness_of_straight_lines():
    rates = [0.0, 0.2, 1.0]

    def line(start, end):
        return [Scores(start + (end - start) * r, np.full(5, start + (end - start) * r)) for r in rates]

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


@pytest.mark.parametrize("index", [0, 1], ids=["lower is better", "higher is better"])
def test_the_leaders_are_the_best_and_those_that_are_not_significantly_worse(index):
    rng, sign = np.random.default_rng(3), -1 if index == 0 else 1
    noise = rng.normal(size=1000) * 0.1
    scores = {
        "worse": Scores(0.0, noise),
        "best": Scores(sign * 1.0, noise + sign),
        "near": Scores(sign * 0.99, sign * 0.99 + rng.normal(size=1000) * 0.1),
        "failed": Scores.failed(1000),
    }
    assert leaders(REGRESSION[index], scores) == ["best", "near"]
    assert leaders(REGRESSION[index], {"failed": scores["failed"]}) == []


def test_a_failed_score_has_no_columns():
    assert Scores.failed(10).columns() == {"value": None, "low": None, "high": None}
    assert Scores(1.0, np.ones(10)).columns() == {"value": 1.0, "low": 1.0, "high": 1.0}
