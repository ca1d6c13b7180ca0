"""How soon the page of the published results can be used, in Debian's chromium without a network.

From the start of the navigation to the first paint, to a page that is read and whose controls answer (the event
DOMContentLoaded, after which no script of the page waits for anything), and to both charts of the first screen, drawn
and interactive. Each time with a fresh profile; medians of five. The last row is the page's size.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.row import Found, Note, Row

PAGE = Path("results/pantomime_full/report/index.html")
ROUNDS = 5
TIMES = """() => {
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  return {"first paint": paint.startTime / 1000,
          "controls answer": performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd / 1000,
          "both charts interactive": performance.now() / 1000};
}"""


def measure(quick: bool) -> Iterator[Found]:
    """Open the page; without playwright or chromium there is a note instead of figures."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        program = None
    if program is None:
        yield Note("playwright or chromium is not installed")
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        opened = [_open(browser) for _ in range(1 if quick else ROUNDS)]
        browser.close()
    for quantity in opened[0]:
        yield Row(PAGE.parts[1], quantity, median(times[quantity] for times in opened), "s")
    yield Row(PAGE.parts[1], "size", PAGE.stat().st_size / 1e6, "MB")


def _open(browser: Any) -> dict[str, float]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(PAGE.absolute().as_uri(), wait_until="commit")
    for chart in ("#chart-1", "#chart-2"):
        page.wait_for_selector(f"{chart}.live", state="attached")
    times: dict[str, float] = page.evaluate(TIMES)
    context.close()
    return times
