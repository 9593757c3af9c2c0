"""A whole hearing through the real intake: a late entry is found, its officer notified, heard, found to have done it on purpose, appeals
and is cleared. Every step is a leaf with its proof. The night after the decision tells a referral, the night after the appeal takes it
away; the outcome stands in both editions of the yearly report, and nowhere as guilt."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from schemas.keys import SigningKey
from schemas.rulebook import digest, load_rulebook
from schemas.times import milliseconds
from schemas.topics import FINDINGS
from services.audit import cli_effect, cli_hearing, cli_proofs, cli_supervision
from services.audit.regrading import Source
from services.audit.supervision.reading import FromKafka
from tests.cases.ledger import RULEBOOKS
from tests.integration.intake_desk import OFFICE, OFFICER, Desk, event, signed
from tests.stack_fixtures import temporary_stack

pytestmark = pytest.mark.stack
AUDIT_OFFICE = "/departments/food/offices/supervision"
SUBJECT = "uscc:91990000YL0000012A"


@dataclass
class Hall:
    """Desk, people with keys, and the steps that were taken with their receipts. ``today``: the simulated clock's day; the day before
    closes with the first record of a day."""

    desk: Desk
    keys: dict[str, SigningKey] = field(default_factory=dict)
    taken: list[tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=list)
    today: str = "2026-01-20"

    @property
    def now(self) -> str:
        return f"{self.today}T02:00:00.000Z"

    def post(self, submission: dict[str, Any]) -> Any:
        return self.desk.post(submission, **{"mingjian-simulated-at": self.now})

    def enrol(self, name: str, role: str, office: str = AUDIT_OFFICE) -> str:
        officer, self.keys[f"officer:{name}"] = f"officer:{name}", SigningKey.generate()
        day = {"occurred_on": "2020-01-01"}
        grant = {"role": role, "office": office, "schemes": ["uscc", "officer", "office"], "regimes": []}
        said = [
            ("officer.enrolled", {"office": office}),
            ("key.registered", {"key": self.keys[officer].public_object(), "channels": ["desk"]}),
            ("role.granted", grant),
        ]
        made = [self.desk.by_registrar(kind, officer, day | data) for kind, data in said]
        results = self.desk.batch(made, simulated_at=[self.now] * len(made))
        assert {one["status"] for one in results} == {201}, results
        return officer

    def findings(self, wanted: Callable[[dict[str, Any]], bool], number: int) -> list[dict[str, Any]]:
        """So many of what audit tells, once it has."""
        reading = FromKafka(Source(self.desk.stack.bootstrap), RULEBOOKS)
        end = time.monotonic() + 240
        while time.monotonic() < end:
            events = [orjson.loads(one.value or b"")["event"] for one in reading.each(FINDINGS)]
            if len(found := [one for one in events if wanted(one)]) >= number:
                return found
            time.sleep(0.3)
        raise AssertionError(f"audit told {len(found)} of {number}")

    def late_finding(self) -> dict[str, Any]:
        """The finding that audit raises of the late entry."""
        return self.findings(lambda one: one["data"].get("kind") == "late_entry", 1)[0]

    def assessed(self, number: int) -> list[dict[str, Any]]:
        """What nights told of its effect."""
        return self.findings(lambda one: one["type"] == "mingjian.finding.assessed.v1", number)

    def say(self, kind: str, by: str, data: dict[str, Any], *, office: str, subject: str = OFFICER) -> tuple[int, dict[str, Any]]:
        key = self.keys.get(by, self.desk.key)
        said = {"occurred_on": self.today} | data
        made = signed(event(f"finding.{kind}", subject, said, source=office, at_ms=milliseconds(self.now)), key)
        answer = self.post(made)
        if answer.status_code == 201:
            self.taken.append((made, answer.json()))
        body = answer.json()
        return answer.status_code, body | {
            "id": made["event"]["id"],
            "code": str(body.get("type", "")).rpartition("/")[2].rpartition(":")[2],
        }


@pytest.fixture(scope="module")
def hall() -> Iterator[Hall]:
    with temporary_stack() as stack:
        stack.start_servers("simulated")
        made = Hall(Desk.of(stack, "simulated"))
        made.desk.enrol(at=made.now)
        stack.start_services(["audit"])
        book = load_rulebook(RULEBOOKS / "liyujiang")
        active = {"regime": "liyujiang", "version": book.header.version, "sha256": digest(book), "in_force_from": "2005-01-01"}
        for kind, said in (("rulebook.activated", active), ("go_live.declared", {"regime": "liyujiang"})):
            answer = made.post(made.desk.by_registrar(kind, "regime:liyujiang", {"occurred_on": "2026-01-01"} | said))
            assert answer.status_code == 201, answer.text
        yield made


def ran(app: Any, *arguments: str, code: int = 0) -> str:
    found = CliRunner().invoke(app, list(arguments))
    assert found.exit_code == code, found.output
    return found.output


def test_a_whole_hearing_from_notice_to_the_decision_on_appeal(hall: Hall, tmp_path: Path) -> None:
    desk, home, bootstrap = hall.desk, hall.desk.stack.home, hall.desk.stack.bootstrap
    auditor, first, second = hall.enrol("auditor", "auditor"), hall.enrol("decider", "approver"), hall.enrol("second-decider", "auditor")
    helper = hall.enrol("helper", "approver")
    entry = signed(
        event(
            "inspection.recorded",
            SUBJECT,
            {"occurred_on": "2026-01-05", "kind": "routine", "mode": "on_site", "officers": [OFFICER, helper], "entered_by": OFFICER},
            at_ms=milliseconds(hall.now),
        ),
        desk.key,
    )
    assert hall.post(entry).status_code == 201
    finding = hall.late_finding()
    assert finding["data"]["concerns"] == [OFFICER]
    matter = {"matter": finding["data"].get("matter", finding["id"]), "finding": finding["id"]}
    later = "2199-01-15"
    served = {"document_no": "样例〔2026〕1号", "service": {"served_on": hall.today, "method": "handed_over"}}
    named = {"entries": [{"source": OFFICE, "id": entry["event"]["id"]}], "concerns": finding["data"]["concerns"]}
    decision = matter | served | {"grade_affected": False, "consequence": "none", "involved": [], "reasons": "样例：故障记录不全。"}
    opening = decision | {"instance": "first", "outcome": "confirmed", "intent": "on_purpose", "appeal_by": later}
    opening |= {"consequence": "referral_for_accountability", "clause": "五(三) ¶4"}
    reply = matter | {"replied_by": OFFICER, "waived": False, "excuse": "outage", "statement": "样例：当日断网。"}

    status, said = hall.say("replied", OFFICER, reply, office=OFFICE)
    assert (status, said["code"]) == (422, "hearing-not-notified")
    status, notice = hall.say(
        "notified", auditor, matter | served | named | {"reply_by": later, "clause": "五(三) ¶1"}, office=AUDIT_OFFICE
    )
    assert status == 201, notice
    status, said = hall.say("decided", first, opening | {"decided_by": first}, office=AUDIT_OFFICE)
    assert (status, said["code"]) == (422, "hearing-term-runs")
    status, said = hall.say("replied", auditor, reply | {"replied_by": auditor}, office=AUDIT_OFFICE)
    assert (status, said["code"]) == (403, "heard-is-another")
    assert hall.say("replied", OFFICER, reply, office=OFFICE)[0] == 201
    status, said = hall.say("decided", helper, opening | {"decided_by": helper}, office=AUDIT_OFFICE)
    assert (status, said["code"]) == (422, "decided-by-involved"), "who acted in the entry is known from intake's own table"
    status, said = hall.say("decided", first, opening | {"decided_by": first}, office=AUDIT_OFFICE)
    assert status == 201, said
    decided = said["id"]
    hall.today = "2026-01-21"
    appeal = matter | {"decision": said["id"], "appealed_by": OFFICER, "grounds": "样例：监测记录未计入。"}
    status, appealed = hall.say("appealed", OFFICER, appeal, office=OFFICE)
    assert status == 201, appealed
    effect = ("effect", finding["id"], "--kafka", bootstrap, "--genesis", str(home / "genesis.json"))
    referred = _referred(hall, decided, effect)
    served = {"document_no": "样例〔2026〕2号", "service": {"served_on": hall.today, "method": "handed_over"}}
    closing = decision | served | {"instance": "appeal", "appeal": appealed["id"], "outcome": "cleared", "intent": "not_examined"}
    status, said = hall.say("decided", first, closing | {"decided_by": first}, office=AUDIT_OFFICE)
    assert (status, said["code"]) == (422, "decided-by-involved")
    status, said = hall.say("decided", second, closing | {"decided_by": second}, office=AUDIT_OFFICE)
    assert status == 201, said
    _taken_away(hall, said["id"], referred, effect)

    assert [made["event"]["type"].split(".")[2] for made, _ in hall.taken] == ["notified", "replied", "decided", "appealed", "decided"]
    vkey = desk.genesis["event"]["data"]["log_vkey"]
    audit = f"http://127.0.0.1:{desk.stack.ports.audit}"
    for number, (made, _) in enumerate(hall.taken):
        own, proof, leaf = (tmp_path / f"{name}-{number}" for name in ("event.json", "proof", "leaf"))
        own.write_bytes(orjson.dumps(made))
        name = (made["event"]["source"], made["event"]["id"])
        ran(cli_proofs.app, "prove", *name, "--event", str(own), "--entry", str(leaf), "-o", str(proof), "--audit", audit, "--wait", "30")
        proved = ran(cli_proofs.app, "verify-proof", str(proof), "--vkey", vkey, "--entry", str(leaf), "--event", str(own), "--json")
        assert json.loads(proved)["verified"] is True

    shown = json.loads(ran(cli_hearing.app, "hearing", finding["id"], "--kafka", bootstrap, "--entries", "--json"))
    assert (shown["standing"], shown["outcome"], shown["cleared"]) == ("final", "cleared", True)
    assert [step["void"] for step in shown["heard"][0]["steps"]] == [None] * 5
    text = ran(cli_hearing.app, "hearing", matter["matter"], "--kafka", bootstrap)
    assert "cleared" in text and "set by the operator" in text and "after the deadline" not in text
    ran(cli_hearing.app, "hearing", "01a02242-d380-7e55-b6f1-1613fed91eb4", "--kafka", bootstrap, code=6)
    _reports(bootstrap, tmp_path, hall.today[:4], str(matter["matter"]))
    assert home.exists()


def _referred(hall: Hall, decided: str, effect: tuple[str, ...]) -> dict[str, Any]:
    """What the night after the decision told, which is what is told on demand."""
    (referred,) = hall.assessed(1)
    assert ("referral_for_accountability", "五(三) ¶4") == tuple(referred["data"]["consequence"][name] for name in ("kind", "clause"))
    assert "not final" in referred["data"]["consequence"]["why_en"] and decided == referred["data"]["cause"]["id"]
    assert json.loads(ran(cli_effect.app, *effect, "--json"))["data"] == referred["data"]
    assert "referral for accountability" in ran(cli_effect.app, *effect)
    return referred


def _taken_away(hall: Hall, cleared: str, referred: dict[str, Any], effect: tuple[str, ...]) -> None:
    """Before the night it is a referral as of the last close, which nobody is shown; by the night it is none."""
    text = ran(cli_effect.app, *effect)
    assert "proposed: none" in text and "referral" not in text
    hall.today = "2026-01-22"
    hall.enrol("clerk", "officer")
    before, after = hall.assessed(2)
    assert before == referred and after["id"] != before["id"]
    assert ("none", cleared) == (after["data"]["consequence"]["kind"], after["data"]["cause"]["id"])
    assert "Cleared in the hearing" in after["data"]["consequence"]["why_en"]
    assert json.loads(ran(cli_effect.app, *effect, "--json"))["data"] == after["data"]


def _reports(bootstrap: str, folder: Path, year: str, matter: str) -> None:
    """The outcome in both editions, the cleared one nowhere as late or confirmed."""
    for edition in ("console", "outside"):
        said = ran(
            cli_supervision.app,
            *("supervision-report", "--year", year, "--edition", edition, "--to", str(folder / edition), "--kafka", bootstrap),
        )
        assert f"{edition} edition" in said
    inside = json.loads((folder / "console" / "supervision.json").read_text())
    assert [(one["matter"], one["became"], one["officers"]) for one in inside["matters"]] == [(matter, "cleared", [OFFICER])]
    for row in (*inside["offices"], *inside["officers"]):
        assert (row["late"], sum(row["delays"]), row["moved"], row["worst"]) == (0, 0, 0, 0)
    own = next(row for row in inside["officers"] if row["officer"] == OFFICER)
    assert (own["late_cleared"], own["share"], own["findings"]["late_entry"]["cleared"]) == (1, 1.0, 1)
    assert "已澄清" in (folder / "console" / "index.html").read_text()
    outside = {path.name: path.read_text() for path in (folder / "outside").iterdir()}
    office = next(one for one in json.loads(outside["supervision.json"])["offices"] if one["office"] == OFFICE)
    # One officer alone enters here: that there was a case at all would tell who.
    assert (office["confirmed"], office["cleared"], office["few"]) == (0, None, [])
    assert not [name for name, text in outside.items() if matter in text or "officer:" in text or "tester" in text]
