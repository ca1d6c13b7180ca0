"""How often tests of a difference between two methods err, and what they find, by simulation.

A simulated study has S seeds and G groups (videos, speakers) of utterances. The difference of an utterance's errors is
the sum of an effect of its seed (standard deviation 0.15), an effect of its group with the given intraclass
correlation, and its own noise, heavy-tailed as errors are (Student's t with 4 degrees of freedom); group and noise
together have standard deviation 1. A third of the noise of an utterance is the same in all seeds. "MOSI's sizes" are 31
groups of 9 to 63 utterances; otherwise all groups have the same size. Rejected: the share of 4,000 studies without any
difference in which a test at 5 % finds one, 500 for the bootstraps. Power: the share in which the crossed analysis
finds a difference that has the size of its minimum detectable effect, worked out from the true variances.

The tests: crossed random effects of seeds and groups, which the project's results use; the same with each utterance
its own group; t over the means of the seeds; the bootstrap over groups and seeds, and over utterances and seeds (500
resamples).
"""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import count, repeat
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmarks.row import Row
from trml.evaluation.statistics import Groups, crossed, errors_to_detect

Array = NDArray[np.float64]

OF_SEED, SHARED, TAILS = 0.15, 1 / 3, 4
# The utterances of each of the 31 videos in CMU-MOSI's test part.
MOSI = "9 12 12 13 13 16 16 16 16 18 18 18 20 20 21 22 22 24 25 25 30 30 31 31 31 31 32 34 39 44 63"
UNEVEN = np.array(MOSI.split(), dtype=int)


class Design(NamedTuple):
    """A simulated study.

    Attributes:
        seeds: S.
        groups: G.
        size: Utterances of a group.
        correlation: Between utterances of a group (intraclass).
        uneven: Whether groups have MOSI's sizes instead.
    """

    seeds: int
    groups: int
    size: int
    correlation: float
    uneven: bool = False

    @property
    def of(self) -> NDArray[np.int64]:
        """The group of each utterance."""
        sizes = np.resize(UNEVEN, self.groups) if self.uneven else np.full(self.groups, self.size)
        return np.repeat(np.arange(self.groups), sizes)

    def draw(self, rng: np.random.Generator, effect: float = 0.0) -> Array:
        """Return differences [S, N]."""
        of, scale = self.of, np.sqrt((TAILS - 2) / TAILS)
        noise = scale * rng.standard_t(TAILS, size=(self.seeds, len(of)))
        same = scale * rng.standard_t(TAILS, size=len(of))
        own = np.sqrt(1 - SHARED) * noise + np.sqrt(SHARED) * same
        by_group = rng.normal(size=self.groups)[of]
        by_seed = OF_SEED * rng.normal(size=(self.seeds, 1))
        return effect + by_seed + np.sqrt(self.correlation) * by_group + np.sqrt(1 - self.correlation) * own

    @property
    def error(self) -> float:
        """The true standard error of the mean difference."""
        sizes = np.bincount(self.of)
        n, within = sizes.sum(), (1 - self.correlation) * (SHARED + (1 - SHARED) / self.seeds)
        return float(np.sqrt(OF_SEED**2 / self.seeds + self.correlation * (sizes**2).sum() / n**2 + within / n))


DESIGNS = [
    *(Design(s, g, 10, c) for s in (3, 5, 10) for g in (10, 20, 50, 200) for c in (0.0, 0.05, 0.15)),
    *(Design(s, g, 1, 0.0) for s in (3, 5) for g in (20, 200, 2000)),
    *(Design(s, 31, 24, c, uneven=True) for s in (3, 5, 10) for c in (0.0, 0.05, 0.15)),
]


def measure(quick: bool) -> Iterator[Row]:
    """Each design, as many at a time as there are cores."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for design, shares in zip(DESIGNS, pool.map(_of_design, DESIGNS, count(), repeat(quick)), strict=False):
            sizes = "MOSI's sizes" if design.uneven else f"{design.size} utterances"
            case = f"{design.seeds} seeds, {design.groups} groups of {sizes}, correlation {design.correlation:g}"
            yield from (Row(case, name, 100 * share, "%") for name, share in shares.items())


def _of_design(design: Design, seed: int, quick: bool) -> dict[str, float]:
    """Return the rates of a design: how often each test errs, and the power of the crossed analysis."""
    return {
        **rejected(design, 100 if quick else 4000, seed),
        **bootstrapped(design, 20 if quick else 500, seed),
        "power": power(design, 100 if quick else 2000, seed),
    }


def rejected(design: Design, studies: int, seed: int) -> dict[str, float]:
    """Return the share of studies without a difference in which each closed-form test finds one."""
    rng, groups = np.random.default_rng([seed, 0]), Groups(design.of)
    alone = Groups(np.arange(len(design.of)))
    tests = {
        "crossed": lambda x: crossed(groups.mean(x).table).p_value,
        "crossed, utterances": lambda x: crossed(alone.mean(x).table).p_value,
        "t over seeds": lambda x: stats.ttest_1samp(x.mean(axis=1), 0.0).pvalue,
    }
    found = dict.fromkeys(tests, 0)
    for _ in range(studies):
        differences = design.draw(rng)
        for name, test in tests.items():
            found[name] += bool(test(differences) < 0.05)
    return {name: count / studies for name, count in found.items()}


def bootstrapped(design: Design, studies: int, seed: int) -> dict[str, float]:
    """Return the same for the bootstraps."""
    rng, of = np.random.default_rng([seed, 1]), design.of
    found = {"bootstrap, groups": 0, "bootstrap, utterances": 0}
    for _ in range(studies):
        differences = design.draw(rng)
        totals = np.stack([np.bincount(of, weights=row) for row in differences]).astype(float)
        found["bootstrap, groups"] += bootstrap_p(totals, np.bincount(of).astype(float), rng) < 0.05
        found["bootstrap, utterances"] += bootstrap_p(differences, np.ones(len(of)), rng) < 0.05
    return {name: count / studies for name, count in found.items()}


def bootstrap_p(totals: Array, sizes: Array, rng: np.random.Generator, resamples: int = 500) -> float:
    """Return the two-sided p-value of a percentile bootstrap over the columns and rows of totals [S, G]."""
    seeds, groups = totals.shape
    columns = partial(rng.multinomial, groups, np.full(groups, 1 / groups))(size=resamples)
    rows = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=resamples) / seeds
    means = ((rows @ totals) * columns).sum(axis=1) / (columns @ sizes)
    return float(2 * (min((means <= 0).sum(), (means >= 0).sum()) + 1) / (resamples + 1))


def power(design: Design, studies: int, seed: int) -> float:
    """Return how often the crossed analysis finds its minimum detectable effect."""
    rng, groups = np.random.default_rng([seed, 2]), Groups(design.of)
    free = np.median([crossed(groups.mean(design.draw(rng)).table).freedom for _ in range(100)])
    effect = design.error * errors_to_detect(float(free), design.seeds - 1)
    found = [crossed(groups.mean(design.draw(rng, effect)).table).p_value < 0.05 for _ in range(studies)]
    return float(np.mean(found))
