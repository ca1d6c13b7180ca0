"""The generated corpus has the same bytes with any number of processes."""

from dataclasses import replace

from conftest import ROOT
from trml.corpora.pantomime import build as pantomime
from trml.corpora.pantomime.config import Speakers
from trml.corpora.registry import shipped


def test_the_same_bytes_with_any_number_of_workers(tmp_path):
    sizes = {"draws": 2, "speakers": Speakers(train=3, valid=2, test=2), "utterances": 4}
    config = replace(shipped(ROOT / "config")["pantomime"], **sizes, pretraining_pairs=30, heldout_pairs=10)
    one, two = tmp_path / "one", tmp_path / "two"
    for folder, workers in ((one, 1), (two, 2)):
        folder.mkdir()
        pantomime.build(config, folder, folder, "x", workers)
    names = sorted(str(p.relative_to(one)) for p in one.rglob("*") if p.is_file())
    assert len([n for n in names if n.endswith(".mp4")]) == 40
    assert names == sorted(str(p.relative_to(two)) for p in two.rglob("*") if p.is_file())
    for name in names:
        assert (one / name).read_bytes() == (two / name).read_bytes(), name
