"""A hearing begun with the commands alone, on the real stack: the notice on a late entry is filled in from its finding, signed by an
enrolled auditor, sent, and stands in `mingjian hearing`; the console's download and a bundle give the same event."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from schemas.rulebook import digest, load_rulebook
from tests.cases.ledger import RULEBOOKS
from tests.e2e.terminal import Terminal
from tests.integration.intake_desk import OFFICE, OFFICER, Desk, event, signed
from tests.stack_fixtures import temporary_stack

pytestmark = pytest.mark.stack
AUDIT_OFFICE = "/departments/food/offices/supervision"
SUBJECT = "uscc:91990000YL0000012A"


class Office:
    """A desk, a terminal on its home, and the finding that audit raises of a late entry."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.at = Terminal(desk.stack.home, desk.stack.ports)
        self.entry, self.finding = "", ""

    def go_live(self) -> None:
        book = load_rulebook(RULEBOOKS / "liyujiang")
        active = {"regime": "liyujiang", "version": book.header.version, "sha256": digest(book), "in_force_from": "2005-01-01"}
        for kind, said in (("rulebook.activated", active), ("go_live.declared", {"regime": "liyujiang"})):
            answer = self.desk.post(self.desk.by_registrar(kind, "regime:liyujiang", {"occurred_on": "2026-01-01"} | said))
            assert answer.status_code == 201, answer.text

    def enter_late(self) -> None:
        said = {"occurred_on": "2026-01-05", "kind": "routine", "mode": "on_site", "officers": [OFFICER], "entered_by": OFFICER}
        made = signed(event("inspection.recorded", SUBJECT, said), self.desk.key)
        assert self.desk.post(made).status_code == 201
        self.entry = made["event"]["id"]
        end = time.monotonic() + 120
        while not (lines := self.at.mingjian("findings", "--kind", "late_entry", "--json").splitlines()):
            assert time.monotonic() < end, self.at.mingjian("status")
            time.sleep(0.5)
        self.finding = json.loads(lines[0])["event"]["id"]

    def hearing(self) -> dict[str, Any]:
        shown: dict[str, Any] = json.loads(self.at.mingjian("hearing", self.finding, "--json"))
        return shown

    @contextmanager
    def auditor(self) -> Iterator[httpx.Client]:
        """A browser that entered by a one-time address."""
        [address] = re.findall(r"http://\S+/enter\?once=\S+", self.at.mingjian("enter"))
        with httpx.Client(base_url=self.at.ports.url("audit"), timeout=30, trust_env=False, follow_redirects=True) as browser:
            assert browser.get(address).status_code == 200
            yield browser


@pytest.fixture(scope="module")
def office() -> Iterator[Office]:
    with temporary_stack() as stack:
        stack.start_servers("wall")
        made = Office(Desk.of(stack, "wall"))
        stack.start_services(["audit"])
        made.go_live()
        made.enter_late()
        yield made


def test_a_hearing_is_begun_with_three_commands(office: Office, tmp_path: Path) -> None:
    at, finding = office.at, office.finding
    at.mingjian("officer", "enrol", "a01", "--office", AUDIT_OFFICE, "--role", "auditor")
    assert "`mingjian notice` writes the notice" in at.mingjian("hearing", finding)
    assert f"to begin the hearing: mingjian notice {finding}" in at.mingjian("finding", finding)
    with office.auditor() as browser:
        page = browser.get(f"/findings/{finding}?lang=en").text
        assert f"<code>mingjian notice {finding} --to notice.json</code>" in page
        downloaded = browser.get(f"/findings/{finding}/notice").json()

        file, pack = tmp_path / "n.json", tmp_path / "pack.zip"
        open_one = tmp_path / "open.json"
        at.mingjian("notice", finding, "--to", str(open_one))
        refused = at.run("mingjian", "sign", str(open_one), "--officer", "a01")
        assert refused.returncode == 2 and "data.document_no is still to be filled in" in refused.stderr
        at.mingjian("evidence", finding, "--to", str(pack))
        given = ("--document-no", "样例知〔2026〕1号", "--method", "handed_over", "--evidence", str(pack))
        said = at.run("mingjian", "notice", finding, *given, "--to", str(file))
        assert said.returncode == 0, said.stderr
        sent = at.mingjian("sign", str(file), "--officer", "a01")
        event = json.loads(sent)["event"]
        assert event["source"] == AUDIT_OFFICE and event["subject"] == OFFICER
        assert event["data"]["entries"] == [{"source": OFFICE, "id": office.entry}]
        decided = {name: event["data"][name] for name in ("document_no", "service", "evidence_sha256")}
        assert (downloaded["subject"], downloaded["data"] | decided) == (OFFICER, event["data"])
        bundle = tmp_path / "bundle"
        at.mingjian("export", "--to", str(bundle))
        assert at.mingjian("notice", finding, "--bundle", str(bundle)) == open_one.read_text()

        assert json.loads(at.mingjian("send", stdin=sent))["receipt"]["id"] == event["id"]
        shown = office.hearing()
        assert (shown["standing"], shown["finding"], shown["matter"]) == ("notified", finding, event["data"]["matter"])
        [part] = shown["heard"]
        assert (part["subject"], part["faults"]) == (OFFICER, []), "the day to reply is as long as the rules want"
        assert [(due["what"], due["by"], due["working_days"]) for due in part["due"]] == [("reply", event["data"]["reply_by"], 10)]
        [step] = part["steps"]
        assert (step["id"], step["signer"], step["void"]) == (event["id"], "officer:a01", None)
        _seen(browser, finding)
    _not_anew_once_replied(office, event["data"]["matter"], tmp_path)


def _seen(browser: httpx.Client, finding: str) -> None:
    """The page shows the hearing, and no longer how to begin one."""
    end = time.monotonic() + 30
    while 'id="hearing"' not in (page := browser.get(f"/findings/{finding}?lang=en").text):
        assert time.monotonic() < end, page
        time.sleep(0.3)
    assert "officer:a01" in page and 'id="begin"' not in page


def _not_anew_once_replied(office: Office, matter: str, folder: Path) -> None:
    """While nobody has replied a notice can take the place of the one before; afterwards the command refuses what intake would."""
    renewed = office.at.run("mingjian", "notice", office.finding)
    assert renewed.returncode == 0 and "this one begins the hearing anew" in renewed.stderr
    reply = {"occurred_on": json.loads(office.at.mingjian("hearing", matter, "--json"))["heard"][0]["steps"][0]["occurred_on"]}
    reply |= {"matter": matter, "finding": office.finding, "replied_by": OFFICER, "waived": True, "excuse": "none"}
    assert office.desk.post(signed(event("finding.replied", OFFICER, reply), office.desk.key)).status_code == 201
    refused = office.at.run("mingjian", "notice", matter, "--to", str(folder / "never.json"))
    assert refused.returncode == 2 and "is under way" in refused.stderr and not (folder / "never.json").exists()
