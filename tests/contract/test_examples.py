"""The examples against the vectors and the contract: both clients in every engine there is, the drafts, the made-up file."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from schemas.envelope import Submission, check_data, lookup
from schemas.keys import SigningKey, verify
from services.intake.importers import fhrs

pytestmark = pytest.mark.sweep

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES, VECTORS = ROOT / "examples", ROOT / "schemas" / "vectors"
OFFICE = "/departments/yangli/offices/retail-workstation"
DRAFTS = sorted(path.name for path in EXAMPLES.glob("*.json"))
IN_NODE = """
import { readFileSync } from "node:fs";
import { run } from "./tests/contract/field_app_vectors.mjs";

console.log(JSON.stringify(await run(async (name) => JSON.parse(readFileSync(`schemas/vectors/${name}.json`)))));
"""
IN_BROWSER = """async () => {
  const { run } = await import("/tests/contract/field_app_vectors.mjs");
  return run(async (name) => (await fetch(`/schemas/vectors/${name}.json`)).json());
}"""


def example(name: str) -> ModuleType:
    """A Python file of ``examples/`` as a module: it belongs to no package."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


client = example("field_client")


def load(name: str) -> dict[str, Any]:
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))


def cases(name: str) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in load(name)["cases"]]


KEYS = {key["key_id"]: key for key in load("keys")["test_keys"].values()}
ED25519 = load("keys")["test_keys"]["Ed25519"]


# The client in Python


def test_the_python_client_needs_the_standard_library_and_cryptography_alone() -> None:
    tree = ast.parse((EXAMPLES / "field_client.py").read_text())
    names = {one.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names}
    names |= {str(node.module).split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names <= set(sys.stdlib_module_names) | {"cryptography"}


@pytest.mark.parametrize("case", cases("canonical"))
def test_python_writes_the_canonical_bytes(case: dict[str, Any]) -> None:
    assert client.b64(client.canonical(client.read(client.unb64(case["text_b64"])))) == case["canonical_b64"]


@pytest.mark.parametrize("case", cases("refused"))
def test_python_refuses_what_has_no_canonical_form(case: dict[str, Any]) -> None:
    with pytest.raises(client.NotCanonical):
        client.read(client.unb64(case["text_b64"]))
    if case["level"] == "value":
        with pytest.raises(client.NotCanonical):
            client.canonical(json.loads(client.unb64(case["text_b64"])))


@pytest.mark.parametrize("case", cases("events"))
def test_python_signs_events_as_the_contract_says(case: dict[str, Any]) -> None:
    event = case["event"]
    assert client.event_hash(event) == case["event_hash"]
    for signature in case["signatures"]:
        known = KEYS[signature["key_id"]]
        assert client.verify(event, signature, known["alg"], known["public_key"])
        assert not client.verify({**event, "id": "other"}, signature, known["alg"], known["public_key"])


@pytest.mark.parametrize("alg", ["Ed25519", "ES256"])
def test_what_python_signs_is_accepted_and_its_key_file_is_ours(alg: str, tmp_path: Path) -> None:
    key = client.Key.make(alg)
    key.save(tmp_path / "mine.json")
    event = load("events")["cases"][0]["event"]
    made = client.submission(event, client.Key.load(tmp_path / "mine.json"), {"attendant": "样例"})
    raw, signature = client.unb64(key.public["public_key"]), made["signature"]
    assert verify(alg, raw, client.canonical(made["event"]), client.unb64(signature["value"]))
    assert signature["key_id"] == key.public["key_id"] == SigningKey.load(tmp_path / "mine.json").key_id
    with pytest.raises(FileExistsError):
        key.save(tmp_path / "mine.json")


@pytest.mark.parametrize("case", cases("bad_signatures"))
def test_python_accepts_no_bad_signature(case: dict[str, Any]) -> None:
    known = KEYS[case["signature"]["key_id"]]
    assert not client.verify(load("bad_signatures")["event"], case["signature"], known["alg"], known["public_key"])


@pytest.mark.parametrize("case", [one for one in load("receipts")["cases"] if one["part"] == "receipt"], ids=lambda case: case["name"])
def test_python_accepts_exactly_the_good_receipts(case: dict[str, Any]) -> None:
    assert client.is_receipt_for(case["event"], case["signed"], ED25519["public_key"]) == case["valid"]


@pytest.mark.parametrize("case", cases("commitments"))
def test_python_commits_as_the_contract_says(case: dict[str, Any]) -> None:
    assert client.commit(case["field"], case["value"], client.unb64(case["salt"])) == case["commitment"]


@pytest.mark.parametrize("case", cases("keys"))
def test_python_gives_a_key_its_id(case: dict[str, Any]) -> None:
    assert client.key_id(case["alg"], client.unb64(case["public_key"])) == case["key_id"]


# The client in JavaScript


def agrees(result: dict[str, Any]) -> None:
    files = ("canonical", "refused", "events", "bad_signatures", "receipts", "commitments", "keys")
    assert result == {"passed": sum(len(load(name)["cases"]) for name in files), "failed": []}


@pytest.fixture(scope="module")
def repository_url() -> Iterator[str]:
    """The repository over HTTP: modules and WebCrypto need an origin that the browser trusts."""

    class Handler(SimpleHTTPRequestHandler):
        extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript"}

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(ROOT))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_javascript_agrees_with_every_vector_in_a_browser(chromium: str, repository_url: str) -> None:
    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{repository_url}/examples/serve.py")
        agrees(page.evaluate(IN_BROWSER))
        browser.close()


if NODE := shutil.which("node"):  # not everywhere; the browser is what nothing is skipped without

    def test_javascript_agrees_with_every_vector_in_node() -> None:
        done = subprocess.run(
            [str(NODE), "--input-type=module", "-e", IN_NODE], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        agrees(json.loads(done.stdout))


# What others answer on the way to intake

HTML, JSON, PROBLEM = "text/html", "application/json", "application/problem+json"
OURS = {"type": "urn:mingjian:problem:key-unknown", "title": "key unknown", "status": 401}
NOT_INTAKE: list[tuple[str, int, str, Any]] = [
    ("a captive portal's page", 200, HTML, "<html>sign in</html>"),
    ("a captive portal that forbids", 403, HTML, "<html>sign in first</html>"),
    ("a network that wants a login", 511, HTML, "<html>login</html>"),
    ("a proxy that knows no such address", 404, HTML, "<html>not found</html>"),
    ("nginx's limit", 413, HTML, "<html>413 Request Entity Too Large</html>"),
    ("another service's JSON", 400, JSON, {"error": "bad request"}),
    ("our words from someone who is not intake", 422, JSON, OURS),
    ("another service's problem", 403, PROBLEM, {"type": "about:blank", "title": "Forbidden", "status": 403}),
    ("a text for results", 200, JSON, {"results": "ok"}),
    ("results that say nothing", 200, JSON, {"results": [{"status": 403}, {"status": 404, "problem": {"type": "about:blank"}}]}),
    ("a receipt that is a text", 201, JSON, {"receipt": "thanks"}),
    ("a receipt without a signature", 201, JSON, {"receipt": {"type": "mingjian.receipt.v1"}}),
    ("a null", 200, JSON, None),
]


@contextmanager
def counter(answers: list[tuple[int, str, Any]]) -> Iterator[tuple[str, list[bytes]]]:
    """An address that gives these answers in turn, the last one for good; and what it was sent."""
    sent: list[bytes] = []

    class Counter(SimpleHTTPRequestHandler):
        def do_POST(self) -> None:
            sent.append(self.rfile.read(int(self.headers["content-length"])))
            status, kind, said = answers[min(len(sent), len(answers)) - 1]
            body = said.encode() if isinstance(said, str) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Counter) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", sent
        server.shutdown()


def signed_inspections(many: int) -> list[dict[str, Any]]:
    draft = client.read((EXAMPLES / "inspection.json").read_bytes())
    draft.pop("private", None)
    return [client.submission(client.complete(draft, OFFICE, datetime(2026, 3, 10, 14, 30, n, tzinfo=UTC)), KEY) for n in range(many)]


KEY = client.Key.make()


@pytest.mark.parametrize(("status", "kind", "said"), [one[1:] for one in NOT_INTAKE], ids=[one[0] for one in NOT_INTAKE])
@pytest.mark.parametrize("many", [1, 2])
def test_what_intake_never_said_refuses_nothing_and_enters_nothing(status: int, kind: str, said: Any, many: int, tmp_path: Path) -> None:
    with counter([(status, kind, said)]) as (url, _):
        outbox = client.Outbox(tmp_path, intake=url, receipt_key=KEY.public["public_key"])
        for made in signed_inspections(many):
            outbox.add(made)
        outbox.send_once()
    assert many == len(outbox.waiting()) and not list((tmp_path / "refused").iterdir()) and not list((tmp_path / "entered").iterdir())


@pytest.mark.parametrize("many", [1, 2])
def test_what_was_refused_for_want_of_authority_can_be_sent_again_byte_for_byte(many: int, tmp_path: Path) -> None:
    batch = {"results": [{"status": 401, "problem": OURS}, {"status": 401, "problem": OURS}]}
    with counter([(401, PROBLEM, OURS) if many == 1 else (200, JSON, batch)]) as (url, sent):
        outbox = client.Outbox(tmp_path, intake=url, receipt_key=KEY.public["public_key"])
        for made in signed_inspections(many):
            outbox.add(made)
        outbox.send_once()
        assert [] == outbox.waiting() and many == len(list((tmp_path / "refused").glob("*.json")))
        assert many == outbox.again() and many == len(outbox.waiting())
        outbox.send_once()
        assert sent[0] == sent[1]


OUTBOX = """
const tried = async ({ Outbox, makeKey, newEvent, submission }, answers) => {
  const key = await makeKey("ES256"), receiptKey = { alg: "ES256", public_key: key.public_key }, states = [];
  for (const [status, kind, said] of answers) for (const many of [1, 2]) {
    const body = typeof said === "string" ? said : JSON.stringify(said);
    const fetch = async () => new Response(body, { status, headers: { "content-type": kind } });
    const outbox = new Outbox({ receiptKey, fetch });
    for (let n = 0; n < many; n++)
      await outbox.add(await submission(newEvent({ source: "/departments/a/offices/b", type: "t", subject: "fhrs:1", data: {} }), key));
    await outbox.sendOnce();
    const first = (await outbox.rows()).map((row) => row.state), again = await outbox.again();
    states.push([first, again, (await outbox.rows()).map((row) => row.state)]);
  }
  return states;
};
"""


def waits_for_intake(states: list[Any]) -> None:
    wait = [[["waiting"], 0, ["waiting"]], [["waiting"] * 2, 0, ["waiting"] * 2]]
    assert states[:-2] == wait * len(NOT_INTAKE)
    assert states[-2:] == [[["refused"], 1, ["waiting"]], [["refused"] * 2, 2, ["waiting"] * 2]]


ANSWERS = [list(one[1:]) for one in NOT_INTAKE] + [[401, PROBLEM, OURS]]


def test_javascript_waits_for_intake_s_own_word_in_a_browser(chromium: str, repository_url: str) -> None:
    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{repository_url}/examples/serve.py")
        script = f'async (answers) => {{ {OUTBOX} return tried(await import("/examples/field_app.mjs"), answers); }}'
        waits_for_intake(page.evaluate(script, ANSWERS))
        browser.close()


# Drafts, the made-up file, the page of words


@pytest.mark.parametrize("name", DRAFTS)
def test_a_draft_becomes_an_event_that_intake_can_take(name: str) -> None:
    draft = client.read((EXAMPLES / name).read_bytes())
    private = draft.pop("private", {})
    now = datetime(2026, 3, 10, 14, 30, tzinfo=UTC)
    made = client.submission(client.complete(draft, OFFICE, now), client.Key.make(), private)
    Submission.model_validate(made)
    row = lookup(made["event"]["type"])
    assert row.wired, "an example that intake doesn't take yet"
    check_data(row, made["event"]["data"], made["event"]["subject"])


def made_up() -> list[fhrs.Row | fhrs.Refused]:
    with (EXAMPLES / "fhrs_made_up.csv").open(encoding="utf-8", newline="") as lines:
        return list(fhrs.read(lines))


def test_the_made_up_file_is_plainly_made_up_and_has_every_outcome() -> None:
    found = made_up()
    rows = [one for one in found if isinstance(one, fhrs.Row)]
    assert (len(found), len(rows)) == (200, 195)
    names = [one.events[0]["data"] for one in rows]
    assert all(one["name"].startswith("Sample ") and one["district"].startswith("Made-up") for one in names)
    assert all(one["postcode"].startswith("ZZ") for one in names), "no postcode begins with ZZ"
    outcomes = [one.events[1]["data"] for one in rows]
    ratings = Counter(one.get("published_outcome") for one in outcomes if "component_scores" in one)
    assert set(ratings) == set("012345")
    assert sum("published_outcome" in one and "component_scores" not in one for one in outcomes) == 8
    assert {one["status"] for one in outcomes if "status" in one} == set(fhrs._STATUSES.values())


def test_the_readme_names_every_file_and_every_refused_line() -> None:
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in EXAMPLES.iterdir() if path.is_file() and path.name != "README.md" and f"`{path.name}`" not in text] == []
    told = [int(line) for line in re.findall(r"^\| ([0-9]+) \|", text, re.M)]
    assert told == [one.line for one in made_up() if isinstance(one, fhrs.Refused)]


def test_the_dashboard_stays_about_forty_lines_and_loads_nothing_from_elsewhere() -> None:
    text = (EXAMPLES / "dashboard.html").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 45
    assert "<script src" not in text and "<link" not in text
