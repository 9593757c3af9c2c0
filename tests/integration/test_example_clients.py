"""The example clients against a running intake, and the dashboard against the running stream.

Both field clients go through the same day: no network, a connection that breaks when the answer is on its way, the same bytes
again, the same receipt, a refusal that is kept.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from schemas.keys import unb64
from schemas.receipts import verify_signed
from tests.contract.test_examples import EXAMPLES, client, example
from tests.integration.intake_desk import NOT_YET, OFFICE, OFFICER, Desk, event, now_ms, patient, signed
from tests.stack_fixtures import temporary_stack

pytestmark = pytest.mark.stack
NODE = shutil.which("node")
expect.set_options(timeout=30_000)
serve = example("serve")


@pytest.fixture(scope="module")
def desk_stack() -> Iterator[Desk]:
    """Intake, rating and publication, an officer, and a regime that grades what is inspected."""
    with temporary_stack() as stack:
        stack.start_servers("wall")
        desk = Desk.of(stack)
        stack.start_services(["rating", "publication"])
        desk.activate("fhrs")
        yield desk


def admit(desk: Desk, public: dict[str, str]) -> None:
    """The registrar registers a device's key for the desk's officer."""
    key = {name: public[name] for name in ("key_id", "alg", "public_key")}
    said = desk.by_registrar("key.registered", OFFICER, {"occurred_on": "2020-01-01", "key": key, "channels": ["field"]})
    assert desk.post(said).status_code == 201


def inspection(subject: str, *points: int) -> dict[str, Any]:
    names = ("hygiene", "structural", "confidence_in_management")
    scores = [{"component": name, "points": value} for name, value in zip(names, points, strict=True)]
    data = {"occurred_on": "2026-01-05", "kind": "routine", "mode": "on_site", "regime": "fhrs", "component_scores": scores}
    return {"type": "mingjian.inspection.recorded.v1", "subject": subject, "data": data | {"officers": [OFFICER]}}


def closed_port(desk: Desk) -> str:
    """An address where nobody listens: the embedded stack leaves its base port free."""
    return f"http://127.0.0.1:{desk.stack.ports.base}"


@contextmanager
def breaking_line(target: str) -> Iterator[tuple[str, list[str]]]:
    """An address that passes every request on to intake and then breaks the connection instead of answering."""
    reached: list[str] = []

    class Line(serve.Handler):  # type: ignore[name-defined,misc]
        def _pass_on(self, body: bytes | None) -> None:
            answer = httpx.post(target + self.path, content=body, headers={"content-type": "application/json"}, timeout=30, trust_env=False)
            reached.append(f"{answer.status_code} {self.path}")
            self.close_connection = True

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Line, intake=target)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", reached
        server.shutdown()


def kept_receipt(desk: Desk, made: dict[str, Any]) -> dict[str, Any]:
    """What intake itself says the receipt is."""
    answer = patient(lambda: desk.receipt({"event": made}), lambda answer: answer.status_code in NOT_YET)
    assert answer.status_code == 200, answer.text
    return answer.json()


def facts(desk: Desk) -> list[dict[str, Any]]:
    """What stands on Kafka, read in a thread of its own: the browser's driver holds this one's event loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(desk.facts).result()


def copies(desk: Desk, event_id: str) -> int:
    return sum(one["event"]["id"] == event_id for one in facts(desk))


def test_the_python_client_keeps_what_it_signed_until_there_is_one_receipt(desk_stack: Desk, tmp_path: Path) -> None:
    desk, url, receipt_key = desk_stack, desk_stack.stack.ports.url("intake"), desk_stack.receipt_key()["public_key"]
    key = client.Key.make("ES256")
    admit(desk, key.public)

    def outbox(intake: str) -> Any:
        return client.Outbox(tmp_path / "outbox", intake=intake, receipt_key=receipt_key)

    now = datetime.now(UTC)
    made = [client.submission(client.complete(inspection(f"fhrs:{8100 + n}", 0, 5, 5), OFFICE, now), key) for n in range(3)]
    beside = client.submission(client.complete(inspection("fhrs:8103", 5, 5, 5), OFFICE, now), key, {"attendant": "样例在场人"})
    foreign = client.submission(client.complete(inspection("fhrs:8104", 5, 5, 5), "/departments/food/offices/other", now), key)
    for one in (*made, beside, foreign):
        outbox(url).add(one)

    # No network: everything stays.
    outbox(closed_port(desk)).send_once()
    assert len(outbox(url).waiting()) == 5
    # The answer is lost on the way: intake has them, the device doesn't know.
    with breaking_line(url) as (broken, reached):
        outbox(broken).send_once()
        assert reached == ["200 /api/v1/events:batch"]
    assert len(outbox(url).waiting()) == 5
    before = [kept_receipt(desk, one["event"]) for one in (*made, beside)]
    # Again, by another process: the same bytes, the same receipts.
    said = [sys.executable, str(EXAMPLES / "field_client.py"), "send", "--outbox", str(tmp_path / "outbox"), "--intake", url]
    done = subprocess.run([*said, f"--receipt-key={receipt_key}"], capture_output=True, text=True, timeout=90, check=True)
    assert done.stdout.split("\n")[:3] == ["entered: 4", "refused: 1", "waiting: 0"]
    for one, receipt in zip((*made, beside), before, strict=True):
        stored = json.loads((tmp_path / "outbox" / "entered" / f"{one['event']['id']}.json").read_text())
        assert stored["answer"] == receipt
        assert copies(desk, one["event"]["id"]) == 1
    refused = json.loads((tmp_path / "outbox" / "refused" / f"{foreign['event']['id']}.json").read_text())
    assert refused["answer"]["status"] == 403 and refused["answer"]["detail_zh"] and refused["answer"]["remedy_en"]
    assert refused["refusal"]["refusal"]["event_hash"] == client.event_hash(foreign["event"])
    assert verify_signed(refused["refusal"], "refusal", "Ed25519", unb64(receipt_key))


# One story for every engine: `world` gives the addresses, the events' drafts and the receipt key; `admit` waits for the registrar.
STORY = """
const story = async (app, world, admit) => {
  const key = await app.makeKey("ES256");
  await admit({ key_id: key.key_id, alg: key.alg, public_key: key.public_key });
  const storage = app.memoryStorage(), receiptKey = { alg: "Ed25519", public_key: world.receiptKey };
  const outbox = (more) => new app.Outbox({ url: world.url, receiptKey, storage, ...more });
  const made = [];
  for (const [place, { source, ...draft }] of world.drafts.entries())
    made.push(await app.submission(app.newEvent({ source, ...draft }), key, place === 1 ? { attendant: "样例在场人" } : {}));
  for (const one of made) await outbox({}).add(one);
  const seen = {};
  seen.offline = await outbox({ url: world.closed }).sendOnce();
  // The request arrives, the answer doesn't.
  const cut = async (...request) => { await fetch(...request); throw new TypeError("cut"); };
  seen.cut = await outbox({ fetch: cut }).sendOnce();
  seen.wrongKey = await outbox({ receiptKey: { alg: "Ed25519", public_key: key.public_key } }).sendOnce();
  seen.sent = await outbox({}).sendAll({ patience: 30000 });
  seen.again = await outbox({}).sendOnce();
  seen.rows = (await outbox({}).rows()).map(({ id, state, receipt, problem, refusal }) => ({ id, state, receipt, problem, refusal }));
  seen.events = made.map((one) => one.event);
  return seen;
};
"""
IN_NODE = (
    STORY
    + """
import * as app from "./examples/field_app.mjs";
import { createInterface } from "node:readline";
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const world = JSON.parse((await lines.next()).value);
const admit = async (key) => { console.log(JSON.stringify(key)); await lines.next(); };
console.log(JSON.stringify(await story(app, world, admit)));
process.exit(0);
"""
)
IN_BROWSER = "async (world) => {" + STORY + 'return story(await import("/field_app.mjs"), world, window.admit); }'


def world_of(desk: Desk, first: int, url: str) -> dict[str, Any]:
    drafts = [{"source": OFFICE, **inspection(f"fhrs:{first + n}", 5, 10, 5)} for n in range(3)]
    drafts.append({"source": "/departments/food/offices/other", **inspection(f"fhrs:{first + 3}", 5, 10, 5)})
    return {"url": url, "closed": closed_port(desk), "receiptKey": desk.receipt_key()["public_key"], "drafts": drafts}


def told(desk: Desk, seen: dict[str, Any]) -> None:
    """What the story must come to, whoever ran it."""
    waiting = {"entered": 0, "refused": 0, "waiting": 4}
    assert {name: seen["offline"][name] for name in waiting} == waiting
    assert {name: seen["cut"][name] for name in waiting} == waiting
    assert seen["wrongKey"]["entered"] == 0, "a receipt by another key proves nothing"
    assert (seen["sent"]["entered"], seen["sent"]["refused"], seen["sent"]["waiting"]) == (3, 1, 0)
    assert seen["again"] == {**seen["sent"], "pause": 0}
    rows = {row["id"]: row for row in seen["rows"]}
    for made in seen["events"][:3]:
        assert rows[made["id"]]["receipt"] == kept_receipt(desk, made)
        assert copies(desk, made["id"]) == 1
    assert "commitments" in seen["events"][1]["data"]
    last = rows[seen["events"][3]["id"]]
    assert last["state"] == "refused" and last["problem"]["status"] == 403
    assert last["refusal"]["refusal"]["event_hash"] == client.event_hash(seen["events"][3])
    assert verify_signed(last["refusal"], "refusal", "Ed25519", unb64(desk.receipt_key()["public_key"]))


if NODE:  # not everywhere; the browser is what nothing is skipped without

    def test_the_javascript_client_in_node(desk_stack: Desk) -> None:
        world = world_of(desk_stack, 8200, desk_stack.stack.ports.url("intake"))
        with subprocess.Popen(
            [str(NODE), "--input-type=module", "-e", IN_NODE], cwd=EXAMPLES.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as node:
            assert node.stdin and node.stdout
            node.stdin.write(json.dumps(world) + "\n")
            node.stdin.flush()
            admit(desk_stack, json.loads(node.stdout.readline()))
            node.stdin.write("admitted\n")
            node.stdin.flush()
            told(desk_stack, json.loads(node.stdout.readline()))


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A browser for the module."""
    with sync_playwright() as tool:
        running = tool.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def served(desk_stack: Desk) -> Iterator[str]:
    """The examples' own server, which passes on to intake."""
    with serve.server(desk_stack.stack.ports.url("intake"), 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_javascript_client_in_a_browser(desk_stack: Desk, browser: Browser, served: str) -> None:
    page = browser.new_page()
    keys: list[dict[str, str]] = []
    page.expose_function("admit", lambda key: admit(desk_stack, key) or keys.append(key))
    page.goto(f"{served}/inspection.json")
    told(desk_stack, page.evaluate(IN_BROWSER, world_of(desk_stack, 8300, "")))
    assert len(keys) == 1
    page.close()


def fill(page: Page, subject: str) -> None:
    page.fill("#subject", subject)
    page.fill("#occurred_on", "2026-01-05")
    page.fill("#violations", "YP-104, YP-203")
    page.fill("#attendant", "样例在场人")
    page.click("button.main")


def test_the_field_app_works_offline_and_sends_when_the_network_is_back(desk_stack: Desk, browser: Browser, served: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{served}/field_app.html")
    page.wait_for_selector("html[data-ready=yes]")
    settings = {"source": OFFICE, "officer": OFFICER, "receipt_key": desk_stack.receipt_key()["public_key"]}
    for name, value in settings.items():
        page.fill(f"#{name}", value)
    public, shown = page.input_value("#public_key"), page.inner_text("#key_id")
    alg, key_id = shown.split(" · ")
    admit(desk_stack, {"key_id": key_id, "alg": alg, "public_key": public})

    context.set_offline(True)
    fill(page, "fhrs:8401")
    expect(page.locator("li.waiting")).to_have_count(1)
    # The answer to the first attempt is lost; what was entered stays in the page's storage over a reload.
    lost: list[int] = []

    def lose(route: Route) -> None:
        lost.append(route.fetch().status)
        route.abort()

    page.route("**/api/v1/events", lose)
    with page.expect_event("requestfailed"):
        context.set_offline(False)
        page.click("#send")
    assert lost and set(lost) <= {201, 202}
    expect(page.locator("li.waiting")).to_have_count(1)
    # Still lost: the app tries again by itself, and must not get through before it was looked at.
    page.reload()
    page.wait_for_selector("html[data-ready=yes]")
    assert page.input_value("#public_key") == public, "the key is still there"
    expect(page.locator("li.waiting")).to_have_count(1)
    page.unroute("**/api/v1/events")
    page.click("#send")
    expect(page.locator("li.entered")).to_have_count(1)

    fill(page, "uscc:91990000YL0000012B")
    refused = page.locator("li.refused")
    expect(refused).to_have_count(1)
    assert "uscc:91990000YL0000012B" in refused.inner_text() and len(refused.locator("small").inner_text()) > 20
    found = [one for one in facts(desk_stack) if one["event"]["subject"] == "fhrs:8401"]
    assert len(found) == 1 and "样例在场人" not in json.dumps(found, ensure_ascii=False)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


@contextmanager
def elsewhere() -> Iterator[str]:
    """The examples' folder from an origin that has nothing to do with the register."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(EXAMPLES))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_dashboard_of_another_origin_shows_each_change_once_also_after_a_cut(desk_stack: Desk, browser: Browser) -> None:
    desk, page = desk_stack, browser.new_page()
    api = desk.stack.ports.url("publication")

    def rated(number: int, *points: int) -> None:
        subject = f"fhrs:{number}"
        data = {"occurred_on": "2020-01-01", "name": "Made-up Café", "business_kind": "restaurant", "regimes": ["fhrs"]}
        draft = inspection(subject, *points)
        made = event("inspection.recorded", subject, draft["data"], at_ms=now_ms())
        results = desk.batch([signed(event("enterprise.registered", subject, data), desk.key), signed(made, desk.key)])
        assert [one["status"] for one in results] == [201, 201]

    def row(number: int) -> Any:
        return page.locator("#rows tr", has_text=f"fhrs:{number}")

    with elsewhere() as origin:
        page.goto(f"{origin}/dashboard.html?api={api}&regime=fhrs&since=0")
        rated(8501, 5, 5, 5)
        expect(row(8501).last).to_contain_text("5", timeout=30_000)
        shown = row(8501).count()
        # The stream is cut on the server's side; what changes meanwhile comes after the browser is back.
        desk.stack.stop_one("publication")
        rated(8502, 10, 10, 10)
        desk.stack.start("publication")
        expect(row(8502).first).to_be_visible(timeout=60_000)
        assert row(8501).count() == shown, "no change is shown twice"
        assert "connected" not in page.inner_text("#state")
    page.close()
