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
        "On test utterances that lack vision, TRML is better than Zero fill (+0.300); worse than Single (-0.200); "
        "undecided against 1 more (MAE)."
    )
    assert said[1].startswith("On test utterances that lack text, no method is shown to be better than the constant")
    assert said[2].startswith("With all vision missing, the best method (")
