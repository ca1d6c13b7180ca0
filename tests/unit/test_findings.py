"""The sentences at the top of the page."""

import polars as pl

from helpers.synthetic_report import report_inputs
from trml.report.dataset import Dataset
from trml.report.findings import findings

MORE = (("single", -0.2, "worse"), ("zero_fill", 0.3, "better"), ("double", 0.0, "undecided"))


def test_what_was_found_is_said_with_effect_sizes(tmp_path):
    """TRML against each other method on utterances that lack a modality, and when nothing beats the constant."""
    inputs = report_inputs(tmp_path / "made", reason="no probes")
    path = inputs.evaluation / "pairs.parquet"
    pairs = pl.read_parquet(path)
    about = pairs.filter(victim="vision", protocol="matched", rate=0.5, present="text", metric="mae", first="trml")
    more = [
        about.with_columns(second=pl.lit(second), effect=pl.lit(effect), verdict=pl.lit(verdict))
        for second, effect, verdict in (
            ("single", -0.2, "worse"),
            ("zero_fill", 0.3, "better"),
            ("double", 0.0, "undecided"),
        )
    ]
    lacks_text = (pl.col("victim") == "text") & (pl.col("second") == "constant")
    none_better = pairs.with_columns(verdict=pl.when(lacks_text).then(pl.lit("undecided")).otherwise("verdict"))
    pl.concat([none_better, *more]).write_parquet(path)
    said = findings(Dataset(inputs))
    assert said[0] == (
        "On test utterances without vision, TRML is better than Zero fill (+0.300); worse than Single (-0.200); "
        "undecided against 1 more (MAE)."
    )
    assert said[1].startswith("On test utterances without text, no method is shown to be better than the constant")
    assert said[2].startswith("With all vision missing, the best method (")


def test_a_regime_is_named_and_a_method_far_behind_is_warned_of(tmp_path):
    few = report_inputs(tmp_path / "few", dataset="few", purpose="regime", labels=40, victims=("vision", "text"))
    inputs = report_inputs(tmp_path / "made", reason="no probes", others=[few])
    of_few = few.evaluation / "pairs.parquet"
    pl.read_parquet(of_few).with_columns(verdict=pl.lit("undecided")).write_parquet(of_few)
    path = inputs.evaluation / "pairs.parquet"
    pairs = pl.read_parquet(path)
    complete = pairs.filter(protocol="matched", rate=0.5, present="all", metric="mae", first="trml").head(1)
    behind = complete.with_columns(
        rate=pl.lit(0.0), trained=pl.lit(0.0), first=pl.lit("zero_fill"), second=pl.lit("double"),
        effect=pl.lit(-0.2), margin=pl.lit(0.1), verdict=pl.lit("worse"),
    )  # fmt: skip
    pl.concat([pairs, behind]).write_parquet(path)
    said = findings(Dataset(inputs))
    assert any(
        words.startswith("40 labelled training utterances, test utterances without vision: no method") for words in said
    )
    assert said[-1].startswith(
        "On complete data Zero fill (-0.200) is worse than Supervised-Double by more than the margin."
    )
    pl.concat([pairs, behind.with_columns(effect=pl.lit(-0.05))]).write_parquet(path)
    assert not any("On complete data" in words for words in findings(Dataset(inputs)))
