"""The best prediction of every test utterance, on a generated corpus that knows it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from trml.evaluation.metrics.common.metric import Array


@dataclass(frozen=True)
class Oracle:
    """What Bayes' rule predicts of each test utterance from the modalities that are present: present -> [N]."""

    by_present: dict[str, Array]

    @classmethod
    def read(cls, corpus: Path, ids: list[str]) -> "Oracle | None":
        """Return the oracle of a corpus folder for these utterances, None if it has none."""
        path = corpus / "oracle.parquet"
        if not path.is_file():
            return None
        table, wanted = pl.read_parquet(path), pl.DataFrame({"utterance_id": ids})
        return cls(
            {
                str(present): wanted.join(part, on="utterance_id", how="left", maintain_order="left")[
                    "prediction"
                ].to_numpy()
                for (present,), part in table.group_by("present", maintain_order=True)
            }
        )

    def predictions(self, present: str, seeds: int) -> Array | None:
        """Return the predictions [seeds, N] from these modalities, None where they are not known."""
        return np.stack([self.by_present[present]] * seeds) if present in self.by_present else None
