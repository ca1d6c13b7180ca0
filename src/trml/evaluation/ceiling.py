"""The best reachable scores of a generated corpus at any missing rate."""

from pathlib import Path

import numpy as np
import polars as pl


class Ceiling:
    """Exact population scores by pattern, read from a corpus folder; `None` where the corpus knows none."""

    def __init__(self, corpus: Path) -> None:
        path = corpus / "ceiling.parquet"
        table = pl.read_parquet(path) if path.is_file() else None
        self._values = (
            {(row["pattern"], row["metric"]): row["value"] for row in table.iter_rows(named=True)}
            if table is not None
            else {}
        )

    def at(self, metric: str, victim: str, rate: float) -> float | None:
        """The best score when the victim is missing at a rate, the share of patterns being exact.

        Shares mix linearly; a correlation mixes as its square, the share of variance explained.
        """
        complete, missing = (self._values.get((pattern, metric)) for pattern in ("complete", f"{victim}_missing"))
        if complete is None or missing is None:
            return None
        if metric == "corr":
            return float(np.sqrt((1 - rate) * complete**2 + rate * missing**2))
        return float((1 - rate) * complete + rate * missing)
