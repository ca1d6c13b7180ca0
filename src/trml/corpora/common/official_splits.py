"""Official folds of corpora whose raw files do not state them: ids alone, in folds/<kind>.json with their source."""

import hashlib
import json
from pathlib import Path

from trml.base.errors import StoreError
from trml.corpora.contract import SPLITS

_FOLDS = Path(__file__).with_name("folds")

# Part of this source, and so of the recipe of a corpus: the recipe changes with the folds.
_SHA256 = {
    "cmu_mosei": "6d433f708610151667d04c77ef2153aa5f76e02bcd95fad235cf62c651108204",
    "cmu_mosi": "890c7d38eb1167053822701d0cb48e4adbc3e7c848d567f085ec480ccdb90e6f",
    "mvsa_single": "fd8e0a4522a9b99d556e152159c6930181f332816a740778bd84cf4f31a81b4c",
}

_DROP = "dup_of_train_or_valid_drop"


def read_folds(kind: str) -> dict[str, str]:
    """Return the split of each id, without the ids that `repeated` returns."""
    folds = _read(kind)
    repeats = set(folds.get(_DROP, ()))
    return {str(each): split for split in SPLITS for each in folds[split] if each not in repeats}


def repeated(kind: str) -> set[str]:
    """Return the ids whose photo or text is also in an earlier split. They are in no split here."""
    return {str(each) for each in _read(kind).get(_DROP, ())}


def cmu_fold_files() -> list[Path]:
    """Return the files with the folds of CMU-MOSI and CMU-MOSEI."""
    return sorted(_FOLDS.glob("cmu_*.json"))


def _read(kind: str) -> dict[str, list[str | int]]:
    path = _FOLDS / f"{kind}.json"
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != _SHA256[kind]:
        raise StoreError(f"{path} is not the file of this version; install trml again")
    folds: dict[str, list[str | int]] = json.loads(content)
    return folds
