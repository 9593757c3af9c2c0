"""A stay over publication alone (R18, ADR 0036): no page, answer, file, list or stream tells the grade on the days of the stay."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from schemas.envelope import derived_bytes
from schemas.ids import derived_id
from schemas.times import instant
from schemas.topics import FACTS, PARTS
from services.publication.domain.vocabulary import SUSPENDED
from tests.integration.publication_feed import OFFICE, SHA, START_MS, Feed, event, grade, partition_of
from tests.integration.publication_service import Event, Publication, begun, reading, until
from tests.integration.test_publication_rebuild import rebuild, rows
from tests.stack_fixtures import temporary_stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
SHOP, CHAIN, LATE, LIFTED = "uscc:91350100M000100Y43", "uscc:91430000M0001234XE", "uscc:91440300MA5CHA2N4R", "uscc:91110108MA01KPGK0L"
CLOCK = "fhrs:1"
REGIME = "liyujiang"
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
MIDNIGHT_MS = START_MS - 8 * HOUR_MS
"""The first instant of 1 January 2026 in China; the stack is simulated, so its clock is the newest fact's."""


def at(day: int, *, hours: int = 12) -> int:
    """An hour of a day of January in China, epoch ms."""
    return MIDNIGHT_MS + (day - 1) * DAY_MS + hours * HOUR_MS


def named(number: int) -> str:
    return str(uuid.UUID(int=number, version=4))


def penalty(subject: str, number: int) -> dict[str, Any]:
    """An entry of the subject's one decision."""
    data = {"occurred_on": "2026-01-02", "document_no": f"罚{subject[-4:]}号", "acts": []}
    return event(subject, "penalty.decided", data, id=named(number))


def stay(subject: str, number: int, act: int, first: str, last: str | None = None) -> dict[str, Any]:
    data = {"occurred_on": "2026-01-04", "document_no": "停1", "authority": "样例法院", "act": {"source": OFFICE, "id": named(act)}}
    return event(subject, "stay.ordered", data | {"from_day": first} | ({"until": last} if last else {}), id=named(number))


def rests(subject: str, letter: str, acts: list[tuple[int, int]], number: int, ms: int, **more: Any) -> dict[str, Any]:
    """A grade that rests on facts: (number, offset)."""
    decisive = [
        {"id": named(one), "type": "mingjian.penalty.decided.v1", "partition": partition_of(subject), "offset": offset}
        for one, offset in acts
    ]
    reason = {
        "rule": "r",
        "clause": "三(二)3(2)",
        "grade": letter,
        "zh": "被处罚款。",
        "en": "Fined.",
        "numbers": [],
        "events": [],
        "readings": [],
    }
    made = grade(
        subject, letter, cause=named(number), ms=ms, decisive_events=decisive, reasons=[reason], **{"in_force_from": "2026-01-03"} | more
    )
    place = {"topic": FACTS, "partition": partition_of(subject), "offset": number, "id": named(number), "source": OFFICE}
    made["data"]["cause"] = place | {"type": "mingjian.penalty.decided.v1", "known_from": instant(ms)}
    return made


def part(subject: str, parent: str, letter: str) -> bytes:
    cause = {"topic": FACTS, "partition": 0, "offset": 1, "id": named(1), "source": OFFICE, "type": "x", "known_from": instant(at(3))}
    stretches = [
        {"first": "2025-01-01", "last": "2026-01-02", "grade": "B", "status": "graded"},
        {"first": "2026-01-03", "last": None, "grade": letter, "status": "graded"},
    ]
    data = {
        "regime": REGIME,
        "part": subject,
        "stretches": stretches,
        "rulebook": {"regime": REGIME, "version": "1", "sha256": SHA},
        "cause": cause,
    }
    id = derived_id(cause=named(1), kind="part.graded", subject=parent, regime=REGIME)
    return derived_bytes(event(parent, "part.graded", data, id=id, source="/services/rating"))


@pytest.fixture(scope="module")
def api() -> Iterator[Publication]:
    """A shop whose E rests on the second entry of a decision; a stay of the first, known on the 8th, from the 10th to the 20th."""
    with temporary_stack() as stack:
        stack.start_servers("simulated")
        made = begun(stack, sample=True)
        feed = Feed(stack.bootstrap)
        for subject, name in ((SHOP, "样例大药房"), (CHAIN, "样例连锁"), (LATE, "样例药店乙"), (LIFTED, "样例药店丙")):
            data = {"occurred_on": "2020-01-01", "name": name, "business_kind": "drug_retail", "regimes": [REGIME]}
            feed.fact(event(subject, "enterprise.registered", data), ms=at(1))
        feed.fact(penalty(SHOP, 101), ms=at(2))
        feed.fact(penalty(SHOP, 102), ms=at(2))
        *_, second = feed.send()
        feed.grade(rests(SHOP, "B", [], 1, at(2), in_force_from="2025-01-01"), ms=at(2))
        feed.grade(rests(SHOP, "E", [(102, second)], 2, at(3), previous_grade="B", previous_status="graded"), ms=at(3))
        feed.raw(PARTS, partition_of(CHAIN), part(SHOP, CHAIN, "E"), ms=at(3))
        feed.fact(stay(SHOP, 103, 101, "2026-01-10", "2026-01-20"), ms=at(8))
        feed.send()
        made.settled()
        yield made


def clock(api: Publication, ms: int) -> None:
    """Let the stack's clock go on: something is entered about somebody else."""
    feed = Feed(api.stack.bootstrap)
    feed.fact(event(CLOCK, "inspection.recorded", {"occurred_on": "2026-01-02", "kind": "routine", "mode": "on_site"}), ms=ms)
    feed.send()
    api.settled()


SUBJECT = f"/api/v1/subjects/{SHOP}"
ANSWERS = [
    SUBJECT,
    f"{SUBJECT}?as_of=2026-01-05&known_at={instant(at(6))}",
    f"{SUBJECT}/grades",
    f"{SUBJECT}/grades?as_of=2026-01-05",
    f"{SUBJECT}/grades?known_at={instant(at(6))}",
    f"{SUBJECT}/grades/history",
    f"{SUBJECT}/grades/history?known_at={instant(at(6))}",
    f"{SUBJECT}/grades/history/compare?known_at={instant(at(2))}",
    "/api/v1/grades",
    "/api/v1/grades?grade=E",
    "/api/v1/grades?q=dayaofang",
    f"/api/v1/grades?as_of=2026-01-05&known_at={instant(at(6))}",
    f"/api/v1/grades?grade=E&known_at={instant(at(6))}",
    f"/api/v1/subjects/{CHAIN}",
]
LIST = "/api/v1/lists/seriously_discredited"
LISTS = [LIST, f"{LIST}?as_of=2026-01-05", f"{LIST}?known_at={instant(at(6))}"]
PAGES = [
    f"/subjects/{SHOP}",
    f"/subjects/{SHOP}?as_of=2026-01-05",
    f"/subjects/{SHOP}?as_of=2026-01-05&known_at=2026-01-06T12:00",
    "/search?q=dayaofang",
    f"/grades?regime={REGIME}",
    f"/subjects/{CHAIN}",
]
MARK = re.compile(r'<span class="mark[^"]*" aria-hidden="true">E</span>')


def tells(api: Publication) -> dict[str, bool]:
    """Whether each answer, page, file and list tells that somebody has an E. There is nobody else who has one."""
    found = {path: '"grade":"E"' in api.get(path).text for path in ANSWERS}
    found |= {path: SHOP in api.get(path).text for path in LISTS}
    found["csv"] = f"{SHOP},E,graded,2026-01-03" in api.get(f"/api/v1/grades.csv?regime={REGIME}").text
    found["lists"] = {one["name"]: one["members"] for one in api.get("/api/v1/lists").json()["items"]}["seriously_discredited"] == 1
    for path in PAGES:
        for lang, name in (("zh", "严重失信"), ("en", "Seriously discredited")):
            page = api.get(f"{path}{'&' if '?' in path else '?'}lang={lang}").text
            # The page of grades names every grade above its rows, a chain's in its table of shares.
            begins = "<table" if path.startswith("/grades") else '<ul class="rows">' if CHAIN in path else ""
            table = page[page.index(begins) :]
            found[f"{path} {lang}"] = bool(MARK.search(table)) or f">{name}<" in table.replace("E </span>", ">")
    found["list page"] = SHOP in api.get("/lists/seriously_discredited").text
    found["start page"] = bool(MARK.search(api.get("/").text.partition('id="today"')[2]))
    return found


def test_every_answer_tells_the_grade_until_the_day_before_and_none_from_the_first_day_on(api: Publication) -> None:
    clock(api, at(10, hours=0) - 1)
    before = tells(api)
    assert [path for path, told in before.items() if not told] == [], "all of them would tell it"
    tags = {path: api.get(path).headers["etag"] for path in ("/api/v1/grades", SUBJECT, LIST, "/api/v1/lists")}
    clock(api, at(10, hours=0))
    assert [path for path, told in tells(api).items() if told] == []
    assert all(api.get(path, headers={"if-none-match": tag}).status_code == 200 for path, tag in tags.items())
    (row,) = api.get("/api/v1/grades?q=dayaofang").json()["items"]
    assert (row["grade"], row["status"], row["in_force_from"], row["clauses"]) == (None, SUSPENDED, None, [])
    told = row["suspended"]
    assert (told["since"], told["until"], told["reading"]) == ("2026-01-10", "2026-01-20", "R18")
    assert (told["event"]["id"], told["event"]["subject"]) == (named(103), SHOP)
    (whole,) = api.get(SUBJECT).json()["grades"]
    assert whole["data"]["reasons"] == whole["data"]["decisive_events"] == [] and "explanation" not in whole
    assert whole["suspended"] == whole["data"]["suspended"] == told and whole["data"]["cause"]["id"] == named(2)
    assert f"{SHOP},,{SUSPENDED},\n" in api.get(f"/api/v1/grades.csv?regime={REGIME}").text
    assert [one["subject"] for one in api.get(f"/api/v1/grades?status={SUSPENDED}").json()["items"]] == [SHOP]
    (stretch,) = [one for one in api.get(f"/api/v1/subjects/{CHAIN}").json()["parts"][0]["stretches"] if one["last"] is None]
    assert stretch == {"first": "2026-01-03", "last": None, "grade": None, "status": SUSPENDED}
    answered = api.get(f"{SUBJECT}/grades?as_of=2026-01-05&known_at={instant(at(6))}")
    assert answered.json()["grades"][0]["suspended"] == told and "max-age=0" in answered.headers["cache-control"]
    assert api.get(f"{SUBJECT}/grades?as_of=2026-01-02").json()["grades"][0]["grade"] == "B", "what does not rest on the act is told"


def test_the_page_says_so_in_words_in_both_languages_and_links_to_the_order(api: Publication) -> None:
    clock(api, at(10))
    place = next(one for one in api.get(SUBJECT).json()["facts"] if one["type"] == "mingjian.stay.ordered.v1")
    fragment = f"#fact-{place['partition']}-{place['offset']}"
    for lang, words in (
        ("zh", ("公示暂停：依法停止执行", "自 2026年1月10日 周六 起暂停公示", "至 2026年1月20日 周二", "解读 R18", "停止执行决定")),
        (
            "en",
            (
                "Publication suspended by a stay",
                "suspended since 2026-01-10 (Sat)",
                "until 2026-01-20 (Tue)",
                "reading R18",
                "The order of the stay",
            ),
        ),
    ):
        page = api.get(f"/subjects/{SHOP}?lang={lang}").text
        assert all(one in page for one in words), lang
        assert f'href="{fragment}"' in page and f'id="{fragment[1:]}"' in page
        assert "被处罚款" not in page and "Fined." not in page
        assert "No reason was published" not in page and "为什么" not in page and ">Why<" not in page
        assert (
            words[0] in api.get(f"/search?q=dayaofang&lang={lang}").text
            and words[1] in api.get(f"/grades?regime={REGIME}&lang={lang}").text
        )


def held(api: Publication, subject: str) -> tuple[str | None, str]:
    (one,) = api.get(f"/api/v1/subjects/{subject}").json()["grades"]
    return one["grade"], one["status"]


def wait_for(stream: Iterator[Event], name: str) -> Any:
    return next(one.data for one in stream if one.event == name)


SETTLED = f"/api/v1/subjects/{LATE}/grades?known_at={instant(at(11) + 1)}"


def test_a_grade_that_comes_after_its_stay_goes_out_without_itself(api: Publication) -> None:
    """And what follows says what was before it only when the stay is over; a filter by grade tells nothing either."""
    feed = Feed(api.stack.bootstrap)
    feed.fact(stay(LATE, 202, 201, "2026-01-05", "2026-01-20"), ms=at(11))
    feed.fact(penalty(LATE, 201), ms=at(11))
    *_, offset = feed.send()
    api.settled()
    head = api.status()["seq"]["head"]
    with reading(f"{api.url}/api/v1/stream?since={head}&grade=A") as stream:
        listed = wait_for(stream, "suspensions")["items"]
        assert [(one["subject"], one["since"]) for one in listed] == [(SHOP, "2026-01-10")], "of whatever grade"
        feed.grade(rests(LATE, "D", [(201, offset)], 21, at(11)), ms=at(11))
        feed.send()
        first = next(one for one in stream if one.event == "grade")
        assert (first.id, first.data["data"]["grade"], first.data["data"]["status"]) == (str(head + 1), None, SUSPENDED)
        begun_ = wait_for(stream, "suspended")
        assert (begun_["subject"], begun_["sequence"], begun_["since"], begun_["until"]) == (
            LATE,
            str(head + 1),
            "2026-01-11",
            "2026-01-20",
        )
    assert held(api, LATE) == (None, SUSPENDED)
    with reading(f"{api.url}/api/v1/stream?since={head}&grade=A") as stream:
        again = next(one for one in stream if one.event == "grade")
        assert (again.id, again.data["data"]["grade"]) == (str(head + 1), None), "it is as little chosen by its grade when it is sent again"
    feed.grade(rests(LATE, "C", [], 22, at(12), previous_grade="D", previous_status="graded"), ms=at(12))
    feed.send()
    api.settled()
    assert held(api, LATE) == ("C", "graded"), "the newest grade rests on it no more"
    with reading(f"{api.url}/api/v1/stream?since={head}&subject={LATE}") as stream:
        hidden, open_ = next(stream), next(stream)
        assert (hidden.data["data"]["grade"], open_.data["data"]["grade"], open_.data["data"]["previous_grade"]) == (None, "C", None)
        assert open_.data["data"]["previous_status"] == SUSPENDED
    assert "max-age=0" in api.get(SETTLED).headers["cache-control"], "what is kept back today may be told tomorrow"


def test_a_stay_that_comes_after_the_grade_hides_it_and_its_lifting_shows_it_again(api: Publication) -> None:
    feed = Feed(api.stack.bootstrap)
    feed.fact(penalty(LIFTED, 301), ms=at(12))
    (offset,) = feed.send()
    feed.grade(rests(LIFTED, "D", [(301, offset)], 31, at(12)), ms=at(12))
    feed.send()
    api.settled()
    assert held(api, LIFTED) == ("D", "graded")
    head = api.status()["seq"]["head"]
    with reading(f"{api.url}/api/v1/stream?subject={LIFTED}") as stream:
        assert wait_for(stream, "suspensions")["items"] == []
        feed.fact(stay(LIFTED, 302, 301, "2026-01-05"), ms=at(13))
        feed.send()
        assert wait_for(stream, "suspended")["until"] is None
        assert held(api, LIFTED) == (None, SUSPENDED)
        lifting = {"occurred_on": "2026-01-13", "document_no": "复1", "authority": "样例法院", "act": {"source": OFFICE, "id": named(301)}}
        feed.fact(event(LIFTED, "stay.lifted", lifting | {"stay": named(302), "from_day": "2026-01-15"}), ms=at(14))
        feed.send()
        api.settled()
        assert held(api, LIFTED) == (None, SUSPENDED), "until the day before"
        assert wait_for(stream, "suspended")["until"] == "2026-01-14"
        clock(api, at(15, hours=0))
        again = wait_for(stream, "resumed")
        assert (again["change"]["sequence"], again["change"]["data"]["grade"]) == (str(head), "D")
    assert held(api, LIFTED) == ("D", "graded")
    retracted = {"occurred_on": "2026-01-15", "entry": {"source": OFFICE, "id": named(303)}, "ground": "other", "origin": "self_reported"}
    feed.fact(stay(LIFTED, 303, 301, "2026-01-05"), ms=at(15))
    feed.send()
    api.settled()
    assert held(api, LIFTED) == (None, SUSPENDED)
    feed.fact(event(LIFTED, "entry.retracted", retracted | {"reason": "x"}), ms=at(15))
    feed.send()
    api.settled()
    assert held(api, LIFTED) == ("D", "graded")


def test_a_rebuild_and_a_start_keep_the_same_back(api: Publication) -> None:
    before = rows(api, "SELECT * FROM suspension ORDER BY 1, 4"), rows(api, "SELECT * FROM stayed_act ORDER BY 1, 2, 5, 6")
    assert len(before[0]) == 3
    done = rebuild(api)
    assert done.returncode == 0, done.stderr
    after = rows(api, "SELECT * FROM suspension ORDER BY 1, 4"), rows(api, "SELECT * FROM stayed_act ORDER BY 1, 2, 5, 6")
    assert after == before and not any(tells(api).values())
    rows(api, "DELETE FROM suspension WHERE seq IN (SELECT min(seq) FROM suspension)")
    rows(api, "UPDATE suspension SET from_ms = 0")
    row = "SELECT 1, subject, regime, 0, NULL::bigint, since, NULL::date, stay_subject, 0, 0, stay_id, NULL::date FROM suspension LIMIT 1"
    rows(api, f"INSERT INTO suspension {row}")
    api.kill()
    api.start()
    api.settled()
    assert rows(api, "SELECT * FROM suspension ORDER BY 1, 4") == before[0]


def test_the_reading_role_can_not_read_past_the_views(api: Publication) -> None:
    with psycopg.connect(api.stack.dsn("mj_publication_read"), autocommit=True) as reader:
        assert reader.execute("SELECT grade FROM shown_grade WHERE subject = %s", (SHOP,)).fetchall() == [(None,)]
        for table in ("change", "grade", "list_member", "list_change", "part"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(f"SELECT FROM {table}")


def test_on_the_last_day_nothing_is_told_and_on_the_day_after_it_everything_is(api: Publication) -> None:
    clock(api, at(21, hours=0) - 1)
    assert [path for path, told in tells(api).items() if told] == []
    with reading(f"{api.url}/api/v1/stream?grade=E") as stream:
        assert [one["subject"] for one in wait_for(stream, "suspensions")["items"]] == [SHOP]
        clock(api, at(21, hours=0))
        again = until(lambda: wait_for(stream, "resumed"))
        assert (again["subject"], again["change"]["data"]["grade"]) == (SHOP, "E")
    assert [path for path, told in tells(api).items() if not told and path != "start page"] == []
    (day,) = api.get(f"{SUBJECT}/grades?as_of=2026-01-15").json()["grades"]
    assert (day["grade"], day["suspended"]) == ("E", None), "which grade held is told again, of the days of the stay too"
    assert "max-age=86400" in api.get(SETTLED).headers["cache-control"]
