"""A user-supplied dataset as tests make it: a table and small pictures."""

import csv
import io
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from PIL import Image

from conftest import ROOT
from trml.config.compose import compose
from trml.config.load import check as check_params
from trml.corpora.checking.check import check
from trml.corpora.checking.user_table import Stated
from trml.corpora.registry import shipped
from trml.corpora.user_table.config import OwnConfig

COLUMNS = ("text", "clip", "label", "utterance_id", "video_id", "split")


def own_config(folder: Path, **changed) -> OwnConfig:
    """config/corpus/own.yaml for a folder; `columns` may be changed by role."""
    usual = shipped(ROOT / "config")["own"]
    assert isinstance(usual, OwnConfig)
    columns = replace(usual.columns, **changed.pop("columns", {}))
    return replace(usual, folder=str(folder), columns=columns, **changed)


def rows(n: int = 12) -> list[dict[str, str]]:
    """Return sound rows: half train, a quarter valid, a quarter test; two a group; numeric labels; a picture each."""
    splits = ["train"] * (n // 2) + ["valid"] * (n // 4) + ["test"] * (n - n // 2 - n // 4)
    return [
        {
            "text": f'what {i} says, in "quotes"',
            "clip": f"media/{i}.png",
            "label": f"{i % 7 - 3}",
            "utterance_id": f"u{i}",
            "video_id": f"{split}{i // 2}",
            "split": split,
        }
        for i, split in enumerate(splits)
    ]


def write(folder: Path, table: list[dict[str, str]], name: str = "utterances.csv") -> Path:
    """Write the table, and a picture for each row; return the folder."""
    (folder / "media").mkdir(parents=True, exist_ok=True)
    for i in range(len(table)):
        Image.new("RGB", (20, 16), (i * 7 % 256, i // 36, 3)).save(folder / "media" / f"{i}.png")
    with (folder / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]), delimiter="\t" if name.endswith(".tsv") else ",")
        writer.writeheader()
        writer.writerows(table)
    return folder


def report(folder: Path, **stated: Any) -> tuple[str, bool]:
    """Return the report as one text, and whether the folder is sound."""
    found = check(folder, Stated(**stated), ROOT / "config")
    return "\n".join(found.lines), found.is_sound


def composed(text: str) -> tuple[Any, str]:
    """Return the corpus and the data folder of the command at the end of a report."""
    command = next(line for line in text.splitlines() if line.strip().startswith("trml compose"))
    params = check_params(yaml.safe_load(compose(shlex.split(command)[2:], ROOT / "config")))
    return params.corpus, params.data


def png(size: tuple[int, int] = (20, 16)) -> bytes:
    """Return a picture of noise."""
    content = io.BytesIO()
    Image.effect_noise(size, 80).save(content, "png")
    return content.getvalue()
