"""The official folds of corpora whose raw files do not say them: ids alone, in folds/<kind>.json with their source."""

import hashlib
import json
from pathlib import Path

from trml.base.errors import StoreError
from trml.corpora.contract import SPLITS

# Here, so that a corpus's recipe, which holds the source of its modules, changes with its folds.
_SHA256 = {
    "cmu_mosei": "6d433f708610151667d04c77ef2153aa5f76e02bcd95fad235cf62c651108204",
    "cmu_mosi": "890c7d38eb1167053822701d0cb48e4adbc3e7c848d567f085ec480ccdb90e6f",
    "mvsa_single": "fd8e0a4522a9b99d556e152159c6930181f332816a740778bd84cf4f31a81b4c",
}

_DROP = "dup_of_train_or_valid_drop"


def read_folds(kind: str) -> dict[str, str]:
    """The split of each id; ids that repeat one of an earlier split have none (`repeated`)."""
    found = _read(kind)
    repeats = set(found.get(_DROP, ()))
    return {str(each): split for split in SPLITS for each in found[split] if each not in repeats}


def repeated(kind: str) -> set[str]:
    """Ids of the official folds that repeat the photo or text of an earlier split; they are in no split here."""
    return {str(each) for each in _read(kind).get(_DROP, ())}


def _read(kind: str) -> dict[str, list[str | int]]:
    path = Path(__file__).with_name("folds") / f"{kind}.json"
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != _SHA256[kind]:
        raise StoreError(f"{path} is not the file that came with this version; install trml again")
    found: dict[str, list[str | int]] = json.loads(content)
    return found
