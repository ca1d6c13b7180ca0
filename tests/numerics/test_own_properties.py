"""User-supplied datasets of any content: the check and the build agree, and a drawn split keeps groups whole."""

import re

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.own_data import own_config, report, rows, write
from trml.base.errors import ContractError
from trml.corpora.contract import read_corpus
from trml.corpora.registry import build_corpus
from trml.corpora.user_table.config import Shares
from trml.corpora.user_table.splits import draw_splits

SHARES = Shares(train=0.7, valid=0.15, test=0.15)


@given(
    sizes=st.lists(st.integers(1, 9), min_size=3, max_size=30),
    seed=st.integers(0, 99),
)
@settings(max_examples=60, deadline=None)
def test_a_drawn_split_is_whole_groups_and_near_its_shares(sizes, seed):
    groups = pl.Series([f"g{i}" for i, size in enumerate(sizes) for _ in range(size)])
    split = draw_splits(groups, seed, SHARES)
    place = pl.DataFrame({"group": groups, "split": split}).unique()
    assert place.height == len(sizes)
    assert set(split) == {"train", "valid", "test"}
    wanted = {"train": 0.7, "valid": 0.15, "test": 0.15}
    for name, share in wanted.items():  # a group too many, at most, where the first of each is one that fits
        assert (split == name).sum() <= share * len(groups) + max(sizes)
    assert split.equals(draw_splits(groups, seed, SHARES))


@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_check_and_build_agree_on_what_is_left_out(tmp_path_factory, data):
    """Whatever the cells are: the rows that the check names are those that the corpus lacks, and where the check says
    that nothing can be built, nothing is."""
    folder, out = tmp_path_factory.mktemp("own"), tmp_path_factory.mktemp("out")
    cells = {
        "text": st.sampled_from(["said", "said", ""]),
        "clip": st.sampled_from(["media/0.png", "media/1.png", "", "media/none.png", "media"]),
        "label": st.sampled_from(["1", "-2", "0.5", "", "nan"]),
        "split": st.sampled_from(["train", "dev", "test", "spare", ""]),
    }
    table = [{role: data.draw(cell) for role, cell in cells.items()} for _ in range(14)]
    write(folder, table)
    text, sound = report(folder, columns={role: role for role in cells})
    named = {int(n) for n in re.findall(r"^  line (\d+): .*", text.partition("Left out")[2].partition("\n\n")[0], re.M)}
    try:
        build_corpus(own_config(folder), tmp_path_factory.getbasetemp(), out, "x", 1)
    except ContractError:
        assert not sound
        return
    assert sound
    kept = {int(name) + 1 for name in read_corpus(out)[1]["utterance_id"]}
    assert named == set(range(2, 16)) - kept
    assert len(pl.read_parquet(out / "left_out.parquet")) == len(named)


def test_three_thousand_rows(tmp_path):
    folder = write(tmp_path / "x", rows(3000))
    text, sound = report(folder)
    assert sound
    assert "3,000 files. Of those that open, 3000" in text.replace("3,000 are", "3000 are")
