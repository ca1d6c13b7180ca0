"""A folder of one's own: which column is what, every row that is not as expected, and the command to go on with."""

import shlex
from dataclasses import dataclass, field, fields, replace
from pathlib import Path, PurePath

import polars as pl
from pydantic import ValidationError

from trml.base.errors import ConfigError, ContractError, DataMissing
from trml.base.nearest import expected, nearest
from trml.corpora.checking.columns import guess
from trml.corpora.checking.known_corpus import read_config
from trml.corpora.checking.media import look_at_media
from trml.corpora.checking.show import setting, show_facts, value_as_written
from trml.corpora.statistics import facts
from trml.corpora.user_table.build import describe, remarks
from trml.corpora.user_table.clips import MEDIA, Clips
from trml.corpora.user_table.config import OwnColumns, OwnConfig
from trml.corpora.user_table.rows import NEEDED, Kind, Reading, read
from trml.corpora.user_table.table import FORMATS, listed, read_table

_HEADINGS: dict[Kind, str] = {
    "refused": "To be mended first",
    "left out": "Left out",
    "no vision": "Vision missing, since the clip is not there or cannot be cut",
    "note": "To be known",
}


@dataclass(frozen=True)
class Stated:
    """What the user says of the table; the rest is guessed."""

    table: str | None = None
    columns: dict[str, str | None] = field(default_factory=dict)
    seed: int | None = None
    label_range: list[float] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)


def check_own(folder: Path, stated: Stated, config_dir: Path) -> tuple[list[str], bool]:
    """The report on a table and its media."""
    unknown = [role for role in stated.columns if role not in {f.name for f in fields(OwnColumns)}]
    if unknown:
        roles = [f.name for f in fields(OwnColumns)]
        raise ConfigError(
            f"--column {unknown[0]}=...: {unknown[0]!r} is nothing a column can be{nearest(unknown[0], roles)}"
        )
    shipped = read_config(config_dir / "corpus" / "own.yaml")
    name = _find_table(folder, stated.table, shipped.table)
    table = read_table(folder / name)
    columns, taken = guess(table, stated.columns)
    for role in NEEDED:
        if columns[role] is None:
            raise ContractError(
                f"{table.path} has no column that looks like the {role}; it has {', '.join(table.columns)}. "
                f"Say which: --column {role}=NAME"
            )
    config = _configured(shipped, folder, name, columns, stated)
    reading = read(config, folder)
    lines = [f"{table.path}: {len(table.lines):,} rows, {len(table.columns)} columns", "", "What stands for what"]
    lines += [f"  {line}" for line in taken]
    lines += _findings(reading, folder)
    rows = reading.utterances.with_columns(pl.format("line {}", "line").alias("place"))
    media, amiss, sound = look_at_media(rows, folder)
    lines += [*amiss, "", *media]
    if rows.height:
        info = describe(config, reading, "check")
        lines += [*show_facts(info, facts(info, reading.utterances)), "", "In sum"]
        lines += [f"  {remark}" for remark in remarks(config, reading)] or [
            "  All rows are used, and every clip is there."
        ]
    if reading.of("refused") or not sound:
        return [*lines, "", "Not to be used as it is: mend what stands above, and check again."], False
    return [*lines, "", "Nothing stands in the way. Next:", *_next(reading, shipped, config, folder)], True


def _find_table(folder: Path, stated: str | None, usual: str) -> str:
    if stated is not None or (folder / usual).is_file():
        return stated or usual
    tables = sorted(path for path in folder.iterdir() if path.suffix.lower() in FORMATS)
    if len(tables) == 1:
        return tables[0].name
    if tables:
        names = ", ".join(path.name for path in tables)
        raise DataMissing(f"{folder} holds several tables ({names}); say which: --table {tables[0].name}")
    raise DataMissing(
        f"{folder} holds no table ({', '.join(FORMATS)}) and is no known corpus; expected {usual}: a line for each "
        "utterance with its text, clip, label, and split (docs/own_data.md)"
    )


def _configured(
    shipped: OwnConfig, folder: Path, table: str, columns: dict[str, str | None], stated: Stated
) -> OwnConfig:
    """The configuration that reads the table as it was stated and guessed."""
    try:
        return replace(
            shipped,
            folder=str(folder),
            table=table,
            columns=OwnColumns(**columns),  # type: ignore[arg-type]  # text and label are there
            seed=shipped.seed if stated.seed is None else stated.seed,
            label_range=stated.label_range or shipped.label_range,
            classes=stated.classes,
        )
    except ValidationError as error:
        raise ConfigError(
            f"corpus.{'.'.join(map(str, error.errors()[0]['loc']))}: {expected(error.errors()[0])}"
        ) from None


def _findings(reading: Reading, folder: Path) -> list[str]:
    lines = []
    for kind, heading in _HEADINGS.items():
        found = [str(finding) for finding in reading.of(kind)]
        if found:
            lines += ["", f"{heading}: {len(found):,}", listed(found, "such lines")]
            lines += _elsewhere(reading, folder) if kind == "no vision" else []
    return lines or ["", "Line by line: nothing is amiss"]


def _elsewhere(reading: Reading, folder: Path) -> list[str]:
    """Clips that are not where the table says, but are below the folder under another path or suffix."""
    names = reading.table.columns[reading.roles["clip"]] if "clip" in reading.roles else []
    clips = Clips(folder)
    absent = [name for name in dict.fromkeys(names) if name and clips.find(name)[0] is None]
    there: dict[str, str] = {}
    for path in sorted(folder.rglob("*")) if absent else ():
        if path.suffix.lower() in MEDIA:
            there.setdefault(path.stem, str(path.relative_to(folder)))
    found = [(name, there[stem]) for name in absent if (stem := PurePath(name.replace("\\", "/")).stem) in there]
    if not found:
        return []
    name, place = found[0]
    return [f"  There under another path, it seems: {len(found):,}, as {place!r} where the table says {name!r}"]


def _next(reading: Reading, shipped: OwnConfig, config: OwnConfig, folder: Path) -> list[str]:
    """The commands that run an experiment on the folder as it was read."""
    place = folder.resolve()
    settings = [] if place.parent == Path("data").resolve() else [setting("data", str(place.parent))]
    settings.append(setting("corpus.folder", place.name))
    settings += [setting("corpus.table", config.table)] if config.table != shipped.table else []
    settings += [
        setting(f"corpus.columns.{role}", name)
        for role, name in vars(config.columns).items()
        if name != getattr(shipped.columns, role) and (name or getattr(shipped.columns, role) in reading.table.columns)
    ]
    settings += [
        f"corpus.{key}=[{','.join(map(value_as_written, getattr(config, key)))}]"
        for key in ("classes", "label_range")
        if getattr(config, key) != getattr(shipped, key)
    ]
    settings += [setting("corpus.seed", config.seed)] if config.seed != shipped.seed else []
    command = " ".join(shlex.quote(setting) for setting in settings)
    if reading.utterances["clip"].count():
        small, of = "tiny_clip_own", "these texts and pictures"
    else:
        small, of = "tiny_separate", "these texts; there is no clip, so only what needs text alone means anything"
    return [
        f"  trml compose experiment=own encoder={small} {command}",
        "  make results",
        f"That pretrains a small encoder on {of}. With a real one, whose weights are downloaded once:",
        f"  trml compose experiment=own {command}",
    ]
