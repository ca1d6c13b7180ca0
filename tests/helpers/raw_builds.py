"""What tests of the real corpora do with raw layouts: configurations, copies to damage, and the corpus that comes of
them."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from helpers.raw_layouts import LAYOUTS
from trml.base.errors import ContractError
from trml.corpora.cmu.config import CmuConfig, CmuMoseiConfig, CmuMosiConfig
from trml.corpora.contract import CorpusInfo, read_corpus
from trml.corpora.meld.config import MeldConfig
from trml.corpora.mvsa.config import MvsaSingleConfig
from trml.corpora.registry import build_corpus
from trml.sources.fetching.config import Terms

Made = tuple[Path, dict[str, pl.DataFrame]]


def _fetched(name: str) -> dict[str, Any]:
    terms = Terms(name=name, text="for research", url="https://example.org")
    return {"name": name, "folder": name, "licence": "for research", "terms": terms, "sources": []}


def cmu_config(kind: str, clips: str = "segmented") -> CmuConfig:
    cls = {"cmu_mosi": CmuMosiConfig, "cmu_mosei": CmuMoseiConfig}[kind]
    return cls(kind=kind, clips=clips, **_fetched(kind))


def meld_config(task: str = "sentiment", vision: bool = True) -> MeldConfig:
    return MeldConfig(kind="meld", task=task, vision=vision, **_fetched("meld"))


def mvsa_config() -> MvsaSingleConfig:
    return MvsaSingleConfig(kind="mvsa_single", **_fetched("mvsa_single"))


def config_of(kind: str) -> Any:
    """The configuration of any kind, as it is by default."""
    return {"meld": meld_config, "mvsa_single": mvsa_config}.get(kind, lambda: cmu_config(kind))()


def all_layouts(data: Path) -> Made:
    """Each layout below data, and the utterances that were put in."""
    return data, {kind: make(data / kind) for kind, make in LAYOUTS.items()}


def copied(made: Made, data: Path, kind: str) -> tuple[Path, Path, pl.DataFrame]:
    """A copy that a test may damage: the data folder, the corpus's folder in it, and what was put in."""
    shutil.copytree(made[0] / kind, data / kind)
    return data, data / kind, made[1][kind]


def built(config: Any, data: Path) -> tuple[CorpusInfo, pl.DataFrame, dict[str, str]]:
    """The corpus that the code makes of data/: info, utterances, and what was left out with its reason."""
    folder = data / "built"
    folder.mkdir(exist_ok=True)
    build_corpus(config, data, folder, "x", 1)
    info, table = read_corpus(folder)
    return info, table, dict(pl.read_parquet(folder / "left_out.parquet").iter_rows())


def check(table: pl.DataFrame, made: pl.DataFrame, label: pl.Expr) -> None:
    """The utterances are those that were put in; `label` is the expected column of labels."""
    expected = made.with_columns(label.alias("label"))
    columns = [column for column in table.columns if column in expected.columns]
    assert {"utterance_id", "video_id", "split", "text", "clip", "label"} <= set(columns)
    schema = {column: table.schema[column] for column in columns}
    assert_frame_equal(table.select(columns), expected.select(columns).cast(schema))


def change(path: Path, *changes: tuple[str, str]) -> None:
    """Replace each old text, which has to be there, by the new one, once."""
    text = path.read_bytes().decode()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    path.write_bytes(text.encode())


Damage = Callable[[Path, pl.DataFrame], Any]  # of a corpus's folder; what was put in it may say where


def overwritten(name: str, content: bytes) -> Damage:
    """Damage that gives a file another content."""
    return lambda folder, made: next(folder.rglob(name)).write_bytes(content)


def edited(name: str, *changes: tuple[str, str]) -> Damage:
    """Damage that changes words of a file."""
    return lambda folder, made: change(next(folder.rglob(name)), *changes)


def dev_of_one(line: str) -> Damage:
    """Damage that leaves one line in MELD's table of dev."""
    header = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime"
    return overwritten("dev_sent_emo.csv", f"{header}\n{line}\n".encode())


def refused(data: Path, folder: Path, made: pl.DataFrame, kind: str, damage: Damage, words: str) -> str:
    """Damage a copy and return why it is refused; the words are its own, not the last resort's."""
    damage(folder, made)
    with pytest.raises(ContractError, match=words) as raised:
        built(config_of(kind), data)
    assert "do not have the expected form" not in str(raised.value)
    return str(raised.value)
