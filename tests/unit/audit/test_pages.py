"""The auditor's pages: every kind of finding in both languages, filters in the address, nothing that a record could inject."""

from __future__ import annotations

import asyncio
from html import unescape
from typing import Any

import orjson
import pytest
from starlette.requests import Request

from services._bus.problems import Problem
from services.audit.domain import operations
from services.audit.domain.clocks import Apart, Step
from services.audit.domain.frame import Record
from services.audit.web.app import PAGE
from services.audit.web.pages import KINDS, Pages
from tests.unit.audit.detector_suite import YEAR_2026, Scene
from tests.unit.audit.test_regrading_findings import REGRADED

OUTAGE = {"started": "2026-03-05T00:00:00.000Z", "ended": "2026-03-05T02:30:00.000Z", "office": None}
RECORD = Record("mingjian.facts.v1", 3, 7, 1_780_000_000_000, 1, b"k", (), b"v")
OPERATIONAL = [
    operations.oversize_finding(RECORD, 70_000, "stack:test"),
    operations.unreadable_finding(RECORD, "stack:test"),
    operations.unsigned_finding(RECORD, "stack:test", None),
    operations.step_finding(RECORD, Step(20, 30), "stack:test"),
    operations.apart_finding(RECORD, Apart(1_780_000_000_000, 1_780_000_009_000), "stack:test", None),
    operations.changed_copy_finding(RECORD, "stack:test", "018f0000-0000-7000-8000-000000000001"),
    operations.unannounced_finding(RECORD, "stack:test", None),
    *REGRADED,
]


def request(query: str) -> Request:
    scope = {"type": "http", "method": "GET", "path": "/findings", "query_string": query.encode(), "headers": [], "scheme": "http"}
    return Request(scope | {"server": ("127.0.0.1", 19102)})


def item(value: bytes, **more: Any) -> dict[str, Any]:
    return {"subject": None, "regime": None, "superseded": False, "outages": [], "event": orjson.loads(value)["event"]} | more


def late(**entry: Any) -> dict[str, Any]:
    """A late entry as the detectors find it."""

    async def found() -> bytes:
        scene = Scene()
        scene.say("calendar.issued", YEAR_2026)
        scene.say("inspection.recorded", {"occurred_on": "2026-03-02"}, **entry)
        await scene.fold()
        (one,) = await scene.store.standing()
        return one.value

    return item(asyncio.run(found()), subject="uscc:91350100M000100Y43", regime="liyujiang")


def page(lang: str, findings: list[dict[str, Any]], **more: Any) -> str:
    pages = Pages(sample=True, publication_url="http://127.0.0.1:19101", time_zone="Asia/Shanghai")
    counts = ({"late_entry": 1_234, "clocks_apart": 1}, [("/departments/a/offices/b", 1_200), ("/departments/a/offices/c", 34)])
    given = {"chosen": {"kind": None, "office": None}, "following": None} | more
    return bytes(pages.findings(request(f"lang={lang}"), findings, counts, **given).body).decode()


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("raised", OPERATIONAL, ids=lambda one: one.kind)
def test_every_kind_about_the_operation_is_told_in_both_languages(lang: str, raised: operations.Raised) -> None:
    text = page(lang, [item(raised.value)])
    data = orjson.loads(raised.value)["event"]["data"]
    assert KINDS[lang][raised.kind] in text
    assert data[f"detail_{lang}"] in unescape(text)
    place = data["cause"]
    assert f"/log/positions/{place['topic']}/{place['partition']}/{place['offset']}" in text


def test_every_kind_has_a_name_in_both_languages() -> None:
    assert set(KINDS["zh"]) == set(KINDS["en"]) == {one.kind for one in OPERATIONAL} | {"late_entry", "late_entry_retracted"}


def test_a_late_entry_shows_its_days_its_excuses_and_its_record() -> None:
    text = page("en", [late(received_at="2026-03-20T08:00:00.000Z") | {"outages": [OUTAGE]}])
    for words in ("8 working days late", "2026-03-02 (Mon)", "2026-03-10 (Tue)", "2026-03-20 (Fri)", "Inspection recorded"):
        assert words in text
    assert "Declared outage in the term: 2026-03-05 (Thu) 08:00 – 2026-03-05 (Thu) 10:30" in text, "in the stack's own time"
    assert 'href="http://127.0.0.1:19101/subjects/uscc:91350100M000100Y43?lang=en"' in text
    chinese = page("zh", [late(received_at="2026-03-20T08:00:00.000Z")])
    assert "逾期 8 个工作日" in chinese and "检查记录" in chinese and "2026年3月10日 周二" in chinese


def test_filters_and_the_next_page_keep_each_other_and_the_language() -> None:
    chosen = {"kind": "late_entry", "office": "/departments/a/offices/b"}
    text = page("en", [late()], chosen=chosen, following="abc")
    kept = "lang=en&amp;kind=late_entry&amp;office=%2Fdepartments%2Fa%2Foffices%2Fb"
    assert f'href="/findings?{kept}&amp;after=abc"' in text
    assert 'href="/findings?lang=en&amp;kind=late_entry"' in text, "all offices again"
    assert 'href="/findings?lang=en&amp;kind=clocks_apart&amp;office=%2Fdepartments%2Fa%2Foffices%2Fb"' in text
    assert text.count('aria-current="true"') == 1


def test_nothing_found_says_what_would_be_here() -> None:
    assert "appears here within seconds" in page("en", [])
    assert "没有符合条件的发现" in page("zh", [], chosen={"kind": "late_entry", "office": None})


@pytest.mark.parametrize(
    ("lang", "what", "remedy"), [("zh", "地址无效。", "再取一个。"), ("en", "It is used.", "mingjian enter prints another.")]
)
def test_an_error_says_what_and_how_to_mend_it(lang: str, what: str, remedy: str) -> None:
    pages = Pages(sample=False, publication_url=None, time_zone="Asia/Shanghai")
    problem = Problem(403, "once", zh="地址无效。再取一个。", en="It is used. `mingjian enter` prints another.")
    answer = pages.problem(request(f"lang={lang}"), problem)
    text = bytes(answer.body).decode()
    assert answer.status_code == 403 and f"<h1>{what}</h1>\n<p>{remedy}</p>" in text


def test_what_a_record_says_is_text_and_never_markup() -> None:
    evil = late()
    evil["event"]["data"]["office"] = evil["subject"] = '"><script>alert(1)</script>'
    text = page("zh", [evil])
    assert "<script>alert" not in text and "&lt;script&gt;" in text


def test_a_full_page_stays_below_thirty_kilobytes() -> None:
    assert len(page("en", [late() | {"outages": [OUTAGE]}] * PAGE).encode()) < 30_000
