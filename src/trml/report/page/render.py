"""Render the page from its inputs: one HTML file that asks for nothing else."""

import json
from functools import cache
from typing import Any

import vl_convert
from markupsafe import Markup

from trml.report.curves import Curves, View, differences, over_rates, score_rows
from trml.report.page.charts import HEIGHT, LINE, NARROW, chart
from trml.report.page.document import document, script
from trml.report.page.examples import examples
from trml.report.page.forest import forests
from trml.report.page.grids import every_pair, pooled, trained_tested
from trml.report.page.inputs import PageInputs
from trml.report.page.leaderboard import BEST, leaderboard
from trml.report.page.parts import FURTHER, PLACES, parts, pictures
from trml.report.page.payload import payload
from trml.report.page.published import Published
from trml.report.page.readout import readout
from trml.report.page.utterances import utterances

_READY = "window.dispatchEvent(new Event('vega-ready'));"
_SHOWN = 5  # curves that are drawn before a reader chooses


def render(inputs: PageInputs) -> str:
    """Return the page: one HTML text that refers to no other file."""
    context = _context(inputs)
    modules = [_bundle()] if context["charts"] else []
    return document("page.html.j2", [script("tables.js"), script("page.js")], modules, **context)


def _context(inputs: PageInputs) -> dict[str, Any]:
    own, study = inputs.own, inputs.own.study
    placed = {**{place: [] for place in (*PLACES.values(), FURTHER)}, **parts(inputs)}
    shown = pictures(placed)
    view = default_view(own)
    reference = study.proposed.name if study.proposed else next(iter(own.looks), "")
    charts = (
        [] if view is None else [chart(curves, study.study_rate) for curves in default_curves(own, view, reference)]
    )
    rate = study.study_rate
    bank = utterances(own, inputs.texts)
    return {
        "inputs": inputs,
        "own": own,
        "study": study,
        "facts": inputs.facts,
        "manifest": inputs.manifest,
        "looks": own.looks,
        "findings": inputs.headlines,
        "verdicts": _verdicts(own),
        "view": view,
        "reference": reference,
        "charts": charts,
        "lines": [] if view is None else readout(own, view, rate, reference),
        "board": leaderboard(own),
        "best": BEST,
        "forests": forests(own, {*shown}),
        "regime_forests": [(each, forests(each, {*shown})) for each in inputs.regimes],
        "pairs": [] if view is None else every_pair(own, view, rate),
        "grids": trained_tested(own, reference) if reference else [],
        "parts": placed,
        "pictures": shown,
        "examples": examples(inputs),
        "bank": bank is not None,
        "data": _data(inputs, charts, view, reference, bank),
    }


@cache
def _bundle() -> str:
    """Return Vega with its embedding as one script, made once: it takes seconds."""
    return str(vl_convert.javascript_bundle()) + _READY  # type: ignore[call-arg]  # its stub lacks the default


def default_view(results: Published) -> View | None:
    """Return what the curves show before a reader chooses: the first pattern, None of a study without any."""
    study = results.study
    victims = [*study.single_victims, *study.victims]
    return View(study.training, victims[0], results.primary) if victims else None


def default_curves(results: Published, view: View, reference: str) -> list[Curves]:
    """Return the two figures that the page draws first: scores, and differences from the reference."""
    shown = first_shown(results, view, reference)
    made = [over_rates(results.summary, results.study, view, results.looks, shown, [reference])]
    if reference:
        made.append(differences(results.pairs, results.study, view, results.looks, shown, reference))
    return [curves for curves in made if curves.drawn.height]


def first_shown(results: Published, view: View, reference: str) -> list[str]:
    """Return the methods that are drawn first: the reference, then one a family, then others, in the study's order."""
    rows = score_rows(results.summary, results.study, view)
    run = [name for name in results.looks if name in set(rows["method"])]
    families = dict.fromkeys(results.looks[name].family.name for name in run)
    first = [next(name for name in run if results.looks[name].family.name == family) for family in families]
    upper = results.study.upper
    wanted = [reference, *first, *([upper.name] if upper else []), *run]
    chosen = list(dict.fromkeys(name for name in wanted if name in run))[:_SHOWN]
    return [name for name in run if name in chosen]


def _verdicts(results: Published) -> list[tuple[str, list[str]]]:
    """Return the ids of the claims by verdict."""
    order = ("supported", "refuted", "undecided", "too little data")
    return [
        (verdict, ids)
        for verdict in order
        if (ids := [claim["id"] for claim in results.claims if claim["verdict"] == verdict])
    ]


def _data(
    inputs: PageInputs, charts: list[Any], view: View | None, reference: str, bank: dict[str, Any] | None
) -> Markup:
    """Return the data of the script as JSON that ends no script element."""
    own = inputs.own
    content = {
        **payload(inputs),
        "charts": {name: made.spec for name, made in zip(("scores", "differences"), charts, strict=False)},
        "sizes": {"scores": HEIGHT, "differences": NARROW, "line": LINE},
        "first": {
            "missing": view.victim if view else "",
            "ref": reference,
            "at": own.study.study_rate,
            "show": first_shown(own, view, reference) if view else [],
        },
        "grids": pooled(own),
        "utterances": bank,
    }
    return Markup(json.dumps(content, separators=(",", ":"), ensure_ascii=False).replace("</", "<\\/"))
