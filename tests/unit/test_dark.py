"""Figures on a dark page."""

from xml.etree import ElementTree

import numpy as np

from trml.evaluation.contract import MetricInfo
from trml.report.figures.common.heat import annotate
from trml.report.looks import FAMILIES
from trml.report.page.dark import with_dark
from trml.report.style import plt, save


def drawn(folder, fill):
    figure, axis = plt.subplots()
    fill(axis)
    save(figure, folder, "figure", ())
    return (folder / "figure.svg").read_bytes()


def test_colours_of_methods_are_those_of_the_dark_page(tmp_path):
    colours = [family.light for family in FAMILIES.values()]
    svg = drawn(tmp_path, lambda axis: [axis.plot([0, 1], [i, i], color=c, marker="o") for i, c in enumerate(colours)])
    turned = with_dark(svg).decode()
    ElementTree.fromstring(turned)
    for family in FAMILIES.values():
        for kind in ("fill", "stroke"):
            written = f"{kind}: {family.light.lower()}"
            assert written in svg.decode(), "as matplotlib writes it"
            assert f'[style*="{written}"]{{{kind}:{family.dark}!important}}' in turned


def test_a_number_on_a_bright_colour_stays_black(tmp_path):
    metric = MetricInfo("mae", "MAE", higher_is_better=False, headline=True, drawn=True)
    svg = drawn(tmp_path, lambda axis: annotate(axis, np.array([[0.1, 0.9]]), metric)).decode()
    assert "fill: #010101" in svg and '<g style="fill: #ffffff"' in svg
    assert "#010101" not in with_dark(svg.encode()).decode().partition("</style>")[0]


def test_what_has_no_style_sheet_stays_as_it_is():
    assert with_dark(b"<svg/>") == b"<svg/>"
