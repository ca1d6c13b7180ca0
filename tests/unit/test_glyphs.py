"""Texts in any script and with any emoji are drawn, without an empty box."""

import warnings

import pytest

from helpers.synthetic_report import report_inputs
from trml.report.dataset import Dataset
from trml.report.figures import card, embedding, examples
from trml.report.style import UNKNOWN, legible, plt, save

POSTS = (
    "Bêst dãy ẽver 😂🤣👍🏽 👨‍👩‍👧 🇬🇧 ☀️",
    "今天天气很好 настроение хорошее مرحبا สวัสดี",
    "𝓱𝓮𝓵𝓵𝓸 ｗｏｒｌｄ z̷a̷l̷g̷o̷ $x^2 \x07 \u200b \ue000 \U0010ffff",
)


@pytest.mark.parametrize("post", POSTS)
def test_no_text_of_a_post_is_drawn_as_a_box(post, tmp_path):
    figure, axis = plt.subplots(figsize=(30, 6), layout="constrained")
    axis.set_title(post, style="italic")
    axis.set_xticks([0, 1], [post, "plain"])
    axis.plot([0, 1], [0, 1], label=post)
    axis.legend()
    figure.text(0.5, 0.5, post, weight="bold")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save(figure, tmp_path, "post")
    assert all((tmp_path / f"post.{form}").stat().st_size > 1000 for form in ("pdf", "svg", "png"))


def test_characters_without_a_glyph_are_written_out():
    assert legible("naïve café, Größe, χ² = 3 €") == "naïve café, Größe, χ² = 3 €"
    assert legible("e\u0301") == "é"
    assert legible("𝓱𝓲 ｏｋ", style="italic") == "hi ok"
    assert legible("so 🤣", style="italic") == "so :rolling on the floor laughing:"
    assert legible("👍🏽") == ":thumbs up sign:"
    assert legible("你好", weight="bold") == UNKNOWN * 2
    for font in ({}, {"style": "italic"}, {"weight": "bold"}):
        assert legible(UNKNOWN, **font) == UNKNOWN


def test_posts_in_examples_are_drawn(tmp_path):
    kinds = {"victims": ("vision", "text"), "classes": ("😀", "悪い"), "factors": {"shared": ["text", "vision"]}}
    inputs = report_inputs(tmp_path / "made", text=" ".join(POSTS), **kinds)
    data = Dataset(inputs)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for each in (*card.figures(data), *embedding.figures(data), *examples.figures(data)):
            save(each.figure, tmp_path, each.name)
    assert ":rolling on the floor laughing:" in (tmp_path / "virtual_worst.svg").read_text()


def test_examples_of_ones_own_data_are_not_drawn(tmp_path):
    data = Dataset(report_inputs(tmp_path / "made", victims=("vision", "text")))
    assert data.probes is not None and not list(examples.figures(data))
