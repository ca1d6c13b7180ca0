"""Figures in the dark: the colours that a page's reader sees where matplotlib drew for white paper.

A figure is embedded with a style sheet of its own, which holds where the page is dark: an SVG image takes
`prefers-color-scheme` from the `color-scheme` of what embeds it. The published files stay as they are. Colours that
stand for values, as of a heat map, are the same in both lights.
"""

from trml.report.looks import DARK, FAMILIES, LIGHT
from trml.report.style import GRID

_WHITE, _BLACK = "#ffffff", "#000000"  # matplotlib's own: of paper and of spines
_END = b"</style>"  # of the sheet that matplotlib writes


def with_dark(svg: bytes) -> bytes:
    """Return a figure of matplotlib's with the colours of the dark page beside its own."""
    head, end, rest = svg.partition(_END)
    return head + _sheet().encode() + end + rest if end else svg


def _sheet() -> str:
    turned = {LIGHT[name].lower(): DARK[name] for name in LIGHT}
    turned |= {family.light.lower(): family.dark for family in FAMILIES.values()}
    turned |= {GRID: DARK["rule"], _BLACK: DARK["ink"]}
    rules = [
        f'[style*="{kind}: {light}"]{{{kind}:{dark}!important}}'
        for light, dark in turned.items()
        for kind in ("fill", "stroke")
    ]
    # Words have no colour of their own where they are black; white ones stand on a colour of a heat map.
    paper = "".join(f'{tag}[style*="fill: {_WHITE}"]{{fill:{DARK["paper"]}!important}}' for tag in ("path", "use"))
    return f"@media(prefers-color-scheme:dark){{svg{{fill:{DARK['ink']}}}{paper}{''.join(rules)}}}"
