"""Looks at what the proposed method imagines in place of a missing modality, and at single utterances.

retrieval.parquet   a row a victim x seed: R@1, R@5, median rank of the true partner, chance, the best there can be
                    (where it is known), mean similarity to partners and to others
ranks.parquet       a row a victim x seed x utterance: rank, similarity to the partner and mean to the others
levels.parquet      a row a victim x seed x factor: how often the nearest real vector has the same level (only of a
                    corpus that knows its latent levels)
similarity.npz      of the first seed: VICTIM_virtual and VICTIM_real, cosines [M, M] of virtual and of real vectors to
                    real ones; VICTIM_label, VICTIM_id: the M utterances, by label
embedding.parquet   of the first seed: a row a vector: utterance_id, modality, kind (real or virtual), x, y, label
examples.json       where it errs most and least: sentence, clip, truth, every method's predictions by seed
examples/           the frames of their clips, side by side
analysis.json       what was analysed; `reason` says why nothing was, and then all of the above are empty
"""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from trml.base.artifacts import write_json
from trml.corpora.contract import media_folder, read_corpus
from trml.evaluation.predictions import Evaluation
from trml.evaluation.probing.embedding import plane
from trml.evaluation.probing.examples import find_examples, with_media
from trml.evaluation.probing.factors import best_retrieval, carried, read_levels
from trml.evaluation.probing.retrieval import KS, cosines, off_diagonal, ranks, summary
from trml.features.contract import read_features
from trml.planning.plan import Plan
from trml.training.virtual import Pairs, complete_utterances, imagined_pairs, why_none

MATRIX, POINTS = 80, 500  # utterances in a similarity matrix and in an embedding, at most

_BY_SEED: dict[str, Any] = {"victim": pl.String, "seed": pl.Int64}

_RETRIEVAL: dict[str, Any] = {
    **_BY_SEED,
    "n": pl.Int64,
    **{name: pl.Float64 for name in (*(f"r{k}" for k in KS), "median_rank", "diagonal", "off_diagonal")},
    **{f"r{k}_chance": pl.Float64 for k in KS},
    "median_rank_chance": pl.Float64,
    **{f"r{k}_best": pl.Float64 for k in KS},
    "median_rank_best": pl.Float64,
}

_RANKS: dict[str, Any] = {
    **_BY_SEED,
    "utterance_id": pl.String,
    "rank": pl.Float64,
    "diagonal": pl.Float64,
    "off_diagonal": pl.Float64,
}

_LEVELS: dict[str, Any] = {
    **_BY_SEED,
    "factor": pl.String,
    "common": pl.Boolean,
    "same": pl.Float64,
    "chance": pl.Float64,
}

_EMBEDDING: dict[str, Any] = {
    "utterance_id": pl.String,
    "modality": pl.String,
    "kind": pl.String,
    "x": pl.Float32,
    "y": pl.Float32,
    "label": pl.Float64,
}


def analyse(plan: Plan, folder: Path, device: torch.device) -> None:
    """Write the analysis of a plan's cells into `folder`."""
    features, evaluation = read_features(plan.features), Evaluation(plan)
    places = complete_utterances(features)
    reason = why_none(plan)
    if reason is None and len(places) < 2:
        reason = "fewer than two test utterances have both text and vision"
    pairs = imagined_pairs(plan, features, device) if reason is None else []
    ids, label = [evaluation.ids[i] for i in places], evaluation.label[places]
    _write_retrieval(plan, pairs, ids, folder)
    first = [pair for pair in pairs if pair.seed == plan.params.protocol.seeds[0]]
    np.savez(folder / "similarity.npz", **_matrices(first, ids, label))  # type: ignore[arg-type]
    points = pl.concat([pl.DataFrame(schema=_EMBEDDING), *(_embedding(pair, ids, label) for pair in first)])
    points.write_parquet(folder / "embedding.parquet")
    _write_examples(plan, evaluation, places, [pair.victim for pair in first], folder)
    about = {
        "reason": reason,
        "method": plan.proposed,
        "train_rate": plan.params.protocol.study_rate,
        "victims": [pair.victim for pair in first],
        "seeds": plan.params.protocol.seeds,
        "n": len(places),
        "cells": sorted({cell.digest for cell in plan.analysed_cells.values()}),
    }
    write_json(folder / "analysis.json", about)


def _write_retrieval(plan: Plan, pairs: list[Pairs], ids: list[str], folder: Path) -> None:
    levels = read_levels(plan.corpus, ids)
    best = best_retrieval(levels) if levels is not None else {}
    by_cell, by_utterance, by_factor = [], [pl.DataFrame(schema=_RANKS)], []
    for pair in pairs:
        who, similarity = {"victim": pair.victim, "seed": pair.seed}, cosines(pair.virtual, pair.real)
        by_cell.append({**who, **summary(similarity), **best})
        columns = {
            "utterance_id": ids,
            "rank": ranks(similarity),
            "diagonal": similarity.diagonal(),
            "off_diagonal": off_diagonal(similarity),
        }
        by_utterance.append(
            pl.DataFrame(columns).select(*(pl.lit(v, _BY_SEED[k]).alias(k) for k, v in who.items()), *columns)
        )
        if levels is not None:
            by_factor += [{**who, **row} for row in carried(similarity, levels, pair.victim)]
    pl.DataFrame(by_cell, schema=_RETRIEVAL).write_parquet(folder / "retrieval.parquet")
    pl.concat(by_utterance).write_parquet(folder / "ranks.parquet")
    pl.DataFrame(by_factor, schema=_LEVELS).write_parquet(folder / "levels.parquet")


def spread(label: NDArray[np.float64], most: int) -> NDArray[np.int64]:
    """At most so many places, sorted by label and spread evenly over that order."""
    order = np.argsort(label, kind="stable")
    return order[np.linspace(0, len(order) - 1, min(most, len(order))).round().astype(int)]


def _matrices(first: list[Pairs], ids: list[str], label: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    """The arrays of similarity.npz."""
    found: dict[str, NDArray[Any]] = {}
    chosen = spread(label, MATRIX)
    for pair in first:
        real = pair.real[chosen]
        found[f"{pair.victim}_virtual"] = cosines(pair.virtual[chosen], real).astype(np.float32)
        found[f"{pair.victim}_real"] = cosines(real, real).astype(np.float32)
        found[f"{pair.victim}_label"] = label[chosen]
        found[f"{pair.victim}_id"] = np.array([ids[i] for i in chosen])
    return found


def _embedding(pair: Pairs, ids: list[str], label: NDArray[np.float64]) -> pl.DataFrame:
    """The rows of one victim in embedding.parquet."""
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
    return pl.DataFrame(columns, schema=_EMBEDDING)


def _write_examples(
    plan: Plan, evaluation: Evaluation, places: NDArray[np.int64], victims: list[str], folder: Path
) -> None:
    examples = find_examples(evaluation, plan.proposed, victims, places) if plan.proposed else []
    if examples:
        info, utterances = read_corpus(plan.corpus)
        frames = None if info.media == "given" else getattr(plan.params.encoder, "frames", None)
        media = media_folder(plan.corpus, info, Path(plan.params.data))
        examples = with_media(examples, utterances, media, folder, frames)
    about = {"task": evaluation.info.task, "classes": evaluation.info.classes, "examples": examples}
    write_json(folder / "examples.json", about)
