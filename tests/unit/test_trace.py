"""From a published number to what it comes from, on the published results."""

import json

import polars as pl
import pytest

from conftest import ROOT
from trml.base.errors import TrmlError
from trml.cli.main import main
from trml.report.trace import rounding_to, trace

RESULT = ROOT / "results/pantomime_full"
MAIN = pl.read_csv(RESULT / "tables/main.csv")


@pytest.mark.parametrize("i", range(0, MAIN.height, 23))
def test_the_scores_behind_a_number_give_it_again(i):
    row = MAIN.row(i, named=True)
    condition = "complete" if row["rate"] == 0 else f"{row['victim']}@{row['rate']:g}"
    where = f"complete/{row['victim']}" if condition == "complete" else condition
    traced = trace(RESULT, f"main/{row['method']}/{where}/{row['metric']}")
    if row["role"] in ("constant", "ceiling", "oracle", "reference"):
        assert traced.scores == []
        return
    assert traced.follows
    assert traced.value == row["value"]
    published = (RESULT / traced.published["file"]).read_text().splitlines()[traced.published["line"] - 1]
    assert f",{row['value']:.6f}".rstrip("0") in published
    assert len(traced.scores) == 5
    condition = condition.replace("frames@1", "vision@1").replace("stretch@1", "vision@1")  # no step is left
    for score in traced.scores:
        line = (RESULT / score["file"]).read_text().splitlines()[score["line"] - 1]
        assert line.startswith(f"{row['method']},default,")
        assert f",{score['seed']},{score['cell']},{condition},{row['metric']}," in line


def test_a_setting_and_a_variant_have_scores_of_their_own():
    """Setting A is the same training rate with another dev split."""
    words = "settings/trml/vision@1/mae/trained@0.5"
    matched, setting = (trace(RESULT, f"{table}") for table in ("main/trml/vision@0.5", f"{words}/setting_a"))
    assert matched.follows and setting.follows
    assert not {score["cell"] for score in matched.scores} & {score["cell"] for score in setting.scores}
    variant = trace(RESULT, "study_trml/trml.no_l_sml/vision@0.5/mae")
    assert variant.follows
    assert {score["variant"] for score in variant.scores} == {"no_l_sml"}


def test_an_effect_of_a_claim_has_both_sides():
    rows = json.loads((RESULT / "claims.json").read_text())[0]["comparisons"]
    row = next(row for row in rows if row["against"] == "zero_fill" and row["rate"] == 0.5)
    traced = trace(RESULT, f"C1/zero_fill/{row['victim']}@0.5")
    assert traced.value == pytest.approx(row["effect"], abs=1e-6)
    assert traced.beside["p"] == pytest.approx(row["p"], abs=1e-6)
    assert {score["method"] for score in traced.scores} == {"trml", "zero_fill"}


def test_an_effect_between_patterns_is_traced_to_its_table():
    """C6 compares victims with each other, which no one training is scored under."""
    rows = pl.read_csv(RESULT / "tables/claim_c6_untold.csv", infer_schema_length=None).filter(victim="both", rate=1)
    traced = trace(RESULT, f"claim_c6_untold/{rows['against'][0]}/both@1")
    assert traced.scores == [] and traced.published["file"] == "tables/claim_c6_untold.csv"


def test_a_rounded_number_lists_where_it_stands():
    value = f"{MAIN['value'][0]:.3f}"
    found = rounding_to(RESULT, value)
    assert any(address.startswith("main/trml/complete/") for address in found)
    assert all(f"{trace(RESULT, address).value:.3f}" == value for address in found)


@pytest.mark.parametrize("number", [f"{MAIN['value'][0]:.3f}", "1.020", f"{MAIN['value'][5]:.2f}"])
def test_an_address_means_one_number(number):
    """Also those of levels, of the constant predictor, and of a model of one modality on complete data."""
    for address in rounding_to(RESULT, number):
        if not address.startswith("claim_"):
            assert f"{trace(RESULT, address).value:.{len(number) - 2}f}" == number


def test_comparisons_that_differ_in_words_alone_are_told_apart_by_them():
    with pytest.raises(TrmlError, match="2 rows of claim_c2 are two models/vision@1") as error:
        trace(RESULT, "C2/two models/vision@1")
    listed = [line.strip().partition(":")[2] for line in str(error.value).splitlines()[1:]]
    assert len({trace(RESULT, address).value for address in listed}) == 2


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("mian/trml", "has no table 'mian'; did you mean 'main'?"),
        ("main/tmrl/vision@0.5", "has no row tmrl/vision@0.5; did you mean 'trml'?"),
        ("main/trml", "rows of main are trml. One of them:"),
        ("C99/zero_fill", "has no table 'C99'"),
    ],
)
def test_what_is_no_address_is_named(address, words):
    with pytest.raises(TrmlError) as error:
        trace(RESULT, address)
    assert words in str(error.value)


def test_the_verb_prints_lines_and_json(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    main(["trace", "pantomime_full:main/trml/vision@0.5"])
    said = capsys.readouterr().out
    for word in (
        "main.csv, line ",
        "metrics.csv, line ",
        "computed  mean of these scores",
        "source    commit ",
        "again     ",
    ):
        assert word in said
    main(["trace", "main/trml/vision@0.5", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert (document["kind"], document["schema"], len(document["scores"])) == ("trace", 1, 5)
