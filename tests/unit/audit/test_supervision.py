"""The yearly report: late entries as planted, outcomes as decided, cleared nowhere as guilt, and an outside edition that betrays nobody."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
from axe_playwright_python.sync_playwright import Axe
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, sync_playwright
from typer.testing import CliRunner

from schemas.topics import FACTS
from services._cli.sample.people import OFFICERS
from services.audit import cli_supervision
from services.audit.domain.disclosed import LEAST, PEOPLE, Outside, outside
from services.audit.domain.found import Assessed, Fate, Findings, Matter, fate
from services.audit.domain.hearings import hearings
from services.audit.domain.supervision import Row, Told, Year
from services.audit.supervision import making
from services.audit.supervision.page import page
from services.audit.supervision.reading import FromBundle
from services.audit.supervision.tables import as_csv, as_json
from tests import hearing as h
from tests import supervised as s
from tests import toolkit as kit
from tests.unit.audit.bundled import BundleWorld, made

YEAR = 2026


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def town(repository: Path) -> Any:
    return s.town_of(repository, enterprises=30, years=2)


@pytest.fixture(scope="module")
def history(repository: Path, town: Any) -> s.Memory:
    """A town with: the first late entry confirmed, the second cleared on appeal, the third being heard; one assessed."""
    made = s.recorded(repository, town)
    found = s.findings_of(made, YEAR)
    keys = {one.pseudonym: one.key(town.plan.seed) for one in OFFICERS}
    for place, finding in enumerate(found[:3]):
        notice, reply, first, appeal, last = whole_hearing(finding)
        s.take(made, ([notice, reply, first], [notice, reply, first, appeal, last], [notice])[place], keys=keys)
    s.assess(made, found[0], 4, 6)
    s.assess(made, found[1], 9, 9)
    s.assess(made, found[2], 0, 0)
    s.close(made, "2026-11-22")
    s.scan(made, "late_entry", "2026-11-22", hits=len(found))
    s.scan(made, "heaping", "2026-06-30", hits=1, alpha="0.01")
    s.scan(made, "heaping", "2025-12-31", hits=1, alpha="0.01")
    return made


def whole_hearing(finding: dict[str, Any]) -> list[dict[str, Any]]:
    """Notice, reply, decision that confirms, appeal, decision that clears, of the office whose entry it is."""
    office, subject = finding["data"]["office"], finding["subject"]
    who = next(one for one in OFFICERS if one.office == office and one.role == "officer")
    by = kit.Person(who.name, "officer", office)
    names: dict[str, Any] = {"matter": finding["data"].get("matter", finding["id"]), "finding": finding["id"]}
    entry = {"source": office, "id": finding["data"]["event"]["id"]}
    notice = h.notified(subject, day="2026-09-01", reply_by="2026-09-15", entries=[entry], concerns=[], **names)
    reply = h.replied(subject, day="2026-09-10", by=by, **names)
    first = h.decided(subject, day="2026-09-20", appeal_by="2026-10-20", **names)
    appeal = h.appealed(first, day="2026-09-25", by=by, **names)
    return [notice, reply, first, appeal, h.decided_on(appeal, day="2026-10-20", **names)]


@pytest.fixture(scope="module")
def year(history: s.Memory) -> Year:
    return making.supervised(history, YEAR, making.register(history))


def test_late_entries_are_those_that_were_planted(town: Any, year: Year) -> None:
    """By the generator's own book-keeping, which shares no code with the rule: as many, of the same offices, as late."""
    planted = [one for one in town.planted if one.get("working_days_late") and one["entered_on"].startswith(str(YEAR))]
    late = [one.late for one in year.matters if one.late is not None]
    assert Counter(max(1, one["working_days_late"]) for one in planted) == Counter(one.working_days for one in late)
    assert sum(row.late + row.late_cleared for row in year.offices) == len(planted) > 3


def test_offices_are_the_sums_of_their_officers(history: s.Memory, year: Year) -> None:
    for name in ("entries", "with_term", "late", "late_cleared", "migrated"):
        by_officer: Counter[str] = Counter()
        for row in year.officers:
            by_officer[row.office] += getattr(row, name)
        assert {row.office: getattr(row, name) for row in year.offices} == {row.office: by_officer[row.office] for row in year.offices}
    received = [orjson.loads(one.value or b"")["entry"]["received_at"] for one in history.topics[FACTS] if one.key != b"control"]
    # The town's nights are quiet: nothing is received in the hours in which the two calendars differ.
    assert sum(row.entries for row in year.offices) == sum(one.startswith(str(YEAR)) for one in received)


def test_outcomes_are_told_and_cleared_counts_nowhere_as_late(year: Year) -> None:
    totals = {what: sum(row.total(what) for row in year.offices) for what in ("confirmed", "cleared", "hearing")}
    assert totals == {"confirmed": 1, "cleared": 1, "hearing": 1}
    assert sum(row.late_cleared for row in year.offices) == sum(row.late_cleared for row in year.officers) == 1
    assert sum(sum(row.delays) for row in year.offices) == sum(row.late for row in year.offices)
    moved = [(row.moved, row.least, row.most) for row in year.offices if row.moved]
    assert moved == [(1, 4, 6)], "nine days of the cleared one are in no number, and one without effect moved nothing"
    assert sum(row.unassessed for row in year.offices) == sum(row.late for row in year.offices) - 2


def test_the_cleared_one_is_nowhere_shown_as_guilt(year: Year) -> None:
    cleared = next(one for one in year.matters if one.fate == "cleared")
    told = next(one for one in as_json(year, edition="console", sample=True)["matters"] if one["matter"] == cleared.matter.matter)
    assert (told["became"], told["outcome"], told["working_days_late"]) == ("cleared", "cleared", None)
    assert cleared.matter.assessed is not None and cleared.matter.assessed.consequence == "circulated_criticism"
    assert told["effect"]["consequence"] == "none", "what a night told before it was cleared holds nothing against anybody"
    html = page(year, edition="console", sample=True)
    row = next(part for part in html.split("<tr>") if cleared.matter.matter in part)
    assert "已澄清" in row and "cleared" in row
    assert not [word for word in ("逾期</span>", "认定成立", "confirmed", "未处理", "天</span>") if word in row.partition("</tr>")[0]]
    table = list(csv.DictReader(io.StringIO(as_csv(year, edition="console")["findings.csv"])))
    assert [(one["became"], one["consequence"]) for one in table if one["matter"] == cleared.matter.matter] == [("cleared", "none")]
    assert {one["consequence"] for one in table if one["became"] == "confirmed"} == {"circulated_criticism"}


def test_the_outside_edition_names_no_officer_and_nothing_undecided(year: Year) -> None:
    said = [page(year, edition="outside", sample=True), json.dumps(as_json(year, edition="outside", sample=True))]
    said += as_csv(year, edition="outside").values()
    for text in said:
        assert not [one.name for one in OFFICERS if one.name in text]
        assert not [one.matter.matter for one in year.matters if one.matter.matter in text]
        assert "officer:" not in text and ">Hits<" not in text and '"hits"' not in text and ",hits" not in text
    retail = next(one for one in as_json(year, edition="outside", sample=True)["offices"] if one["few"])
    assert (retail["confirmed"], retail["cleared"], set(retail["few"])) == (None, None, {"confirmed", "cleared"})


def test_the_page_says_that_it_is_a_sample_and_what_scans_ran(year: Year) -> None:
    html = page(year, edition="console", sample=True)
    assert "样例数据" in html and "SAMPLE DATA" in html and "样例数据" not in page(year, edition="console", sample=False)
    assert [(one["detector"], one["through"], one["alpha"]) for one in as_json(year, edition="console", sample=True)["scans"]] == [
        ("heaping", "2026-06-30", "0.01"),
        ("late_entry", "2026-11-22", None),
    ]
    assert "<script" not in html and "http" not in html


def test_a_fact_that_nobody_signed_accuses_nobody(history: s.Memory, year: Year) -> None:
    forged = s.Memory({topic: list(records) for topic, records in history.topics.items()}, history.books)
    late = s.findings_of(forged, YEAR)[-1]["data"]["event"]["offset"]
    record = forged.topics[FACTS][late]
    envelope = orjson.loads(record.value or b"")
    envelope["signature"]["value"] = kit.key("nobody").signature(envelope["event"])["value"]
    forged.topics[FACTS][late] = type(record)(*(getattr(record, name) for name in record.__slots__[:-1]), orjson.dumps(envelope))
    after = making.supervised(forged, YEAR, making.register(forged))
    assert after.unsigned == 1
    assert sum(row.late for row in after.offices) == sum(row.late for row in year.offices) - 1


@pytest.mark.parametrize(
    ("edition", "width", "scheme"),
    [("console", 1440, "light"), ("console", 390, "dark"), ("outside", 1440, "dark"), ("outside", 390, "light")],
)
def test_the_page_is_readable_for_everyone(year: Year, tmp_path: Path, browser: Browser, edition: str, width: int, scheme: str) -> None:
    """Wide and narrow, light and dark: axe-core finds nothing, and nothing runs out at the side."""
    (tmp_path / "index.html").write_text(page(year, edition=edition, sample=True), encoding="utf-8")
    shown = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    shown.goto((tmp_path / "index.html").as_uri())
    result = Axe().run(shown)
    assert 0 == result.violations_count, result.generate_report()
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    shown.close()


FINDING = {"kind": "late_entry", "about": "entry", "office": kit.OFFICE, "detail_zh": "一", "detail_en": "one"}


def raised(number: str, time: str = "2026-03-01T04:00:00.000Z", **more: Any) -> dict[str, Any]:
    return {
        "id": kit.new_id(number),
        "type": "mingjian.finding.raised.v1",
        "subject": f"office:{kit.OFFICE}",
        "time": time,
        "data": FINDING | more,
    }


def test_of_a_matters_findings_the_last_stands_and_a_retracted_one_ends_it() -> None:
    found = Findings("Asia/Shanghai")
    entry = {"event": {"id": "e", "topic": "t", "partition": 0, "offset": 1}}
    for one in (
        raised("a", **entry),
        raised("b", "2026-12-01T04:00:00.000Z", kind="late_entry_retracted", **entry),
        raised("c", matter="m"),
    ):
        found.take(one)
    assert {name: (one.retracted, len(one.findings), one.raised_on) for name, one in found.matters.items()} == {
        kit.new_id("a"): (True, 2, date(2026, 3, 1)),
        "m": (False, 1, date(2026, 3, 1)),
    }
    found.take(raised("d", matter="m", retracted=True))
    assert fate(found.matters["m"], None) == "retracted"
    found.take({"type": "mingjian.finding.raised.v1", "id": "x", "subject": "office:/x", "time": "no time", "data": {}})
    assert found.unreadable == 1


def test_the_newest_assessment_of_a_matter_stands_whichever_comes_first() -> None:
    found = Findings("Asia/Shanghai")
    base = kit.golden("finding.assessed")
    for time, most in (("2026-05-01T04:00:00.000Z", 7), ("2026-04-01T04:00:00.000Z", 3)):
        found.take(base | {"time": time, "data": base["data"] | {"matter": "m", "most": most, "least": 0}})
    found.take(raised("a", matter="m"))
    assert found.matters["m"].assessed is not None and found.matters["m"].assessed.most == 7


def test_of_a_shop_and_its_chain_the_most_days_are_told_and_the_gravest_of_what_follows() -> None:
    """Each of both has an assessment that stands; their days may be the same days, so they are not added up."""
    found = Findings("Asia/Shanghai")
    base = kit.golden("finding.assessed")
    follows = base["data"]["consequence"]
    for affected, kind, least, most in (
        ("uscc:shop", "circulated_criticism", 5, 5),
        ("uscc:chain", "none", 0, 30),
        ("uscc:shop", "none", 4, 6),
    ):
        said = {"matter": "m", "affected": affected, "least": least, "most": most, "consequence": follows | {"kind": kind}}
        found.take(base | {"data": base["data"] | said})
        if most == 30:
            found.take(raised("a", matter="m"))
            told = found.matters["m"].assessed
            assert told and (5, 30, "circulated_criticism") == (told.least, told.most, told.consequence)
    told = found.matters["m"].assessed
    assert told and (4, 30, "none") == (told.least, told.most, told.consequence)


def test_an_officers_own_hearing_counts_for_them() -> None:
    matter = Matter(h.MATTER, ["f"], "late_entry", "entry", date(2027, 1, 1))
    one = hearings(h.steps(h.notified(), h.replied(), h.decided(outcome="cleared"), h.notified(kit.COLLEAGUE.pseudonym)))[h.MATTER]
    assert (fate(matter, one, h.HEARD), fate(matter, one, kit.COLLEAGUE.pseudonym), fate(matter, one)) == ("cleared", "hearing", "hearing")


def told(number: int, office: str, officer: str, what: Fate, *, kind: str = "late_entry", most: int = 0) -> Told:
    matter = Matter(f"m{number}", ["f"], kind, "entry", date(2026, 1, 1), office=office, concerns=(officer,))
    matter.assessed = Assessed(0, most, 0, most, 0, "none", "")
    return Told(matter, what, (officer,), None, None)


MATTERS = st.lists(
    st.tuples(
        st.sampled_from("AB"), st.sampled_from("pqrs"), st.sampled_from(["confirmed", "cleared", "undecided", "hearing"]), st.booleans()
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(MATTERS, MATTERS)
def test_no_number_of_the_outside_edition_is_small_or_gives_a_small_one_away(some: list[Any], more: list[Any]) -> None:
    """Counts that are given are 0 or at least LEAST, of at least PEOPLE officers; and so is what is left of a sum, or of a whole less its
    part, where both are given."""
    matters = [told(n, office, officer, what, most=int(moved)) for n, (office, officer, what, moved) in enumerate([*some, *more])]
    people = [Row(office, officer) for office in "AB" for officer in "pqrs"]
    rows, whole = outside(Year(2026, None, [Row("A", entries=9), Row("B", entries=9)], people, matters, [], 0, 0, 0))

    def fine(n: int | None) -> bool:
        return n is None or n == 0 or n >= LEAST

    for row in (*rows, whole):
        of = [one for one in matters if row.office in (None, one.matter.office)]
        assert all(fine(getattr(row, name)) for name in ("confirmed", "cleared", "late", "moved"))
        if row.confirmed:
            assert row.confirmed == sum(one.fate == "confirmed" for one in of)
            assert len({one.officers for one in of if one.fate == "confirmed"}) >= PEOPLE
        if row.confirmed is not None and row.late is not None:
            assert fine(row.confirmed - row.late)
        if row.late is not None and row.moved is not None:
            assert fine(row.late - row.moved)
        assert (row.least is None) == (row.moved is None)
        for name in row.few:
            assert getattr(row, name) is None
    for name in ("confirmed", "cleared", "late", "moved"):
        hidden = [row for row in rows if getattr(row, name) is None]
        if getattr(whole, name) is not None:
            assert len(hidden) != 1
    assert isinstance(whole, Outside)


def test_a_bundle_for_auditors_is_read_without_any_server(tmp_path: Path) -> None:
    """The whole log of it; a bundle in which a byte was changed is refused with the file's name."""
    world = BundleWorld()
    world.publish()
    folder = made(tmp_path / "bundle", world.store.read).folder
    arguments = ["supervision-report", "--year", "2026", "--bundle", str(folder)]
    done = CliRunner().invoke(cli_supervision.app, [*arguments, "--to", str(tmp_path / "report")])
    assert done.exit_code == 0, done.output
    told = json.loads((tmp_path / "report" / "supervision.json").read_text())
    facts = sum(one.topic == FACTS and one.key != b"control" for one in FromBundle(folder).each(FACTS))
    assert facts > 0 and told["edition"] == "console" and told["unreadable"] < facts
    again = CliRunner().invoke(cli_supervision.app, [*arguments, "--to", str(tmp_path / "report")])
    assert again.exit_code == 2 and "--to" in again.output
    genesis = folder / "genesis.json"
    genesis.write_bytes(genesis.read_bytes() + b" ")
    broken = CliRunner().invoke(cli_supervision.app, [*arguments, "--to", str(tmp_path / "other")])
    assert broken.exit_code == 1 and "genesis.json" in broken.output and not (tmp_path / "other").exists()
