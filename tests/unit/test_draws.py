"""The random numbers of methods: one array for what is shared by a seed, streams of their own for the rest."""

import numpy as np
import pytest

from helpers.synthetic_training import bare_cell
from trml.methods.contract import Draw
from trml.seeding import generator
from trml.training.draws import draws_of_pass, draws_of_split

CELL = bare_cell("x.Y", {}, "vision", 0.5, 2020)
OTHER = bare_cell("x.Y", {}, "text", 0.5, 2020)
WANTED = {
    "drop": Draw(),
    "whole": Draw(2, varies="batch"),
    "noise": Draw(3),
    "own": Draw(2, shared="cell"),
    "own_whole": Draw(varies="batch", shared="cell"),
}


def test_row_draws_of_a_seed_are_one_array_cut_by_name():
    drawn = draws_of_pass(WANTED, 1, 4, 0, (5, 16), CELL)
    assert list(drawn) == list(WANTED)
    whole = generator(1, "draws", 2020, 4, 0).random((5, 16, 4), dtype=np.float32)
    assert (drawn["drop"] == whole[..., :1]).all()
    assert (drawn["noise"] == whole[..., 1:]).all()


def test_shapes_and_range():
    drawn = draws_of_pass(WANTED, 1, 4, 0, (5, 16), CELL)
    shapes = {name: values.shape for name, values in drawn.items()}
    assert shapes == {
        "drop": (5, 16, 1), "whole": (5, 2), "noise": (5, 16, 3), "own": (5, 16, 2), "own_whole": (5, 1),
    }  # fmt: skip
    assert all((values >= 0).all() and (values < 1).all() for values in drawn.values())
    shapes = {name: values.shape for name, values in draws_of_split(WANTED, 1, "test", 7, CELL).items()}
    assert shapes == {"drop": (7, 1), "whole": (2,), "noise": (7, 3), "own": (7, 2), "own_whole": (1,)}


def test_cells_of_a_seed_share_what_is_not_their_own():
    for mine, theirs in (
        (draws_of_pass(WANTED, 1, 4, 0, (5, 16), CELL), draws_of_pass(WANTED, 1, 4, 0, (5, 16), OTHER)),
        (draws_of_split(WANTED, 1, "test", 7, CELL), draws_of_split(WANTED, 1, "test", 7, OTHER)),
    ):
        same = {name: bool((mine[name] == theirs[name]).all()) for name in WANTED}
        assert same == {"drop": True, "whole": True, "noise": True, "own": False, "own_whole": False}


@pytest.mark.parametrize("key", [(2, 4, 0), (1, 5, 0), (1, 4, 1)])
def test_seeds_epochs_and_passes_have_numbers_of_their_own(key):
    mine, theirs = draws_of_pass(WANTED, 1, 4, 0, (5, 16), CELL), draws_of_pass(WANTED, *key, (5, 16), CELL)
    assert all((mine[name] != theirs[name]).any() for name in WANTED)


def test_what_is_drawn_apart_moves_no_other_number():
    alone = draws_of_pass({"drop": Draw()}, 1, 4, 0, (5, 16), CELL)
    beside = draws_of_pass({"own": Draw(shared="cell"), "drop": Draw()}, 1, 4, 0, (5, 16), CELL)
    assert (alone["drop"] == beside["drop"]).all()


def test_a_method_without_draws_has_none():
    assert draws_of_pass({}, 1, 4, 0, (5, 16), CELL) == {}
