"""What a hearing decided, in the effect of its matter: as of the close by which it is asked, at night, on demand and over a bundle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from schemas.envelope import Opened
from schemas.topics import REGISTRY
from services.audit.assessing import Effects, Given, all_effects, effects_of, read_partition, registry_of
from services.audit.domain.matters import standing_matters
from services.audit.domain.signs import Found
from services.audit.grades_check import books_in
from services.audit.nightly_effects import found_of, name_of, standing_answers
from services.audit.reading import opened
from tests import hearing as h
from tests.cases.ledger import RULEBOOKS
from tests.unit.audit.bundled import event, genesis, made, signed
from tests.unit.audit.heard import keys, steps
from tests.unit.audit.test_effect_bundle import FINDING, Late, asked

FOUND = {"intent": "on_purpose", "grade_affected": True, "consequence": "referral_for_accountability", "clause": "五(三) ¶4"}
NOTICE, REPLY, ON_PURPOSE = h.on_matter(FINDING, h.notified(), h.replied(), h.decided(**FOUND))
(AGAINST,) = h.on_matter(FINDING, h.appealed(ON_PURPOSE))
(CLEARED,) = h.on_matter(FINDING, h.decided_on(AGAINST))
(SENT_BACK,) = h.on_matter(FINDING, h.decided_on(AGAINST, outcome="remitted"))


class Hall(Late):
    """The late fine, with people who have keys; steps and closes come when a test says so. ``on_record``: what nights told."""

    def __init__(self) -> None:
        super().__init__()
        self.on_record: list[Found] = []
        for key, value in keys(len(self.kafka[REGISTRY, 0])):
            self.add(REGISTRY, 0, key, value)

    def hear(self, *events: dict[str, Any]) -> None:
        for key, value in steps(len(self.kafka[REGISTRY, 0]), *events):
            self.add(REGISTRY, 0, key, value)

    def close(self, through: str) -> None:
        """The close of a day, which the partitions have as well."""
        number = 0x700 + len(self.kafka[REGISTRY, 0])
        said = event(number, "day.closed", "stack:test", {"through": through, "time_zone": "Asia/Shanghai"})
        self._broadcast(b"stack:test", signed(said), (), 1_830_000_000_000 + number)

    def effects(self) -> Effects:
        return Effects(books_in(RULEBOOKS), registry_of(self.registry(), genesis()), "mingjian 0")

    def night(self) -> list[str]:
        """The consequences that a night tells: of answers that are others than those that stand, each under an id of its own."""
        findings = [one.event for record in self.findings() if (one := opened(record))]
        matters = [one for one in standing_matters(findings) if one.id == FINDING]
        stands = standing_answers(one.value for one in self.on_record)
        new = [one for one in all_effects(self, self.effects(), matters) if stands.get(name_of(one.answer.data)) != one.answer.digest]
        # PostgreSQL keeps what has a new id, and nothing else.
        assert not {one.answer.id for one in new} & {one.id for one in self.on_record}
        self.on_record += map(found_of, new)
        return [one.answer.data["consequence"]["kind"] for one in new]


def asked_now(hall: Hall) -> Given:
    (given,) = effects_of(hall, books_in(RULEBOOKS), genesis(), "mingjian 0", FINDING)
    return given


def kind_of(given: Given) -> str:
    return str(given.answer.data["consequence"]["kind"])


def test_a_night_tells_anew_what_a_hearing_turned_and_nothing_else() -> None:
    """Found on purpose, sent back, and the hearing begun anew, each in its own day: told once each, and the same on demand."""
    hall = Hall()
    assert ["circulated_criticism"] == hall.night()
    hall.hear(NOTICE, REPLY)
    hall.close("2027-03-11")
    assert [] == hall.night(), "a notice and a reply turn nothing"
    hall.hear(ON_PURPOSE)
    hall.close("2027-03-21")
    assert ["referral_for_accountability"] == hall.night()
    hall.close("2027-03-22")
    assert [] == hall.night()
    hall.hear(AGAINST, SENT_BACK)
    hall.close("2027-04-21")
    assert ["circulated_criticism"] == hall.night(), "the very answer of the first night, and told all the same"
    assert hall.on_record[0].data["consequence"] == hall.on_record[2].data["consequence"]
    assert hall.on_record[-1].data == dict(asked_now(hall).answer.data)


def test_an_appeal_that_clears_takes_it_away() -> None:
    hall = Hall()
    hall.hear(NOTICE, REPLY, ON_PURPOSE)
    hall.close("2027-03-21")
    assert ["referral_for_accountability"] == hall.night()
    hall.hear(AGAINST, CLEARED)
    hall.close("2027-04-21")
    assert ["none"] == hall.night()
    assert (given := asked_now(hall)).since.cleared and "none" == kind_of(given)
    assert given.answer.data["cause"]["id"] == CLEARED["id"]


def test_it_is_asked_as_of_the_close_and_what_came_since_is_told_beside_it() -> None:
    """The day before, the day and the day after the term to appeal has run out; and a decision that came after the close."""
    hall = Hall()
    hall.hear(NOTICE, REPLY)
    hall.close("2027-03-19")
    hall.hear(ON_PURPOSE)
    given = asked_now(hall)
    assert ("circulated_criticism", True) == (kind_of(given), given.since.purpose)
    hall.close("2027-04-11")
    # The close of the last day to appeal, whose copies have not come into the partitions yet.
    said = event(0x6FF, "day.closed", "stack:test", {"through": "2027-04-12", "time_zone": "Asia/Shanghai"})
    hall.add(REGISTRY, 0, b"stack:test", signed(said))
    assert "not final" in asked_now(hall).answer.data["consequence"]["why_en"]
    hall.kafka[REGISTRY, 0].pop()
    for through, final in (("2027-04-11", False), ("2027-04-12", True), ("2027-04-13", True)):
        hall.close(through)
        given = asked_now(hall)
        assert "referral_for_accountability" == kind_of(given)
        assert final == ("not final" not in given.answer.data["consequence"]["why_en"])


def test_before_any_close_all_that_is_known_counts() -> None:
    hall = Hall()
    for records in hall.kafka.values():
        records[:] = [one for one in records if b"day.closed" not in (one.value or b"")]
    hall.kafka[REGISTRY, 0] = [replace(one, offset=number) for number, one in enumerate(hall.kafka[REGISTRY, 0])]
    hall.hear(NOTICE, REPLY, ON_PURPOSE)
    given = asked_now(hall)
    assert (True, "referral_for_accountability") == (given.so_far, kind_of(given))
    assert "not final" in given.answer.data["consequence"]["why_en"]


def test_who_acted_in_the_entry_finds_no_purpose_and_clears_nobody() -> None:
    hall = Hall()
    hall.hear(NOTICE, REPLY, ON_PURPOSE)
    hall.close("2027-03-21")
    (matter,) = [one for one in standing_matters([opened(one).event for one in hall.findings()[1:]]) if one.id == FINDING]  # type: ignore[union-attr]
    facts, entries = read_partition(hall, matter.entry.partition, [matter.entry.offset])
    one = entries[matter.entry.offset]
    notice = NOTICE | {"data": NOTICE["data"] | {"entries": [{"source": one.event["source"], "id": one.event["id"]}]}}
    for officer, expected in ((h.OTHER_DECIDER, "referral_for_accountability"), (h.DECIDER, "circulated_criticism")):
        hall = Hall()
        hall.hear(notice, REPLY, ON_PURPOSE)
        hall.close("2027-03-21")
        data = one.event["data"] | {"officers": [officer.pseudonym]}
        acted = {matter.entry.offset: Opened({**one.event, "data": data}, one.signature, one.entry)}
        facts, _ = read_partition(hall, matter.entry.partition, [])
        assert [expected] == [*map(kind_of, hall.effects().of_matter(facts, acted, [matter], matter))]


def _told(folder: Path, *since: dict[str, Any]) -> tuple[int, str]:
    """What the command says over a bundle of a matter found on purpose by the close, with these steps after it."""
    hall = Hall()
    hall.hear(NOTICE, REPLY, ON_PURPOSE)
    hall.close("2027-03-21")
    hall.hear(*since)
    hall.publish()
    made(folder, hall.store.read)
    code, out, _ = asked(FINDING, "--bundle", str(folder))
    return code, out


def test_on_the_command_line_a_cleared_matter_proposes_nothing(tmp_path: Path) -> None:
    """Also where it was cleared after the last close: the event is as of that, the words are not."""
    code, out = _told(tmp_path / "found")
    assert code == 0 and "proposed, for people to decide: referral for accountability (五(三) ¶4" in out
    assert "The decision is not final yet." in out and "cleared" not in out.lower()

    code, out = _told(tmp_path / "cleared", AGAINST, CLEARED)
    lines = out.splitlines()
    assert code == 0 and "Cleared in the hearing" in lines[0] and "已澄清" in lines[1], lines[:4]
    assert "proposed: none" in lines and "referral" not in out and "on purpose" not in out and "故意" not in out
    assert "26 to 66 days" in out, "the days stay: they are what was shown"


def test_a_referral_that_was_sent_back_since_the_close_is_not_shown(tmp_path: Path) -> None:
    _, out = _told(tmp_path / "bundle", AGAINST, SENT_BACK)
    assert "proposed, for people to decide: none" in out and "no longer holds" in out and "referral" not in out
