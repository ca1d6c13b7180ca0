"""The crossed analysis of seeds and groups: against its source, a mixed model and a bootstrap; its error rates."""

from math import isnan, nan

import numpy as np
import pytest
from benchmarks.statistics import Design, rejected
from scipy import stats

from trml.evaluation import foreseen
from trml.evaluation.registry import metrics_of
from trml.evaluation.statistics import Estimate, Groups, Scores, crossed, holm, leaders, pseudovalues
from trml.evaluation.verdicts import judge

MAE, CORR = metrics_of("regression", 0)[:2]


def effects(rng, seeds=5, groups=30, mean=0.0, of_seed=0.3, of_group=0.6, rest=1.0):
    """Return a table with effects of seeds and of groups."""
    return (
        mean
        + of_seed * rng.normal(size=(seeds, 1))
        + of_group * rng.normal(size=(1, groups))
        + rest * rng.normal(size=(seeds, groups))
    )


# --- the formula -----------------------------------------------------------------------------------------


def test_mean_squares_give_the_published_test():
    """The example of Chakraborty, "Observer Performance Methods": Van Dyke's data, 2 modalities, 5 readers, 114 cases.

    Its mean squares of modality, modality x reader, x case, and x both are halves of ours for the difference of the
    two. A table is made that has them; its t is the root of their F, 4.456319, at 15.25967 degrees of freedom but for
    our second term, and p is 0.0517.
    """
    ms = {"t": 0.5467634, "tr": 0.06281749, "tc": 0.09984808, "trc": 0.0399716}
    readers, cases = 5, 114

    def contrast(n, square):
        x = np.arange(n) - (n - 1) / 2
        return x * np.sqrt(square / (x**2).sum())

    by_reader = contrast(readers, 2 * ms["tr"] * (readers - 1) / cases)
    by_case = contrast(cases, 2 * ms["tc"] * (cases - 1) / readers)
    rng = np.random.default_rng(0)
    rest = rng.normal(size=(readers, cases))
    rest -= rest.mean(axis=0) + rest.mean(axis=1)[:, None] - rest.mean()
    rest *= np.sqrt(2 * ms["trc"] * (readers - 1) * (cases - 1) / (rest**2).sum())
    mean = np.sqrt(2 * ms["t"] / (readers * cases))
    estimate = crossed(mean + by_reader[:, None] + by_case + rest)
    assert (estimate.mean / estimate.error) ** 2 == pytest.approx(4.456319, rel=1e-5)
    beyond = ms["tc"] - ms["trc"]
    hillis = (ms["tr"] + beyond) ** 2 / (ms["tr"] ** 2 / (readers - 1))
    assert hillis == pytest.approx(15.25967, rel=1e-5)
    assert 1 / estimate.freedom == pytest.approx(1 / hillis + (beyond / (ms["tr"] + beyond)) ** 2 / (cases - 1))
    assert estimate.p_value == pytest.approx(0.05166569, abs=1e-3)


def test_one_seed_effect_alone_is_the_t_test_of_seed_means():
    by_seed = np.random.default_rng(0).normal(0.4, 1, size=6)
    estimate = crossed(np.repeat(by_seed[:, None], 40, axis=1))
    expected = stats.ttest_1samp(by_seed, 0.0)
    assert (estimate.p_value, estimate.freedom) == (pytest.approx(expected.pvalue), pytest.approx(5))
    assert estimate.interval == pytest.approx(tuple(expected.confidence_interval(0.95)))


def test_one_group_effect_alone_is_the_t_test_of_group_means():
    by_group = np.random.default_rng(1).normal(0.2, 1, size=25)
    estimate = crossed(np.repeat(by_group[None], 6, axis=0))
    expected = stats.ttest_1samp(by_group, 0.0)
    assert estimate.p_value == pytest.approx(expected.pvalue, rel=1e-6)
    assert estimate.interval == pytest.approx(tuple(expected.confidence_interval(0.95)), rel=1e-6)


def test_variance_components_are_those_of_a_mixed_model():
    """statsmodels' REML with crossed random effects: the same standard error on balanced data."""
    import pandas
    from statsmodels.regression.mixed_linear_model import MixedLM

    table = effects(np.random.default_rng(3), seeds=6, groups=20)
    s, g = np.indices(table.shape)
    data = pandas.DataFrame({"y": table.ravel(), "s": s.ravel(), "g": g.ravel(), "one": 1})
    parts = {"s": "0 + C(s)", "g": "0 + C(g)"}
    fitted = MixedLM.from_formula("y ~ 1", groups="one", vc_formula=parts, data=data).fit(reml=True)
    estimate = crossed(table)
    assert estimate.mean == pytest.approx(fitted.params["Intercept"])
    assert estimate.error == pytest.approx(fitted.bse["Intercept"], rel=0.01)


def test_intervals_are_about_those_of_a_bootstrap_over_groups_and_seeds():
    rng = np.random.default_rng(4)
    of = np.repeat(np.arange(60), rng.integers(3, 9, size=60))
    y = rng.normal(size=len(of))
    noise = rng.normal(size=60)[of] * 0.5 + rng.normal(size=(8, len(of)))
    predictions = y + noise + rng.normal(size=(8, 1)) * 0.2
    for metric in (MAE, CORR):
        estimate = Groups(of).scores(metric, y, predictions).estimate
        drawn = []
        for _ in range(800):
            rows = np.concatenate([np.flatnonzero(of == g) for g in rng.integers(0, 60, size=60)])
            seeds = rng.integers(0, 8, size=8)
            drawn.append(metric.score(y[rows], predictions[np.ix_(seeds, rows)]).mean())
        assert estimate.error == pytest.approx(np.std(drawn), rel=0.25), metric.name


def test_pseudovalues_of_a_mean_are_the_group_totals():
    """For groups of one size they are the totals, times G / N."""
    rng = np.random.default_rng(5)
    values, of = rng.normal(size=(3, 40)), np.repeat(np.arange(10), 4)
    scores = Groups(of).mean(values)
    np.testing.assert_allclose(scores.table, values.reshape(3, 10, 4).mean(axis=2))
    assert scores.value == pytest.approx(values.mean())


def test_pseudovalues_are_centred_on_the_score():
    rng = np.random.default_rng(6)
    whole = rng.normal(size=4)
    table = pseudovalues(whole, rng.normal(size=(4, 7)))
    np.testing.assert_allclose(table.mean(axis=1), whole)


def test_utterances_that_are_not_scored_do_not_count():
    """Half of the rows are masked in each seed: the mean and its error are those of the other half."""
    rng = np.random.default_rng(7)
    values = rng.normal(size=(30, 600))
    counted = np.zeros(values.shape, dtype=bool)
    for row in counted:
        row[rng.permutation(600)[:300]] = True
    scores = Groups(np.arange(600)).scores(MAE, np.zeros(600), values, counted)
    assert scores.value == pytest.approx(np.mean([np.abs(v[c]).mean() for v, c in zip(values, counted, strict=True)]))
    assert scores.groups == 300
    assert scores.estimate.error == pytest.approx(np.abs(values).std() / np.sqrt(9000), rel=0.3)


# --- arithmetic ------------------------------------------------------------------------------------------


def table_scores(table):
    return Scores(float(table.mean()), table, table.shape[1])


def test_differences_are_paired():
    table = effects(np.random.default_rng(0))
    difference = table_scores(table + 0.1) - table_scores(table)
    assert difference.estimate.interval == pytest.approx((0.1, 0.1))
    assert difference.p_value == 0.0
    assert (table_scores(table) - table_scores(table)).p_value == 1.0


def test_the_error_of_a_ratio_is_that_of_the_delta_method():
    rng = np.random.default_rng(8)
    above, below = 2 + 0.1 * rng.normal(size=(40, 50)), 5 + 0.1 * rng.normal(size=(40, 50))
    ratio = table_scores(above) / table_scores(below)
    assert ratio.value == pytest.approx(above.mean() / below.mean())
    expected = 0.4 * np.sqrt(0.05**2 + 0.02**2) / np.sqrt(2000)
    assert ratio.estimate.error == pytest.approx(expected, rel=0.25)


def test_a_failed_training_and_too_little_data_have_no_test():
    failed, table = Scores.failed(), effects(np.random.default_rng(0))
    assert failed.is_failed
    assert failed.columns() == {"value": None, "low": None, "high": None}
    assert isnan((failed - table_scores(table)).value)
    for few in (table[:2], table[:, :9], np.where(np.eye(5, 30), nan, table)):
        scores = table_scores(np.asarray(few)) if not np.isnan(few).any() else Scores(1.0, few, 30)
        assert scores.estimate is None
        assert scores.columns() == {"value": scores.value, "low": None, "high": None}
        assert scores.p_value == 1.0


# --- verdicts --------------------------------------------------------------------------------------------


def test_the_four_verdicts():
    rng = np.random.default_rng(9)
    tables = {
        "better": effects(rng, mean=5.0),
        "worse": effects(rng, mean=-5.0),
        "equivalent": effects(rng, of_seed=0.01, of_group=0.01, rest=0.1),
        "undecided": effects(rng, of_seed=3.0),
        "too little data": effects(rng, seeds=2, mean=5.0),
    }
    judged = judge([*map(table_scores, tables.values()), Scores.failed()], 0.5)
    assert [each.verdict for each in judged] == [*tables, "failed"]
    assert all(each.low < each.effect < each.high for each in judged[:4])
    assert judged[2].p_equivalent < 0.05 < judged[2].p
    assert (judged[-1].effect, judged[-2].low, judged[-2].effect > 4) == (None, None, True)


def test_without_a_margin_nothing_is_equivalent():
    table = effects(np.random.default_rng(9), of_seed=0.01, of_group=0.01, rest=0.1)
    (judged,) = judge([table_scores(table)], None)
    assert (judged.verdict, judged.margin, judged.p_equivalent) == ("undecided", None, 1.0)


def test_a_small_difference_within_the_margin_is_equivalent_though_significant():
    table = effects(np.random.default_rng(2), of_seed=0.001, of_group=0.001, rest=0.01) + 0.05
    (judged,) = judge([table_scores(table)], 0.5)
    assert judged.p < 0.001
    assert judged.verdict == "equivalent"


def test_verdicts_are_corrected_for_each_other_and_not_for_what_cannot_be_tested():
    rng = np.random.default_rng(10)
    scores = [table_scores(effects(rng, mean=m)) for m in (0.6, 0.0, 0.1)]
    alone = [each.p_value for each in scores]
    judged = judge([*scores, Scores.failed()], None)
    assert [each.p for each in judged[:3]] == pytest.approx(holm(alone))


def test_the_minimum_detectable_effect_is_found_in_four_of_five_samples():
    rng = np.random.default_rng(11)
    tables = [effects(rng, groups=40, of_seed=0.05) for _ in range(400)]
    effect = np.median([crossed(table).detectable for table in tables])
    found = np.mean([crossed(table + effect).p_value < 0.05 for table in tables])
    assert 0.74 < found < 0.88


@pytest.mark.parametrize("higher", [False, True])
def test_the_leaders_are_the_best_and_those_that_are_not_significantly_worse(higher):
    rng, sign = np.random.default_rng(3), 1 if higher else -1
    base = effects(rng, rest=0.1)
    scores = {
        "worse": table_scores(base + rng.normal(size=base.shape) * 0.1),
        "best": table_scores(base + sign * 1.0),
        "near": table_scores(base + sign * 0.95 + rng.normal(size=base.shape) * 0.5),
        "failed": Scores.failed(),
    }
    assert leaders(CORR if higher else MAE, scores) == ["best", "near"]
    assert leaders(MAE, {"failed": scores["failed"]}) == []


def test_nobody_leads_where_nothing_can_be_tested():
    """With one seed every method would be in bold."""
    base = effects(np.random.default_rng(3), rest=0.1)
    of_one_seed = {name: table_scores((base + error)[:1]) for name, error in (("near", 0.0), ("far", 5.0))}
    assert all(score.estimate is None for score in of_one_seed.values())
    assert leaders(MAE, of_one_seed) == []


# --- errors at their level -------------------------------------------------------------------------------


@pytest.mark.parametrize("correlation", [0.0, 0.15])
def test_a_null_is_rejected_at_about_the_level(correlation):
    """400 nulls: within four binomial errors of 5 %. The whole table is `make bench ONLY=statistics`."""
    assert 0.01 <= rejected(Design(5, 31, 24, correlation, uneven=True), 400, seed=1)["crossed"] <= 0.095


def test_equivalence_errs_at_its_level_on_the_margin():
    """A true difference that lies on the margin is called equivalent in at most 5 % of samples, or little more."""
    rng, called = np.random.default_rng(1), 0
    for _ in range(400):
        (judged,) = judge([table_scores(effects(rng, mean=1.0))], 1.0)
        called += judged.verdict == "equivalent"
    assert called / 400 < 0.08


@pytest.mark.parametrize(("seeds", "groups", "size"), [(3, 31, 24), (5, 200, 10)])
def test_what_is_foreseen_is_what_is_found(seeds, groups, size):
    rng, n, found = np.random.default_rng(5), groups * size, []
    sd, of = foreseen.OF_ROW["regression"], np.repeat(np.arange(groups), size)
    for _ in range(200):
        by_seed = foreseen.OF_SEED["regression"] * rng.normal(size=(seeds, 1))
        by_group = np.sqrt(foreseen.CORRELATION) * rng.normal(size=groups)[of]
        shared = np.sqrt(foreseen.SHARED) * rng.normal(size=n)
        own = np.sqrt(1 - foreseen.SHARED - foreseen.CORRELATION) * rng.normal(size=(seeds, n))
        found.append(Groups(of).mean(by_seed + sd * (by_group + shared + own)).estimate.detectable)
    assert foreseen.detectable("regression", seeds, groups, n) == pytest.approx(np.median(found), rel=0.2)


def test_too_few_groups_foresee_nothing():
    assert foreseen.detectable("regression", 5, 9, 900) is None
    assert "Too little data" in foreseen.detectable_words("classification", 9, 12)
    assert "31 groups" in foreseen.detectable_words("regression", 31, 752)


def test_an_estimate_without_variation():
    same = crossed(np.zeros((3, 12)))
    assert same == Estimate(0.0, 0.0, 1e9, 12, 1e9)
    assert (same.p_value, same.p_within(0.1)) == (1.0, pytest.approx(0.9**12))  # too few groups to call it equivalent
    assert crossed(np.zeros((3, 40))).p_within(0.1) < 0.05
    assert crossed(np.full((3, 12), 0.2)).p_value == 0.0
    assert isnan(crossed(np.ones((1, 12))).error)
