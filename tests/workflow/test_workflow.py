"""The workflow end to end on miniatures: the real rules and verbs, small configurations."""

# long because: all tests start from one finished miniature

import io
import json
import re
import shutil
from pathlib import Path
from urllib.parse import unquote

import mlcroissant
import numpy as np
import polars as pl
import pytest
from PIL import Image
from polars.testing import assert_frame_equal
from rocrate.rocrate import ROCrate

from conftest import ROOT
from helpers.checkout import EVERY_FORM, MINIATURE, SMALL_GRID, Checkout
from trml.api.experiment import experiment
from trml.api.predictor import predictor
from trml.api.result import load
from trml.base.digests import file_digest
from trml.base.errors import ConfigError
from trml.features.contract import read_features
from trml.training.store import cells_of


@pytest.fixture
def checkout(miniature, tmp_path):
    """A copy of the finished miniature, times included, that a test may change."""
    shutil.copytree(miniature.folder, tmp_path / "checkout")
    return Checkout(tmp_path / "checkout")


def test_results_are_complete(miniature):
    results = miniature.folder / "results/pantomime"
    for name in ("metrics.csv", "metrics.parquet", "claims.json", "claims.md", "manifest.json", "params.yaml"):
        assert (results / name).stat().st_size > 0
    shown = ("retrieval", "factors", "similarity", "embedding", "worst", "best")
    for figure in (
        "rates_vision",
        "complete_training_text",
        "settings",
        "sweep_trml_temperature",
        "ablation",
        *(f"virtual_{x}" for x in shown),
    ):
        for kind in ("pdf", "svg", "png"):
            assert (results / f"figures/{figure}.{kind}").stat().st_size > 1000
    for table in ("main", "settings", "robustness", "claim_c1", "claim_c2", "claim_c3", "study_trml"):
        for kind in ("csv", "md", "tex"):
            assert (results / f"tables/{table}.{kind}").stat().st_size > 100
    metrics = pl.read_csv(results / "metrics.csv")
    assert metrics.group_by("cell", "condition").len()["len"].unique().to_list() == [7]
    assert {"complete", "vision@0.5", "vision@1", "text@0.5", "text@1"} == set(metrics["condition"])
    assert metrics["value"].is_finite().all()


def test_the_page_stands_alone(miniature):
    page = (miniature.folder / "results/pantomime/report/index.html").read_text()
    static = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    sources = re.findall(r"""(?:src|href)=["']([^"']*)""", static)
    assert len([s for s in sources if s.startswith("data:image/svg+xml")]) >= 4
    assert len([s for s in sources if s.startswith("data:image/png")]) >= 2  # examples with their clips
    assert all(s.startswith(("data:", "#")) for s in sources)
    assert {s[1:] for s in sources if s.startswith("#")} <= set(re.findall(r'id="([^"]*)"', page))
    assert "default-src &#39;none&#39;" in page and "url(" not in static.replace("url(#", "")
    for words in ("undecided", "How each number was made", "params.yaml", "Ceiling (exact)", "Constant predictor"):
        assert words in page


def test_every_cell_is_whole(miniature):
    blocks, shards = (list((miniature.folder / "work").glob(each)) for each in ("blocks/*", "cells/*/*/*"))
    assert 2 * len(shards) == len(blocks)
    for folder in shards:
        assert {path.name for path in folder.iterdir()} == {
            "SHA256SUMS", "checkpoints.safetensors", "history.parquet", "predictions.parquet", "records.json", "whole",
        }  # fmt: skip
    assert [path.name for path in (miniature.folder / "work").rglob(".*")] == [".lock"]
    unfinished = miniature.folder / "work/unfinished"
    assert not unfinished.exists() or not any(unfinished.iterdir())


def test_a_second_run_does_nothing(checkout):
    before = checkout.cells()
    assert "Nothing to be done" in checkout.make()
    assert checkout.cells() == before


def test_a_wider_sweep_trains_the_new_cells_only_and_going_back_trains_none(checkout):
    before = checkout.cells()
    checkout.configure(*MINIATURE, *SMALL_GRID, EVERY_FORM, "methods.trml.sweeps.temperature=[0.07,0.5,0.9]")
    checkout.make("cells")
    after = checkout.cells()
    new = [cell for name, cell in after.items() if name not in before]
    assert len(new) == 4  # two victims, two seeds
    assert {cell["variant"] for cell in new} == {"temperature=0.9"}
    assert {name: after[name] for name in before} == before

    checkout.configure(*MINIATURE, *SMALL_GRID, EVERY_FORM)
    assert "Nothing to be done" in checkout.make()
    assert checkout.cells() == after


def test_a_lost_shard_is_trained_again_alone_and_comes_out_the_same(checkout):
    published = (checkout.folder / "results/pantomime/metrics.csv").read_bytes()
    before = checkout.cells()
    folder = sorted((checkout.folder / "work/cells").glob("*/*/*"))[1]
    lost = set(cells_of(folder))
    predictions = (folder / "predictions.parquet").read_bytes()
    shutil.rmtree(folder)
    for name in ("evaluations", "probes", "results", "published"):
        shutil.rmtree(checkout.folder / "work" / name)
    log = checkout.make()
    assert (folder / "predictions.parquet").read_bytes() == predictions
    after = checkout.cells()
    assert {name for name in after if after[name] != before[name]} == lost != set(after)
    assert "files have the same bytes as the published ones" in log
    assert (checkout.folder / "results/pantomime/metrics.csv").read_bytes() == published


def test_the_same_configuration_from_another_file_does_nothing(checkout):
    shutil.copy(checkout.folder / "params.yaml", checkout.folder / "work/other.yaml")
    assert "Nothing to be done" in checkout.make("--config", "params=work/other.yaml")


def test_other_blocks_are_other_jobs_over_the_same_cells(checkout):
    before, old = checkout.cells(), {path.name for path in (checkout.folder / "work/blocks").iterdir()}
    plan = checkout.configure(*MINIATURE, *SMALL_GRID, EVERY_FORM, "training.block=20")
    new = {block.done.name for block in plan.blocks.values()}
    assert not new <= old
    checkout.make("cells")
    assert new <= {path.name for path in (checkout.folder / "work/blocks").iterdir()}
    assert checkout.cells() == before
    checkout.configure(*MINIATURE, *SMALL_GRID, EVERY_FORM)
    assert "Nothing to be done" in checkout.make()


@pytest.mark.parametrize("harm", ["delete", "edit"])
def test_results_that_were_touched_are_published_again(checkout, harm):
    page = checkout.folder / "results/pantomime/report/index.html"
    whole = (checkout.folder / "work/results" / checkout.digest() / "report/index.html").read_text()
    page.unlink() if harm == "delete" else page.write_text("edited by hand")
    checkout.make()
    assert page.read_text() == whole
    assert "Nothing to be done" in checkout.make()


def test_an_encoder_near_chance_stops_the_workflow_with_its_reason(checkout):
    checkout.configure(*MINIATURE, *SMALL_GRID, EVERY_FORM, "encoder.pretraining.retrieval_bar=0.99")
    done = checkout.snakemake()
    assert done.returncode != 0
    assert "the bar is 99.0%" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    plan = checkout.configure(*MINIATURE, *SMALL_GRID, EVERY_FORM, "encoder.pretraining.retrieval_bar=0.99")
    assert plan.encoder is not None
    assert not (plan.encoder / "model.safetensors").exists()


def test_absent_data_are_named_before_anything_runs(tmp_path):
    checkout = Checkout(tmp_path)
    checkout.configure("experiment=mosi", "data=nowhere")
    done = checkout.snakemake()
    assert done.returncode != 0
    assert "corpus mosi: nowhere/mosi/mosi_utterances.csv is missing" in done.stderr
    assert "DATA=<folder>" in done.stderr
    assert not (tmp_path / "work").exists()


@pytest.mark.slow
def test_photos_and_texts_of_three_classes_go_the_same_way(tmp_path):
    """A made file in MVSA's form: photos of odd sizes whose colour is the class."""
    rng = np.random.default_rng(0)
    rows = []
    for i in range(60):
        k = i % 3
        noise = rng.integers(0, 120, size=(int(rng.integers(40, 90)), int(rng.integers(40, 90)), 3))
        noise[..., k] += 120
        jpeg = io.BytesIO()
        Image.fromarray(noise.astype(np.uint8)).save(jpeg, "JPEG")
        split = "train" if i < 36 else "valid" if i < 48 else "test"
        text = f"post {i} is {('bad', 'so', 'good')[k]}"
        row = {"guid": i, "text": text, "label_id": k - 1, "clean_split": split, "image_jpeg": jpeg.getvalue()}
        rows.append(row)
    (tmp_path / "brought/mvsa_sample").mkdir(parents=True)
    pl.DataFrame(rows).write_parquet(tmp_path / "brought/mvsa_sample/mvsa_single_sample300.parquet")
    checkout = Checkout(tmp_path)
    checkout.configure("experiment=mvsa_sample", "data=brought", *SMALL_GRID)
    checkout.make()
    page = (tmp_path / "results/mvsa_sample/report/index.html").read_text()
    assert "This encoder is not aligned" in page
    metrics = pl.read_csv(tmp_path / "results/mvsa_sample/metrics.csv")
    assert set(metrics["metric"]) == {"accuracy", "f1_weighted", "f1_macro"}


@pytest.mark.slow
def test_the_whole_study_in_miniature(tmp_path):
    """Every kind of thing that pantomime_full has: all victims, grids, regimes, axes, turned and separate spaces."""
    checkout = Checkout(tmp_path)
    few_of_a_kind = ("redundancy_middle", "redundancy_high", "labels_40", "labels_100", "labels_400", "wrong_labels")
    without = [f"~datasets.{name}" for name in (*few_of_a_kind, "unseen", "few_labels")]
    small = [o for o in MINIATURE + SMALL_GRID if not o.startswith(("method", "protocol.victims", "~"))]
    few = "method=[trml,supervised_single,zero_fill,supervised_double]"
    of_corpus = [o for o in MINIATURE if o.startswith("corpus.") and not o.startswith("corpus.draws")]
    sizes = [f"datasets.redundancy_low.{override}" for override in of_corpus]
    pretrained = ("redundancy_low", "rotated")
    encoders = [
        f"datasets.{n}.encoder.pretraining.{key}" for n in pretrained for key in ("epochs=1", "retrieval_bar=null")
    ]
    seeds = [f"datasets.{n}.protocol.seeds=[2020,2021]" for n in ("separate", "rotated", "redundancy_low")]
    axes = ("labels_20", "by_label", "by_label_weighted")
    seeds += [f"datasets.{n}.methods=null" for n in ("separate", "rotated", "redundancy_low", *axes)]
    grid = "methods.trml.grids=[{weight:[0.1,1.0],alpha:[0.5,0.9]},{weight:[0.5],temperature:[0.5]}]"
    victims = "protocol.victims=[vision,text,random_modality,mostly_vision,stretch]"
    checkout.configure("experiment=pantomime_full", few, *small, *without, *sizes, *encoders, *seeds, grid, victims)
    checkout.make()
    results = tmp_path / "results/pantomime_full"
    claims = {claim["id"]: claim for claim in json.loads((results / "claims.json").read_text())}
    assert set(claims) == {"C1", "C2", "C3", "C3b", "C4", "C5", "C6", "C7", "C7b"}
    points = pl.read_csv(results / "tables/axes.csv")
    assert set(points["dataset"]) == {None, "labels_20", "by_label", "by_label_weighted"}
    assert pl.read_csv(results / "tables/corruption_vision.csv").height
    assert {each["severity"] for each in json.loads((results / "manifest.json").read_text())["quality"]} <= {1, 2}
    redundancy = pl.read_csv(results / "tables/redundancy.csv")
    assert redundancy.filter(pl.col("redundancy") < 1e-9)["recovered"].null_count() == 4
    # Each of its numbers is the mean of cells that metrics_redundancy_low.csv names.
    cells = pl.read_csv(results / "metrics_redundancy_low.csv").filter(condition="vision@1", metric="mae", dev_rate=1.0)
    assert set(cells["cell"]) <= checkout.cells().keys()
    means = dict(cells.filter(method="trml", train_rate=0.5).group_by("method").agg(pl.col("value").mean()).iter_rows())
    assert redundancy.filter(method="trml")["value"].to_list() == pytest.approx([means["trml"]], abs=2e-6)
    drawn = ("rates_random_modality", "rates_stretch", "rates_mostly_vision", "grid_trml_weight_alpha")
    for name in (*drawn, "rotation", "alignment", "redundancy", "labels", "corruption_vision", "cost"):
        assert (results / f"figures/{name}.svg").stat().st_size > 5000
    page = (results / "report/index.html").read_text()
    for words in ("What can be recovered", "One modality missing at random", "A stretch of frames", "main_separate"):
        assert words in page or (results / f"tables/{words}.csv").is_file()


def test_three_given_modalities_go_the_same_way(tmp_path):
    """Synthetic files in the form of the MOSI features: no encoder, dev taken by video, all seven subsets."""
    rng = np.random.default_rng(0)
    n = 90
    videos = [f"v{i // 3:02d}" for i in range(n)]
    score = np.round(rng.normal(size=n).clip(-3, 3), 1)
    table = {
        "utt_id": [f"{v}_{i}" for i, v in enumerate(videos)],
        "video_id": videos,
        "text": ["WORDS"] * n,
        "start_s": np.arange(n) * 1.0,
        "end_s": np.arange(n) + 1.0,
        "sentiment": score,
        "bclstm_split": ["train"] * 60 + ["test"] * 30,
    }
    folder = tmp_path / "brought/mosi"
    folder.mkdir(parents=True)
    pl.DataFrame(table).write_csv(folder / "mosi_utterances.csv")
    text, video, audio = (rng.normal(size=(n, d)).astype(np.float32) for d in (100, 100, 73))
    text[:, 0] += score
    ids = np.array(table["utt_id"])
    np.savez(folder / "mosi_features.npz", utt_id=ids, text=text, video=video, audio=audio)
    checkout = Checkout(tmp_path)
    small = [o for o in SMALL_GRID if not o.startswith(("method=", "protocol.victims"))]
    methods = "method=[trml,supervised_single,modal_trans,supervised_double]"
    fewer = ["corpus.valid_videos=5", "studies=false", methods, *small]
    plan = checkout.configure("experiment=mosi", f"data='{tmp_path / 'brought'}'", *fewer)
    checkout.make()
    utterances = pl.read_parquet(plan.corpus / "utterances.parquet")
    assert (utterances.group_by("video_id").agg(pl.col("split").n_unique())["split"] == 1).all()
    assert utterances["split"].value_counts().sort("split")["count"].to_list() == [30, 45, 15]
    assert plan.encoder is None
    matrix = pl.read_parquet(plan.evaluation / "matrix.parquet")
    seven = {"text+vision+audio", "text+vision", "text+audio", "vision+audio", "text", "vision", "audio"}
    assert set(matrix["present"]) == seven
    assert {"text", "vision", "audio", "random_modality", "none"} == set(matrix["victim"])
    for name in ("rates_audio", "rates_random_modality"):
        assert (tmp_path / f"results/mosi/figures/{name}.svg").stat().st_size > 5000


def test_published_results_are_a_research_object_and_describe_their_corpus(miniature, tmp_path):
    results = miniature.folder / "results/pantomime"
    crate = ROCrate(results)
    (run,) = crate.get_by_type("CreateAction")
    assert run["instrument"] == crate.mainEntity and (results / crate.mainEntity.id).is_file()
    named = {unquote(each.id): each.get("sha256") for each in crate.get_by_type("File")}
    assert named.keys() == {str(path.relative_to(results)) for path in results.rglob("*.*") if path.is_file()} - {
        "ro-crate-metadata.json"
    } | {"SHA256SUMS", "workflow/Snakefile"}
    assert all(file_digest(results / name) == checksum for name, checksum in named.items() if checksum)
    (described,) = [each for each in run["object"] if each.id.endswith(".croissant.json")]
    (corpus,) = (miniature.folder / "work/corpora").glob("pantomime-*")
    shutil.copytree(corpus, tmp_path / "corpus")
    shutil.copy(results / described.id, tmp_path / "corpus")
    dataset = mlcroissant.Dataset(jsonld=tmp_path / "corpus/pantomime.croissant.json")
    assert len(list(dataset.records("utterances"))) == pl.read_parquet(corpus / "utterances.parquet").height


def test_predictions_of_new_files_are_those_that_were_scored(miniature, tmp_path):
    """With both modalities, and with the text missing by trainings that met it."""
    (corpus,) = (miniature.folder / "work/corpora").glob("pantomime-*")
    test = pl.read_parquet(corpus / "utterances.parquet").filter(split="test").head(3)
    clips = [shutil.copy(corpus / clip, tmp_path) for clip in test["clip"]]
    posts = pl.DataFrame({"text": [*test["text"], *[None] * 3], "clip": [Path(clip).name for clip in clips] * 2})
    posts.write_csv(tmp_path / "posts.csv")
    found = pl.read_csv(io.StringIO(miniature.trml("predict", "--csv", str(tmp_path / "posts.csv"))))
    assert found["present"].to_list() == ["text+vision"] * 3 + ["vision"] * 3

    result = load(miniature.folder / "results/pantomime")
    own = result.metrics().filter(method="trml", variant="default", metric="mae")
    scored = result.predictions().filter(pl.col("utterance_id").is_in(test["utterance_id"].implode()))
    for rows, condition in ((found[:3], "complete"), (found[3:], "text@0.5")):
        cells = own.filter(
            condition=condition, train_rate=0.5 if "@" in condition else 0.0, dev_rate=pl.col("train_rate")
        )
        part = scored.join(cells.select("cell", "seed"), on="cell").filter(present=rows["present"][0])
        by_seed = part.group_by("utterance_id").agg(pl.mean("prediction"), n="seed").sort("utterance_id")
        assert by_seed["n"].list.len().to_list() == [2] * 3
        np.testing.assert_allclose(rows["prediction"], by_seed["prediction"], atol=6e-4)
    sums = found["base"] + found["rests_on_text"].fill_null(0) + found["rests_on_vision"]
    np.testing.assert_allclose(found["prediction"], sums, atol=1e-5)

    one = json.loads(miniature.trml("predict", clips[0], "--json"))
    assert one["inputs"] == {"text": "missing", "vision": "given"} and len(one["by_seed"]) == 2
    assert one["virtual"]["modality"] == "text" and len(one["virtual"]["neighbours"]) == 3
    words = miniature.trml("predict", clips[0])
    assert "Text missing: TRML generated it." in words and "nearest real text" in words


def test_vectors_of_new_files_are_those_of_the_store(miniature, monkeypatch):
    monkeypatch.chdir(miniature.folder)
    model = predictor("pantomime")
    stored = read_features(model.plan.features)
    corpus = model.plan.corpus
    test = pl.read_parquet(corpus / "utterances.parquet").filter(split="test").head(3)
    found = model.encode([{"text": row["text"], "clip": corpus / row["clip"]} for row in test.to_dicts()])
    rows = [stored.index["utterance_id"].to_list().index(name) for name in test["utterance_id"]]
    for name, view in stored.named_views().items():
        if name in found:
            steps = found[name].mask.shape[1]  # as many as the longest of these has
            assert not view.mask[rows, steps:].any()
            np.testing.assert_array_equal(found[name].mask, view.mask[rows, :steps])
            np.testing.assert_allclose(found[name].values, view.values[rows, :steps], atol=1e-5)
    assert {"text", "vision"} <= found.keys()


def small_experiment(*overrides):
    return experiment(*MINIATURE, *SMALL_GRID, EVERY_FORM, *overrides[1:], config=ROOT / "config")


def test_a_cell_that_python_trains_is_the_workflow_s(checkout, monkeypatch):
    monkeypatch.chdir(checkout.folder)
    study, which = small_experiment(), {"variant": "default", "rate": 0.5, "victim": "text", "seed": 2020}
    before = study.train("zero_fill", **which)
    shutil.rmtree(checkout.folder / "work/cells")
    assert_frame_equal(study.train("zero_fill", **which), before)
    with pytest.raises(ConfigError, match=r"no training of zero_fill has \{'rate': 0.25\}"):
        study.train("zero_fill", rate=0.25)


def test_the_notebook_runs(checkout, monkeypatch):
    monkeypatch.chdir(checkout.folder)
    monkeypatch.syspath_prepend(checkout.folder)
    monkeypatch.setattr("trml.api.experiment.experiment", small_experiment)
    monkeypatch.setenv("MPLBACKEND", "agg")
    names = {}
    for cell in json.loads((ROOT / "docs/notebook.ipynb").read_text())["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    assert names["predictions"].filter(split="test")["prediction"].is_finite().all()
    assert names["with_text"].present == ("text", "vision") and len(names["without_text"].neighbours) == 3


MODULE = """
module trml:
    snakefile:
        "{root}/workflow/Snakefile"
    config:
        config["trml"]


use rule * from trml as trml_*


rule all:
    default_target: True
    input:
        rules.trml_all.input,
"""


def test_another_workflow_uses_this_one_as_a_module(checkout):
    (checkout.folder / "Snakefile").write_text(MODULE.format(root=ROOT))
    (checkout.folder / "config.yaml").write_text("trml: {params: mine.yaml}\n")
    shutil.move(checkout.folder / "params.yaml", checkout.folder / "mine.yaml")
    shutil.rmtree(checkout.folder / "work/published")
    shutil.rmtree(checkout.folder / "results")
    log = checkout.make("--snakefile", "Snakefile", "--configfile", "config.yaml")
    assert "rule trml_publish" in log and "rule trml_train" not in log
    assert (checkout.folder / "results/pantomime/ro-crate-metadata.json").is_file()


def test_snakemake_writes_its_report_of_a_finished_run(checkout):
    checkout.make("--report", "report.html")
    page = (checkout.folder / "report.html").read_text()
    for rule in ("corpus", "pretrain", "train", "evaluate", "publish"):
        assert f'"{rule}"' in page
    assert "findings, claims with their verdicts" in page and "index.html" in page
