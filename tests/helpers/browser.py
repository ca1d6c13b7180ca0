"""A browser over the report page: Debian's chromium, driven by playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

TIMEOUT = 180_000  # milliseconds: a loaded machine is slow, not wrong
PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def browser() -> Iterator[Any]:
    """Yield a browser; the test is skipped where none is installed."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if PROGRAM is None:
        pytest.skip("chromium is not installed (apt-get install chromium)")
    with sync_api.sync_playwright() as playwright:
        # The sandbox needs a user namespace, which containers and root often lack.
        opened = playwright.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox"])
        yield opened
        opened.close()


class Visit:
    """A page that was opened, with what its browser said and asked for. `charts` are waited for."""

    def __init__(self, opened: Any, file: Path, address: str = "", charts: int = 2, **options: Any) -> None:
        self.context = opened.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        self.context.set_default_timeout(TIMEOUT)
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(file.as_uri() + address)
        if options.get("java_script_enabled", True):
            # By selectors: the page's policy forbids the evaluation of strings, which `wait_for_function` needs.
            for chart in range(charts):
                self.page.wait_for_selector(f"#chart-{chart + 1}.live", state="attached")

    def lay_out(self) -> None:
        """Lay everything out, as if it had been scrolled to."""
        self.page.add_style_tag(content="section { content-visibility: visible !important; }")

    def text(self, selector: str) -> str:
        """Return the words of an element."""
        return " ".join(self.page.inner_text(selector).split())

    def hash(self) -> str:
        """Return the part of the address that holds the view."""
        return str(self.page.evaluate("location.hash"))

    def marks(self, chart: int) -> int:
        """Return how many points a chart has."""
        return int(self.page.locator(f"#chart-{chart} .mark-symbol path").count())

    def wait_for_marks(self, chart: int, count: int) -> None:
        """Wait until a chart has so many points."""
        from playwright.sync_api import expect

        expect(self.page.locator(f"#chart-{chart} .mark-symbol path")).to_have_count(count, timeout=TIMEOUT)
