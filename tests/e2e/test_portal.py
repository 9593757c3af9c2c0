"""The portal in a real browser: it can be read by everyone, it changes live, and it is whole without scripts."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from schemas.rulebook import load_rulebook
from services._cli.sample.acts import ZONE
from tests.cases.ledger import RULEBOOKS
from tests.integration.publication_feed import Feed, grade
from tests.integration.publication_service import Publication
from tests.integration.publication_town import make, write
from tests.stack_fixtures import temporary_stack

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], "resultTypes": ["violations"]}
REASON = {"rule": "fined", "clause": "三(二)3(2)", "grade": "D", "zh": "被处罚款。", "en": "Fined."}
LOOKS = [(1440, "light", "zh"), (390, "light", "zh"), (1440, "dark", "en"), (390, "dark", "en")]


@pytest.fixture(scope="module")
def portal_stack(chromium: str) -> Iterator[Publication]:
    """A sample town that ended a minute ago."""
    with temporary_stack() as stack:
        stack.start_servers("simulated")
        write(Feed(stack.bootstrap), make(enterprises=60, until=datetime.now(ZONE) - timedelta(minutes=1)))
        made = Publication(stack)
        made.start()
        made.settled(limit_s=60)
        yield made


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Chromium."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails the test on any error of script or policy."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    made = context.new_page()
    trouble: list[str] = []
    made.on("pageerror", lambda error: trouble.append(str(error)))
    made.on("console", lambda message: trouble.append(message.text) if message.type == "error" else None)
    yield made
    context.close()
    assert trouble == []


def one_with(portal: Publication, **filters: str) -> str:
    """A subject with a grade."""
    return portal.get("/api/v1/grades", params=filters | {"limit": "1"}).json()["items"][0]["subject"]


def _asked(portal: Publication) -> str:
    """A subject's page, asked by an instant before something was learnt."""
    shop, change = corrected_one(portal)
    learnt = datetime.fromisoformat(change["data"]["cause"]["known_from"]).astimezone(ZONE)
    return f"/subjects/{shop}?as_of={change['in_force_from']}&known_at={learnt - timedelta(minutes=1):%Y-%m-%dT%H:%M}"


def addresses(portal: Publication) -> dict[str, str]:
    """Every kind of page, full and empty."""
    return {
        "start": "/",
        "good": f"/subjects/{one_with(portal, grade='A')}",
        "bad": f"/subjects/{one_with(portal, grade='E')}",
        "asked": _asked(portal),
        "asked-too-far": f"/subjects/{one_with(portal, grade='A')}?as_of=2199-01-01",
        "closed": f"/subjects/{one_with(portal, status='closed')}",
        "lists": "/lists",
        "list": "/lists/seriously_discredited",
        "grades": "/grades",
        "found": "/search?q=大药房",
        "not-found": "/search?q=zzzz",
        "about": "/about",
        "about-fhrs": "/about?regime=fhrs",
        "missing": "/nothing-here",
    }


@pytest.mark.parametrize(("width", "scheme", "lang"), LOOKS)
def test_every_page_is_accessible_fits_its_screen_and_is_worth_showing(
    portal_stack: Publication, browser: Browser, tmp_path: Path, width: int, scheme: str, lang: str
) -> None:
    """axe finds nothing; nothing scrolls sideways. Screenshots go to MINGJIAN_SCREENSHOTS, or a temporary folder."""
    folder = Path(os.environ.get("MINGJIAN_SCREENSHOTS") or tmp_path)
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    trouble = {}
    for name, path in addresses(portal_stack).items():
        page.goto(f"{portal_stack.url}{path}{'&' if '?' in path else '?'}lang={lang}")
        violations = Axe().run(page, options=RULES).response["violations"]
        found = [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in violations]
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append(("scrolls sideways", []))
        if found:
            trouble[name] = found
        page.screenshot(path=folder / f"{name}-{width}-{scheme}-{lang}.png", full_page=True)
    context.close()
    assert trouble == {}


def test_a_grade_that_changes_appears_on_the_open_start_page(portal_stack: Publication, page: Page) -> None:
    page.goto(portal_stack.url + "/?lang=en")
    page.wait_for_selector(".live.on")
    shop = one_with(portal_stack, grade="B")
    now = int(datetime.now(ZONE).timestamp() * 1000)
    feed = Feed(portal_stack.stack.bootstrap)
    told = {"previous_grade": "B", "previous_status": "graded", "in_force_from": datetime.now(ZONE).date().isoformat(), "reasons": [REASON]}
    feed.grade(grade(shop, "D", cause=str(uuid.uuid4()), ms=now, **told), ms=now)
    feed.send()
    row = page.wait_for_selector(f".rows li.new a[href*='{shop}']", timeout=30_000)
    assert row is not None
    assert page.locator(".rows li.new .mark").all_inner_texts() == ["B", "D"]


def test_an_open_subject_s_page_follows_its_grade(portal_stack: Publication, page: Page) -> None:
    shop = one_with(portal_stack, grade="C")
    page.goto(f"{portal_stack.url}/subjects/{shop}?lang=en")
    page.wait_for_selector(".live.on")
    page.locator(".timeline details summary").first.click()
    feed = Feed(portal_stack.stack.bootstrap)
    now = int(datetime.now(ZONE).timestamp() * 1000)
    feed.grade(grade(shop, "E", cause=str(uuid.uuid4()), ms=now, reasons=[REASON]), ms=now)
    feed.send()
    page.wait_for_selector(".held .mark.s5", timeout=30_000)
    assert page.locator(".timeline details[open]").count() == 1


def changed(portal: Publication, shop: str, letter: str) -> None:
    """A change of a shop's grade, known now."""
    now = int(datetime.now(ZONE).timestamp() * 1000)
    feed = Feed(portal.stack.bootstrap)
    told = {"previous_status": "graded", "in_force_from": datetime.now(ZONE).date().isoformat(), "reasons": [REASON]}
    feed.grade(grade(shop, letter, cause=str(uuid.uuid4()), ms=now, **told), ms=now)
    feed.send()


def test_a_stream_that_was_refused_is_opened_again_and_what_was_missed_is_shown(portal_stack: Publication, browser: Browser) -> None:
    """A browser never comes back by itself after a 503, such as a restart gives."""
    page = browser.new_context().new_page()
    page.route("**/api/v1/stream*", lambda route: route.fulfill(status=503, body="{}"))
    page.goto(portal_stack.url + "/?lang=en")
    page.wait_for_selector(".live:not(.on)")
    assert page.locator("#today .live, .live").first.inner_text() == "not connected: newer changes are missing here"
    shop = one_with(portal_stack, grade="A")
    changed(portal_stack, shop, "C")
    page.unroute("**/api/v1/stream*")
    page.wait_for_selector(".live.on", timeout=20_000)
    assert page.wait_for_selector(f".rows a[href*='{shop}']") is not None
    page.context.close()


def test_a_page_that_comes_back_out_of_the_browser_s_memory_is_alive(portal_stack: Publication, page: Page) -> None:
    shop = one_with(portal_stack, grade="B")
    page.goto(f"{portal_stack.url}/subjects/{shop}?lang=en")
    page.wait_for_selector(".live.on")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    changed(portal_stack, shop, "E")
    portal_stack.settled()
    assert page.locator(".held .mark.s5").count() == 0
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    page.wait_for_selector(".held .mark.s5")
    page.wait_for_selector(".live.on")
    changed(portal_stack, shop, "A")
    page.wait_for_selector(".held .mark.s0")


def test_what_is_open_and_what_has_the_focus_stays_so_while_the_page_changes(portal_stack: Publication, page: Page) -> None:
    page.goto(portal_stack.url + "/?lang=en")
    page.wait_for_selector(".live.on")
    page.locator("#late-entry summary").click()
    link = page.locator("#late-entry a[href*='/subjects/']")
    link.focus()
    shop = one_with(portal_stack, grade="B")
    changed(portal_stack, shop, "D")
    page.wait_for_selector(f".rows li.new a[href*='{shop}']", timeout=10_000)
    assert page.locator("#late-entry details[open]").count() == 1
    assert page.evaluate("document.activeElement.getAttribute('href')") == link.get_attribute("href")


def test_what_only_the_script_can_do_is_promised_by_the_script_alone(portal_stack: Publication, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{portal_stack.url}/subjects/{one_with(portal_stack, grade='B')}?lang=en")
    assert page.locator(".live").inner_text() == "" and not page.locator(".live").is_visible()
    context.close()


def test_the_pages_are_whole_without_scripts(portal_stack: Publication, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False, locale="zh-CN")
    page = context.new_page()
    page.goto(portal_stack.url)
    assert page.locator("html").get_attribute("lang") == "zh-CN" and page.locator(".banner").is_visible()
    page.fill("#q", "dayaofang")
    page.click("form.search button")
    page.locator(".rows a").first.click()
    assert page.locator(".held .mark").first.is_visible() and page.locator(".reasons li").first.is_visible()
    page.click("a.lang")
    assert page.locator("html").get_attribute("lang") == "en" and "/subjects/uscc:" in page.url and "lang=en" in page.url
    page.click("nav >> text=Lists")
    assert "lang=en" in page.url
    context.close()


def corrected_one(portal: Publication) -> tuple[str, dict]:
    """A subject with days that turned out otherwise, and the change that says so."""
    for row in portal.get("/api/v1/grades", params={"regime": "liyujiang", "limit": "500"}).json()["items"]:
        for change in portal.get(f"/api/v1/subjects/{row['subject']}", params={"limit": "1"}).json()["history"]:
            if change["type"].endswith("grade.corrected.v1"):
                return row["subject"], change
    raise AssertionError("the town has no late entry")


def test_the_grade_of_a_day_is_asked_as_it_was_known_without_scripts(portal_stack: Publication, browser: Browser) -> None:
    """Before the late entry the day had another grade; the page says so, draws both, and names what was learnt."""
    shop, change = corrected_one(portal_stack)
    learnt = datetime.fromisoformat(change["data"]["cause"]["known_from"]).astimezone(ZONE)
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{portal_stack.url}/subjects/{shop}?lang=en")
    page.fill("#as_of", change["in_force_from"])
    page.fill("#known_at", f"{learnt - timedelta(minutes=1):%Y-%m-%dT%H:%M}")
    page.click(".ask button")
    assert f"as_of={change['in_force_from']}" in page.url and "lang=en" in page.url
    assert change["in_force_from"] in page.locator(".asked-times").inner_text()
    was = change["data"].get("previous_grade") or "–"
    assert page.locator("#asked .held .mark").inner_text() == was
    names = {one.status: one.name.en for one in load_rulebook(RULEBOOKS / "liyujiang").statuses}
    assert (change["grade"] or names[change["status"]]) in page.locator("#asked .learnt").inner_text()
    assert page.locator("#asked .strips svg .bar").count() >= 3 and page.locator("#asked .strips .differs").count() >= 1
    assert page.locator("#asked tbody tr").count() >= 1 and page.evaluate("document.documentElement.scrollWidth") <= 390
    violations = page.locator("#asked [aria-hidden=true] a").count()
    assert violations == 0, "nothing in the drawing can be reached by keyboard"
    page.click("#asked .ask a")
    assert page.locator(".asked-times").count() == 0
    context.close()


def test_what_is_being_asked_stays_while_the_page_changes(portal_stack: Publication, page: Page) -> None:
    shop = one_with(portal_stack, grade="C")
    page.goto(f"{portal_stack.url}/subjects/{shop}?lang=en")
    page.wait_for_selector(".live.on")
    page.fill("#as_of", "2026-01-15")
    page.focus("#as_of")
    changed(portal_stack, shop, "E")
    page.wait_for_selector(".held .mark.s5", timeout=30_000)
    assert page.input_value("#as_of") == "2026-01-15"
    assert page.evaluate("document.activeElement.id") == "as_of"


def test_a_reason_leads_to_its_clause_and_to_the_fact_it_rests_on(portal_stack: Publication, page: Page) -> None:
    page.goto(f"{portal_stack.url}/subjects/{one_with(portal_stack, grade='E')}?lang=en")
    page.locator(".reasons a[href*='#fact-']").first.click()
    fragment = page.url.partition("#")[2]
    assert page.locator(f"#{fragment}").is_visible()
    page.locator(".reasons a.clause").first.click()
    assert page.locator(":target").is_visible()


def test_it_can_be_used_by_keyboard_alone(portal_stack: Publication, page: Page) -> None:
    page.goto(portal_stack.url + "/?lang=en")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("大药房")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search**")
    assert page.locator(".rows li").count() > 3


def test_nothing_is_fetched_from_elsewhere_and_nothing_is_kept(portal_stack: Publication, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for path in addresses(portal_stack).values():
        page.goto(portal_stack.url + path)
    assert {url for url in asked if not url.startswith(portal_stack.url)} == set()
    assert context.cookies() == [] and page.evaluate("localStorage.length + sessionStorage.length") == 0
    context.close()
