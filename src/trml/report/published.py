"""A published result: the files of results/<name>, read when they are asked for. Nothing else is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from trml.base.errors import CommandError
from trml.base.nearest import nearest
from trml.evaluation.contract import REFERENCES
from trml.report.page.numbers import MINUS, NBSP
from trml.report.result_files import claims_in, findings_of, manifest_of, params_of, scores_in, table_in

_OTHERS = {"constant": "Constant predictor", "ceiling": "Ceiling (exact)", "oracle": "Oracle, on these utterances"}


@dataclass(frozen=True)
class Published:
    """A published result.

    folder: results/<name>, or another folder with a manifest.
    """

    folder: Path

    @property
    def name(self) -> str:
        """Its name: of the experiment."""
        return str(self.manifest.get("experiment") or self.folder.name)

    @cached_property
    def manifest(self) -> Mapping[str, Any]:
        """manifest.json. Raises DataMissing if it is absent."""
        return manifest_of(self.folder)

    @cached_property
    def params(self) -> Mapping[str, Any]:
        """The configuration, as it is written: settings of other versions are among them."""
        return params_of(self.folder)

    @property
    def tables(self) -> list[str]:
        """The names of its tables."""
        return sorted(path.stem for path in (self.folder / "tables").glob("*.csv"))

    def table_name(self, word: str) -> str:
        """Return the name of a table by its name or a claim's id.

        Raises:
            CommandError: If there is none; it names the nearest.
        """
        for name in (word, f"claim_{word.lower()}"):
            if name in self.tables:
                return name
        ids = [claim["id"] for claim in self.claims()]
        raise CommandError(f"{self.name} has no table or claim {word!r}{nearest(word, [*self.tables, *ids])}")

    def table(self, name: str) -> pl.DataFrame:
        """Return a table."""
        return table_in(self.folder / f"tables/{name}.csv")

    @property
    def datasets(self) -> list[str | None]:
        """The datasets that have claims: None for the experiment's own, and the regimes by name."""
        stems = sorted(path.stem.removeprefix("claims") for path in self.folder.glob("claims*.json"))
        return [stem.removeprefix("_") or None for stem in stems]

    def claims(self, dataset: str | None = None) -> list[Mapping[str, Any]]:
        """Return the claims on a dataset, as claims.json has them; none without the file."""
        return claims_in(self.folder / f"claims{f'_{dataset}' if dataset else ''}.json")

    @property
    def findings(self) -> list[str]:
        """What was found, in sentences with effect sizes; none where an earlier version published no findings.json."""
        sentences = (f"{each['headline']}. {each['body']}" for each in findings_of(self.folder))
        return [words.replace(MINUS, "-").replace(NBSP, " ") for words in sentences]  # for any terminal

    def metrics(self, dataset: str | None = None) -> pl.DataFrame:
        """Return the rows of metrics.csv of a dataset: one a training, condition and metric."""
        return self._scores(self.folder / f"metrics{f'_{dataset}' if dataset else ''}.csv")

    def _scores(self, path: Path) -> pl.DataFrame:
        if path not in self._read:
            self._read[path] = scores_in(path)
        return self._read[path]

    @cached_property
    def _read(self) -> dict[Path, pl.DataFrame]:
        """The scores that were read: each file once, whoever asks."""
        return {}

    @property
    def labels(self) -> dict[str, str]:
        """The labels of methods, reference models and limits, by name."""
        methods: Mapping[str, Any] = self.params.get("methods", {})
        return {name: method["label"] for name, method in methods.items()} | REFERENCES | _OTHERS

    @property
    def proposed(self) -> str | None:
        """The name of the method that the claims judge."""
        methods: Mapping[str, Any] = self.params.get("methods", {})
        return next((name for name, method in methods.items() if method["role"] == "proposed"), None)

    @property
    def protocol(self) -> dict[str, Any]:
        """The missing protocol of the experiment's own dataset."""
        found: dict[str, Any] = self.params.get("protocol", {})
        return found

    @property
    def seeds(self) -> list[int]:
        """The seeds."""
        return list(self.protocol.get("seeds", []))

    @property
    def trainings(self) -> int:
        """How many trainings it rests on; one that several datasets share counts once."""
        read = [self._scores(path)["cell"] for path in self.folder.glob("metrics*.csv")]
        return pl.concat(read).n_unique() if read else 0

    def count(self, folder: str) -> int:
        """Return how many tables or figures there are, each form of one counted once."""
        return len({path.stem for path in (self.folder / folder).iterdir()}) if (self.folder / folder).is_dir() else 0
