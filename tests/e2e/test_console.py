"""The auditor's console in a real browser, on a town that the services themselves have rated, scanned and assessed."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.e2e.terminal import Terminal, terminal
from tests.e2e.test_portal import ARGUMENTS, LOOKS, RULES

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
SMALL = ("--enterprises", "40", "--years", "1", "--seed", "1")


class Console:
    """A running town, and its gravest late entry."""

    def __init__(self, at: Terminal) -> None:
        self.at, self.url = at, at.ports.url("audit")
        self.gravest = self._gravest()
        self.subject = self.gravest["subject"]

    def _gravest(self) -> dict:
        """Once the night has put the effects on record."""
        until = time.monotonic() + 240
        while True:
            lines = self.at.mingjian("findings", "--gravest", "--kind", "late_entry", "--json").splitlines()
            found = json.loads(lines[0]) if lines else {"most": None}
            if found["most"] is not None:
                return dict(found)
            assert time.monotonic() < until, self.at.mingjian("status")
            time.sleep(2)

    @property
    def page(self) -> str:
        return f"/findings/{self.gravest['event']['id']}"

    def enter(self) -> str:
        """A one-time address."""
        [address] = re.findall(r"http://\S+/enter\?once=\S+", self.at.mingjian("enter"))
        return str(address)


@pytest.fixture(scope="module")
def console(chromium: str) -> Iterator[Console]:
    with terminal() as at, at.staying("mingjian", "up", "--sample", *SMALL) as running:
        running.wait_for("Ctrl-C stops", 300)
        yield Console(at)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def cookies(console: Console, browser: Browser) -> list:
    context = browser.new_context()
    context.new_page().goto(console.enter())
    found = context.cookies()
    context.close()
    return found


def signed_in(browser: Browser, cookies: list, **options: object) -> BrowserContext:
    context = browser.new_context(**options)  # type: ignore[arg-type]
    context.add_cookies(cookies)
    return context


@pytest.mark.parametrize(
    ("width", "lang", "scripts"), [(1440, "zh", True), (390, "zh", False), (1440, "en", True), (390, "en", True), (1440, "en", False)]
)
def test_from_the_start_page_to_the_gravest_late_entry_its_effect_and_its_pack(
    console: Console, browser: Browser, cookies: list, width: int, lang: str, scripts: bool
) -> None:
    """In at most four clicks; the pack that comes is looked at once, for it takes a while to make."""
    context = signed_in(browser, cookies, viewport={"width": width, "height": 900}, java_script_enabled=scripts)
    page = context.new_page()
    page.goto(f"{console.url}/?lang={lang}")
    clicks = 0

    def click(name: str) -> None:
        nonlocal clicks
        page.get_by_role("link", name=name).click()
        clicks += 1

    click("逾期录入，影响最大的在前" if lang == "zh" else "Late entries, gravest first")
    page.locator(".findings h2 a").first.click()
    clicks += 1
    assert page.url.split("?")[0] == console.url + console.page
    most = console.gravest["most"]
    assert str(most) in page.locator("#effect .grave").inner_text()
    assert page.locator("#effect .strips rect.differs").count() >= 1
    assert page.locator("#effect .strips .lane").count() >= 2
    pack = page.get_by_role("link", name="下载证据包" if lang == "zh" else "Get the evidence pack")
    if (width, lang, scripts) == (1440, "en", True):
        with page.expect_download(timeout=180_000) as download:
            pack.click()
        path = download.value.path()
        said = json.loads(console.at.mingjian("evidence", "verify", str(path), "--json"))
        assert said["verified"] is True
    else:
        assert pack.get_attribute("href") == console.page + "/pack"
    assert clicks + 1 <= 4
    context.close()


def _addresses(console: Console) -> dict[str, str]:
    """Every kind of page, full and empty."""
    return {
        "start": "/",
        "findings": "/findings",
        "findings-newest": "/findings?sort=newest&about=entry",
        "findings-none": "/findings?office=/nobody",
        "finding": console.page,
        "history": f"/subjects/{console.subject}",
        "history-then": f"/subjects/{console.subject}?known_at=2026-01-31T08:00:00Z",
        "history-none": "/subjects/fhrs:999999",
        "hearings": "/hearings",
        "scans": "/scans",
        "replay": "/replay",
        "missing": "/findings/018f0000-0000-7000-8000-000000000001",
    }


@pytest.mark.parametrize(("width", "scheme", "lang"), LOOKS)
def test_every_page_is_accessible_fits_its_screen_and_is_small(
    console: Console, browser: Browser, cookies: list, tmp_path: Path, width: int, scheme: str, lang: str
) -> None:
    """axe finds nothing; nothing scrolls sideways; 30 KB at most. Screenshots go to MINGJIAN_SCREENSHOTS, or a temporary folder."""
    folder = Path(os.environ.get("MINGJIAN_SCREENSHOTS") or tmp_path)
    context = signed_in(browser, cookies, viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    trouble: dict[str, list] = {}
    for name, path in _addresses(console).items():
        answer = page.goto(f"{console.url}{path}{'&' if '?' in path else '?'}lang={lang}")
        assert answer is not None
        found: list = [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in _violations(page)]
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append("scrolls sideways")
        if len(answer.body()) > 30_000:
            found.append(f"{len(answer.body())} bytes")
        if answer.status != (404 if name == "missing" else 200):
            found.append(answer.status)
        if found:
            trouble[name] = found
        page.screenshot(path=folder / f"console-{name}-{width}-{scheme}-{lang}.png", full_page=True)
    context.close()
    assert trouble == {}


def _violations(page: Page) -> list:
    return list(Axe().run(page, options=RULES).response["violations"])


def test_the_slider_is_live_and_a_button_does_the_same_without_scripts(console: Console, browser: Browser, cookies: list) -> None:
    live = signed_in(browser, cookies).new_page()
    complaints: list[str] = []
    live.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    live.on("pageerror", lambda error: complaints.append(str(error)))
    live.goto(f"{console.url}/subjects/{console.subject}?lang=en")
    rows = live.locator(".known a").count()
    assert rows > 1
    live.locator(".slider input[type=range]").focus()
    live.keyboard.press("Home")
    live.wait_for_url(re.compile("known_at="))
    assert live.locator(".known a[aria-current]").get_attribute("data-step") == "0"
    live.wait_for_selector("#compare .strips .lane >> nth=1")
    assert live.evaluate("document.activeElement.id") == "step", "whoever moves it keeps it"
    shared, seen = live.url, live.locator("#compare").inner_text()
    assert complaints == []

    plain = signed_in(browser, cookies, java_script_enabled=False).new_page()
    plain.goto(f"{console.url}/subjects/{console.subject}?lang=en")
    plain.locator(".slider input[type=range]").focus()
    plain.keyboard.press("Home")
    plain.get_by_role("button", name="Show").click()
    assert plain.url == shared
    assert plain.locator("#compare").inner_text() == seen


def test_a_replay_that_is_started_shows_how_far_it_is_and_ends_without_a_difference(
    console: Console, browser: Browser, cookies: list
) -> None:
    page = signed_in(browser, cookies, java_script_enabled=False).new_page()
    page.goto(f"{console.url}/replay?lang=en")
    nightly = page.locator("table .code").first.inner_text().rstrip("…")
    page.locator("input[name=first]").fill("2000-01-01")
    page.get_by_role("button", name="Start the replay").click()
    assert re.fullmatch(rf"{re.escape(console.url)}/replay/\d+\?lang=en", page.url)
    assert page.locator("progress").count() == 1 or page.locator(".figures").count() == 1
    # By itself: the page asks for itself again every two seconds.
    page.wait_for_selector(".figures", timeout=180_000)
    assert "everywhere" in page.locator("main").inner_text()
    assert page.locator(".figures dd").first.inner_text() == "0"
    # All partitions and all days: what the nightly run worked out, to the byte.
    assert page.locator(".pairs dd.code").first.inner_text().startswith(nightly)


def test_without_a_session_every_address_answers_401_and_tells_nothing(console: Console) -> None:
    event = console.gravest["event"]
    for path in [*_addresses(console).values(), console.page + "/pack", "/api/v1/findings/gravest", f"/api/v1/findings/{event['id']}"]:
        if path == "/":
            continue
        for accept in ("text/html", "application/json"):
            answer = httpx.get(console.url + path, headers={"accept": accept})
            assert answer.status_code == 401, path
            for told in (event["id"], console.subject, event["data"]["office"]):
                assert told not in answer.text
    start = httpx.get(console.url + "/").text
    assert console.subject not in start and event["id"] not in start


def test_the_command_line_tells_the_same(console: Console) -> None:
    told = json.loads(console.at.mingjian("finding", console.gravest["event"]["id"], "--json"))
    assert (told["effects"][0]["data"]["most"], told["state"]) == (console.gravest["most"], "open")
    words = console.at.mingjian("finding", console.gravest["event"]["id"])
    assert console.subject in words and "as shown" in words and "state: open" in words
    lines = [json.loads(line) for line in console.at.mingjian("findings", "--gravest", "--json").splitlines()]
    days = [-1 if one["most"] is None else one["most"] for one in lines]
    assert days == sorted(days, reverse=True) and len(days) > 10
    only = console.at.mingjian("findings", "--gravest", "--subject", console.subject, "--json").splitlines()
    assert {json.loads(line)["subject"] for line in only} == {console.subject}
