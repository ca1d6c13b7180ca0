"""Padding: batches of ragged sequences are cut to their longest, and nothing depends on where they are cut."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from helpers.method_batches import batch_of, method_and_data
from helpers.synthetic_features import SETTINGS, ragged
from helpers.synthetic_training import CPU, METHODS, agree_with_a_plain_loop, cell, run, run_one, same
from trml.methods.contract import Labelled
from trml.training.data import BUCKET, load_data


def cut(batch: Labelled, steps: int) -> Labelled:
    """Return a batch without what comes after some steps."""
    signals = {
        name: s._replace(values=s.values[:, :steps], mask=s.mask[:, :steps]) for name, s in batch.signals.items()
    }
    return batch._replace(signals=signals)


@pytest.mark.parametrize("method", METHODS)
def test_padding_changes_nothing(params, method):
    """Of no prediction, virtual vector or loss, with everything there and with either modality missing."""
    of_cell = cell(params, method, "vision", 0.5)
    module, data = method_and_data(of_cell, ragged())
    lengths = data.lengths(module.views, data.splits["train"])
    rows = torch.from_numpy(np.flatnonzero(lengths.bucket == 0))
    some = torch.arange(len(rows)) % 3 == 0
    options = {name: torch.tensor(of_cell.spec.options[name], dtype=torch.float64) for name in module.tensors}
    losses = {step.loss for epoch in range(4) for each in module.passes(epoch, {}) for step in each.steps}
    for present in ({}, {"vision": some}, {"text": some}):
        whole = batch_of(of_cell, data, present, "train", rows)
        short = cut(whole, BUCKET)
        torch.testing.assert_close(module(short), module(whole))
        for loss in losses:
            mine, theirs = (getattr(module, loss)(batch, options) for batch in (short, whole))
            torch.testing.assert_close(mine, theirs)
        made = module.virtual(whole)
        for name, (virtual, real) in module.virtual(short).items():
            torch.testing.assert_close(virtual, made[name][0])
            torch.testing.assert_close(real, made[name][1])


@pytest.mark.parametrize("views", ["pooled", "sequence"])
def test_lengths_are_those_of_a_plain_loop(views):
    data = load_data(ragged(), CPU, torch.float32)
    split = data.splits["test"]
    lengths = data.lengths(views, split)
    for row, bucket in zip(split.rows.tolist(), lengths.bucket, strict=True):
        steps = {name: int(source.mask[row].sum()) for name, source in data.views[views].items()}
        assert bucket == (max(steps.values()) - 1) // BUCKET
        assert all(lengths.of(bucket)[name] >= n for name, n in steps.items())
    everything = lengths.of(lengths.bucket.max())
    assert everything == {name: int(s.mask[split.rows].sum(dim=1).max()) for name, s in data.views[views].items()}


@pytest.mark.parametrize("method", METHODS)
def test_ragged_sequences_agree_with_a_plain_loop(params, method):
    """It cuts no batch; predictions come back in the order of the split."""
    features = ragged()
    cells = [cell(params, method, victim, 0.5) for victim in ("vision", "text")]
    together = run(cells, features, dtype=torch.float64)
    agree_with_a_plain_loop(together, cells, features)


@pytest.mark.parametrize("method", METHODS)
def test_ragged_sequences_give_the_same_bytes_in_any_company(params, method):
    features = ragged()
    cells = [cell(params, method, victim, 0.5, 2020 + i) for i in range(2) for victim in ("vision", "text")]
    together = run(cells, features, replace(SETTINGS, chunk=None))
    assert all(same(together[c.digest], run_one(c, features)) for c in cells)
