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
        """The best score when the victim is missing at a rate, the share of patterns being exact; `None` where some but
        not all frames are missing.

        Shares mix linearly; a correlation mixes as its square, the share of variance explained.
        """
        if victim == "frames" and 0 < rate < 1:
            return None
        lost = {"either": ("vision", "text"), "frames": ("vision",)}.get(victim, (victim,))
        shares = {"complete": 1 - rate, **{f"{modality}_missing": rate / len(lost) for modality in lost}}
        best = {pattern: self._values.get((pattern, metric)) for pattern in shares}
        if any(value is None for value in best.values()):
            return None
        power = 2 if metric == "corr" else 1
        mixed = sum(share * (best[pattern] or 0.0) ** power for pattern, share in shares.items())
        return float(np.power(mixed, 1 / power))
