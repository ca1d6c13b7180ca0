"""`trml check FOLDER`: what is wrong with a folder of data, line by line, before hours are spent on it. It is one's own
(a table and media), or one of the corpora that are known by their raw layout."""

from pathlib import Path

from trml.base.errors import ConfigError, DataMissing
from trml.corpora.checking.known_corpus import check_known, read_config, recognise
from trml.corpora.checking.user_table import Stated, check_own


def check(folder: Path, stated: Stated, config_dir: Path) -> tuple[list[str], bool]:
    """The report on a folder, in lines, and whether it can be used as it is. Raises TrmlError where there is nothing to
    report on, or a table cannot be read at all."""
    if not folder.is_dir():
        raise DataMissing(f"{folder} is no folder; expected one that holds a table and media, or a known corpus")
    if not (config_dir / "corpus").is_dir():
        raise ConfigError(f"{config_dir}/corpus does not exist; run it in the project's folder, or give --config")
    usual = read_config(config_dir / "corpus" / "own.yaml").table
    if stated == Stated() and not (folder / usual).is_file():
        for config in recognise(folder, config_dir):
            return check_known(config, folder, config_dir)
    return check_own(folder, stated, config_dir)
