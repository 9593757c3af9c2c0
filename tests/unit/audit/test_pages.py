"""Every kind of finding is told in both languages; an error says what and how to mend it."""

from __future__ import annotations

from html import unescape
from pathlib import Path

import orjson
import pytest
from starlette.requests import Request

from services._bus.problems import Problem
from services.audit.domain import operations
from services.audit.domain.clocks import Apart, Step
from services.audit.domain.frame import Record
from services.audit.web.pages import KINDS, Pages
from tests.unit.audit.console_desk import Whole, row
from tests.unit.audit.test_regrading_findings import REGRADED

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


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("raised", OPERATIONAL, ids=lambda one: one.kind)
def test_every_kind_about_the_operation_is_told_in_both_languages(lang: str, raised: operations.Raised, tmp_path: Path) -> None:
    event = orjson.loads(raised.value)["event"]
    console = Whole(tmp_path, findings=[row(event)])
    listed, alone = (unescape(console.text(f"{path}?lang={lang}")) for path in ("/findings", f"/findings/{raised.id}"))
    for text in (listed, alone):
        assert KINDS[lang][raised.kind] in text
        assert event["data"][f"detail_{lang}"] in text
    place = event["data"]["cause"]
    assert f"/log/positions/{place['topic']}/{place['partition']}/{place['offset']}" in alone


def test_every_kind_has_a_name_in_both_languages() -> None:
    assert set(KINDS["zh"]) == set(KINDS["en"]) == {one.kind for one in OPERATIONAL} | {"late_entry", "late_entry_retracted"}


@pytest.mark.parametrize(
    ("lang", "what", "remedy"), [("zh", "地址无效。", "再取一个。"), ("en", "It is used.", "mingjian enter prints another.")]
)
def test_an_error_says_what_and_how_to_mend_it(lang: str, what: str, remedy: str) -> None:
    pages = Pages(sample=False, publication_url=None, time_zone="Asia/Shanghai")
    problem = Problem(403, "once", zh="地址无效。再取一个。", en="It is used. `mingjian enter` prints another.")
    answer = pages.problem(request(f"lang={lang}"), problem)
    text = bytes(answer.body).decode()
    assert answer.status_code == 403 and f"<h1>{what}</h1>\n<p>{remedy}</p>" in text
