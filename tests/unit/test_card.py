"""The card of a corpus, its numbers counted again by plain loops."""

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from trml.base.artifacts import write_json
from trml.corpora.contract import SPLITS, CorpusInfo, write_corpus
from trml.corpora.statistics import label_counts
from trml.features.contract import MEDIA_SCHEMA
from trml.report import card as module
from trml.report.card import Card, write_card
from trml.report.figures.card import figures
from trml.report.style import plt, save

N = 60


@pytest.fixture(params=["regression", "classification"])
def card(request, tmp_path):
    """A corpus with repeated texts and pictures, missing modalities, an unreadable clip and texts that are cut."""
    rng = np.random.default_rng(0)
    split = np.repeat(SPLITS, [30, 15, 15])
    regression = request.param == "regression"
    rows = {
        "utterance_id": [f"u{i}" for i in range(N)],
        "video_id": [f"v{i // 2}" for i in range(N)],
        "split": split,
        "text": [f"text {i % 25}" if i % 9 else "" for i in range(N)],
        "clip": [f"{i}.mp4" if i % 7 else None for i in range(N)],
        "start_s": np.zeros(N),
        "end_s": rng.uniform(1, 9, N),
        "label": rng.uniform(-3, 3, N) if regression else rng.integers(0, 3, N),
    }
    classes = [] if regression else ["no", "so so", "yes"]
    info = CorpusInfo("made", "Made", request.param, classes, "here", "none", "files", ["A note."], "x")
    corpus, features = tmp_path / "corpus", tmp_path / "features"
    corpus.mkdir(), features.mkdir()
    left_out = [("a", "no label"), ("b", "no label"), ("c", "in no fold")]
    write_corpus(corpus, info, pl.DataFrame(rows), left_out)
    media = {
        "utterance_id": rows["utterance_id"],
        "frames": [8] * N,
        "hash": [f"{i % 40:x}" for i in range(N)],
        "reason": [None] * 13 + ["it is empty"] + [None] * (N - 14),
        "tokens_cut": [0] * (N - 3) + [4, 5, 6],
    }
    pl.DataFrame(media, MEDIA_SCHEMA).write_parquet(features / "media.parquet")
    write_json(features / "features.json", {"modalities": ["text", "vision", "audio"]})
    index = pl.DataFrame(rows).filter(pl.col("utterance_id") != "u13")
    index.write_parquet(features / "index.parquet")
    np.save(features / "audio_mask.npy", np.arange(N - 1)[:, None] % 4 > 0)
    return Card.read(corpus, features), rows, media


def cells(card: Card) -> dict[str, list[str]]:
    return {line[0][0]: [text for text, _ in line[1:]] for _, lines in card.table.groups for line in lines}


def counted(values: list[str]) -> list[int]:
    """The numbers in the brackets of `12.0% (3)`."""
    return [int(value.partition("(")[2].rstrip(")")) for value in values]


def test_repeats_are_those_of_a_plain_loop(card):
    card, rows, media = card
    found = cells(card)
    for words, values in (("text", rows["text"]), ("middle frame", media["hash"]), ("video", rows["video_id"])):
        expected = dict.fromkeys(SPLITS, 0)
        for value, split in zip(values, rows["split"], strict=True):
            before = SPLITS[: SPLITS.index(split)]
            known = {v for v, s in zip(values, rows["split"], strict=True) if s in before}
            expected[split] += value in known and value != ""
        line = next(line for name, line in found.items() if name.startswith(words) and "earlier" in name)
        assert counted(line) == list(expected.values())
        assert sum(expected.values()) > 0 or words == "video"


def test_what_is_missing_and_what_is_cut(card):
    card, rows, _ = card
    found = cells(card)
    of = {split: [i for i in range(N) if rows["split"][i] == split] for split in SPLITS}
    assert found["utterances"] == ["30", "15", "15"]
    assert counted(found["text missing"]) == [sum(i % 9 == 0 for i in of[s]) for s in SPLITS]
    assert counted(found["no clip"]) == [sum(i % 7 == 0 for i in of[s]) for s in SPLITS]
    assert counted(found["clip that cannot be read"]) == [1, 0, 0]
    assert counted(found["text longer than the encoder reads"]) == [0, 0, 3]
    note = card.table.note
    assert "Left out: 2 (no label), 1 (in no fold)." in note
    assert "Cannot be read: 13.mp4 (it is empty)." in note


def test_labels_are_counted(card):
    card, rows, _ = card
    found = cells(card)
    train = np.asarray(rows["label"])[:30]
    names = card.info.classes or ["-3", "-2", "-1", "0", "+1", "+2", "+3"]
    expected = [sum(np.rint(train) == value) for value in (range(3) if card.info.classes else range(-3, 4))]
    assert [counted(found[name])[0] for name in names] == expected


def test_a_further_modality_is_counted_among_the_utterances_that_have_features(card):
    card, _, _ = card
    assert counted(cells(card)["audio missing"]) == [8, 3, 4]  # every fourth of 29, 15 and 15


def test_the_card_is_a_page_and_a_figure(card, tmp_path):
    card, _, _ = card
    write_card(card, tmp_path / "cards/made.md")
    page = (tmp_path / "cards/made.md").read_text()
    assert page.startswith("# Made\n\n- A note.\n\n**Corpus made**") and "| no clip |" in page
    (drawn,) = figures(SimpleNamespace(corpora=[SimpleNamespace(card=card)]))
    assert drawn.caption.startswith("made: labels by split, and the lengths")
    save(drawn.figure, tmp_path, drawn.name)
    assert (tmp_path / "corpus.svg").stat().st_size > 1000


def test_labels_are_counted_once_a_card(card, tmp_path, monkeypatch):
    card, _, _ = card
    calls = []
    monkeypatch.setattr(module, "label_counts", lambda *arguments: calls.append(1) or label_counts(*arguments))
    write_card(card, tmp_path / "made.md")
    (drawn,) = figures(SimpleNamespace(corpora=[SimpleNamespace(card=card)]))
    plt.close(drawn.figure)
    assert card.table is card.table and len(calls) == 1
