"""The page in a real browser: nothing is asked for or complained of, choices work, everybody can read it.

Skipped where chromium is not installed. Screenshots at both widths and in both lights are kept in the folder that
PAGE_SCREENSHOTS names, or in pytest's own.
"""

import os
import shutil
from pathlib import Path
from urllib.parse import quote

import polars as pl
import pytest
from PIL import Image

from conftest import ROOT
from helpers.browser import Visit, browser
from helpers.synthetic_report import report_inputs
from trml.report.build import build
from trml.report.compare import compare
from trml.report.page.comparison import comparison_page
from trml.report.page.dark import with_dark
from trml.report.published import Published
from trml.report.style import plt, save

WIDTHS = (320, 380, 640, 1100)
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def chromium():
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def file(chromium, tmp_path_factory):
    """The page of a small study of a generated corpus, with a regime and one drawn figure."""
    folder = tmp_path_factory.mktemp("page")
    few = report_inputs(
        folder / "few", dataset="few", purpose="regime", labels=40, victims=("vision", "text"), paired=True
    )
    inputs = report_inputs(folder / "own", others=[few], paired=True, factors={"shared": ["text", "vision"]})
    results = folder / "results"
    results.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trml.report.build.all_figures", lambda data: iter(()))
        build(inputs, results)
    return results / "report/index.html"


@pytest.fixture
def visit(chromium, file):
    opened = []

    def open_(address="", **options):
        opened.append(Visit(chromium, file, address, **options))
        return opened[-1]

    yield open_
    for each in opened:
        each.context.close()


def test_nothing_is_complained_of_and_nothing_is_asked_for(visit, file):
    seen = visit()
    for selector in ("#curves", "#every-pair", "#all", "#browser", "#made"):
        seen.page.locator(selector).scroll_into_view_if_needed()
    assert seen.said == [] and set(seen.asked) <= {file.as_uri(), "data:,"}


def test_a_choice_changes_the_table_the_curves_and_the_address(visit):
    seen = visit()
    seen.lay_out()
    assert seen.text("#at").startswith("50 % of utterances with vision missing")
    before = seen.text("#readout tbody")
    seen.page.select_option("#controls select[name=metric]", "corr")
    assert "metric=corr" in seen.hash() and seen.text("#readout tbody") != before
    assert seen.text("#label-1") == "Corr by % missing, higher is better"
    seen.page.check("#controls input[name=missing][value=text]", force=True)
    assert seen.text("#at").startswith("50 % of utterances with text missing") and "missing=text" in seen.hash()
    seen.page.check("#rates input[value='1']", force=True)
    assert seen.text("#at").startswith("100 % of utterances") and "at=1" in seen.hash()
    assert seen.text("#pairs-of").startswith("Corr of the row less that of the column, 100 %")
    assert seen.said == []


def test_methods_are_switched_on_and_off(visit):
    seen = visit()
    shown = seen.marks(1)
    seen.page.uncheck("#readout input[value=zero_fill]")
    seen.wait_for_marks(1, shown - 3)  # at three rates
    assert "zero_fill" not in seen.hash() and "show=" in seen.hash()
    assert seen.page.evaluate("document.activeElement.value") == "zero_fill"  # the focus survives
    seen.page.check("#readout input[value=zero_fill]")
    seen.wait_for_marks(1, shown)
    assert "show=" not in seen.hash()


def test_another_reference_turns_the_differences_round(visit):
    seen = visit()
    rows = "#readout tbody tr[data-method={}] td:nth-child(3) .n"
    against = seen.text(rows.format("zero_fill"))
    seen.page.select_option("#controls select[name=ref]", "zero_fill")
    turned = seen.text(rows.format("trml"))
    assert against.lstrip("+−") == turned.lstrip("+−") and against[0] != turned[0]


def test_a_point_says_what_it_is_and_leads_to_its_cells(visit):
    seen = visit()
    point = seen.page.locator("#chart-1 .mark-symbol path").first
    for _ in range(2):  # the first movement draws the reading line
        point.hover(force=True)
    seen.page.wait_for_selector("#tip:not([hidden])")
    assert "missing" in seen.text("#tip") and " to " in seen.text("#tip")
    point.click(force=True)
    seen.page.wait_for_selector("#trace:not([hidden])")
    assert seen.text("#trace code").startswith("trml trace study:main/")
    seen.page.keyboard.press("Escape")
    assert seen.page.is_hidden("#trace")


def test_a_number_leads_to_its_trace(visit):
    seen = visit()
    seen.page.click("#readout tbody tr[data-method=trml] td:nth-child(2) .n")
    assert seen.text("#trace").startswith("Where it comes from: trml trace study:main/trml/vision@0.5")
    assert "aaaaaaaaaaaa" in seen.text("#trace")  # the cell


def test_an_address_restores_its_view(visit):
    seen = visit("#curves?missing=text&at=1&ref=zero_fill&metric=corr&show=trml,zero_fill&lead=raw&q=zero%20fill")
    assert seen.text("#at").startswith("100 % of utterances with text missing")
    assert seen.page.input_value("#controls select[name=ref]") == "zero_fill"
    assert seen.page.locator("#readout input:checked").count() == 2
    assert seen.page.is_visible("table.board .as-scored >> nth=0")
    assert seen.page.input_value("#all input") == "zero fill"
    assert seen.said == []


def test_an_address_of_something_else_is_not_followed(visit):
    seen = visit("#curves?missing=smell&at=7&ref=nobody&metric=luck&on=elsewhere&x=<b>")
    assert seen.text("#at").startswith("50 % of utterances with vision missing") and seen.said == []


def test_a_regime_is_a_choice(visit):
    seen = visit()
    seen.page.select_option("#controls select[name=on]", "few")
    assert "40 labelled training utterances" in seen.text("#at") and "on=few" in seen.hash()


def test_tables_are_sorted_and_filtered(visit):
    seen = visit()
    seen.page.click("table.board thead tr:nth-child(2) th:nth-child(1) button")
    values = seen.page.eval_on_selector_all(
        "table.board tbody tr", "rows => rows.map(row => row.cells[1].dataset.v).filter(v => v).map(Number)"
    )
    assert values == sorted(values, reverse=True)
    seen.page.fill("#all input", "zero fill vision 50 mae")
    assert "Zero fill" in seen.text("#all tbody") and "TRML" not in seen.text("#all tbody")
    found, _, every = seen.text("#all [role=status]").partition(" of ")
    assert 0 < int(found) < int(every.replace(",", ""))
    assert "q=zero" in seen.hash()
    seen.page.fill("#browser input[type=search]", "text 25")
    assert seen.page.locator("#browser tbody tr").count() == 1


def test_the_leaderboard_shows_scores_as_they_are(visit):
    seen = visit()
    assert seen.page.is_hidden("table.board .as-scored >> nth=0")
    seen.page.click("button.raw")
    assert seen.page.is_visible("table.board .as-scored >> nth=0") and "lead=raw" in seen.hash()


def test_a_claim_is_chosen_by_its_link(visit):
    seen = visit()
    assert seen.page.is_visible("#claim-C1") and seen.page.is_hidden("#claim-C3")
    seen.page.click(".chooser a[href='#claim-C3']")
    assert seen.page.is_visible("#claim-C3") and seen.page.is_hidden("#claim-C1")


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_runs_out_of_the_window(visit, width):
    seen = visit(viewport={"width": width, "height": 800})
    seen.lay_out()
    seen.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
    assert seen.page.evaluate("document.querySelector('#chart-1 svg').getBoundingClientRect().right") <= width


@pytest.mark.parametrize(("width", "light"), [(1280, "light"), (1280, "dark"), (380, "light")])
def test_axe_finds_nothing_serious(visit, width, light):
    engine = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is missing")
    seen = visit(viewport={"width": width, "height": 900}, color_scheme=light)
    seen.lay_out()
    seen.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    found = engine.Axe().run(seen.page).response["violations"]
    told = [
        f"{each['id']}: {each['help']}, {node['html'][:200]}"
        for each in found
        if each["impact"] in SERIOUS
        for node in each["nodes"][:3]
    ]
    assert not told, "\n".join(told)


@pytest.mark.parametrize(("light", "paper"), [("light", (255, 255, 255)), ("dark", (22, 22, 20))])
def test_a_figure_has_the_colours_of_the_page(chromium, tmp_path, light, paper):
    figure, axis = plt.subplots(figsize=(1, 1))
    axis.text(0.5, 0.5, "words")
    save(figure, tmp_path, "figure", ())
    source = "data:image/svg+xml," + quote(with_dark((tmp_path / "figure.svg").read_bytes()))
    (tmp_path / "page.html").write_text(f'<style>:root{{color-scheme:{light}}}</style><img src="{source}">')
    seen = Visit(chromium, tmp_path / "page.html", charts=0)
    seen.page.locator("img").screenshot(path=tmp_path / "seen.png")
    with Image.open(tmp_path / "seen.png") as picture:
        colours = picture.convert("RGB").getcolors(1 << 16)
    assert max(colours)[1] == paper
    words = [colour for _, colour in colours if abs(sum(colour) - sum(paper)) > 450]
    assert words, "they differ from the paper"
    seen.context.close()


def test_without_script_the_default_view_is_there(visit):
    seen = visit(java_script_enabled=False)
    assert seen.page.locator("#chart-1 svg path").count() > 5 and seen.page.is_visible("#readout")
    assert seen.page.is_hidden("#controls") and seen.page.is_hidden("#light") and seen.page.is_hidden("#all")
    assert seen.page.is_visible("#claim-C1") and seen.page.is_visible("#claim-C3")


def test_in_print_nothing_is_hidden_that_a_reader_needs(visit):
    seen = visit()
    seen.page.emulate_media(media="print", color_scheme="dark")
    assert seen.page.is_hidden("nav") and seen.page.is_hidden("#controls")
    assert seen.page.is_visible("#claim-C1") and seen.page.is_visible("#claim-C3")
    assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(253, 252, 250)"


@pytest.mark.parametrize(("width", "light"), [(1280, "light"), (1280, "dark"), (380, "light"), (380, "dark")])
def test_screenshots_are_kept(visit, tmp_path, width, light):
    folder = Path(os.environ.get("PAGE_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    seen = visit(viewport={"width": width, "height": 900}, color_scheme=light)
    picture = folder / f"page-{width}-{light}.png"
    seen.page.screenshot(path=picture, full_page=True)
    assert picture.stat().st_size > 50_000


def test_two_results_side_by_side_can_be_sorted_and_filtered(chromium, tmp_path):
    """Of the published study with itself, whose scores were moved by a little."""
    results = Published(ROOT / "results/pantomime_full"), Published(tmp_path / "moved")
    shutil.copytree(results[0].folder, results[1].folder, ignore=shutil.ignore_patterns("predictions", "figures"))
    rows = pl.read_csv(results[1].folder / "metrics.csv", infer_schema_length=None)
    rows.with_columns(pl.col("value") * 1.01).write_csv(results[1].folder / "metrics.csv")
    file = tmp_path / "compared.html"
    file.write_text(comparison_page(compare(*results), *results, ("as published", "moved")))
    seen = Visit(chromium, file, charts=0)
    assert seen.page.locator("#curves svg").count() > 10
    table = seen.page.locator("#numbers table")
    table.get_by_role("button", name="method").click()
    assert table.locator("tbody tr th").first.inner_text() == "Zero fill"
    seen.page.locator("#numbers input").fill("trml vision@0.5 mae")
    kept = table.locator("tbody tr:not([hidden])")
    assert 0 < kept.count() < 20 and "TRML" in kept.first.inner_text()
    assert seen.said == [] and set(seen.asked) <= {file.as_uri(), "data:,"}
    seen.lay_out()
    seen.page.set_viewport_size({"width": 380, "height": 900})
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 380
    from axe_playwright_python.sync_playwright import Axe

    serious = [each for each in Axe().run(seen.page).response["violations"] if each["impact"] in SERIOUS]
    assert serious == []
    seen.context.close()
