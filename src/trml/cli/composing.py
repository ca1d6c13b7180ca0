"""From the words of `trml run` and `trml search` to a configuration file: no word is ever part of a shell line."""

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from trml.base.commands import AGAIN, in_force, params_file
from trml.base.errors import CommandError, DataMissing
from trml.base.files import not_a_file
from trml.base.nearest import nearest
from trml.cli.common import experiment_names, result_names

# How make hands on what it was given. Values in the environment need no quoting.
_FROM_MAKE = {"experiment": "TRML_RUN_EXPERIMENT", "data": "TRML_RUN_DATA", "set": "TRML_RUN_SET"}
ARCHIVE, CORES = "TRML_RUN_FROM", "TRML_RUN_CORES"


@dataclass(frozen=True)
class Asked:
    """What is to be run.

    Attributes:
        experiment: Its name, None for the configuration in force.
        overrides: Settings to change in it, in Hydra's syntax.
        data: The folder of the corpora, None for that of the configuration.
    """

    experiment: str | None = None
    overrides: Sequence[str] = field(default_factory=tuple)
    data: str | None = None

    @classmethod
    def of(cls, words: Sequence[str], data: str | None, environment: Mapping[str, str] = os.environ) -> "Asked":
        """Take words of a command line apart, together with what make put into the environment.

        Raises:
            CommandError: If there are two experiments, or the words of make cannot be split.
        """
        given = {key: environment.get(name, "").strip() for key, name in _FROM_MAKE.items()}
        try:
            every = [*words, *shlex.split(given["set"])]
        except ValueError as error:
            raise CommandError(f"SET is {given['set']!r}: {error}; expected settings as a shell quotes them") from None
        overrides = [word for word in every if "=" in word or word.startswith(("~", "+"))]
        named = [word for word in [given["experiment"], *every] if word and word not in overrides]
        named += [word.partition("=")[2] for word in overrides if word.startswith("experiment=")]
        if len(named) > 1:
            raise CommandError(f"two experiments, {named[0]} and {named[1]}; expected one, and settings as KEY=VALUE")
        kept = tuple(word for word in overrides if not word.startswith("experiment="))
        return cls(named[0] if named else None, kept, data or given["data"] or None)

    @property
    def words(self) -> str:
        """The words that ask for it again, quoted for a shell."""
        where = ["--data", self.data] if self.data else []
        return shlex.join([*([self.experiment] if self.experiment else []), *self.overrides, *where])

    def command(self, verb: str) -> str:
        """Return the command that asks for it again."""
        return f"trml {verb} {self.words}".rstrip()

    def write(self, verb: str, into: Path | None = None, params: str | None = None) -> str:
        """Compose the configuration and return its file, relative to the folder that the run is in.

        Without any words it is the configuration in force, and nothing is written. Another folder has nothing of this
        one, so there it always is, with the folder of the corpora as an absolute path.

        Args:
            verb: `run` or `search`, which has a file of its own.
            into: Another folder to run in.
            params: The configuration that is run without any words, that in force by default.

        Raises:
            CommandError: If there is no such experiment.
            ConfigError: If the configuration is at fault.
            DataMissing: If there is none to run in another folder.
        """
        is_composed = bool(self.experiment or self.overrides or self.data)
        if not is_composed and into is None:
            return params or params_file()
        from trml.base.artifacts import write_text

        text = self.text() if is_composed else _read(Path(params or params_file()))
        if into is not None:
            text = _absolute(text)
        name = "search" if verb == "search" else self.experiment or "default"
        path = Path("work/params") / f"{name}.yaml"
        write_text((into or Path()) / path, text)
        return str(path)

    def text(self) -> str:
        """Return the configuration as YAML: of the experiment, else that in force, with the settings changed.

        Raises:
            CommandError: If there is no such experiment.
            ConfigError: If the configuration is at fault.
        """
        from trml.base.yaml_reader import read_yaml
        from trml.config.compose import change, compose

        overrides = [*self.overrides, *([f"data={quoted(self.data)}"] if self.data else [])]
        in_force = Path(params_file())
        if self.experiment is None and in_force.is_file():
            return change(read_yaml(in_force), overrides, Path("config"), str(in_force))
        experiments = experiment_names()
        if self.experiment is None or self.experiment in experiments:
            chosen = [f"experiment={self.experiment}"] if self.experiment else []
            return compose([*chosen, *overrides], Path("config"))
        published = Path("results") / self.experiment / "params.yaml"
        if self.experiment in result_names() and published.is_file():
            if overrides:
                raise CommandError(
                    f"{self.experiment} is a published result, whose settings stand; expected an experiment of config/"
                )
            return _checked(published)
        if not experiments:
            raise DataMissing(
                f"{Path.cwd()} has no config/experiment: it is no checkout of trml", command="cd <checkout> && trml run"
            )
        known = [*experiments, *result_names()]
        raise CommandError(f"there is no experiment {self.experiment!r}{nearest(self.experiment, known)}")


def quoted(value: str) -> str:
    """Return a value as Hydra reads it back unchanged: quoted, and without interpolation."""
    from hydra.core.override_parser.types import Quote, QuotedString

    return QuotedString(text=value.replace("${", "\\${"), quote=Quote.single).with_quotes()


def _read(path: Path) -> str:
    if not_a_file(path) == "is missing":
        raise DataMissing(f"{path} is absent in {Path.cwd()}", command="trml compose")
    return _checked(path)


def _checked(path: Path) -> str:
    """Return the text of a configuration, which may be somebody else's; raise ConfigError if it is at fault."""
    from trml.config.load import load

    load(path)
    return path.read_text("utf-8-sig")


def _absolute(text: str) -> str:
    """Return a configuration that was checked with the folder of its corpora as an absolute path."""
    import yaml

    from trml.base.yaml_reader import parse_yaml

    settings = parse_yaml(text)
    return yaml.safe_dump({**settings, "data": str(Path(settings["data"]).absolute())}, sort_keys=False)


def put_in_force(params: str, again: str) -> None:
    """Name configuration and command of this run to its processes, without what make gave: it is used."""
    for name in (*_FROM_MAKE.values(), ARCHIVE, CORES):
        os.environ.pop(name, None)
    in_force(params)
    os.environ[AGAIN] = again
