"""CMU-MOSEI in its official size."""

import polars as pl
import pytest

from helpers.raw_builds import built, cmu_config
from helpers.raw_content import write_mosei
from trml.corpora.common.official_splits import read_folds

OFFICIAL = {"train": 16327, "valid": 1871, "test": 4662}


def test_mosei_of_official_size(tmp_path):
    """Labels made for every video of the folds, as many as officially, all become utterances, and no others do.

    The real label file is not at hand, so this does not show that it has the official counts.
    """
    folds, rows = read_folds("cmu_mosei"), []
    for split, total in OFFICIAL.items():
        videos = [video for video, of in folds.items() if of == split]
        for place, video in enumerate(videos):
            count = total // len(videos) + (place < total % len(videos))
            rows += [(video, n, f"{n} said", n * 4.0 - 0.3, n * 4.0 + 4.3, (n - 3) / 3) for n in range(count)]
    rows += [(f"stranger{i}", 0, "said", 0.0, 1.0, 0.0) for i in range(7)]
    schema = ["video_id", "number", "text", "start_s", "end_s", "label"]
    folder = tmp_path / "cmu_mosei"
    write_mosei(folder, pl.DataFrame(rows, schema, orient="row"))
    (folder / "Raw/Videos/Full/Combined").mkdir(parents=True)
    for video in folds:
        (folder / f"Raw/Videos/Full/Combined/{video}.mp4").touch()
    info, found, left_out = built(cmu_config("cmu_mosei", "full"), tmp_path)
    assert dict(found.group_by("split").len().iter_rows()) == OFFICIAL
    assert any("the official numbers" in note for note in info.notes)
    assert sorted(left_out) == [f"stranger{i}" for i in range(7)]
    assert "Left out (listed in left_out.parquet): 7 (a video in no official fold), such as stranger0." in info.notes
    numbers = found["utterance_id"].str.extract(r"_(\d+)$").cast(pl.Float64)
    assert found["label"].to_numpy() == pytest.approx(((numbers - 3) / 3).to_numpy())
    assert found["start_s"].min() == 0  # those that begin before their video
    assert found["clip"].null_count() == 0
