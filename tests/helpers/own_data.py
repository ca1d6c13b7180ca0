"""A folder of one's own data, as tests make it: a table and small pictures."""

import csv
from dataclasses import replace
from pathlib import Path

from PIL import Image

from conftest import ROOT
from trml.corpora.checking.known_corpus import read_config
from trml.corpora.user_table.config import OwnConfig

COLUMNS = ("text", "clip", "label", "utterance_id", "video_id", "split")


def own_config(folder: Path, **changed) -> OwnConfig:
    """config/corpus/own.yaml for a folder; `columns` may be changed by role."""
    shipped = read_config(ROOT / "config/corpus/own.yaml")
    columns = replace(shipped.columns, **changed.pop("columns", {}))
    return replace(shipped, folder=str(folder), columns=columns, **changed)


def rows(n: int = 12) -> list[dict[str, str]]:
    """Sound rows: six train, three valid, three test of twelve; two of a group; numbers as labels; a picture each."""
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
    """The table, and a picture for each row."""
    (folder / "media").mkdir(parents=True, exist_ok=True)
    for i in range(len(table)):
        Image.new("RGB", (20, 16), (i * 7 % 256, i // 36, 3)).save(folder / "media" / f"{i}.png")
    with (folder / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]), delimiter="\t" if name.endswith(".tsv") else ",")
        writer.writeheader()
        writer.writerows(table)
    return folder
