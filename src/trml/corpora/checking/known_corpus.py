"""A folder that holds a known corpus in its raw layout: it is built aside, and what was built is looked at."""

import json
import shlex
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import yaml
from pydantic import TypeAdapter, ValidationError

from trml.base.errors import ConfigError, TrmlError
from trml.base.nearest import expected
from trml.corpora.checking.media import look_at_media
from trml.corpora.checking.show import setting, show_facts
from trml.corpora.cmu.config import CmuConfig
from trml.corpora.contract import media_folder, read_corpus
from trml.corpora.meld.config import MeldConfig
from trml.corpora.registry import Corpus, build_corpus, corpus_module
from trml.corpora.statistics import facts

_OF_ANY_FOLDER = ("pantomime", "own")  # one needs no files, the other takes any

_LAST = ("arrays",)  # fits whatever has arrays


def read_config(path: Path) -> Any:
    """The corpus configuration of a file of config/corpus. Raises ConfigError."""
    try:
        return TypeAdapter(Corpus).validate_json(json.dumps(yaml.safe_load(path.read_text())), strict=True)
    except (ValidationError, yaml.YAMLError) as error:
        reason = expected(error.errors()[0]) if isinstance(error, ValidationError) else str(error)
        raise ConfigError(f"{path} is no configuration of a corpus: {reason}") from None


def recognise(folder: Path, config_dir: Path) -> Iterator[Any]:
    """The configurations of the corpora whose raw files are all in this folder, pointed at it (to be read below
    `folder`'s own path)."""
    configs = [read_config(path) for path in sorted((config_dir / "corpus").glob("*.yaml"))]
    for config in sorted(configs, key=lambda config: config.kind in _LAST):
        if config.kind not in _OF_ANY_FOLDER:
            for here in (_pointed(each, folder) for each in _forms(config)):
                try:
                    files = corpus_module(config.kind).raw_files(here, folder)
                except (TrmlError, OSError):
                    continue
                if files and all(path.is_file() for path in files):
                    yield here
                    break


def _forms(config: Any) -> list[Any]:
    """The configuration as it is shipped, and those of the same corpus with less of its files."""
    if isinstance(config, MeldConfig):
        return [config, replace(config, vision=False)]
    if isinstance(config, CmuConfig):
        return [config, replace(config, clips="full")]
    return [config]


def _pointed(config: Any, folder: Path) -> Any:
    """The configuration with its files directly in the folder."""
    return replace(config, file=Path(config.file).name) if hasattr(config, "file") else replace(config, folder=".")


def check_known(config: Any, folder: Path, config_dir: Path) -> tuple[list[str], bool]:
    """The report on a known corpus."""
    lines = [f"{folder} holds the corpus {config.name} in its raw form (kind {config.kind})"]
    with tempfile.TemporaryDirectory(prefix="trml-check-") as name:
        built = Path(name)
        build_corpus(config, folder, built, "check", 1)
        info, utterances = read_corpus(built)
        left_out = pl.read_parquet(built / "left_out.parquet")
        media: list[str] = []
        unreadable: list[str] = []
        sound = True
        if info.media != "given":
            rows = utterances.with_columns(pl.col("utterance_id").alias("place"))
            media, unreadable, sound = look_at_media(rows, media_folder(built, info, folder))
    lines += ["", f"Left out: {left_out.height:,} of {left_out.height + utterances.height:,}"]
    lines += [f"  {count:,} x {reason}" for reason, count in _reasons(left_out)]
    lines += [*unreadable, "", *media, *show_facts(info, facts(info, utterances))]
    lines += ["", "Notes", *(f"  {note}" for note in info.notes), f"  Licence: {info.licence}"]
    if not sound:
        return [*lines, "", "Not to be used as it is: mend what stands above."], False
    return [*lines, "", "Nothing stands in the way. Next:", f"  {_next(config, folder, config_dir)}"], True


def _reasons(left_out: pl.DataFrame) -> list[tuple[str, int]]:
    return list(left_out.group_by("reason").len().sort("len", "reason", descending=[True, False]).iter_rows())


def _next(config: Any, folder: Path, config_dir: Path) -> str:
    """The command that runs an experiment on the corpus where it lies."""
    place = folder.resolve()
    shipped = read_config(config_dir / "corpus" / f"{config.name}.yaml")
    expected_at = Path(shipped.file).parent if hasattr(shipped, "file") else Path(shipped.folder)
    fits = place.parts[-len(expected_at.parts) :] == expected_at.parts
    settings = {
        f"corpus.{key}": value
        for key in ("vision", "clips")
        if (value := getattr(config, key, None)) != getattr(shipped, key, None)
    }
    data = place.parents[len(expected_at.parts) - 1] if fits else place.parent
    if fits and not settings:
        return f"make results EXPERIMENT={config.name} DATA={shlex.quote(str(data))}"
    if not fits and hasattr(config, "file"):
        settings["corpus.file"] = f"{place.name}/{config.file}"
    elif not fits:
        settings["corpus.folder"] = place.name
    words = [shlex.quote(setting(key, value)) for key, value in {"data": str(data), **settings}.items()]
    return f"trml compose experiment={config.name} {' '.join(words)} && make results"
