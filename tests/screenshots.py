"""``make screenshots``: the pictures of the README, taken from a running sample stack with chromium.

Start page, a subject, a list; 1440 and 390 pixels wide, Chinese and English: whole pages, a subject's down to its facts. Presses the
sample button first, so that something has changed today. Not a test: it writes docs/images/."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.conftest import find_chromium

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
SIZES = {1440: 1000, 390: 844}
UNTIL = {"start": None, "subject": "#timeline", "list": "#members"}
VISITS = 3
FACTS_SHOWN = 420
TALLEST = 3.4  # times the width: the README shows desk and phone side by side
LANGUAGES = {"zh": "zh-CN", "en": "en-GB"}


def status() -> dict[str, object]:
    """The running stack, by the command line."""
    done = subprocess.run([sys.executable, "-m", "services._cli.main", "status", "--json"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit("start a sample stack first: make run")
    return json.loads(done.stdout)


def subject(page: Page, base: str) -> str:
    """Someone discredited, whose page has reasons to show: the one with the longest history."""
    rows = page.request.get(f"{base}/api/v1/grades?regime=liyujiang&grade=D&limit=30").json()["items"]
    told = {one["subject"]: page.request.get(f"{base}/api/v1/subjects/{one['subject']}?limit=1").json()["history"] for one in rows}
    return max(told, key=lambda one: (len({change["grade"] for change in told[one]}), len(told[one]), one))


def press(page: Page, base: str) -> None:
    """Let the made-up officer enter some inspections, and see their effects arrive."""
    page.goto(f"{base}/?lang=en", wait_until="load")
    page.wait_for_selector(".live.on")
    for _ in range(VISITS):
        page.click("[data-sample] button")
        page.wait_for_selector(".rows li.new", timeout=30_000)
        page.wait_for_timeout(1500)


def take(page: Page, path: Path, *, until: str | None) -> None:
    """The whole page, or down to a little below the heading that ``until`` selects and no longer than can be shown."""
    if until is None:
        page.screenshot(path=path, full_page=True)
        return
    heading = page.locator(until).bounding_box()
    assert heading is not None
    width = page.evaluate("document.documentElement.clientWidth")
    height = min(heading["y"] + FACTS_SHOWN, TALLEST * width)
    page.screenshot(path=path, full_page=True, clip={"x": 0, "y": 0, "width": width, "height": height})


def main() -> None:
    base = status()["endpoints"]["publication"]  # type: ignore[index]
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        first = browser.new_page()
        press(first, base)
        shown = subject(first, base)
        for width, height in SIZES.items():
            for language, locale in LANGUAGES.items():
                context = browser.new_context(viewport={"width": width, "height": height}, locale=locale, device_scale_factor=1)
                page = context.new_page()
                lists = page.request.get(f"{base}/api/v1/lists").json()["items"]
                chosen = max(lists, key=lambda one: one["members"])["name"]
                for name, path in (("start", "/"), ("subject", f"/subjects/{shown}"), ("list", f"/lists/{chosen}")):
                    page.goto(f"{base}{path}?lang={language}", wait_until="load")
                    page.wait_for_selector(".live.on, body:not(:has(.live))", state="attached")
                    take(page, IMAGES / f"{name}-{width}-{language}.png", until=UNTIL[name])
        browser.close()
    print(f"{len(list(IMAGES.glob('*.png')))} pictures in {IMAGES}")


if __name__ == "__main__":
    main()
