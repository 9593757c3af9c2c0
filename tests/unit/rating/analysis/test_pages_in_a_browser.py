"""Both pages in a browser, wide and narrow, light and dark: readable for everyone, and nothing runs out at the side."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, sync_playwright

from services.rating.report.page import Frame
from services.rating.report.quality_page import quality_page
from services.rating.report.simulation_page import simulation_page
from tests.unit.rating.analysis.test_reports import found, judged


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    result, said = judged()
    texts = {
        "simulation": simulation_page(found(), Frame("rulebooks/old", ("new.yaml 代替 scores.yaml", "new.yaml"), sample=True)),
        "quality": quality_page(result, Frame("rulebooks/old", notes=said)),  # type: ignore[arg-type]
    }
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in texts}


@pytest.mark.parametrize("name", ["simulation", "quality"])
@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_is_readable_for_everyone(browser: Browser, pages: dict[str, Path], name: str, width: int, scheme: str) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(pages[name].as_uri())
    for details in page.locator("details").all():
        details.evaluate("one => one.open = true")
    result = Axe().run(page)
    assert 0 == result.violations_count, result.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()
