"""Draw curves with Altair: a specification for the page's script, and the same picture as SVG for readers without it.

Colours are variables of the style sheet, so that light, dark and printed pages need no redraw. Data have names, so
that the script exchanges them and leaves the rest.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

import altair as alt
import vl_convert

from trml.report.curves import DODGE, Curves
from trml.report.looks import Look

HEIGHT, NARROW = 290, 210  # pixels of the frame: of scores, and of differences
LINE = 14.5  # pixels of a label's line
WIDTH = 470  # of the picture without script
FONT = "Helvetica Neue, Helvetica, Arial, Liberation Sans, sans-serif"
_SIZE = 12


@dataclass(frozen=True)
class Chart:
    """A figure as the page has it: what is drawn with script, what without, and what it says."""

    id: str
    spec: dict[str, Any]
    svg: str
    label: str
    off_scale: str
    alt: str


def chart(curves: Curves, reading: float) -> Chart:
    """Return the figure for the page, with a line where its table reads it off."""
    spec = specification(curves, reading)
    return Chart(curves.id, spec, static(spec, curves.id), curves.y_label, curves.off_scale, curves.alt)


def specification(curves: Curves, reading: float) -> dict[str, Any]:
    """Return the Vega-Lite specification, whose data have names."""
    low, high = curves.domain
    limits = [alt.param(name="lowest", value=low), alt.param(name="highest", value=high)]
    layers = [*_below(curves), *_marks(curves), _labels(curves)]
    layered = alt.layer(*layers).properties(width="container", height=NARROW if curves.whiskers else HEIGHT)
    layered = layered.add_params(*limits).configure(**_config())
    spec = json.loads(layered.to_json())
    spec["config"]["background"] = None  # which Altair refuses, and which leaves the paper of the page
    spec["datasets"] = datasets(curves, reading)
    return spec


def datasets(curves: Curves, reading: float) -> dict[str, list[dict[str, Any]]]:
    """Return the data of a specification by name: a layer of which they are empty is not drawn, and has no extent."""
    rows = points(curves)
    proposed = {name for name, look in curves.looks.items() if look.family.name == "proposed"}
    return {
        "rows": rows,
        "strong": [row for row in rows if row["method"] in proposed],
        "bands": [row for row in rows if row["method"] in curves.bands and row["low"] is not None],
        "reach": [row for row in rows if row["low"] is not None],
        "decided": [row for row in rows if row["decided"]],
        "open": [row for row in rows if not row["decided"]],
        "labels": labels(curves),
        "bound": [] if curves.bound is None else curves.bound.to_dicts(),
        "margin": [] if curves.margin is None else [{"edge": -curves.margin, "other": curves.margin}],
        "zero": [{"y": 0}],
        "reading": [{"x": reading}],
    }


def points(curves: Curves) -> list[dict[str, Any]]:
    """Return the rows of a figure as its specification reads them."""
    place = {name: i - (len(curves.shown) - 1) / 2 for i, name in enumerate(curves.shown)}
    return [
        {
            "method": row["method"],
            "rate": row["x"],
            "x": round(row["x"] + (DODGE * place[row["method"]] if curves.whiskers else 0.0), 4),
            "y": row["y"],
            "low": row["low"],
            "high": row["high"],
            "decided": bool(row["decided"]),
        }
        for row in curves.drawn.iter_rows(named=True)
    ]


def labels(curves: Curves) -> list[dict[str, Any]]:
    """Return the names at the right ends."""
    height = NARROW if curves.whiskers else HEIGHT
    ends = curves.ends(height, LINE)
    return [{"method": name, "text": curves.looks[name].short, "y": y} for name, y in ends]


def static(spec: dict[str, Any], name: str) -> str:
    """Return a specification as SVG of a fixed width, whose ids are no others' on the page."""
    drawn = [layer for layer in spec["layer"] if spec["datasets"][layer["data"]["name"]]]  # an empty one has no extent
    svg = str(vl_convert.vegalite_to_svg({**spec, "layer": drawn, "width": WIDTH - 110}))
    svg = re.sub(r'<svg ([^>]*?)width="[\d.]+" height="[\d.]+"', r"<svg \1", svg, count=1)
    svg = re.sub(r'(id="|url\(#)', rf"\1{name}-", svg)
    return svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)


def css_colour(look: Look) -> str:
    """Return the variable of a method's colour in the style sheet."""
    return f"var(--f-{look.family.name})"


def _config() -> dict[str, Any]:
    axis = {
        "labelFont": FONT,
        "labelFontSize": _SIZE,
        "labelColor": "var(--muted)",
        "gridColor": "var(--rule)",
        "domainColor": "var(--rule2)",
        "tickColor": "var(--rule2)",
        "title": None,
        "minExtent": 38,
    }
    return {"view": {"stroke": None}, "axis": axis, "font": FONT}


def _x(curves: Curves) -> alt.X:
    ticks = list(curves.ticks)
    axis = alt.Axis(values=ticks, format=".0%", grid=False, labelExpr="replace(datum.label, '%', '')", title=None)
    return alt.X("x:Q", scale=alt.Scale(domain=[-0.035, 1.035], nice=False), axis=axis)


def _y(curves: Curves) -> alt.Y:
    scale = alt.Scale(
        domainMin=alt.ExprRef("lowest"), domainMax=alt.ExprRef("highest"), nice=False, zero=False, clamp=False
    )
    signed = "datum.value == 0 ? '0' : format(datum.value, '+.2~f')"
    plain = alt.Axis(title=None, tickCount=5, format=".2~f")
    axis = alt.Axis(title=None, tickCount=5, labelExpr=signed) if curves.whiskers else plain
    return alt.Y("y:Q", scale=scale, axis=axis)


def _named(name: str) -> alt.Chart:
    """Return a chart of data with a name."""
    return alt.Chart(alt.NamedData(name=name))


def _below(curves: Curves) -> list[alt.Chart]:
    """Return what lies below the curves: what no predictor can reach, zero and margin, the reading line."""
    layers = []
    if not curves.whiskers:
        edge = "highest" if curves.bound_above else "lowest"
        bound = _named("bound").transform_calculate(edge=edge)
        layers.append(
            bound.mark_area(color="var(--shade)", line={"color": "var(--ink)", "strokeWidth": 1}, clip=True).encode(
                x=_x(curves), y=_y(curves), y2="edge:Q"
            )
        )
    if curves.whiskers:
        strip = _named("margin").mark_rect(color="var(--shade)", clip=True)
        zero = _named("zero").mark_rule(color="var(--ink)", strokeWidth=1)
        layers += [strip.encode(y=alt.Y("edge:Q"), y2="other:Q"), zero.encode(y=_y(curves))]
    reading = _named("reading").mark_rule(color="var(--muted)", strokeDash=[1.5, 2.5], strokeWidth=1)
    layers.append(reading.encode(x=_x(curves)))
    return layers


def _scales(curves: Curves) -> tuple[alt.Scale, alt.Scale, alt.Scale]:
    """Return colour, dash and shape of every method, in one order."""
    names = list(curves.looks)
    colours = [css_colour(curves.looks[name]) for name in names]
    dashes = [list(curves.looks[name].marker.dash) or [1, 0] for name in names]
    shapes = [curves.looks[name].marker.vega for name in names]
    return (
        alt.Scale(domain=names, range=colours),
        alt.Scale(domain=names, range=dashes),
        alt.Scale(domain=names, range=shapes),
    )


def _marks(curves: Curves) -> list[alt.Chart]:
    """Return bands or whiskers, lines and points."""
    colour, dash, shape = _scales(curves)
    stroke = alt.Stroke("method:N", scale=colour, legend=None)
    fill = alt.Fill("method:N", scale=colour, legend=None)
    x, y, shaped = _x(curves), _y(curves), alt.Shape("method:N", scale=shape, legend=None)
    thin: dict[str, Any] = (
        {"strokeWidth": 0.8, "opacity": 0.55} if curves.whiskers else {"strokeWidth": 1.6, "opacity": 1.0}
    )
    lines = (
        _named("rows")
        .mark_line(**thin)
        .encode(
            x=x, y=y, stroke=stroke, strokeDash=alt.StrokeDash("method:N", scale=dash, legend=None), detail="method:N"
        )
    )
    point: dict[str, Any] = {"size": 46, "opacity": 1, "strokeWidth": 1.4}
    decided = _named("decided").mark_point(**point).encode(x=x, y=y, stroke=stroke, fill=fill, shape=shaped)
    if curves.whiskers:
        whiskers = _named("reach").mark_rule(strokeWidth=1.4).encode(x=x, y=alt.Y("low:Q"), y2="high:Q", stroke=stroke)
        paper = alt.value("var(--paper)")
        return [
            lines,
            whiskers,
            _named("open").mark_point(**point).encode(x=x, y=y, stroke=stroke, fill=paper, shape=shaped),
            decided,
        ]
    band = _named("bands").mark_area(opacity=0.15).encode(x=x, y=alt.Y("low:Q"), y2="high:Q", fill=fill)
    strong = _named("strong").mark_line(strokeWidth=2.8).encode(x=x, y=y, stroke=stroke, detail="method:N")
    return [band, lines, strong, decided]


def _labels(curves: Curves) -> alt.Chart:
    """Return the names at the right ends, in ink: colours are for marks alone."""
    names = _named("labels").mark_text(
        align="left", baseline="middle", dx=8, font=FONT, fontSize=_SIZE, fill="var(--ink)"
    )
    return names.encode(x=alt.value("width"), y=_y(curves), text="text:N")
