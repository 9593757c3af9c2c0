"""The console's pages: nothing without a session, every state in words, nothing that a record could inject, addresses that say all."""

from __future__ import annotations

import asyncio
from html import unescape
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.audit.domain.detectors.model import Declared, Innocent
from services.audit.domain.known_grades import told
from services.audit.web.console.base import STATES
from services.audit.web.console.listing import PAGE, after, cursor
from services.audit.web.console.words import Words
from tests.effects import assessed, golden, scanned
from tests.unit.audit.console_desk import Whole, row
from tests.unit.audit.detector_suite import YEAR_2026, Scene

SUBJECT = "uscc:91350100M000100Y43"
ADDRESSES = ("/findings", "/findings/018f0000-0000-7000-8000-000000000001", "/findings/018f0000-0000-7000-8000-000000000001/pack")
ADDRESSES += ("/findings/018f0000-0000-7000-8000-000000000001/notice?who=officer:tester",)
ADDRESSES += (f"/subjects/{SUBJECT}", "/hearings", "/scans", "/replay", "/replay/1", "/api/v1/findings/gravest")
ADDRESSES += ("/api/v1/findings/018f0000-0000-7000-8000-000000000001", "/findings?after=nonsense!", "/subjects/nobody")


def late() -> dict[str, Any]:
    """A late entry as the detectors find it: eight working days."""

    async def found() -> bytes:
        scene = Scene()
        scene.say("calendar.issued", YEAR_2026)
        scene.say("inspection.recorded", {"occurred_on": "2026-03-02"}, received_at="2026-03-20T08:00:00.000Z")
        await scene.fold()
        (one,) = await scene.store.standing()
        return one.value

    event: dict[str, Any] = orjson.loads(asyncio.run(found()))["event"]
    return event


LATE = late()
PATTERN = golden("mingjian.finding.raised.v1") | {"id": "018f0000-0000-7000-8000-0000000000aa"}
PATTERN["data"] = {name: value for name, value in PATTERN["data"].items() if name not in ("late", "event", "event_type")} | {
    "kind": "heaping",
    "about": "pattern",
    "matter": "018f0000-0000-7000-8000-0000000000ab",
    "statistic": {
        "test": "heap_beside_a_cut",
        "population": 1204,
        "population_sha256": "ab" * 32,
        "observed": "61",
        "expected": "33.5",
        "effect": "27.5",
        "p_value": "0.00004",
        "adjusted": "0.0031",
        "tests": 78,
        "false_alarms": "0.004",
    },
    "explanations": [{"code": "short_scale", "supported": True}],
    "proposes": "check",
}


def whole(folder: Path, **more: Any) -> Whole:
    effect = assessed(LATE, days=40, least=25)
    given = {"findings": [row(LATE, least=25, most=40), row(PATTERN, sequence=2)], "effects": {LATE["data"]["matter"]: [effect]}}
    return Whole(folder, **(given | more))


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
@pytest.mark.parametrize("path", ADDRESSES)
def test_without_a_session_nothing_is_told(path: str, accept: str, tmp_path: Path) -> None:
    """Nor whether there is such a finding, a subject, or a fault in what was asked."""
    console = whole(tmp_path)
    answer = console.get(path, role=None, headers={"accept": accept})
    assert answer.status_code == 401
    existing = console.get(f"/findings/{LATE['id']}", role=None, headers={"accept": accept})
    missing = console.get("/findings/018f0000-0000-7000-8000-000000000001", role=None, headers={"accept": accept})
    assert (existing.status_code, existing.text) == (missing.status_code, missing.text)
    for told_of in (SUBJECT, LATE["id"], "逾期录入", "Late entry", LATE["data"]["office"]):
        assert told_of not in answer.text


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize("role", ["officer", "registrar", "approver"])
def test_other_roles_are_refused(path: str, role: str, tmp_path: Path) -> None:
    assert whole(tmp_path).get(path, role=role).status_code == 403


def test_a_replay_is_started_by_auditors_alone_and_never_by_a_link(tmp_path: Path) -> None:
    console = whole(tmp_path)
    assert console.ask("POST", "/replay", role=None).status_code == 401
    assert console.ask("POST", "/replay", role="officer").status_code == 403
    for wrong in (b"", b"first=2026-01-01", b"first=x&last=2026-01-01", b"first=2026-02-01&last=2026-01-01"):
        assert console.ask("POST", "/replay", content=wrong).status_code == 422
    assert console.ask("POST", "/replay", content=b"first=2026-01-01&last=2026-01-02&partition=99").status_code == 422
    assert console.ask("POST", "/replay", content=b"x" * 5_000).status_code == 413
    assert "2026" not in console.text("/replay"), "nothing was started"


def test_the_list_says_how_grave_each_is_and_leads_to_it(tmp_path: Path) -> None:
    text = whole(tmp_path).text("/findings?lang=en")
    assert f'href="/findings/{LATE["id"]}?lang=en"' in text
    assert "8 working days late" in text and "25–40</b> days with a wrong grade shown" in text
    assert f'href="/subjects/{SUBJECT}?lang=en"' in text
    assert "逾期 8 个工作日" in whole(tmp_path).text("/findings?lang=zh")


def test_what_an_entry_did_to_a_chain_is_told_beside_what_it_did_to_the_shop(tmp_path: Path) -> None:
    own, chain = assessed(LATE, days=3, least=3), assessed(LATE, days=40, least=40)
    chain["data"] |= {"affected": "uscc:91440300MA5CHA1N44", "evaluations": [], "joint_complete": False}
    text = whole(tmp_path, effects={LATE["data"]["matter"]: [own, chain]}).text(f"/findings/{LATE['id']}?lang=en")
    assert text.index("its own subject") < text.index("the whole that it is part of") < text.index("uscc:91440300MA5CHA1N44")
    assert "entries about several parts" in text and "not all sets of them were tried" not in text
    assert "<b>3 days</b>" in text and "<b>40 days</b>" in text
    alone = whole(tmp_path).text(f"/findings/{LATE['id']}?lang=en")
    assert "its own subject" not in alone


def test_filters_stay_in_every_link_of_the_page(tmp_path: Path) -> None:
    console = Whole(tmp_path, findings=[row(LATE, sequence=number, least=1, most=2) for number in range(PAGE + 1)])
    text = unescape(console.text("/findings?lang=en&kind=late_entry&office=/departments/a/offices/b&sort=newest"))
    kept = "lang=en&kind=late_entry&office=%2Fdepartments%2Fa%2Foffices%2Fb"
    assert f"/findings?{kept}&sort=newest&after={cursor(console.rows.findings[PAGE - 1])}" in text
    assert f"/findings?{kept}&sort=newest" in text and f'href="/findings?{kept}"' in text
    assert console.rows.wanted is not None and console.rows.wanted.office == "/departments/a/offices/b"


def test_a_full_page_stays_below_thirty_kilobytes(tmp_path: Path) -> None:
    console = Whole(tmp_path, findings=[row(LATE, least=1, most=2)] * (PAGE + 1))
    assert len(console.text("/findings?lang=en").encode()) < 30_000


def test_a_page_s_cursor_is_read_back_and_no_other_is() -> None:
    for most, least, sequence in ((None, None, 7), (0, 0, 1), (40, 25, 2**40)):
        ends = (-1 if most is None else most, -1 if least is None else least, sequence)
        assert after(cursor({"most": most, "least": least, "sequence": sequence})) == ends


@pytest.mark.parametrize("text", ["x", "MTox", "MS4yLng", "LTIuMC4x"])
def test_another_cursor_is_refused(text: str, tmp_path: Path) -> None:
    assert whole(tmp_path).get(f"/findings?after={text}").status_code == 422


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_finding_s_page_tells_effect_excuses_and_what_would_clear_it(lang: str, tmp_path: Path) -> None:
    text = unescape(whole(tmp_path).text(f"/findings/{LATE['id']}?lang={lang}"))
    zh = "25–40 日|所示等级有误|假如按期录入|提出当日即获批准：|可能的正当解释|什么会使此事了结|通报批评|激励措施"
    en = "25–40 days|with a wrong grade shown|Had it been entered on time|approved on the day|What would clear it|Benefit"
    wanted = (zh if lang == "zh" else en).split("|")
    assert [one for one in wanted if one not in text] == []
    assert text.count("<svg") == 2 and 'class="differs maybe"' in text and 'class="differs"' in text
    assert f'href="/findings/{LATE["id"]}/pack"' in text
    place = LATE["data"]["event"]
    assert f"/log/positions/{place['topic']}/{place['partition']}/{place['offset']}?lang={lang}" in text


def test_a_pattern_gives_its_statistics_and_proposes_a_check_only(tmp_path: Path) -> None:
    text = unescape(whole(tmp_path).text(f"/findings/{PATTERN['id']}?lang=en"))
    for figure in ("1,204", "61", "33.5", "0.00004", "0.0031", "78", "0.004"):
        assert f"<dd>{figure}" in text or f"({figure})" in text
    assert "nobody is sanctioned" in text and "short scale" in text and "the records speak for it" in text


def test_what_a_record_says_is_text_and_never_markup(tmp_path: Path) -> None:
    evil = orjson.loads(orjson.dumps(LATE))
    evil["data"] |= {"office": '"><script>alert(1)</script>', "detail_zh": "<b>x</b>", "subject_of": '"><img src=x>'}
    console = Whole(tmp_path, findings=[row(evil)])
    for path in ("/findings", f"/findings/{LATE['id']}"):
        text = console.text(path)
        assert "<script>alert" not in text and "<b>x</b>" not in text and "<img" not in text


def test_a_finding_that_was_worked_out_again_leads_to_the_one_that_stands(tmp_path: Path) -> None:
    newer = LATE | {"id": "018f0000-0000-7000-8000-0000000000bb"}
    console = Whole(tmp_path, findings=[row(newer, sequence=2), row(LATE, superseded=True)])
    assert f'href="/findings/{newer["id"]}?lang=en"' in console.text(f"/findings/{LATE['id']}?lang=en")


def test_what_the_log_has_not_yet_gives_no_pack_and_says_when(tmp_path: Path) -> None:
    answer = whole(tmp_path).get(f"/findings/{LATE['id']}/pack?lang=en")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "once a checkpoint covers it" in answer.text


def test_each_scan_is_listed_hits_or_not(tmp_path: Path) -> None:
    console = Whole(tmp_path, scans=[scanned(3, hits=0), scanned(2, hits=4, alpha="0.05")])
    text = console.text("/scans?lang=en")
    assert "2026-01-03 (Sat)" in text and "2026-01-02 (Fri)" in text and "α 0.05" in text


def grade(letter: str, first: str, known: str, offset: int, **more: Any) -> Any:
    """A grade event of the subject."""
    cause = {"topic": "mingjian.facts.v1", "partition": 0, "offset": offset, "known_from": known, "type": "mingjian.penalty.decided.v1"}
    data = {"regime": "liyujiang", "grade": letter, "status": "graded", "in_force_from": first, "cause": cause, "clauses": ["三(二)3(2)"]}
    found = told({"type": "mingjian.grade.determined.v1", "time": known, "data": data | more}, offset)
    assert found is not None
    return found


HISTORY = [
    grade("A", "2026-01-15", "2026-01-16T02:00:00.000Z", 1),
    grade("D", "2026-05-02", "2026-07-01T02:00:00.000Z", 2),
]


def test_a_history_lays_known_time_down_and_says_what_was_learnt(tmp_path: Path) -> None:
    console = Whole(tmp_path, grades=HISTORY)
    text = unescape(console.text(f"/subjects/{SUBJECT}?lang=en&known_at=2026-01-16T02:00:00.000Z"))
    assert text.count('data-step="') == 2 and 'data-step="0" aria-current="true"' in text
    assert "2026-05-02 – still" in text and "Penalty decided" in text
    assert "/log/positions/mingjian.facts.v1/0/2?lang=en" in text


def test_a_slider_leads_to_an_address_that_names_the_instant(tmp_path: Path) -> None:
    answer = Whole(tmp_path, grades=HISTORY).get(f"/subjects/{SUBJECT}?lang=en&step=0")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/subjects/{SUBJECT}?lang=en&known_at=2026-01-16T02:00:00.000Z"


def test_only_the_history_may_run_a_script_and_only_ours(tmp_path: Path) -> None:
    console = Whole(tmp_path, grades=HISTORY)
    policy = console.get(f"/subjects/{SUBJECT}").headers["content-security-policy"]
    assert "script-src 'self';" in policy and "unsafe" not in policy
    for path in ("/findings", "/scans", "/hearings", "/replay"):
        answer = console.get(path)
        assert "script-src" not in answer.headers["content-security-policy"] and "<script" not in answer.text


@pytest.mark.parametrize("given", ["known_at=soon", "against=2026-13-01T00:00", "known_at=99999999"])
def test_an_instant_that_is_none_is_refused_with_the_form_it_should_have(given: str, tmp_path: Path) -> None:
    answer = Whole(tmp_path, grades=HISTORY).get(f"/subjects/{SUBJECT}?lang=en&{given}")
    assert answer.status_code == 422 and "2026-01-31T08:00:00Z" in answer.text


def test_empty_pages_say_what_would_be_here(tmp_path: Path) -> None:
    console = Whole(tmp_path)
    for path, words in (
        ("/findings?lang=en", "within seconds of being entered"),
        ("/scans?lang=en", "After a day has closed each detector runs"),
        ("/hearings?lang=en", "Once a finding is notified"),
        ("/replay?lang=en", "after a day has closed"),
        (f"/subjects/{SUBJECT}?lang=en", "once rating has told a grade of it"),
    ):
        assert words in console.text(path), path


def test_every_state_and_every_declared_kind_has_words() -> None:
    assert all(zh and en for zh, en in STATES.values())
    declared = Declared("a_kind", 1, "entry", "check", None, (), "某类", "A kind", "", "", (Innocent("x", "某", "x"),), "了结", "cleared")
    words = Words({}, [declared])
    assert (words.kind("a_kind", "zh"), words.kind("a_kind", "en"), words.kind("gone_kind", "en")) == ("某类", "A kind", "gone kind")
