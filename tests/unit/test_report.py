"""The report from hand-made files: sections, tables in every form, failed trainings, modalities, extension tables."""

import os
import re
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import yaml

from helpers.synthetic_cells import STUDY, fill, inputs_of, with_sweep
from helpers.synthetic_features import TRIPLE
from helpers.synthetic_report import report_inputs
from trml.base.artifacts import new_folder, read_json, write_sums
from trml.base.errors import ContractError, StoreError
from trml.base.modules import extensions, module_file
from trml.evaluation.evaluate import evaluate
from trml.report.build import build
from trml.report.dataset import Dataset
from trml.report.literature.published import published_words
from trml.report.page.numbers import typeset
from trml.report.registry import all_figures, all_tables
from trml.report.style import plt
from trml.report.tables.common.table import Table, to_latex, to_markdown


def built(inputs, tmp_path):
    """Build the results; any warning is an error."""
    folder = tmp_path / "results"
    folder.mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        build(inputs, folder)
    return folder


@pytest.fixture
def undrawn(monkeypatch):
    """Leave the figures out: they take most of the time."""
    monkeypatch.setattr("trml.report.build.all_figures", lambda data: iter(()))


def drawn(inputs):
    """Draw every figure without saving any; their names and captions."""
    captions = {}
    for each in all_figures(Dataset(inputs)):
        captions[each.name] = each.caption
        plt.close(each.figure)
    return captions


def headings(page):
    """The ids of sections, and of their parts, in order."""
    return re.findall(r'<(?:section|h3|details class="part") id="([^"]*)"', page)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The results of an experiment that has every kind of dataset, and its page."""
    made = tmp_path_factory.mktemp("made")
    few = {"victims": ("vision", "text")}
    others = [
        report_inputs(made / "apart", dataset="separate", purpose="alignment", **few),
        report_inputs(made / "poor", dataset="few", purpose="regime", labels=40, **few),
        report_inputs(made / "lab", dataset="redundancy_0", purpose="redundancy", **few),
        report_inputs(
            made / "other", dataset="posts", purpose="corpus", corpus="posts", classes=("bad", "good"), **few
        ),
    ]
    own = report_inputs(made / "own", others=others, paired=True)
    folder = built(replace(own, forms=()), made)
    return folder, (folder / "report/index.html").read_text()


def test_the_page_has_every_section_in_order(whole):
    _, page = whole
    assert headings(page) == [
        *("found", "curves", "at", "leaderboard", "claims", "verdicts", "pairs", "patterns", "matrix"),
        *("recovered", "redundancy", "virtual", "choices", "studies", "cost", "search", "utterances"),
        *("further", "regime_few", "settings", "pattern_random_modality", "pattern_frames", "complete"),
        *("robustness", "calibration", "alignment", "wrong", "conventions", "on_posts"),
        *("numbers", "made", "cards", "again"),
    ]
    for words in ("make results EXPERIMENT=study", "Ceiling (exact)", "Constant predictor", "two trainings"):
        assert words in page


def test_the_page_stands_alone(whole):
    _, page = whole
    static = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    sources = re.findall(r"""(?:src|href)=["']([^"']*)""", static)
    assert all(s.startswith(("data:", "#")) for s in sources) and "url(" not in static.replace("url(#", "")
    assert {s[1:] for s in sources if s.startswith("#")} <= set(re.findall(r'id="([^"]*)"', page))
    assert "default-src &#39;none&#39;" in page and "unsafe-eval" not in page


def test_every_table_is_written_in_every_form_and_stands_on_the_page(whole):
    folder, page = whole
    names = {path.stem for path in (folder / "tables").iterdir()}
    expected = {
        *("main", "main_separate", "main_posts", "settings", "rates_random_modality", "rates_frames", "matrix"),
        *("complete_training_vision", "complete_training_frames", "robustness", "study_trml", "redundancy", "search"),
        *("claim_c1", "claim_c3", "claim_c6", "verdicts", "corpus", "corpus_posts"),
        *("main_few", "claim_c1_few", "study_trml_few", "matrix_few"),
        *("virtual_retrieval", "virtual_factors", "aggregates", "aggregates_posts", "improvement", "calibration"),
        *("corruption_vision", "corruption_text", "conventions", "cost"),
    }
    assert expected <= names
    for name in names:
        texts = [(folder / f"tables/{name}.{form}").read_text() for form in ("csv", "md", "tex")]
        assert all(len(text) > 50 for text in texts)
        assert not any(re.search(r"\b(nan|NaN|None|null)\b", text) for text in texts), name
        title = typeset(re.match(r"\*\*(.*)\*\*", texts[1])[1]).replace("'", "&#39;")
        assert f"<summary>{title}</summary>" in page or name.startswith("claim_")
    assert not re.search(r">\s*nan\s*<", page)


def test_every_figure_is_on_the_page(whole):
    folder, page = whole
    names = {path.stem for path in (folder / "figures").iterdir()}
    assert names == {
        *("corruption_vision", "corruption_text", "cost"),
        *(f"rates_{victim}" for victim in ("vision", "text", "random_modality", "frames")),
        *(f"differences_{victim}" for victim in ("vision", "text", "random_modality", "frames")),
        *(f"complete_training_{victim}" for victim in ("vision", "text", "random_modality", "frames")),
        *(
            f"{start}_{victim}_{name}"
            for start in ("rates", "complete_training")
            for victim in ("vision", "text")
            for name in ("few", "posts")
        ),
        "sweep_trml_temperature_few",
        *("settings", "matrix", "ablation", "sweep_trml_temperature", "grid_trml_weight_alpha", "redundancy"),
        *("corpus", "corpus_posts"),
        *(f"virtual_{x}" for x in ("retrieval", "factors", "similarity", "embedding")),  # no clip of one's own
    }
    # The page draws curves of the experiment's own corpus itself, from the same rows.
    curves = {name for name in names if name.startswith(("rates_", "complete_", "differences_"))}
    drawn_anew = {name for name in curves if not name.endswith("_posts")}
    for name in names:
        assert (folder / f"figures/{name}.svg").stat().st_size > 1000
        assert (f'id="figure-{name}"' in page) == (name not in drawn_anew)


def test_files_beside_tables_and_figures(whole):
    folder, _ = whole
    assert yaml.safe_load((folder / "params.yaml").read_text()) == {"name": "study", "seeds": [1, 2], "methods": {}}
    files = {"metrics.csv", "metrics_posts.csv", "metrics_separate.csv", "claims_few.json"}
    assert files <= {p.name for p in folder.iterdir()}
    assert (folder / "cards/posts.md").read_text().startswith("# A made corpus")
    claims = (folder / "claims.md").read_text()
    assert "| C1: C1 holds. | **supported** | 2 | 0 | 0 |" in claims and "to support C6" in claims
    verdicts = pl.read_csv(folder / "tables/verdicts.csv")
    assert verdicts.columns == ["claim", "made", "40 labelled training utterances", "posts"]
    manifest = read_json(folder / "manifest.json")
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert set(manifest["files"]) == files - {"manifest.json"}
    assert list(manifest["made_from"]["further"]) == ["separate", "few", "redundancy_0", "posts"]
    assert manifest["training_wall_s"] == 2.2


def test_a_method_that_is_misled_is_named(whole):
    folder, _ = whole
    table = (folder / "tables/redundancy.md").read_text()
    assert "Worse than Single, which sees the sentence alone, in some dataset: TRML." in table
    assert "| TRML | error +0.100, misled | 0.50 [0.50, 0.50], misled |" in table


def test_failed_trainings_are_shown_as_failed_and_never_as_a_number(tmp_path, undrawn):
    inputs = report_inputs(tmp_path / "made", failed=("trml", "vision", 0.5))
    folder = built(inputs, tmp_path)
    main, matrix, study = ((folder / f"tables/{name}.md").read_text() for name in ("main", "matrix", "study_trml"))
    for table in (main, matrix, study):
        assert "failed (1 of the seeds)" in table and "nan" not in table
    claim = (folder / "tables/claim_c1.md").read_text()
    assert "| Zero fill | vision | 0.5 |  |  |  |  |  | failed |" in claim and "nan" not in claim
    page = (folder / "report/index.html").read_text()
    assert "1 failed" in page
    assert "training <code>bbbbbbbbbbbb</code>: the loss was nan" in page
    assert read_json(folder / "manifest.json")["failed_cells"] == {"bbbbbbbbbbbb": "the loss was nan"}
    assert {"rates_vision", "settings", "ablation", "matrix"} <= set(drawn(inputs))


def test_three_modalities_and_all_seven_subsets(tmp_path, undrawn):
    victims = ("text", "vision", "audio", "text+audio", "random_modality")
    inputs = report_inputs(tmp_path / "made", modalities=("text", "vision", "audio"), victims=victims)
    folder = built(inputs, tmp_path)
    header = (folder / "tables/matrix.md").read_text().splitlines()[2]
    assert header == (
        "| method | text+vision+audio | text+vision | text+audio | vision+audio | text | vision | audio |"
    )
    assert "audio 50% missing" in (folder / "tables/main.md").read_text()
    page = (folder / "report/index.html").read_text()
    assert "several" in headings(page) and "(text, vision, audio)" in page
    captions = drawn(inputs)
    assert {"rates_audio", "complete_training_text+audio", "matrix", "virtual_similarity"} <= set(captions)
    assert captions["rates_text+audio"].startswith("Scores over the missing rate of text and audio, in training")
    missing = next(line for line in (folder / "cards/made.md").read_text().splitlines() if "audio missing" in line)
    assert missing == "| audio missing | 21.4% (3) | 25.0% (2) | 12.5% (1) |"


def test_what_evaluation_writes_is_read(tmp_path, undrawn):
    """Scores of synthetic cells of three modalities, through the real evaluation."""
    study = replace(with_sweep(STUDY), modalities=TRIPLE, victims=(*TRIPLE, "text+audio", "random_modality"))
    evaluated = inputs_of(tmp_path, study)
    fill(evaluated, lambda cell, present: 0.3 if cell.spec.method == "trml" else 0.6)
    with new_folder(tmp_path / "evaluation", "claims.json") as folder:
        evaluate(evaluated, folder)
    made = report_inputs(tmp_path / "made", modalities=TRIPLE, victims=study.victims, reason="no probes")
    inputs = replace(made, study=study, evaluation=tmp_path / "evaluation", searched={})
    folder = built(inputs, tmp_path)
    main, matrix = ((folder / f"tables/{name}.md").read_text() for name in ("main", "matrix"))
    assert "audio 50% missing" in main and "*MAE (lower is better)*" in main and "*Acc-2 (neg/non-neg)" in main
    assert matrix.splitlines()[2].count("|") == 9 and "*trained with text and audio missing, rate 0.5*" in matrix
    assert "**supported**" in (folder / "claims.md").read_text()
    assert {"rates_audio", "matrix", "sweep_trml_temperature", "ablation"} <= set(drawn(inputs))


def test_training_on_complete_data_is_said(tmp_path, undrawn):
    inputs = report_inputs(
        tmp_path / "made", training="complete", victims=("vision", "text", "frames"), reason="no probes"
    )
    folder = built(inputs, tmp_path)
    main = (folder / "tables/main.md").read_text()
    assert "Trained on complete data and evaluated at each missing rate." in main
    assert all(row.count("[") == 5 for row in main.splitlines() if row.startswith("| Zero fill"))
    assert "Trained on complete data and evaluated at missing rate 0.5" in (folder / "tables/by_present.md").read_text()
    assert {"complete_training_vision", "sweep_trml_temperature"} <= set(drawn(inputs))
    assert "rates_vision" not in drawn(inputs)
    assert not list((folder / "tables").glob("rates_*"))


def test_a_study_without_probes_says_why(tmp_path, undrawn):
    inputs = report_inputs(tmp_path / "made", reason="no method makes virtual modalities")
    folder = built(inputs, tmp_path)
    page = (folder / "report/index.html").read_text()
    assert "Nothing to show: no method makes virtual modalities." in page
    assert not list((folder / "tables").glob("virtual_*"))
    assert not [name for name in drawn(inputs) if name.startswith("virtual_")]


def test_a_study_without_a_proposed_or_an_upper_method(tmp_path, undrawn):
    inputs = report_inputs(tmp_path / "made", reason="there is no proposed method")
    methods = [method for method in inputs.study.methods if method.role == "baseline"]
    (inputs.evaluation / "claims.json").write_text("[]")
    write_sums(inputs.evaluation)
    inputs = replace(inputs, study=replace(inputs.study, methods=methods))
    folder = built(inputs, tmp_path)
    assert "This experiment judges no claim." in (folder / "report/index.html").read_text()
    assert {"rates_vision", "settings"} <= set(drawn(inputs)) and "matrix" not in drawn(inputs)


def test_published_figures_are_found_by_the_corpus(tmp_path, undrawn):
    """The paper's three corpora: all 35 rows on file, none of text and vision alone."""
    others = [
        report_inputs(tmp_path / name, dataset=name, purpose="corpus", corpus=name, published_as=known)
        for name, known in (("cmu_mosei", "CMU-MOSEI"), ("meld", None))
    ]
    inputs = report_inputs(tmp_path / "mosi", corpus="cmu_mosi", published_as="CMU-MOSI", others=others)
    page = (built(inputs, tmp_path) / "report/index.html").read_text()
    assert "35 published figures on CMU-MOSI and CMU-MOSEI are on file" in page
    assert "All are of text, audio, vision. Ours are of text, vision, so none is comparable." in page


def test_published_figures_of_the_same_modalities_name_their_protocols():
    words = published_words(["CMU-MOSI"], ("text", "vision", "audio"))
    assert "All are of our modalities, text, vision, audio, but made under other protocols: " in words
    assert "whole modality missing at test" in words
    assert published_words([], ("text",)) == "No published figure is on file for this corpus."


@pytest.fixture
def extension(tmp_path, monkeypatch):
    """A function that adds the table of docs/adding_a_table.md in a package of its own, under other names."""
    page = (Path(__file__).parents[2] / "docs/adding_a_table.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    package = tmp_path / "extension/trml_lab"
    (package / "report/tables").mkdir(parents=True)
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(package.parent)

    def write(section, name):
        named = code.replace('"robustness"', repr(section)).replace('name="parameters"', f"name={name!r}")
        (package / "report/tables/mine.py").write_text(named)
        for cached in (extensions, module_file):
            cached.cache_clear()

    yield write
    for module in [name for name in sys.modules if name.startswith("trml_lab")]:
        del sys.modules[module]
    for cached in (extensions, module_file):
        cached.cache_clear()


@pytest.mark.parametrize(("section", "anchor"), [("robustness", "robustness"), ("My own part", "My-own-part")])
def test_a_table_of_an_extension_package_is_on_the_page(tmp_path, undrawn, extension, section, anchor):
    extension(section, "mine")
    folder = built(report_inputs(tmp_path / "made", victims=("vision", "text")), tmp_path)
    assert re.fullmatch(
        r"method,parameters,value\ntrml,12,0\.\d+\nzero_fill,12,0\.\d+\n", (folder / "tables/mine.csv").read_text()
    )
    page = (folder / "report/index.html").read_text()
    assert anchor in headings(page)
    part = page.partition(f'class="part" id="{anchor}">')[2].partition('class="part"')[0]
    assert "<summary>Parameters of each method</summary>" in part


def test_two_tables_of_one_name_are_refused(tmp_path, extension):
    extension("curves", "main")
    data = Dataset(report_inputs(tmp_path / "made", victims=("vision", "text")))
    with pytest.raises(ContractError, match=r"table main is made by trml\.report\.tables\.main and by trml_lab"):
        all_tables(data)


def test_tables_escape_and_embolden():
    groups = [("MAE", [[("a_b & 50%", False), ("0.1", True)]])]
    table = Table("curves", "t", "T", "note {x}", ["method", "x"], groups, pl.DataFrame())
    latex, markdown = to_latex(table), to_markdown(table)
    assert r"a\_b \& 50\% & \textbf{0.1} \\" in latex
    assert r"T. note \{x\}" in latex
    assert latex.count(r"\begin") == latex.count(r"\end") == 2
    assert "| a_b & 50% | **0.1** |" in markdown


@pytest.mark.parametrize("name", ["claims.json", "summary.parquet"])
def test_an_evaluation_that_changed_after_it_was_written_is_not_reported(tmp_path, undrawn, name):
    inputs = report_inputs(tmp_path / "made")
    path = inputs.evaluation / name
    times, content = path.stat(), bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(StoreError, match=f"{name} changed after it was written"):
        built(inputs, tmp_path)
