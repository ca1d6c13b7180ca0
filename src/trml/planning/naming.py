"""The name that results are published under: an experiment's own, if the configuration is that experiment's.

A configuration that changes something in the experiment it is named after has a name of its own, the experiment's and a
digest of what it changes; so it never takes the place of the experiment's results. What a GPU computed is named so too,
since its bits are others. Where a corpus lies and which terms were accepted changes nothing.
"""

import json
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from trml.base.artifacts import write_json
from trml.base.checksums import recall
from trml.base.digests import digest, file_digest
from trml.base.nested import flat
from trml.base.yaml_reader import parse_yaml
from trml.config.compose import compose
from trml.config.load import check
from trml.config.params import Params
from trml.evaluation.config import SUBMISSIONS

_CHANGES_NOTHING = ("accept_terms", "data", "device", "name")
_DIGITS = 6
_ABSENT = "absent"

Moved = dict[str, tuple[Any, Any]]  # dotted key -> the experiment's value and the configuration's


class Naming(NamedTuple):
    """The name that results are published under, and what it stands for.

    Attributes:
        published: The name.
        base: The configuration's own, without what tells a change or a device.
        experiment: The same where config/ has an experiment of that name, else None.
        moved: What the configuration changes in the experiment.
    """

    published: str
    base: str
    experiment: str | None
    moved: Moved

    @property
    def submissions(self) -> Path:
        """The folder of what was submitted to the experiment (`trml submit`)."""
        return SUBMISSIONS / self.published


def naming(params: Params, device: str, config: Path, work: Path) -> Naming:
    """Return the name that results of a configuration are published under.

    Args:
        params: The configuration. Its name may be one that this function gave, as in results/<name>/params.yaml.
        device: The kind of device that torch computes on.
        config: The folder of configurations.
        work: The folder of artifacts, where it is remembered what a configuration changes.
    """
    name = params.name.removesuffix(f"_{device}") if device != "cpu" else params.name
    experiment = next((each for each in (name, name.rpartition("_")[0]) if _is_experiment(each, config)), None)
    moved = {} if experiment is None else _remembered(params, experiment, config, work / "names.json")
    base = experiment or name
    published = f"{base}_{digest(moved)[:_DIGITS]}" if moved else base
    return Naming(published if device == "cpu" else f"{published}_{device}", base, experiment, moved)


def _is_experiment(name: str, config: Path) -> bool:
    return bool(name) and (config / "experiment" / f"{name}.yaml").is_file()


def _remembered(params: Params, experiment: str, config: Path, memory: Path) -> Moved:
    """Return what a configuration changes in an experiment; composing takes a while, so it is remembered."""
    files = {str(path): file_digest(path) for path in sorted(config.rglob("*.yaml"))}
    key, known = digest([asdict(params), experiment, files]), recall(memory)
    if not _is_moved(known.get(key)):
        known = {**known, key: _moved(_composed(experiment, config, digest(files)), params)}
        if memory.parent.is_dir():  # work/ is not made for that
            with suppress(OSError):  # nor need it be written to
                write_json(memory, known)
    return {name: (was, now) for name, (was, now) in known[key].items()}


@cache
def _composed(experiment: str, config: Path, files: str) -> Params:
    """Return the configuration of an experiment; `files`: the digest of config/, so that an edit is seen."""
    return check(parse_yaml(compose([f"experiment={experiment}"], config)))


def _is_moved(remembered: Any) -> bool:
    """Return whether an entry of the memory is as `_remembered` writes it: keys, each with two values."""
    return isinstance(remembered, dict) and all(
        isinstance(b, list | tuple) and len(b) == 2 for b in remembered.values()
    )


def _moved(experiment: Params, params: Params) -> Moved:
    was, now = (dict(flat(json.loads(json.dumps(asdict(each))))) for each in (experiment, params))
    keys = [key for key in dict.fromkeys([*was, *now]) if key.split(".")[0] not in _CHANGES_NOTHING]
    values = {key: (was.get(key, _ABSENT), now.get(key, _ABSENT)) for key in keys}
    return {key: (before, after) for key, (before, after) in values.items() if before != after}
