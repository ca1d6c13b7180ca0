"""`trml check FOLDER`: report what is wrong with a folder of data, line by line, before hours are spent on it.

The folder holds a user-supplied dataset (a table and media), or a corpus whose raw layout is known.
"""

from collections.abc import Iterable
from pathlib import Path

from trml.base.errors import ConfigError, DataMissing
from trml.corpora.checking.known_corpus import check_known, recognise
from trml.corpora.checking.show import Report
from trml.corpora.checking.user_table import Stated, check_own
from trml.corpora.registry import shipped
from trml.corpora.user_table.config import OwnConfig


def stated_columns(given: Iterable[str]) -> dict[str, str | None]:
    """Return the columns that the user states as ROLE=NAME, by role; None for an empty name.

    Raises:
        ConfigError: If a role is stated twice, or one column is both text and label.
    """
    columns: dict[str, str | None] = {}
    for each in given:
        role, _, name = each.partition("=")
        if role in columns:
            raise ConfigError(f"--column {role}=... is there twice; expected one column for each role")
        columns[role] = name or None
    if columns.get("text") is not None and columns["text"] == columns.get("label"):
        raise ConfigError(f"--column text={columns['text']} is the label too; expected a column for each")
    return columns


def check(folder: Path, stated: Stated, config_dir: Path) -> Report:
    """Report on a folder.

    Args:
        folder: What to check.
        stated: What the user says about a table.
        config_dir: The folder of configurations, config/.

    Raises:
        TrmlError: If there is nothing to report on, or a table cannot be read at all.
    """
    if any("\ud800" <= character <= "\udfff" for character in str(folder.resolve())):
        raise DataMissing(
            f"{folder.resolve()} has a name that is not UTF-8, which no configuration can hold. Rename it"
        )
    if not folder.is_dir():
        raise DataMissing(f"{folder} is not a folder; expected one with a table and media, or a known corpus")
    if not (config_dir / "corpus").is_dir():
        raise ConfigError(f"{config_dir}/corpus does not exist. Run trml in the project's folder, or pass --config")
    known = shipped(config_dir)
    own = known["own"]
    assert isinstance(own, OwnConfig)
    if stated == Stated() and not (folder / own.table).is_file():
        for config in recognise(folder, known):
            return check_known(config, folder, known[config.name], config_dir)
    return check_own(folder, stated, own)
