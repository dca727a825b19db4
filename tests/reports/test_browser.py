"""The page in a real browser without a window: two widths, light and dark, by mouse and by keyboard."""

from __future__ import annotations

import io
import itertools
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from research.reports.page import write_page
from tests.reports.grid_study import grid_study
from tests.reports.needed import missing

CONTRAST = Path(__file__).with_name("contrast.js").read_text()
SLOW = 120_000
"""Milliseconds; a busy machine starts a browser slowly."""
WIDTHS = {390: 844, 1280: 800}


@dataclass
class Opened:
    """A page with all that it asked for and complained of."""

    page: object
    width: int
    scheme: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(grid_study(tmp_path_factory.mktemp("grid")).path)


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        own = running.chromium.executable_path
        program = shutil.which("chromium") or (own if Path(own).is_file() else None)
        if program is None:
            missing("There is no Chromium")
        # The browser's sandbox refuses to run as root, as in most containers.
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        started = running.chromium.launch(executable_path=program, args=flags, timeout=SLOW)
        yield started
        started.close()


SEEN = [(390, "dark"), (1280, "light")]
"""Each width and each scheme once; the other two pairs with all tests."""


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((w, s), marks=() if (w, s) in SEEN else pytest.mark.slow)
        for w in WIDTHS
        for s in ("light", "dark")
    ],
    ids=lambda p: f"{p[0]}-{p[1]}",
)
def opened(request: pytest.FixtureRequest, browser, report: Path) -> Iterator[Opened]:
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": WIDTHS[width]}, color_scheme=scheme)
    context.set_default_timeout(SLOW)
    page = context.new_page()
    found = Opened(page, width, scheme)
    page.on("request", lambda asked: found.requests.append(asked.url))
    page.on("console", lambda said: found.complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: found.complaints.append(str(error)))
    page.route("**/*", lambda route: route.continue_() if route.request.url == report.as_uri() else route.abort())
    page.goto(report.as_uri())
    yield found
    context.close()


def test_nothing_is_fetched_and_nothing_complains(opened, report):
    assert [url for url in opened.requests if not url.startswith("data:")] == [report.as_uri()]
    assert opened.complaints == []


def test_nothing_is_wider_than_the_screen(opened):
    wide = opened.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide[0] <= wide[1] == opened.width
    # Wide tables scroll within their own region, which the keyboard reaches.
    for region in opened.page.query_selector_all(".wide"):
        assert region.get_attribute("tabindex") == "0"
        assert region.get_attribute("aria-label")
        assert region.bounding_box()["width"] <= opened.width


def test_text_has_contrast(opened):
    found = opened.page.evaluate(CONTRAST)
    assert len(found) > 100
    assert any(what.startswith("figure") for what, _ in found)
    assert [(what, round(ratio, 2)) for what, ratio in found if ratio < 4.5] == []
    background = opened.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(21, 23, 26)"}[opened.scheme]


def test_the_checks_find_a_bad_page(opened):
    """Grey on grey, and a box wider than the screen."""
    root = opened.page.query_selector("html")
    root.evaluate("(html) => html.style.setProperty('--soft', '#777777aa')")
    assert any(ratio < 4.5 for _, ratio in opened.page.evaluate(CONTRAST))
    root.evaluate("(html) => { html.style.removeProperty('--soft'); html.style.setProperty('--ink', '#909090'); }")
    poor = {what for what, ratio in opened.page.evaluate(CONTRAST) if ratio < 4.5}
    assert opened.scheme == "dark" or any(what.startswith("figure") for what in poor)
    root.evaluate("(html) => html.style.removeProperty('--ink')")
    root.evaluate("(html) => { html.querySelector('h1').style.width = '2000px'; }")
    assert opened.page.evaluate("document.documentElement.scrollWidth") > opened.width
    root.evaluate("(html) => html.querySelector('h1').removeAttribute('style')")


def test_the_arm_stays_in_sight_when_a_table_is_scrolled(opened):
    region = opened.page.query_selector(".wide")
    region.evaluate("(div) => { div.scrollLeft = div.scrollWidth; }")
    arm = region.query_selector("tbody th").bounding_box()
    assert 0 <= arm["x"] <= arm["x"] + arm["width"] <= opened.width
    region.evaluate("(div) => { div.scrollLeft = 0; }")


def test_figures_have_names_and_headings_are_in_order(opened):
    figures = opened.page.query_selector_all("figure")
    images = opened.page.get_by_role("img")
    assert len(figures) == images.count() >= 10
    assert all((image.get_attribute("aria-label") or "").strip() for image in images.all())
    assert all(figure.query_selector("figcaption").inner_text().strip() for figure in figures)
    levels = opened.page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map((h) => +h.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert opened.page.evaluate("document.documentElement.lang") == "en"
    assert opened.page.title() == "Study grid"


def test_tables_sort_by_mouse_and_by_keyboard(opened):
    page = opened.page
    table = page.query_selector("table.sortable")
    headings = [heading.inner_text() for heading in table.query_selector_all("thead th")]
    column = next(at for at, text in enumerate(headings) if text.startswith("NDCG@10"))
    heading = table.query_selector_all("thead th")[column]
    button = heading.query_selector("button")

    def column_values() -> list[float]:
        return [float(row.query_selector_all("th, td")[column].get_attribute("data-order"))
                for row in table.query_selector_all("tbody tr")]  # fmt: skip

    before = column_values()
    assert heading.get_attribute("aria-sort") == "none"
    button.click()
    assert heading.get_attribute("aria-sort") == "descending"
    assert column_values() == sorted(before, reverse=True) != sorted(before)
    button.focus()
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "ascending"
    assert column_values() == sorted(before)
    page.keyboard.press("Space")
    assert column_values() == sorted(before, reverse=True)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "BUTTON"
    assert page.evaluate("document.activeElement.textContent") != button.inner_text()


def test_screenshot_is_not_blank(opened, tmp_path_factory):
    from PIL import Image

    path = tmp_path_factory.getbasetemp() / f"report-{opened.width}-{opened.scheme}.png"
    opened.page.screenshot(path=path, full_page=True)
    with Image.open(io.BytesIO(path.read_bytes())) as image:
        assert image.width == opened.width
        assert image.height > 3000
        colors = image.convert("RGB").getcolors(1 << 24)
    assert len(colors) > 200
    assert max(count for count, _ in colors) < 0.97 * image.width * image.height
