"""Two times over publication alone: two regimes of one subject, a go-live to come, a rating that was late, grades of an older version."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from schemas.times import instant
from tests.integration.publication_feed import OFFICE, START_MS, Feed, event, grade, partition_of
from tests.integration.publication_service import Publication, begun
from tests.stack_fixtures import temporary_stack

pytestmark = pytest.mark.stack
SHOP = "uscc:91350100M000100Y43"
DAY_MS = 86_400_000
REGISTERED = {"occurred_on": "2020-01-01", "name": "样例大药房", "business_kind": "drug_retail", "regimes": ["liyujiang"]}
ONE, TWO, THREE = START_MS + DAY_MS, START_MS + 10 * DAY_MS, START_MS + 20 * DAY_MS
"""2026-01-02, 01-11, 01-21, all at 08:00 in China."""


def told(letter: str, offset: int, known_ms: int, *, since: str, regime: str = "liyujiang", **more: Any) -> dict[str, Any]:
    """A grade whose cause stands at an offset and was known at an instant."""
    id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{regime}/{offset}"))
    place = {"topic": "mingjian.facts.v1", "partition": partition_of(SHOP), "offset": offset, "id": id, "source": OFFICE}
    cause = place | {"type": "mingjian.penalty.decided.v1", "known_from": instant(known_ms)}
    made = grade(SHOP, letter, regime=regime, cause=id, ms=known_ms, in_force_from=since, clauses=["三(二)3(2)"])
    made["data"] |= {"cause": cause, **more}
    return made


@pytest.fixture(scope="module")
def api() -> Iterator[Publication]:
    """A, then C; and what was known between them (B) is told last, because rating made up for it late."""
    with temporary_stack() as stack:
        stack.start_servers("simulated")
        made = begun(stack)
        feed = Feed(stack.bootstrap)
        feed.registry(event("regime:fhrs", "go_live.declared", {"occurred_on": "2026-01-15", "regime": "fhrs"}), ms=START_MS)
        feed.fact(event(SHOP, "enterprise.registered", REGISTERED, ms=START_MS), ms=START_MS)
        feed.fact(event(SHOP, "inspection.recorded", {"occurred_on": "2026-01-20", "kind": "routine", "mode": "on_site"}), ms=THREE + 1)
        feed.grade(told("A", 10, ONE, since="2026-01-02"), ms=ONE)
        feed.grade(told("C", 30, THREE, since="2026-01-21"), ms=THREE)
        feed.grade(told("B", 20, TWO, since="2026-01-11"), ms=THREE + DAY_MS)
        feed.grade(told("5", 11, ONE, since="2026-01-02", regime="fhrs"), ms=ONE)
        older = told("3", 31, THREE, since="2026-01-21", regime="fhrs")
        older["data"]["cause"] = {name: older["data"]["cause"][name] for name in ("topic", "partition", "offset", "id")}
        feed.grade(older, ms=THREE)
        feed.send()
        made.settled()
        yield made


def held(api: Publication, **query: str) -> dict[str, Any]:
    """Regime → grade, or why there is none."""
    answer = api.get(f"/api/v1/subjects/{SHOP}/grades", params=query)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return {one["regime"]: one["grade"] for one in body["grades"]} | {one["regime"]: one["reason"] for one in body["unanswered"]}


def test_two_regimes_of_one_subject_are_answered_side_by_side(api: Publication) -> None:
    assert held(api, known_at=instant(THREE)) == {"liyujiang": "C", "fhrs": "3"}
    assert held(api, known_at=instant(THREE), as_of="2026-01-20") == {"liyujiang": "B", "fhrs": "5"}
    assert held(api, known_at=instant(THREE), regime="fhrs") == {"fhrs": "3"}


def test_what_rating_told_late_was_known_when_its_cause_was(api: Publication) -> None:
    assert held(api, known_at=instant(TWO), regime="liyujiang") == {"liyujiang": "B"}
    assert held(api, known_at=instant(TWO - 1), regime="liyujiang") == {"liyujiang": "A"}
    assert held(api, regime="liyujiang") == {"liyujiang": "C"}, "and covers nothing that was caused later"


def test_before_a_regime_goes_live_as_declared_by_then_it_has_no_answer(api: Publication) -> None:
    assert held(api, known_at=instant(ONE)) == {"liyujiang": "A", "fhrs": "before-go-live"}
    body = api.get(f"/api/v1/subjects/{SHOP}/grades/history", params={"known_at": instant(ONE)}).json()
    assert [one["regime"] for one in body["regimes"]] == ["liyujiang"] and body["unanswered"][0]["reason"] == "before-go-live"


def test_a_day_that_has_come_in_one_regime_s_zone_only_is_answered_for_that_one(api: Publication) -> None:
    evening = instant(THREE + 17 * 3_600_000)  # 01-22 01:00 in China, 01-21 17:00 in London
    assert held(api, known_at=evening, as_of="2026-01-22") == {"liyujiang": "C", "fhrs": "day-to-come"}
    assert api.get(f"/api/v1/subjects/{SHOP}/grades", params={"known_at": evening}).json()["as_of"] == "2026-01-21"


def test_a_grade_of_an_older_version_is_known_from_its_own_time_and_lacks_what_it_did_not_say(api: Publication) -> None:
    (one,) = api.get(f"/api/v1/subjects/{SHOP}/grades", params={"known_at": instant(THREE), "regime": "fhrs"}).json()["grades"]
    assert (one["known_from"], one["cause"]["source"], one["cause"]["type"]) == (instant(THREE), None, None)


def test_nobody_is_asked_again_about_what_is_settled(api: Publication) -> None:
    def caching(**query: str) -> str:
        return api.get(f"/api/v1/subjects/{SHOP}/grades", params=query).headers["cache-control"]

    assert caching(known_at=instant(TWO)) == "public, max-age=86400"
    assert caching(known_at=instant(THREE)) == caching() == "public, max-age=0, must-revalidate"


def test_lists_and_grades_of_a_day(api: Publication) -> None:
    page = api.get("/api/v1/grades", params={"known_at": instant(THREE), "as_of": "2026-01-20"}).json()
    assert [(one["regime"], one["grade"], one["in_force_from"]) for one in page["items"]] == [
        ("fhrs", "5", "2026-01-02"),
        ("liyujiang", "B", "2026-01-11"),
    ]
    assert (page["as_of"], page["next"], page["known_at"]) == ("2026-01-20", None, instant(THREE))
    silent = {one["regime"]: one["reason"] for one in page["unanswered"]}
    assert silent and not silent.keys() & {"fhrs", "liyujiang"} and set(silent.values()) == {"before-first-record"}
    first = api.get("/api/v1/grades", params={"known_at": instant(THREE), "limit": "1"}).json()
    second = api.get("/api/v1/grades", params={"known_at": instant(THREE), "limit": "1", "cursor": first["next"]}).json()
    assert [one["regime"] for one in (*first["items"], *second["items"])] == ["fhrs", "liyujiang"] and second["next"] is None
    assert api.get("/api/v1/grades", params={"known_at": instant(TWO), "cursor": first["next"]}).status_code == 422
    lists = {one["name"]: one["grades"] for one in api.get("/api/v1/lists").json()["items"]}
    best = next(name for name, grades in lists.items() if grades == ["A"])
    then, now = (api.get(f"/api/v1/lists/{best}", params={"known_at": instant(at)}).json() for at in (ONE, THREE))
    assert [(one["subject"], one["since"]) for one in then["items"]] == [(SHOP, "2026-01-02")] and now["items"] == []
    assert then["members"] is None and then["known_at"] == instant(ONE)


SUBJECT = f"/api/v1/subjects/{SHOP}"


@pytest.mark.parametrize(
    ("path", "code", "field"),
    [
        (f"{SUBJECT}/grades?as_of=2026-02-30", "day", "as_of"),
        (f"{SUBJECT}/grades?as_of=tomorrow", "day", "as_of"),
        (f"{SUBJECT}/grades?as_of=2199-01-01", "as-of-future", "as_of"),
        (f"{SUBJECT}/grades?as_of=2026-01-12&known_at=2026-01-11T00:00:00Z", "as-of-future", "as_of"),
        (f"{SUBJECT}/grades?known_at=2026-01-11", "instant", "known_at"),
        (f"{SUBJECT}/grades?known_at=2199-01-01T00:00:00Z", "known-at-future", "known_at"),
        (f"{SUBJECT}/grades?at=2026-01-11", "unknown-parameter", "at"),
        (f"{SUBJECT}/grades?as_of=2026-01-11&as_of=2026-01-12", "repeated-parameter", "as_of"),
        (f"{SUBJECT}/grades/history?as_of=2026-01-11", "as-of-now-only", "as_of"),
        (f"{SUBJECT}/grades/history?known_at=soon", "instant", "known_at"),
        (f"{SUBJECT}/grades/history/compare", "parameter", "known_at"),
        (f"{SUBJECT}/grades/history/compare?known_at=2026-01-11T00:00:00Z&compared_to=x", "instant", "compared_to"),
        (
            f"{SUBJECT}/grades/history/compare?known_at=2026-01-11T00:00:00Z&compared_to=2026-01-10T00:00:00Z",
            "instants-turned-round",
            "compared_to",
        ),
        (f"{SUBJECT}?as_of=2199-01-01", "as-of-future", "as_of"),
        ("/api/v1/grades?as_of=2199-01-01", "as-of-future", "as_of"),
        ("/api/v1/lists/exemplary?known_at=2199-01-01T00:00:00Z", "known-at-future", "known_at"),
        ("/api/v1/grades.csv?regime=fhrs&as_of=2026-01-11", "as-of-now-only", "as_of"),
    ],
)
def test_each_slip_says_what_where_and_how_to_mend(api: Publication, path: str, code: str, field: str) -> None:
    answer = api.get(path)
    said = answer.json()
    assert (answer.status_code, said["type"], said["field"]) == (422, f"urn:mingjian:problem:{code}", field)
    assert answer.headers["content-type"] == "application/problem+json" and said["detail_zh"] != said["detail_en"]
    if code not in ("unknown-parameter", "repeated-parameter", "parameter"):
        assert said["remedy_zh"] and said["remedy_en"]


def test_nobody_published_is_404(api: Publication) -> None:
    for path in ("grades", "grades/history", "grades/history/compare?known_at=2026-01-11T00:00:00Z"):
        assert api.get(f"/api/v1/subjects/fhrs:999/{path}").status_code == 404


def test_the_openapi_page_says_what_each_time_means(api: Publication) -> None:
    page = api.get("/api/v1/openapi.json").json()
    asked = {path: {one["name"] for one in entry["get"].get("parameters", ())} for path, entry in page["paths"].items()}
    times = {path for path, names in asked.items() if "known_at" in names}
    subject = "/api/v1/subjects/{id}"
    wanted = {subject, f"{subject}/grades", f"{subject}/grades/history", f"{subject}/grades/history/compare"}
    assert times == wanted | {"/api/v1/grades", "/api/v1/lists/{name}"}
    assert "never changes" in page["info"]["description"] and "reserved" not in page["info"]["description"]
    for path in times:
        for one in page["paths"][path]["get"]["parameters"]:
            if one["name"] in ("as_of", "known_at", "compared_to"):
                assert one["description"] and "pattern" in str(one["schema"])


def page_of(api: Publication, **query: str) -> httpx.Response:
    return api.get(f"/subjects/{SHOP}", params=query | {"lang": "en"})


def test_the_subject_s_page_answers_in_its_form_s_own_words(api: Publication) -> None:
    answer = page_of(api, as_of="2026-01-20", known_at="2026-01-05T12:00")
    assert answer.status_code == 422 and "was still to come" in answer.text and 'aria-invalid="true"' in answer.text
    then = page_of(api, as_of="2026-01-20", known_at="2026-01-21T08:00")
    assert then.status_code == 200 and "On 2026-01-20 (Tue), as known at 2026-01-21 (Wed) 08:00:00:" in then.text
    assert page_of(api, as_of="", known_at="").status_code == 200
    assert "day that exists" in page_of(api, as_of="x").text
