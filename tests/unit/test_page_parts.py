"""What the page says and shows: numbers, looks, curves, findings, the leaderboard; read from files, without a page."""

from dataclasses import replace
from itertools import pairwise

import polars as pl
import pytest

from helpers.synthetic_report import report_inputs
from helpers.synthetic_study import METHODS
from trml.evaluation.contract import MetricInfo
from trml.report.curves import View, differences, less, over_rates, pair_rows, pushed_apart
from trml.report.dataset import Dataset
from trml.report.looks import DARK, FAMILIES, LIGHT, MARKERS, looks
from trml.report.page import numbers
from trml.report.page.changes import changes
from trml.report.page.headlines import (
    against_baselines,
    headlines,
    loss_terms,
    too_little,
    virtual_vectors,
    way_to_best,
)
from trml.report.page.leaderboard import leaderboard
from trml.report.page.published import Published
from trml.report.page.readout import readout, verdict_words

MAE = MetricInfo("mae", "MAE", False, True, True)
CORR = MetricInfo("corr", "Corr", True, True, False)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A small study, every two of whose methods were compared."""
    return report_inputs(tmp_path_factory.mktemp("parts"), paired=True)


@pytest.fixture
def study(inputs):
    return inputs.study


@pytest.fixture
def own(inputs):
    """The study's results: an evaluation has files of the same names."""
    return Published(inputs.evaluation, "study", inputs.study, Dataset(inputs).metrics)


# ---- numbers


@pytest.mark.parametrize(
    ("value", "as_score", "as_difference"),
    [(0.38749, "0.387", "+0.387"), (-0.014, "−0.014", "−0.014"), (0.0, "0.000", "0.000"), (-0.0004, "0.000", "0.000")],
)
def test_scores_and_differences_have_true_minus_signs(value, as_score, as_difference):
    assert numbers.score(value) == as_score
    assert numbers.signed(value) == as_difference


def test_what_is_not_known_is_empty_and_intervals_say_to():
    assert numbers.score(None) == numbers.signed(None) == numbers.interval(None, 1.0) == numbers.p_value(None) == ""
    assert numbers.interval(0.355, 0.4219) == "0.355 to 0.422"
    assert numbers.signed_interval(-0.014, 0.029) == "−0.014 to +0.029"
    assert (numbers.p_value(0.0001), numbers.p_value(0.0426)) == ("p < 0.001", "p 0.043")
    assert numbers.percent(0.5) == "50\N{NO-BREAK SPACE}%"
    assert numbers.listed(["a", "b", "c"]) == "a, b and c"


def test_texts_of_tables_are_split_and_sorted_by_their_numbers():
    assert numbers.scored("0.387 [-0.355, 0.422]") == ("0.387", "−0.355 to 0.422", "")
    assert numbers.scored("0.50 [0.50, 0.50], misled") == ("0.50", "0.50 to 0.50", ", misled")
    assert numbers.scored("better") is None
    assert (numbers.sort_key("1,234"), numbers.sort_key("−0.5 x"), numbers.sort_key("TRML")) == (1234.0, -0.5, None)
    assert numbers.typeset("from -0.5 to 50% of x-1") == "from −0.5 to 50\N{NO-BREAK SPACE}% of x-1"


# ---- looks


def contrast(one, other):
    """WCAG's contrast of two colours."""

    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_marks_and_texts_stand_out_on_both_papers():
    for family in FAMILIES.values():
        assert contrast(family.light, LIGHT["paper"]) >= 3, family.name
        assert contrast(family.dark, DARK["paper"]) >= 3, family.name
    for colours in (LIGHT, DARK):
        assert contrast(colours["ink"], colours["paper"]) >= 7
        assert contrast(colours["muted"], colours["paper"]) >= 4.5
        assert contrast(colours["muted"], colours["shade"]) >= 4.5


def test_a_method_keeps_its_look_whatever_else_is_compared(study):
    extra = replace(METHODS[2], name="smil", label="SMIL")
    few, many = looks(replace(study, methods=METHODS[2:3])), looks(replace(study, methods=(*METHODS, extra)))
    assert few["zero_fill"] == many["zero_fill"]
    assert many["smil"].family.name == "generate" and many["trml"].family.name == "proposed"


def test_strangers_have_the_neutral_colour_and_markers_of_their_own(study):
    strangers = [replace(METHODS[2], name=f"mine_{i}", label=f"Mine {i}") for i in range(4)]
    found = looks(replace(study, methods=(*METHODS[:1], *strangers)))
    assert {found[m.name].family.name for m in strangers} == {"supervised"}
    assert len({found[m.name].marker for m in strangers}) == 4
    assert len({(marker.vega, marker.dash) for marker in MARKERS}) == len(MARKERS)


# ---- curves


def test_labels_are_pushed_apart_and_stay_in_the_frame():
    at = pushed_apart([0.50, 0.50, 0.51, 0.9], 0.0, 1.0, 0.1)
    assert all(b - a >= 0.099 for a, b in pairwise(at)) and min(at) >= 0 and max(at) <= 1
    assert pushed_apart([0.1, 0.9], 0.0, 1.0, 0.1) == [0.1, 0.9]
    assert pushed_apart([], 0.0, 1.0, 0.1) == []


@pytest.mark.parametrize(("metric", "sign"), [(MAE, -1), (CORR, 1)])
def test_a_difference_is_the_methods_score_less_the_references(metric, sign):
    """`effect` says how much better the first is, whichever way the metric points."""
    row = {"first": "a", "second": "b", "rate": 0.5, "effect": 0.1, "low": 0.02, "high": 0.15, "p": 0.01}
    row |= {"p_equivalent": 0.9, "detectable": 0.05, "margin": 0.03, "verdict": "better"}
    pairs = pl.DataFrame([row])
    (of_a,) = less(pairs, "b", metric).rows(named=True)
    (of_b,) = less(pairs, "a", metric).rows(named=True)
    assert (of_a["method"], of_a["value"], of_a["verdict"]) == ("a", pytest.approx(sign * 0.1), "better")
    assert (of_b["method"], of_b["value"], of_b["verdict"]) == ("b", pytest.approx(-sign * 0.1), "worse")
    assert [of_a["low"], of_a["high"]] == pytest.approx(sorted((sign * 0.02, sign * 0.15)))
    assert [of_b["low"], of_b["high"]] == pytest.approx(sorted((-sign * 0.02, -sign * 0.15)))


def test_a_figure_is_scaled_to_what_it_shows_and_leaves_the_constant_out(own):
    view = View("matched", "vision", own.primary)
    curves = over_rates(own.summary, own.study, view, own.looks, ["trml"], ["trml"])
    low, high = curves.domain
    shown = [*curves.drawn["low"], *curves.drawn["high"], *curves.bound["y"]]
    assert low < min(shown) and high > max(shown) and high - low < 1.2 * (max(shown) - min(shown))
    assert set(curves.drawn["method"]) == {"trml"} and "constant" not in curves.rows["method"]
    apart = differences(own.pairs, own.study, view, own.looks, list(own.looks), "trml")
    assert "trml" not in apart.drawn["method"] and apart.margin == 0.03 and apart.zero


def test_utterances_that_lack_something_are_scored_apart(own):
    rows = pair_rows(own.pairs, own.study, View("matched", "vision", own.primary, lacking=True))
    assert set(rows.select("rate", "present").iter_rows()) == {(0.5, "text"), (1.0, "all")}


# ---- findings


def comparison(verdict, effect=0.01, **more):
    base = {"against": "zero_fill", "label": "Zero fill", "victim": "vision", "rate": 0.5, "effect": effect}
    ends = {"low": None, "high": None} if effect is None else {"low": effect - 0.01, "high": effect + 0.01}
    base |= {**ends, "margin": 0.03, "verdict": verdict, "speaks": ""}
    return base | more


def claim_with(*comparisons, name="C1", verdict="undecided"):
    about = {"id": name, "verdict": verdict, "unit": "MAE", "seeds": 5, "groups": 40, "utterances": 100}
    return {**about, "comparisons": list(comparisons)}


OTHER = {"against": "single", "label": "Single"}


@pytest.mark.parametrize(
    ("comparisons", "headline"),
    [
        ([comparison("equivalent")] * 2, "TRML is as good as its baselines, and no better"),
        ([comparison("undecided")] * 2, "No difference between TRML and its baselines that this run can see"),
        ([comparison("better"), comparison("undecided", **OTHER)], "TRML is better than Zero fill, but not than every"),
        ([comparison("better")], "TRML is better than Zero fill"),
        ([comparison("worse", -0.2)], "TRML is worse than Zero fill"),
        ([comparison("better"), comparison("worse", **OTHER)], "TRML is better than Zero fill, and worse than Single"),
        ([comparison("equivalent"), comparison("undecided")], "TRML is not shown to be better or worse"),
    ],
)
def test_the_headline_says_what_the_comparisons_bear(own, comparisons, headline):
    found = against_baselines(own, claim_with(*comparisons))
    assert found.headline.startswith(headline)
    assert "MAE" in found.body and found.address.startswith("study:claim_c1/")


def test_a_finding_whose_premise_fails_is_not_printed(own):
    nothing = claim_with(comparison("too little data", None), comparison("failed", None))
    assert against_baselines(own, nothing) is None and against_baselines(own, None) is None
    assert loss_terms(own, claim_with(name="C3")) is None
    assert virtual_vectors(own, claim_with(comparison("undecided"), name="C4")) is None
    assert virtual_vectors(own, claim_with(comparison("better"), name="C4", verdict="supported")) is not None
    assert too_little(own) is None  # its claims were judged


def test_counts_and_the_largest_difference_are_in_the_sentence(own):
    rows = [comparison("equivalent", 0.001), comparison("worse", -0.25, rate=0.9, **OTHER), comparison("equivalent")]
    body = against_baselines(own, claim_with(*rows)).body
    assert body == (
        "Of three comparisons on the utterances that lack something, one worse and two equivalent (the margin is 0.030)"
        ". The largest difference: −0.250 MAE [−0.260 to −0.240], Single, 90\N{NO-BREAK SPACE}% of vision missing."
    )


@pytest.mark.parametrize(
    ("score", "headline"),
    [
        (0.1, "Little is left to win on this corpus"),
        (0.3, "Some is left to win on this corpus"),
        (0.7, "Much is left to win on this corpus"),
        (1.5, None),  # worse than the constant predictor
        (-0.5, None),  # better than anyone can be
    ],
)
def test_the_way_to_the_best_possible_is_said_where_there_is_one(own, score, headline):
    of = {"constant": 1.0, "ceiling": 0.0, "trml": score}
    value = pl.col("method").replace_strict(of, default=0.5, return_dtype=pl.Float64)
    vars(own)["summary"] = own.summary.with_columns(value=value)  # as if read from the file
    found = way_to_best(own)
    assert (found and found.headline) == headline
    if found:
        assert f"{numbers.percent(1 - score)} of the way from the constant predictor (MAE 1.000)" in found.body


def test_too_little_data_is_said_and_nothing_else(own, monkeypatch):
    lacking = claim_with(comparison("too little data", None), verdict="too little data")
    monkeypatch.setattr(Published, "claims", [lacking])
    (first,) = headlines([own])
    assert first.headline == "Too little data for a verdict" and "five seeds and 40 groups" in first.body


# ---- tables


def test_a_verdict_is_a_word_with_what_stands_behind_it():
    pair = {"p": 0.2, "p_equivalent": 0.01, "margin": 0.02, "detectable": 0.03}
    words = {v: verdict_words({**pair, "verdict": v}, "Zero fill", "TRML") for v in ("better", "worse", "equivalent")}
    assert words["better"] == ("Zero fill better", True, "p 0.200")
    assert words["worse"][0] == "TRML better" and words["equivalent"][2] == "within 0.020, p 0.010"
    assert verdict_words({**pair, "verdict": "undecided"}, "a", "b") == ("undecided", False, "p 0.200, can see 0.030")
    assert verdict_words({**pair, "verdict": "too little data"}, "a", "b") == ("too little data", False, "")


def test_the_leaderboard_runs_from_the_constant_to_the_best_possible(own):
    board = leaderboard(own)
    column = next(
        i for i, c in enumerate(board.columns) if (c.victim, c.rate, c.protocol) == ("vision", 0.5, "matched")
    )
    at = own.summary.filter(protocol="matched", victim="vision", rate=0.5, trained=0.5, present="all", metric="mae")
    value = dict(at.filter(variant="default").select("method", "value").iter_rows())
    line = next(line for line in board.lines if line.method == "zero_fill")
    share = (value["constant"] - value["zero_fill"]) / (value["constant"] - value["ceiling"])
    assert board.scaled and line.cells[column].key == pytest.approx(share)
    assert not any(cell and cell.leads for line in board.lines if line.is_bound for cell in line.cells)
    keys = [line.cells[board.sorted_by].key for line in board.lines if line.cells[board.sorted_by]]
    assert keys == sorted(keys, reverse=True)


def test_a_page_of_one_seed_says_so(inputs, tmp_path):
    """Without any interval nothing breaks, and no verdict is invented."""
    folder = tmp_path / "results"
    folder.mkdir()
    bare = pl.read_parquet(inputs.evaluation / "summary.parquet").with_columns(low=pl.lit(None), high=pl.lit(None))
    bare.with_columns(pl.col("low", "high").cast(pl.Float64)).write_parquet(folder / "summary.parquet")
    pairs = pl.read_parquet(inputs.evaluation / "pairs.parquet")
    nulls = [pl.lit(None, pl.Float64).alias(name) for name in ("low", "high", "p", "p_equivalent", "detectable")]
    pairs.with_columns(*nulls, verdict=pl.lit("too little data")).write_parquet(folder / "pairs.parquet")
    results = Published(folder, "study", inputs.study, Dataset(inputs).metrics)
    lines = readout(results, View("matched", "vision", results.primary), 0.5, "trml")
    assert {line.verdict for line in lines if line.method not in ("", "trml")} <= {"too little data"}
    assert not any(line.decided or line.low_high for line in lines)
    assert leaderboard(results).lines


def test_what_a_configuration_changes_is_said_in_few_words():
    moved = {
        "corpus.columns.text": ("text", "sentence"),
        **{f"methods.{name}.{key}": ("x", "absent") for name in ("mfm", "smil") for key in ("label", "target")},
        "methods.mine.label": ("absent", "Mine"),
        "methods.mine.options.hidden": ("absent", 8),
        "methods.trml.options.weight": (0.1, 0.2),
        "datasets.untold.purpose": ("regime", "absent"),
        "datasets.untold.protocol.rates": ([0.5], "absent"),
    }
    assert changes(moved, "own") == [
        "without the methods mfm, smil",
        "with the methods mine",
        "without the datasets untold",
        "corpus.columns.text is sentence (own: text)",
        "methods.trml.options.weight is 0.2 (own: 0.1)",
    ]
