"""Stopped and resumed: the same bytes; damage is reported; a full disk loses nothing finished."""

import errno
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import trml.training.resume as module
from helpers.small_methods import KINDS, small_cells
from helpers.synthetic_features import SETTINGS, TRIPLE, ragged, synthetic_features
from helpers.synthetic_training import CPU, by_digest, cell, run, same
from trml.base.errors import Interrupted
from trml.training.resume import Unfinished, asked_to_stop
from trml.training.trainer import train

SETTING = replace(SETTINGS, epochs=6, patience=2, chunk=3, learning_rate=0.02)


def cells_of(params):
    return [cell(params, "trml", "vision", 0.5, 2020 + i) for i in range(5)]


def resume(cells, features, folder, ended, settings=SETTING, **options):
    """Train what has not ended yet, as a block does."""
    todo = [c for c in cells if c.digest not in ended]
    train(
        todo,
        features,
        settings,
        CPU,
        lambda left: ended.update(by_digest(left)),
        unfinished=Unfinished(folder, **options),
    )


class StopAfter:
    """Asks to stop after so many batches."""

    def __init__(self, batches: int) -> None:
        self.left = batches

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


@pytest.mark.parametrize("batches", [0, 1, 2, 5, 7, 16, 40])
@pytest.mark.parametrize("made", [synthetic_features, ragged])
def test_stopped_at_any_batch_it_resumes_to_the_same_bytes(params, tmp_path, made, batches):
    features, cells, ended, rounds = made(), cells_of(params), {}, 0
    undisturbed = run(cells, features, SETTING)
    while len(ended) < len(cells):
        rounds += 1
        try:
            resume(cells, features, tmp_path / "b", ended, stopping=StopAfter(batches if rounds < 12 else 10**6))
        except Interrupted as stop:
            assert "Resume with: snakemake --cores all" in str(stop)
    assert rounds > 1
    for c in cells:
        assert same(ended[c.digest], undisturbed[c.digest])
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("name", KINDS)
def test_what_a_method_asks_for_is_resumed_too(tmp_path, name):
    """Phases and their optimizers, copies, losses so far, draws; with three modalities."""
    features, cells, ended = synthetic_features(modalities=TRIPLE), small_cells(name), {}
    settings = replace(SETTING, patience=6)
    undisturbed = run(cells, features, settings)
    for batches in (5, 11):  # of four batches an epoch and one of dev: within the second epoch and the third
        with pytest.raises(Interrupted):
            resume(cells, features, tmp_path, ended, settings, stopping=StopAfter(batches))
    resume(cells, features, tmp_path, ended, settings)
    assert all(same(ended[c.digest], undisturbed[c.digest]) for c in cells)


def test_a_run_is_saved_from_time_to_time(params, tmp_path, monkeypatch):
    """What a kill leaves behind: the last save, which is resumed."""
    monkeypatch.setattr(module, "SAVE_EVERY_S", 0.0)
    features, cells, ended = synthetic_features(), cells_of(params), {}

    class Killed(Exception):
        pass

    def kill(done):
        if done > 1.5:
            raise Killed

    with pytest.raises(Killed):
        train(cells, features, SETTING, CPU, lambda *_: None, unfinished=Unfinished(tmp_path), progress=kill)
    assert len(list(tmp_path.glob("*.chunk"))) == 1
    resume(cells, features, tmp_path, ended)
    undisturbed = run(cells, features, SETTING)
    assert all(same(ended[c.digest], undisturbed[c.digest]) for c in cells)


def test_cells_that_are_wanted_no_more_are_left_out(params, tmp_path):
    features, cells, ended = synthetic_features(), cells_of(params), {}
    with pytest.raises(Interrupted):
        resume(cells, features, tmp_path, ended, stopping=StopAfter(3))
    resume(cells[1:], features, tmp_path, ended)
    undisturbed = run(cells, features, SETTING)
    assert ended.keys() == {c.digest for c in cells[1:]}
    assert all(same(ended[c.digest], undisturbed[c.digest]) for c in cells[1:])


@pytest.mark.parametrize("harm", ["truncated", "flipped", "empty"])
def test_a_damaged_save_is_reported_and_not_resumed(params, tmp_path, capsys, harm):
    features, cells, ended = synthetic_features(), cells_of(params), {}
    with pytest.raises(Interrupted):
        resume(cells, features, tmp_path, ended, stopping=StopAfter(3))
    (path,) = tmp_path.glob("*.chunk")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes({"truncated": content[: len(content) // 2], "flipped": content, "empty": b""}[harm])
    resume(cells, features, tmp_path, ended)
    assert f"{path} is damaged" in capsys.readouterr().err
    undisturbed = run(cells, features, SETTING)
    assert all(same(ended[c.digest], undisturbed[c.digest]) for c in cells)


def test_a_full_disk_keeps_the_last_save(params, tmp_path, monkeypatch):
    features, cells, ended = synthetic_features(), cells_of(params), {}
    with pytest.raises(Interrupted):
        resume(cells, features, tmp_path, ended, stopping=StopAfter(3))
    (path,) = tmp_path.glob("*.chunk")
    before = path.read_bytes()
    with monkeypatch.context() as full:
        full.setattr("pathlib.Path.open", _no_space)
        full.setattr(module, "SAVE_EVERY_S", 0.0)
        with pytest.raises(OSError, match="No space left"):
            resume(cells, features, tmp_path, ended)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == before
    resume(cells, features, tmp_path, ended)
    undisturbed = run(cells, features, SETTING)
    assert all(same(ended[c.digest], undisturbed[c.digest]) for c in cells)


_open = Path.open


def _no_space(path, mode="r", **options):
    """Open a file; one that is written anew gets a part of its content, then the disk is full."""
    file = _open(path, mode, **options)
    if mode == "xb":
        file.write(b"a part")
        file.close()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return file


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_ends(number):
    before = signal.getsignal(number)
    with asked_to_stop() as stopping:
        assert not stopping()
        os.kill(os.getpid(), number)
        assert stopping()
        assert signal.getsignal(number) == before  # the next one does what it always did
    assert signal.getsignal(number) == before


def test_torch_arrays_of_a_save_are_exact(params, tmp_path):
    """Saved and read back, bit for bit."""
    features, cells = synthetic_features(), cells_of(params)
    with pytest.raises(Interrupted):
        resume(cells, features, tmp_path, {}, stopping=StopAfter(3))
    (saved,) = Unfinished(tmp_path).saved()
    assert saved.cells == [c.digest for c in cells[: len(saved.cells)]]
    assert saved.tensors["values"].dtype == torch.float32
    assert saved.rest["batches_done"] + saved.rest["epoch"] > 0
