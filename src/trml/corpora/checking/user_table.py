"""Check a user-supplied dataset: the roles of its columns, every unexpected row, and the command to run next."""

from dataclasses import dataclass, field, fields, replace
from pathlib import Path, PurePath

import polars as pl
from pydantic import ValidationError

from trml.base.errors import ConfigError, ContractError, DataMissing
from trml.base.files import not_a_file
from trml.base.nearest import expected, nearest
from trml.base.printable import few, listed, setting, shell_word, shortened, value_as_written
from trml.corpora.checking.columns import guess
from trml.corpora.checking.media import look_at_media
from trml.corpora.checking.show import Report, show_facts
from trml.corpora.statistics import facts
from trml.corpora.user_table.build import describe, remarks
from trml.corpora.user_table.clips import MEDIA, Clips
from trml.corpora.user_table.config import NEEDED, OwnColumns, OwnConfig
from trml.corpora.user_table.rows import Kind, Reading, read
from trml.corpora.user_table.table import FORMATS, read_table

_HEADINGS: dict[Kind, str] = {
    "refused": "Errors, to be fixed first",
    "left out": "Left out",
    "no vision": "Vision missing: the clip does not exist or cannot be cut",
    "note": "Notes",
}


@dataclass(frozen=True)
class Stated:
    """What the user states about a table. The rest is guessed.

    Attributes:
        table: The file's name.
        columns: The column of a role, None if no column has it.
        seed: Of a split that is drawn.
        label_range: Lowest and highest label.
        classes: Of the labels, in order.
    """

    table: str | None = None
    columns: dict[str, str | None] = field(default_factory=dict)
    seed: int | None = None
    label_range: list[float] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)


def check_own(folder: Path, stated: Stated, shipped: OwnConfig) -> Report:
    """Report on a table and its media.

    Args:
        folder: Where they are.
        stated: What the user states about the table.
        shipped: The configuration that `corpus=own` chooses; the command at the end names the differences to it.

    Raises:
        ConfigError: If the user states something that is not possible.
        DataMissing: If there is no table.
        ContractError: If it cannot be read at all.
    """
    unknown = [role for role in stated.columns if role not in {f.name for f in fields(OwnColumns)}]
    if unknown:
        roles = [f.name for f in fields(OwnColumns)]
        stated_as = f"--column {few(unknown[:1])}=..."
        raise ConfigError(f"{stated_as}: {shortened(unknown[0])} is not a role of a column{nearest(unknown[0], roles)}")
    name = _find_table(folder, stated.table, shipped.table)
    table = read_table(folder / name, folder)
    columns, taken = guess(table, stated.columns)
    for role in NEEDED:
        if columns[role] is None:
            raise ContractError(
                f"{table.path} has no column that looks like the {role}; it has {table.said()}. "
                f"State it: --column {role}=NAME"
            )
    config = _configured(shipped, folder, name, columns, stated)
    reading = read(config, folder)
    lines = [f"{table.path}: {len(table.lines):,} rows, {len(table.columns)} columns", "", "Roles of the columns"]
    lines += [f"  {line}" for line in taken]
    lines += _findings(reading, folder)
    rows = reading.utterances.with_columns(pl.format("line {}", "line").alias("place"))
    media, faults, sound = look_at_media(rows, folder)
    lines += [*faults, "", *media]
    info = describe(config, reading, "check")
    # Of labels that were refused there is nothing to count: they may be any number, or thousands of words.
    counts = facts(info, reading.utterances) if rows.height and not reading.labels.faults else None
    if counts is not None:
        lines += [*show_facts(info, counts), "", "Summary"]
        lines += [f"  {remark}" for remark in remarks(config, reading)] or [
            "  All rows are used, and every clip exists."
        ]
    if reading.of("refused") or not sound:
        return Report([*lines, "", "Not ready: fix the faults above, then check again."], False)
    return Report([*lines, "", "Ready. Next:", *_next(reading, shipped, config, folder)], True, info.task, counts)


def _find_table(folder: Path, stated: str | None, usual: str) -> str:
    if stated is not None or not_a_file(folder / usual) != "is missing":
        return stated or usual
    tables = sorted(path for path in folder.iterdir() if path.suffix.lower() in FORMATS)
    if len(tables) == 1:
        return tables[0].name
    if tables:
        chosen = shell_word(tables[0].name)
        raise DataMissing(
            f"{folder} holds several tables ({few([path.name for path in tables])}). Choose one: --table {chosen}"
        )
    raise DataMissing(
        f"{folder} holds no table ({', '.join(FORMATS)}) and is not a known corpus; expected {usual} with a line for "
        "each utterance: text, clip, label, split (docs/own_data.md)"
    )


def _configured(
    shipped: OwnConfig, folder: Path, table: str, columns: dict[str, str | None], stated: Stated
) -> OwnConfig:
    """Return the configuration that reads the table as stated and guessed."""
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
        findings = [str(finding) for finding in reading.of(kind)]
        if findings:
            lines += ["", f"{heading}: {len(findings):,}", listed(findings, "such lines")]
            lines += _elsewhere(reading, folder) if kind == "no vision" else []
    return lines or ["", "No faults in any line"]


def _elsewhere(reading: Reading, folder: Path) -> list[str]:
    """Return a line on absent clips that are below the folder under another path or suffix."""
    names = reading.table.columns[reading.roles["clip"]] if "clip" in reading.roles else []
    clips = Clips(folder)
    absent = [name for name in dict.fromkeys(names) if name and clips.find(name)[0] is None]
    by_stem: dict[str, str] = {}
    for path in sorted(folder.rglob("*")) if absent else ():
        if path.suffix.lower() in MEDIA:
            by_stem.setdefault(path.stem, str(path.relative_to(folder)))
    stems = {name: PurePath(name.replace("\\", "/")).stem for name in absent}
    moved = [(name, by_stem[stem]) for name, stem in stems.items() if stem in by_stem]
    if not moved:
        return []
    name, place = moved[0]
    example = f"{shortened(place, 300)} where the table says {shortened(name, 300)}"
    return [f"  Probably under another path: {len(moved):,}, such as {example}"]


def _next(reading: Reading, shipped: OwnConfig, config: OwnConfig, folder: Path) -> list[str]:
    """Return the commands that run an experiment on the folder as it was read."""
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
    command = " ".join(map(shell_word, settings))
    if reading.utterances["clip"].count():
        fitted_on = "training texts and clips"
    else:
        fitted_on = "training texts. Without clips, only results on text alone mean anything"
    return [
        f"  trml compose experiment=own encoder=classical {command}",
        "  make results",
        f"This encoder has no weights; it is fitted on the {fitted_on}. With pretrained weights, downloaded once:",
        f"  trml compose experiment=own encoder=open_clip {command}",
    ]
