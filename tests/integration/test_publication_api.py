"""The public API and the pages: filters, pages, tags, refusals, headers, the stream's rules, and any odd input."""

from __future__ import annotations

import csv
import http.client
import io
import re
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from services.publication.domain.cursor import encode
from services.publication.web.api_routes import earlier_changes
from tests.integration.publication_feed import START_MS, Feed, event, grade
from tests.integration.publication_service import Publication, begun, read, reading, until
from tests.stack_fixtures import temporary_stack

NAMES = ["% Arabica", "Prêt à Manger", "样例大药房", "<script>alert(1)</script>", 'O\'Brien & "Sons"', "重庆小面", "百草堂"]
SHOPS = [f"fhrs:{number}" for number in range(2001, 2061)]
PHARMACY = "uscc:91350100M000100Y43"


@pytest.fixture(scope="module")
def api_stack() -> Iterator[Publication]:
    """Sixty premises and a pharmacy, graded."""
    with temporary_stack(extra_env={"MINGJIAN_STREAM_LIMIT_ADDRESS": "4"}) as stack:
        stack.start_servers("simulated")
        made = begun(stack, sample=True)
        feed = Feed(stack.bootstrap)
        for at, shop in enumerate(SHOPS):
            data = {"name": f"{NAMES[at % len(NAMES)]} {at}", "business_kind": "restaurant", "regimes": ["fhrs"]}
            feed.fact(event(shop, "enterprise.registered", data | {"district": "North" if at % 2 else "South", "postcode": f"W{at} 1AA"}))
            letter = "543210"[at % 6] if at % 7 else None
            one = grade(shop, letter, regime="fhrs", status="graded" if letter else "awaiting_inspection", cause=str(uuid.uuid4()))
            feed.grade(one, ms=START_MS + at * 1000)
        data = {"occurred_on": "2020-01-01", "name": "鲤鱼江样例大药房", "business_kind": "drug_retail", "regimes": ["liyujiang"]}
        feed.fact(event(PHARMACY, "enterprise.registered", data))
        for day in range(1, 28):
            inspection = {"occurred_on": f"2026-01-{day:02d}", "kind": "routine", "mode": "on_site"}
            feed.fact(event(PHARMACY, "inspection.recorded", inspection))
        for at, letter in enumerate("BAE"):
            reason = {
                "rule": "fined",
                "clause": "三(二)3(2)",
                "grade": letter,
                "zh": "被处罚款。",
                "en": "Fined.",
                "numbers": [],
                "events": [],
            }
            feed.grade(grade(PHARMACY, letter, cause=str(uuid.uuid4()), reasons=[reason], ms=START_MS + at), ms=START_MS + at)
        feed.send()
        made.settled()
        yield made


def pages(api: Publication, **filters: str) -> list[dict]:
    """All pages of grades."""
    found, cursor = [], None
    while True:
        answer = api.get("/api/v1/grades", params=filters | {"limit": "7"} | ({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        cursor = answer.json()["next"]
        if cursor is None:
            return found


def test_pages_hold_every_grade_once_in_the_order_of_subjects(api_stack: Publication) -> None:
    subjects = [one["subject"] for one in pages(api_stack)]
    assert subjects == sorted([*SHOPS, PHARMACY])


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        ({"regime": "liyujiang"}, 1),
        ({"regime": "fhrs", "grade": "3"}, 8),
        ({"status": "awaiting_inspection"}, 9),
        ({"district": "North"}, 30),
        ({"q": "arabica"}, 9),
        ({"q": "xiaomian"}, 8),
        ({"q": "cqxm"}, 8),
        ({"q": "w31"}, 1),
        ({"q": "<script>"}, 9),
        ({"q": "百草堂", "district": "North"}, 4),
        ({"changed_since": "2026-01-01T00:00:50.000Z"}, 10),
        ({"grade": "Z"}, 0),
    ],
)
def test_filters_narrow_and_combine(api_stack: Publication, filters: dict[str, str], wanted: int) -> None:
    assert len(pages(api_stack, **filters)) == wanted


def test_csv_holds_the_regime_sorted_with_exactly_its_columns(api_stack: Publication) -> None:
    answer = api_stack.get("/api/v1/grades.csv", params={"regime": "fhrs"})
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows[0] == ["subject", "grade", "status", "in_force_from"]
    assert [row[0] for row in rows[1:]] == sorted(SHOPS)
    assert rows[1:3] == [["fhrs:2001", "", "awaiting_inspection", "2026-01-15"], ["fhrs:2002", "4", "graded", "2026-01-15"]]
    assert answer.headers["content-type"].startswith("text/csv")


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/grades",
        "/api/v1/grades.csv?regime=fhrs",
        "/api/v1/lists",
        "/api/v1/lists/exemplary",
        f"/api/v1/subjects/{PHARMACY}",
        "/about",
    ],
)
def test_an_unchanged_answer_is_304(api_stack: Publication, path: str) -> None:
    first = api_stack.get(path)
    again = api_stack.get(path, headers={"if-none-match": first.headers["etag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert api_stack.get(path, headers={"if-none-match": 'W/"other"'}).status_code == 200


def test_a_tag_of_one_filter_is_none_of_another(api_stack: Publication) -> None:
    first = api_stack.get("/api/v1/grades?grade=5")
    assert api_stack.get("/api/v1/grades?grade=4", headers={"if-none-match": first.headers["etag"]}).status_code == 200


def test_made_up_data_says_so_wherever_it_goes(api_stack: Publication) -> None:
    """In the header of every answer, in the answer itself, in the name of a file, and in each event of the stream."""
    for path in ("/api/v1/grades", "/api/v1/lists", "/api/v1/lists/exemplary", f"/api/v1/subjects/{PHARMACY}"):
        answer = api_stack.get(path)
        assert answer.headers["mingjian-sample"] == "true" and answer.json()["sample"] is True
        assert "Mingjian-Sample" in answer.headers["access-control-expose-headers"]
    file = api_stack.get("/api/v1/grades.csv?regime=fhrs")
    assert file.headers["mingjian-sample"] == "true" and 'filename="SAMPLE-grades-fhrs.csv"' in file.headers["content-disposition"]
    assert [one.data["sample"] for one in read(f"{api_stack.url}/api/v1/stream?since=0", 63)] == [True] * 63


AS_OF_NOW = ["/api/v1/grades.csv?regime=fhrs", "/api/v1/lists", "/api/v1/stream"]
OTHER_PAGES = ["/", "/lists", "/lists/exemplary", "/grades", "/search?q=x", "/about"]
PAGES = [*OTHER_PAGES, f"/subjects/{PHARMACY}"]


@pytest.mark.parametrize("path", AS_OF_NOW + OTHER_PAGES)
@pytest.mark.parametrize("name", ["as_of", "known_at"])
def test_what_is_as_of_now_refuses_other_times_and_never_ignores_them(api_stack: Publication, path: str, name: str) -> None:
    answer = api_stack.get(f"{path}{'&' if '?' in path else '?'}{name}=2026-01-01")
    assert answer.status_code == 422
    if path.startswith("/api/"):
        assert answer.json()["type"] == "urn:mingjian:problem:as-of-now-only" and "/grades" in answer.json()["remedy_en"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v1/grades?regimes=fhrs", 422, "unknown-parameter"),
        ("/api/v1/grades?regime=fhrs&regime=liyujiang", 422, "repeated-parameter"),
        ("/api/v1/grades?limit=0", 422, "parameter"),
        ("/api/v1/grades?limit=999999999999999999999", 422, "parameter"),
        ("/api/v1/grades?cursor=abc", 422, "cursor"),
        ("/api/v1/grades?cursor=WyI0NDEzNmZhMzU1YjMiLCJcdWQ4MDAiLCJ4Il0", 422, "cursor"),
        ("/api/v1/grades?q=%00", 422, "parameter"),
        ("/api/v1/grades?q=%20", 422, "empty-search"),
        ("/api/v1/grades?changed_since=2026-02-30T00:00:00Z", 422, "instant"),
        ("/api/v1/grades?changed_since=yesterday", 422, "parameter"),
        ("/api/v1/grades.csv", 422, "parameter"),
        ("/api/v1/grades.csv?regime=nowhere", 404, "no-regime"),
        ("/api/v1/subjects/uscc:91350100M000100Y44", 422, "subject-check-digit"),
        ("/api/v1/subjects/uscc:91350100M000100Y4", 422, "subject-form"),
        ("/api/v1/subjects/shop:1", 422, "subject-scheme"),
        ("/api/v1/subjects/officer:somebody", 422, "subject-scheme"),
        ("/api/v1/subjects/fhrs:999", 404, "no-subject"),
        ("/api/v1/subjects/%00", 422, "parameter"),
        ("/api/v1/lists/nobody", 404, "no-list"),
        ("/api/v1/lists/%00", 422, "parameter"),
        ("/api/v1/stream?since=-1", 422, "parameter"),
        ("/api/v1/stream?since=63", 200, None),
        ("/api/v1/stream?since=64", 410, "position-gone"),
        ("/api/v1/stream?since=99999999999999999999", 422, "parameter"),
        ("/api/v1/stream?subject=x", 422, "subject-scheme"),
        ("/api/v1/nothing", 404, "not-found"),
    ],
)
def test_each_slip_has_its_own_problem_in_both_languages(api_stack: Publication, path: str, status: int, code: str | None) -> None:
    with httpx.stream("GET", api_stack.url + path, timeout=10) as answer:
        assert answer.status_code == status
        if code is None:
            return
        answer.read()
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["type"] == f"urn:mingjian:problem:{code}" and body["status"] == status
    assert body["detail_zh"] and body["detail_en"] and body["detail_zh"] != body["detail_en"]


def test_a_cursor_of_other_filters_is_refused(api_stack: Publication) -> None:
    cursor = api_stack.get("/api/v1/grades?limit=5").json()["next"]
    assert api_stack.get(f"/api/v1/grades?limit=5&regime=fhrs&cursor={cursor}").status_code == 422


def test_a_subject_has_its_grade_its_history_and_its_facts_page_by_page(api_stack: Publication) -> None:
    first = api_stack.get(f"/api/v1/subjects/{PHARMACY}?limit=20").json()
    rest = api_stack.get(f"/api/v1/subjects/{PHARMACY}?limit=20&cursor={first['next']}").json()
    days = [one["occurred_on"] for one in first["facts"] + rest["facts"]]
    assert days == sorted(days, reverse=True) and len(days) == 28 and rest["next"] is None
    assert [one["grade"] for one in first["grades"]] == ["E"] and [one["grade"] for one in first["history"]] == ["E", "A", "B"]
    assert first["grades"][0]["data"]["reasons"][0]["zh"] == "被处罚款。"
    assert [one["list"] for one in first["lists"]] == ["seriously_discredited"]
    fact = first["facts"][0]
    assert set(fact) >= {"received_at", "known_from", "served_on", "partition", "offset", "event_hash"} and "officers" not in fact["data"]


def test_a_history_goes_on_page_by_page(api_stack: Publication) -> None:
    """``history_next`` leads to the changes before; a cursor of another subject is refused."""
    whole = api_stack.get(f"/api/v1/subjects/{PHARMACY}").json()
    assert whole["history_next"] is None
    after_first = earlier_changes(PHARMACY, whole["history"][0]["seq"])
    earlier = api_stack.get(f"/api/v1/subjects/{PHARMACY}?history_cursor={after_first}").json()
    assert [one["grade"] for one in earlier["history"]] == ["A", "B"]
    for bad in (earlier_changes(SHOPS[0], 5), encode(["x"], {"history": PHARMACY}), "abc"):
        assert api_stack.get(f"/api/v1/subjects/{PHARMACY}?history_cursor={bad}").json()["field"] == "history_cursor"


def test_an_unknown_regime_has_no_page_and_never_becomes_a_heading(api_stack: Publication) -> None:
    answer = api_stack.get("/grades?lang=en&regime=Your+licence+is+revoked")
    assert answer.status_code == 404 and "<h1>Your" not in answer.text
    assert api_stack.get("/grades?regime=fhrs").status_code == 200


def test_the_grades_page_says_what_it_leaves_out_and_keeps_it_in_its_links(api_stack: Publication) -> None:
    since = "2026-01-01T00:00:10.000Z"
    text = api_stack.get(f"/grades?lang=en&regime=fhrs&changed_since={since}").text
    assert "Only what has changed since 2026-01-01 (Thu) 08:00:10." in text
    links = [link for link in re.findall(r'href="(/grades\?[^"]+)"', text) if "grade=" in link or "regime=liyujiang" in link]
    assert links and all("changed_since=2026-01-01T00%3A00%3A10.000Z" in link for link in links)


@pytest.mark.parametrize("path", ["//evil.example/x", "/\\evil.example/x", "///evil.example"])
def test_the_link_to_the_other_language_stays_on_this_site(api_stack: Publication, path: str) -> None:
    host, port = api_stack.url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    connection.putrequest("GET", path)
    connection.endheaders()
    text = connection.getresponse().read().decode()
    href = re.search(r'class="lang" href="([^"]+)"', text)[1]  # type: ignore[index]
    assert href.startswith("/") and not href.startswith("//") and "\\" not in href


def test_the_stream_filters_and_resumes_after_the_number_given(api_stack: Publication) -> None:
    mine = read(f"{api_stack.url}/api/v1/stream?since=0&subject={PHARMACY}", 3)
    assert [one.data["data"]["grade"] for one in mine] == ["B", "A", "E"]
    later = read(f"{api_stack.url}/api/v1/stream?since=0&subject={PHARMACY}", 1, headers={"last-event-id": mine[1].id})
    assert [one.id for one in later] == [mine[2].id]
    fives = read(f"{api_stack.url}/api/v1/stream?since=0&regime=fhrs&grade=5", 3)
    assert {one.data["data"]["grade"] for one in fives} == {"5"} and {one.event for one in fives} == {"grade"}


def test_the_stream_says_when_to_come_back_and_is_never_compressed(api_stack: Publication) -> None:
    with httpx.stream("GET", f"{api_stack.url}/api/v1/stream?since=0", headers={"accept-encoding": "gzip"}, timeout=10) as answer:
        first = next(answer.iter_bytes())
        assert answer.headers["content-type"].startswith("text/event-stream") and "content-encoding" not in answer.headers
        assert first.startswith(b"retry: ") and answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.long
def test_a_quiet_stream_beats_and_moves_the_last_id_of_a_filtered_client(api_stack: Publication) -> None:
    with reading(f"{api_stack.url}/api/v1/stream?since=0&grade=none", timeout=20) as stream:
        assert next(stream).id == str(api_stack.status()["seq"]["head"])


def test_one_address_holds_few_streams_and_gets_them_back(api_stack: Publication) -> None:
    address = f"{api_stack.url}/api/v1/stream"
    # What a test before this one read goes when the service notices.
    until(lambda: api_stack.status()["streams"] == 0 or None)
    with reading(address), reading(address), reading(address), reading(address):
        refused = httpx.get(address, timeout=10)
        assert (refused.status_code, refused.json()["type"]) == (429, "urn:mingjian:problem:too-many-streams-here")
        assert "retry-after" in refused.headers
    until(lambda: api_stack.status()["streams"] == 0 or None)
    with reading(address):
        assert api_stack.status()["streams"] >= 1


def test_a_reader_that_reads_nothing_is_let_go_and_holds_nobody_up(api_stack: Publication) -> None:
    """Its socket fills, then its buffer; everyone else goes on."""
    host, port = api_stack.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.sendall(b"GET /api/v1/stream?since=0 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert len(read(f"{api_stack.url}/api/v1/stream?since=0", 63)) == 63


@pytest.mark.parametrize("path", ["/api/v1/grades", "/api/v1/grades.csv?regime=fhrs", "/api/v1/lists", f"/api/v1/subjects/{PHARMACY}"])
def test_head_tells_what_get_would(api_stack: Publication, path: str) -> None:
    got, asked = api_stack.get(path), httpx.head(api_stack.url + path, timeout=10)
    assert (asked.status_code, asked.content) == (200, b"")
    told = ("etag", "content-type", "cache-control", "mingjian-sample", "access-control-allow-origin", "content-security-policy")
    assert [asked.headers[name] for name in told] == [got.headers[name] for name in told]


def test_head_of_the_endless_stream_ends_and_takes_no_place(api_stack: Publication) -> None:
    for _ in range(6):
        asked = httpx.head(f"{api_stack.url}/api/v1/stream", timeout=10)
        assert asked.status_code == 200 and asked.headers["content-type"].startswith("text/event-stream")
    assert httpx.head(f"{api_stack.url}/api/v1/stream?since=9999", timeout=10).status_code == 410


def test_the_interface_s_page_tells_of_every_refusal(api_stack: Publication) -> None:
    paths = api_stack.get("/api/v1/openapi.json").json()["paths"]
    for path, operations in paths.items():
        if path.startswith("/api/"):
            assert set(operations["get"]["responses"]) >= {"405", "422", "500", "503"}, path
    assert httpx.post(f"{api_stack.url}/api/v1/grades", timeout=10).json()["type"] == "urn:mingjian:problem:method"


def test_anyone_may_read_the_api_from_any_site_without_credentials(api_stack: Publication) -> None:
    answer = api_stack.get("/api/v1/lists", headers={"origin": "https://elsewhere.example"})
    assert answer.headers["access-control-allow-origin"] == "*" and "access-control-allow-credentials" not in answer.headers
    asked = httpx.options(f"{api_stack.url}/api/v1/stream", headers={"origin": "https://elsewhere.example"}, timeout=10)
    assert "HEAD" in asked.headers["access-control-allow-methods"]
    assert asked.status_code == 204 and "Last-Event-ID" in asked.headers["access-control-allow-headers"]
    assert "access-control-allow-origin" not in api_stack.get("/").headers


@pytest.mark.parametrize("path", ["/api/v1/grades", *AS_OF_NOW[:2], *PAGES, "/nothing", "/livez", "/status"])
def test_every_answer_carries_the_strict_headers(api_stack: Publication, path: str) -> None:
    headers = api_stack.get(path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff" and "server" not in headers and "set-cookie" not in headers


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_pages_are_small_escaped_and_wear_the_banner(api_stack: Publication, path: str, lang: str) -> None:
    answer = api_stack.get(f"{path}{'&' if '?' in path else '?'}lang={lang}")
    assert answer.status_code == 200 and len(answer.content) < 30_000, len(answer.content)
    text = answer.text
    assert "<script>alert" not in text and 'style="' not in text and "onclick" not in text
    assert ("样例数据" if lang == "zh" else "SAMPLE DATA") in text
    assert f'lang="{"zh-CN" if lang == "zh" else "en"}"' in text


def test_a_page_that_is_not_there_says_so_in_html_and_wears_the_banner(api_stack: Publication) -> None:
    answer = api_stack.get("/nothing?lang=en")
    assert answer.status_code == 404 and "Not found" in answer.text and "SAMPLE DATA" in answer.text


def test_there_is_no_button_without_a_key(api_stack: Publication) -> None:
    assert "data-sample" not in api_stack.get("/").text
    assert httpx.post(f"{api_stack.url}/sample/inspection", timeout=10).status_code in (404, 405)


def test_probes_tell_lag_positions_and_numbers(api_stack: Publication) -> None:
    status = api_stack.status()
    assert status["lag"]["total"] == 0 and status["seq"]["head"] == 63 and sum(status["positions"]["mingjian.facts.v1"].values()) == 88
    assert api_stack.get("/readyz").json()["ready"] is True and api_stack.get("/livez").status_code == 200


CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def test_no_input_gives_a_server_error_or_an_undocumented_answer(api_stack: Publication, tmp_path: Path) -> None:
    """schemathesis on everything but the endless stream, whose refusals are tested above."""
    tool = [str(Path(sys.executable).with_name("st")), "run", f"{api_stack.url}/api/v1/openapi.json", "--exclude-path-regex", "stream$"]
    limits = ["--checks", CHECKS, "--max-examples", "30", "--seed", "1", "--generation-database", "none", "--request-timeout", "10"]
    done = subprocess.run([*tool, *limits, "--no-color"], cwd=tmp_path, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
