"""The cell store: what trainings leave, many a folder, each folder written whole or not at all.

A folder of the store is a shard. It holds cells that ended together, later all that a block trained:

    predictions.parquet      utterance_id, split, present; and of each cell `<digest>`, where the method gives one
                             `<digest> spread`, and of a classifier `<digest> p_<class>`
    history.parquet          cell, epoch, train_loss, dev_loss
    checkpoints.safetensors  `<digest>/<name>`: the weights of the best epoch on dev
    records.json             digest -> the whole recipe, versions, wall time, and `failed`: why a training that diverged
                             has no predictions and no weights, else null
    SHA256SUMS               their checksums
    whole                    says that the checkpoints are here; DVC keeps a shard without them

`present` names what a prediction was made from (missing/conditions.py): every non-empty set of modalities, as
`text+vision` or `vision`, and lost steps, as `frames@0.3`. A cell's column is null where it was not predicted so.
`spread` is the standard deviation of a score; `p_<class>` are the probabilities of the classes.
"""

import hashlib
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

from trml.base.artifacts import damage, fingerprint, is_whole, new_folder, read_json, write_json
from trml.base.commands import run_again
from trml.base.digests import digest
from trml.base.errors import StoreError
from trml.training.contract import Cell, Outcome

RECORDS = "records.json"
_KEYS = ["utterance_id", "split", "present"]


class Shards:
    """Which shard of a store holds which cell. It is read again as soon as the store has other shards."""

    def __init__(self, store: Path) -> None:
        self.store, self._as_of = store, -1
        self._holding: dict[str, Path] = {}
        self._verified: dict[Path, str] = {}

    def holding(self, name: str) -> Path | None:
        """Return the shard that holds the cell of a digest, None if there is none."""
        shard = self._holding.get(name)
        if shard is not None and (shard / RECORDS).is_file():
            return shard
        if shard is not None:
            self.forget()
        self._look()
        return self._holding.get(name)

    def verified(self, shard: Path) -> Path:
        """Return a shard that is as it was written.

        Raises:
            StoreError: If it is damaged. It is then withdrawn, so that the next run trains its cells again.
        """
        state = fingerprint(shard)
        if self._verified.get(shard) != state:
            fault = damage(shard)
            if fault:
                withdraw(shard)
                raise StoreError(f"{shard}: {fault}. Have its cells trained again: {run_again()}")
            self._verified[shard] = state
        return shard

    def forget(self) -> None:
        """Read the store again when next asked."""
        self._holding, self._as_of = {}, -1

    def _look(self) -> None:
        try:
            as_of = self.store.stat().st_mtime_ns
        except FileNotFoundError:
            as_of = -1
        if as_of != self._as_of or as_of == -1:
            self._as_of = as_of
            last_is_held = sorted(shards(self.store), key=is_whole)
            self._holding = {name: shard for shard in last_is_held for name in cells_of(shard)}


@cache
def _shards(store: Path) -> Shards:
    return Shards(store)


def shards(store: Path) -> list[Path]:
    """Return the finished shards of a store, in the order of their names."""
    return sorted(path.parent for path in store.glob(f"[!.]*/{RECORDS}"))


def cells_of(shard: Path) -> list[str]:
    """Return the digests of a shard's cells; none if it cannot be read."""
    try:
        records = read_json(shard / RECORDS)
    except StoreError:
        return []
    return list(records) if isinstance(records, dict) else []


def withdraw(shard: Path) -> None:
    """Take a shard out of its store, so that the next run trains its cells again."""
    shutil.rmtree(shard, ignore_errors=True)
    _shards(shard.parent).forget()


def is_done(cell: Cell, *, with_weights: bool = False) -> bool:
    """Return whether the store holds a cell, and where it must be, its weights."""
    shard = _shards(cell.store).holding(cell.digest)
    return shard is not None and (is_whole(shard) or not with_weights)


def write_cells(
    outcomes: Sequence[tuple[Cell, Outcome]],
    ids: Mapping[str, list[str]],
    classes: Sequence[str],
    about: Mapping[str, Any],
) -> None:
    """Put finished trainings into the store, as one shard.

    Args:
        outcomes: The trainings, of one store, and what each left.
        ids: Split -> the utterances of the predictions, in order.
        classes: Names of the classes, empty for regression.
        about: What records.json says beside spec and outcome.
    """
    _write_shard(
        outcomes[0][0].store,
        {cell.digest: _record(cell, outcome, about) for cell, outcome in outcomes},
        {cell.digest: _predictions(outcome, ids, classes) for cell, outcome in outcomes if not outcome.failed},
        pl.concat(pl.DataFrame(outcome.history).select(_named(cell), pl.all()) for cell, outcome in outcomes),
        {f"{cell.digest}/{name}": value for cell, outcome in outcomes for name, value in outcome.weights.items()},
    )


def pack(cells: Sequence[Cell]) -> None:
    """Make one shard of all whole ones that hold nothing but some of these cells, of one store."""
    names = [cell.digest for cell in cells]
    store = cells[0].store
    found = [
        path
        for path in {_shards(store).holding(name) for name in names}
        if path and is_whole(path) and {*cells_of(path)} <= {*names}
    ]
    if len(found) < 2:
        return
    records: dict[str, Any] = {}
    tables: dict[str, pl.DataFrame] = {}
    weights: dict[str, NDArray[Any]] = {}
    histories = []
    for shard in sorted(found):
        _shards(store).verified(shard)
        own, wide = _read(shard, fingerprint(shard))
        records |= own
        tables |= {name: _table(wide, name) for name in own if name in wide.columns}
        histories.append(pl.read_parquet(shard / "history.parquet"))
        weights |= dict(_arrays(shard))
    order = [name for name in names if name in records]
    history = pl.concat(histories)
    _write_shard(
        store,
        {name: records[name] for name in order},
        {name: tables[name] for name in order if name in tables},
        pl.concat(history.filter(cell=name) for name in order),
        weights,
        replacing=found,
    )


def contents_of(shard: Path) -> dict[str, str | None]:
    """Return the checksum of the predictions of each cell of a shard, None of a training that failed."""
    records, wide = _read(shard, fingerprint(shard))
    return {name: content_digest(_table(wide, name)) if name in wide.columns else None for name in records}


def keep_only(shard: Path, names: Sequence[str]) -> None:
    """Leave only some cells in a shard: it becomes another one, or none."""
    records, wide = _read(shard, fingerprint(shard))
    if names:
        history = pl.read_parquet(shard / "history.parquet").filter(pl.col("cell").is_in(names))
        tables = {name: _table(wide, name) for name in names if name in wide.columns}
        arrays = _arrays(shard) if is_whole(shard) else ()
        weights = {key: value for key, value in arrays if key.partition("/")[0] in names}
        kept = {name: records[name] for name in names}
        _write_shard(shard.parent, kept, tables, history, weights if is_whole(shard) else None, replacing=[shard])
    else:
        withdraw(shard)


def read_cell(cell: Cell) -> tuple[dict[str, Any], pl.DataFrame | None]:
    """Return a cell's record and its predictions, None where the training failed.

    Raises:
        StoreError: If the cell is absent, another's, or damaged.
    """
    shard = shard_of(cell)
    records, wide = _read(shard, fingerprint(shard))
    record = records[cell.digest]
    if record["digest"] != cell.digest:
        withdraw(shard)
        raise StoreError(
            f"{shard}: what it holds as cell {cell.digest} is {record['digest']}. Have it trained again: {run_again()}"
        )
    return record, None if record["failed"] else _table(wide, cell.digest)


def content_digest(table: pl.DataFrame) -> str:
    """Return twelve digits that name a cell's predictions, as `read_cell` returns them."""
    seal = hashlib.sha256()
    for column in table.columns:
        is_key, values = column in _KEYS, table[column]
        seal.update("\n".join(values.to_list()).encode() if is_key else values.fill_null(0).to_numpy().tobytes())
    return seal.hexdigest()[:12]


def history_of(cell: Cell) -> pl.DataFrame:
    """Return a cell's epoch, train_loss, dev_loss. Raises StoreError as `read_cell` does."""
    return pl.read_parquet(shard_of(cell) / "history.parquet").filter(cell=cell.digest).drop("cell")


def weights_of(cell: Cell) -> dict[str, NDArray[Any]]:
    """Return a cell's best weights, by name. Raises StoreError as `read_cell` does, and where DVC left them out."""
    start, shard = f"{cell.digest}/", shard_of(cell)
    if not is_whole(shard):
        raise StoreError(f"{shard} has no weights of cell {cell.name}. Have it trained: {run_again()}")
    return {name.removeprefix(start): value for name, value in _arrays(shard, start)}


def shard_of(cell: Cell) -> Path:
    """Return the shard that holds a cell. Raises StoreError if none does, or if it is damaged."""
    shard = _shards(cell.store).holding(cell.digest)
    if shard is None:
        raise StoreError(f"{cell.store} has no cell {cell.name}. Have it trained: {run_again()}")
    return _shards(cell.store).verified(shard)


def _named(cell: Cell) -> pl.Expr:
    return pl.lit(cell.digest).alias("cell")


def _record(cell: Cell, outcome: Outcome, about: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **asdict(cell.spec),
        "digest": cell.digest,
        "failed": outcome.failed,
        "best_epoch": outcome.best_epoch,
        "epochs_run": len(outcome.history),
        "parameters": outcome.parameters,
        **about,
    }


def _predictions(outcome: Outcome, ids: Mapping[str, list[str]], classes: Sequence[str]) -> pl.DataFrame:
    """Return the predictions of one cell as a table with the columns that `read_cell` returns."""
    parts = []
    for (split, present), predicted in outcome.predictions.items():
        columns: dict[str, Any] = {"utterance_id": ids[split], "split": split, "present": present}
        columns |= {"prediction": predicted.value, "spread": predicted.spread}
        if predicted.probabilities is not None:
            columns |= {f"p_{name}": predicted.probabilities[:, i] for i, name in enumerate(classes)}
        parts.append(pl.DataFrame(columns, schema_overrides={"prediction": pl.Float32, "spread": pl.Float32}))
    return pl.concat(parts)


def _write_shard(
    store: Path,
    records: Mapping[str, Mapping[str, Any]],
    tables: Mapping[str, pl.DataFrame],
    history: pl.DataFrame,
    weights: Mapping[str, NDArray[Any]] | None,
    replacing: Iterable[Path] = (),
) -> None:
    """Write a shard; `weights` are None where they are not here."""
    method = next(iter(records.values()))["method"]
    path = store / f"{method}-{digest(sorted(records))}"
    with new_folder(path, RECORDS, bulk=weights is not None) as folder:
        history.write_parquet(folder / "history.parquet")
        if tables:
            _as_wide(tables).write_parquet(folder / "predictions.parquet")
        if weights is not None:
            save_file(dict(weights), folder / "checkpoints.safetensors")
        write_json(folder / RECORDS, records)
    _shards(store).forget()
    for old in {*replacing} - {path}:
        withdraw(old)


def _as_wide(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return the predictions of all cells as one table, in which utterances are named once."""
    keys = pl.concat(table.select(_KEYS) for table in tables.values()).unique(maintain_order=True)
    parts = [keys]
    for name, table in tables.items():
        own = table.select(*_KEYS, *(pl.col(c).alias(_column(name, c)) for c in table.columns[len(_KEYS) :]))
        own = own.select(c for c in own.columns if c in _KEYS or own[c].null_count() < own.height)
        parts.append(keys.join(own, on=_KEYS, how="left", maintain_order="left").drop(_KEYS))
    return pl.concat(parts, how="horizontal")


def _column(name: str, column: str) -> str:
    return name if column == "prediction" else f"{name} {column}"


@lru_cache(maxsize=16)
def _read(shard: Path, state: str) -> tuple[dict[str, Any], pl.DataFrame]:
    """Return the records and the predictions of a shard; `state`: of its files, so that no other is remembered."""
    path = shard / "predictions.parquet"
    return read_json(shard / RECORDS), pl.read_parquet(path) if path.is_file() else pl.DataFrame()


def _table(wide: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return one cell's predictions of those of a shard."""
    known = wide.columns
    spread = pl.col(f"{name} spread") if f"{name} spread" in known else pl.lit(None, dtype=pl.Float32)
    classes = [column for column in known if column.startswith(f"{name} p_")]
    return wide.filter(pl.col(name).is_not_null()).select(
        *_KEYS,
        pl.col(name).alias("prediction"),
        spread.alias("spread"),
        *(pl.col(column).alias(column.removeprefix(f"{name} ")) for column in classes),
    )


def _arrays(shard: Path, start: str = "") -> Iterator[tuple[str, NDArray[np.generic]]]:
    """Yield the arrays of a shard's checkpoints whose names start so."""
    with safe_open(shard / "checkpoints.safetensors", framework="numpy") as stored:
        for name in stored.keys():  # noqa: SIM118  it is no mapping
            if name.startswith(start):
                yield name, stored.get_tensor(name)
