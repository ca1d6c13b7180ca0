"""Probe trained methods: what is made up for a missing modality, what a wrong one does, what they cost, examples."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from trml.base.artifacts import write_json
from trml.corpora.contract import media_folder, read_corpus
from trml.evaluation.contract import ProbeInputs
from trml.evaluation.predictions import Evaluation
from trml.evaluation.probing.conventions import conventions
from trml.evaluation.probing.corruption import corruption
from trml.evaluation.probing.cost import cost
from trml.evaluation.probing.embedding import plane
from trml.evaluation.probing.examples import find_examples, with_media
from trml.evaluation.probing.factors import best_retrieval, carried, common_factors, read_levels
from trml.evaluation.probing.retrieval import cosines, off_diagonal, ranks, raw_ranks, summary
from trml.evaluation.schemas import EMBEDDING, FACTORS, RANKS, RETRIEVAL
from trml.features.contract import read_features
from trml.training.contract import Cell, Pairs
from trml.training.store import read_cell
from trml.training.virtual import complete_utterances, makes_virtual, virtual_pairs

MATRIX, POINTS = 80, 500  # utterances in a similarity matrix and in an embedding, at most


def probe(inputs: ProbeInputs, folder: Path, device: torch.device) -> None:
    """Write the files of the probes that evaluation/contract.py lists into `folder`.

    What is probed are the proposed method's defaults, trained at the study rate with one modality missing. Where there
    is nothing to probe, probes.json says why and the files are empty.

    Raises:
        StoreError: If a cell is absent or damaged.
    """
    evaluation, study = Evaluation(inputs.evaluation), inputs.evaluation.study
    features = read_features(inputs.evaluation.features)
    places = complete_utterances(features)
    proposed = study.proposed
    every = inputs.evaluation.probed_cells()
    name = proposed.name if proposed else None
    cells = {(victim, seed): cell for (method, victim, seed), cell in every.items() if method == name}
    reason = _why_not(inputs, cells, len(places))
    pairs = virtual_pairs(cells, features, inputs.settings, device) if reason is None else []
    ids, label = [evaluation.ids[i] for i in places], evaluation.label[places]
    rows = features.rows("test")[places]
    raw = {victim: raw_ranks(features, victim, rows) for victim in {pair.victim: None for pair in pairs}}
    _write_retrieval(inputs.evaluation.corpus, pairs, raw, ids, folder)
    first = [pair for pair in pairs if pair.seed == study.seeds[0]]
    np.savez(folder / "similarity.npz", **_matrices(first, ids, label))  # type: ignore[arg-type]
    points = pl.concat([pl.DataFrame(schema=EMBEDDING), *(_embedding(pair, ids, label) for pair in first)])
    points.write_parquet(folder / "embedding.parquet")
    corruption(inputs, evaluation, features, device).write_parquet(folder / "corruption.parquet")
    conventions(inputs, evaluation, features, device).write_parquet(folder / "conventions.parquet")
    cost(inputs, evaluation, features).write_parquet(folder / "cost.parquet")
    _write_examples(inputs, evaluation, places, [pair.victim for pair in first], folder)
    about = {
        "reason": reason,
        "method": name,
        "train_rate": study.study_training_rate,
        "victims": [pair.victim for pair in first],
        "seeds": list(study.seeds),
        "n": len(places),
        "cells": sorted({cell.digest for cell in every.values()}),
    }
    write_json(folder / "probes.json", about)


def _why_not(inputs: ProbeInputs, cells: dict[tuple[str, int], Cell], complete: int) -> str | None:
    """Return why there is nothing to probe, None if there is.

    Args:
        inputs: What is probed.
        cells: Those of the proposed method, by victim and seed.
        complete: How many test utterances have every modality.
    """
    proposed, modalities = inputs.evaluation.study.proposed, inputs.evaluation.study.modalities
    if proposed is None:
        return "no method of the experiment has the role `proposed`"
    if not cells:
        return f"no victim of the protocol is a single modality ({', '.join(modalities)})"
    if not makes_virtual(next(iter(cells.values())).spec.target):
        return f"{proposed.label} makes no virtual modality"
    for cell in cells.values():
        record, _ = read_cell(cell)
        if record["failed"]:
            return f"training {cell.digest} failed: {record['failed']}"
    return "fewer than two test utterances have every modality" if complete < 2 else None


def _write_retrieval(
    corpus: Path, pairs: list[Pairs], raw: dict[str, NDArray[np.float64] | None], ids: list[str], folder: Path
) -> None:
    """Write retrieval.parquet, ranks.parquet and factors.parquet."""
    levels = read_levels(corpus, ids)
    shown_in = read_corpus(corpus)[0].factors if levels is not None else {}
    by_cell, by_utterance, by_factor = [], [pl.DataFrame(schema=RANKS)], []
    for pair in pairs:
        about, similarity = {"victim": pair.victim, "seed": pair.seed}, cosines(pair.virtual, pair.real)
        common = [levels[factor] for factor in common_factors(shown_in, pair.victim)] if levels is not None else []
        by_cell.append({**about, **summary(similarity, raw[pair.victim]), **(best_retrieval(common) if common else {})})
        columns = {
            "victim": [pair.victim] * len(ids),
            "seed": [pair.seed] * len(ids),
            "utterance_id": ids,
            "rank": ranks(similarity),
            "raw_rank": raw[pair.victim],
            "diagonal": similarity.diagonal(),
            "off_diagonal": off_diagonal(similarity),
        }
        by_utterance.append(pl.DataFrame(columns, schema=RANKS))
        if levels is not None:
            by_factor += [{**about, **row} for row in carried(similarity, levels, shown_in, pair.victim)]
    pl.DataFrame(by_cell, schema=RETRIEVAL).write_parquet(folder / "retrieval.parquet")
    pl.concat(by_utterance).write_parquet(folder / "ranks.parquet")
    pl.DataFrame(by_factor, schema=FACTORS).write_parquet(folder / "factors.parquet")


def spread(label: NDArray[np.float64], most: int) -> NDArray[np.int64]:
    """Return at most so many places, sorted by label and spread evenly over that order."""
    order = np.argsort(label, kind="stable")
    return order[np.linspace(0, len(order) - 1, min(most, len(order))).round().astype(int)]


def _matrices(first: list[Pairs], ids: list[str], label: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    """Return the arrays of similarity.npz."""
    arrays: dict[str, NDArray[Any]] = {}
    chosen = spread(label, MATRIX)
    for pair in first:
        real = pair.real[chosen]
        arrays[f"{pair.victim}_virtual"] = cosines(pair.virtual[chosen], real).astype(np.float32)
        arrays[f"{pair.victim}_real"] = cosines(real, real).astype(np.float32)
        arrays[f"{pair.victim}_label"] = label[chosen]
        arrays[f"{pair.victim}_id"] = np.array([ids[i] for i in chosen])
    return arrays


def _embedding(pair: Pairs, ids: list[str], label: NDArray[np.float64]) -> pl.DataFrame:
    """Return the rows of one victim in embedding.parquet."""
    chosen = spread(label, POINTS)
    points = plane(np.concatenate([pair.real[chosen], pair.virtual[chosen]]))
    columns = {
        "utterance_id": [ids[i] for i in chosen] * 2,
        "modality": [pair.victim] * len(points),
        "kind": ["real"] * len(chosen) + ["virtual"] * len(chosen),
        "x": points[:, 0],
        "y": points[:, 1],
        "label": np.tile(label[chosen], 2),
    }
    return pl.DataFrame(columns, schema=EMBEDDING)


def _write_examples(
    inputs: ProbeInputs, evaluation: Evaluation, places: NDArray[np.int64], victims: list[str], folder: Path
) -> None:
    """Write examples.json and the strips of frames."""
    proposed = evaluation.study.proposed
    examples = find_examples(evaluation, proposed.name, victims, places) if proposed else []
    if examples:
        info, utterances = read_corpus(inputs.evaluation.corpus)
        media = media_folder(inputs.evaluation.corpus, info, inputs.data)
        examples = with_media(examples, utterances, media, folder, inputs.frames)
    about = {"task": evaluation.info.task, "classes": evaluation.info.classes, "examples": examples}
    write_json(folder / "examples.json", about)
