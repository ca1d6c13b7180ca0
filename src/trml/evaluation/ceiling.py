"""The best reachable scores of a generated corpus at any missing rate."""

from pathlib import Path

import polars as pl

from trml.missing.modalities import written
from trml.missing.pattern import Missing


class Ceiling:
    """Exact population scores by the set of modalities that is present, from a corpus folder."""

    def __init__(self, corpus: Path) -> None:
        path = corpus / "ceiling.parquet"
        table = pl.read_parquet(path) if path.is_file() else None
        self._values: dict[tuple[str, str], float] = (
            {(row["present"], row["metric"]): row["value"] for row in table.iter_rows(named=True)}
            if table is not None
            else {}
        )

    def with_present(self, metric: str, present: frozenset[str]) -> float | None:
        """Return the best score where every utterance has these modalities, None if it is not known."""
        return self._values.get((written(present), metric))

    def at(self, metric: str, missing: Missing, rate: float, modalities: tuple[str, ...]) -> float | None:
        """Return the best score when a pattern is missing at a rate.

        Scores mix linearly by the shares of the sets that are left. A correlation mixes as its square, the share of
        variance explained. Where the pattern leaves parts of a modality, the corpus must know the score itself.

        Returns:
            None if the corpus knows no ceiling.
        """
        shares = missing.shares(rate, modalities)
        if shares is None:
            return self._values.get((f"{missing.name}@{rate:g}", metric))
        power, mixed = (2 if metric == "corr" else 1), 0.0
        for present, share in shares.items():
            best = self.with_present(metric, present)
            if best is None:
                return None
            mixed += share * best**power
        return float(mixed ** (1 / power))
