"""Compute scores, intervals and p-values of published results again, without trml: python docs/recompute.py RESULT.

It needs polars, scikit-learn and scipy. It reads results/<experiment>/predictions, and compares with metrics.csv and
the effects of claim C1 in claims.json.
"""

import json
import sys
from pathlib import Path

import numpy as np
import polars as pl
from scipy.stats import t
from sklearn.metrics import mean_absolute_error

result = Path(sys.argv[1])
if not (result / "predictions/test.parquet").is_file():
    sys.exit(f"{result} has no predictions/; expected the folder of published results, as results/pantomime_full")
test = pl.read_parquet(result / "predictions/test.parquet")
if test["label"].null_count():
    sys.exit(f"{result} was published without labels, which scores are computed from; expected results with them")
per_unit = json.loads((result / "predictions/protocol.json").read_text())["per_unit"]
label, group = test["label"].to_numpy(), np.unique(test["group"], return_inverse=True)[1]
metrics = pl.read_csv(result / "metrics.csv").filter(pl.col("metric") == "mae", pl.col("value").is_not_null())
steps = pl.read_parquet(result / "predictions/cells.parquet").group_by("cell", "present", maintain_order=True)
predictions = {(cell, present): rows["steps"].to_numpy() / per_unit for (cell, present), rows in steps}
masks = pl.read_parquet(result / "predictions/conditions.parquet").group_by("condition", "seed", maintain_order=True)
present = {(condition, seed): rows["present"].to_numpy() for (condition, seed), rows in masks}


def predicted(cell, condition, seed):
    """Return a training's predictions [N], each from what the condition leaves of its utterance."""
    left = present[condition, seed]
    return sum((left == word) * predictions[cell, word] for word in np.unique(left))


def pseudovalues(method, victim, rate):
    """Return jackknife pseudovalues [seeds, groups] of the MAE on the utterances that lack something."""
    rows = metrics.filter(method=method, variant="default", condition=f"{victim}@{rate:g}").sort("seed")
    matched = rows.filter(train_rate=rate, dev_rate=rate)
    table = []
    for cell, seed in (matched if matched.height else rows).select("cell", "seed").iter_rows():
        lacking = present[f"{victim}@{rate:g}", seed] != max(present["complete", seed], key=len)
        error = np.abs(label - predicted(cell, f"{victim}@{rate:g}", seed))
        sums, counts = (np.bincount(group, each * lacking) for each in (error, np.ones_like(error)))
        whole, without = sums.sum() / counts.sum(), (sums.sum() - sums) / (counts.sum() - counts)
        raw = len(sums) * whole - (len(sums) - 1) * without
        table.append(raw + whole - raw.mean())
    return np.array(table)


def crossed(table):
    """Return mean, interval and p-value of a table [seeds, groups] with two random effects (docs/methods.md)."""
    (s, g), mean = table.shape, table.mean()
    seeds, groups = table.mean(axis=1, keepdims=True), table.mean(axis=0, keepdims=True)
    of_seeds, of_groups = g * seeds.var(ddof=1), s * groups.var(ddof=1)
    rest = ((table - seeds - groups + mean) ** 2).sum() / ((s - 1) * (g - 1))
    beyond = max(of_groups - rest, 0)
    error = ((of_seeds + beyond) / (s * g)) ** 0.5
    freedom = min((of_seeds + beyond) ** 2 / (of_seeds**2 / (s - 1) + beyond**2 / (g - 1)), (s - 1) ** 2)
    reach = t.ppf(0.975, freedom) * error
    return mean, mean - reach, mean + reach, 2 * t.sf(abs(mean) / error, freedom)


again = [mean_absolute_error(label, predicted(*row)) for row in metrics.select("cell", "condition", "seed").iter_rows()]
print(f"{len(again)} scores, largest difference {np.abs(np.array(again) - metrics['value'].to_numpy()).max():.1e}")

rows = [row for row in json.loads((result / "claims.json").read_text())[0]["comparisons"] if row["low"] is not None]
names = [(row["against"], row["victim"], row["rate"]) for row in rows]
found = np.array([crossed(pseudovalues(name, *at) - pseudovalues("trml", *at)) for name, *at in names]).reshape(-1, 4)
order = np.argsort(found[:, 3])
found[order, 3] = np.minimum(1, np.maximum.accumulate(found[order, 3] * np.arange(len(rows), 0, -1)))  # Holm 1979
published = np.array([[row[key] for key in ("effect", "low", "high", "p")] for row in rows]).reshape(-1, 4)
print(f"{len(rows)} effects of C1, largest difference {np.abs(found - published).max(initial=0):.1e}")
