"""``mingjian notice`` over records in memory: a file that ``mingjian sign`` takes up, words on what it rests on, and refusals that help."""

from __future__ import annotations

import hashlib
import re
import stat
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from schemas.envelope import check_data, derived_bytes
from schemas.events import CATALOGUE
from schemas.rulebook import digest
from schemas.topics import FINDINGS, REGISTRY
from services._cli.skeleton import read_lenient
from services._cli.voice import Voice
from services.audit import cli_notice
from services.audit.evidence.archive import pack
from services.audit.evidence.contents import FINDING
from tests import hearing as h
from tests import supervised as s
from tests import toolkit as kit
from tests.cases import ledger
from tests.unit.audit.test_console import LATE, PATTERN
from tests.unit.audit.test_hearings import NOTICE, REPLY

FIRST = {**LATE, "data": LATE["data"] | {"matter": h.MATTER, "concerns": [h.HEARD]}}
NEWER = {**FIRST, "id": h.FINDING}
BOTH = {**FIRST, "data": FIRST["data"] | {"concerns": [h.HEARD, kit.COLLEAGUE.pseudonym]}}
GONE = {**NEWER, "data": NEWER["data"] | {"retracted": True}}
CALENDAR = {"occurred_on": "2026-01-01", "country": "CN", "year": 2027, "days_off": [], "make_up_days": [], "document": "d"}
EARLY = "2026-01-05T00:30:00.000Z"


def memory(*findings: dict[str, Any], steps: tuple[dict[str, Any], ...] = ()) -> s.Memory:
    """A register with people, the rulebook, the calendar of 2027 and these findings."""
    book = ledger.book("liyujiang").rulebook
    made = s.Memory(books={digest(book): book})
    genesis = kit.genesis(time=EARLY)
    made.put(REGISTRY, kit.record(genesis, received_at=EARLY, offset=-1), 0)
    active = {"occurred_on": "2026-01-01", "regime": "liyujiang", "version": "1", "sha256": digest(book), "in_force_from": "2005-01-01"}
    said = [one for person in h.EVERYBODY for one in kit.enrolment(person)]
    said += [kit.by_registrar("rulebook.activated", "regime:liyujiang", active), kit.by_registrar("calendar.issued", "stack:c", CALENDAR)]
    for one in said:
        made.say(REGISTRY, one["event"], kit.REGISTRAR.key, EARLY)
    s.take(made, steps)
    for one in findings:
        made.put(FINDINGS, derived_bytes(one), 0)
    return made


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the command on a day over findings and steps."""

    def notice(
        *arguments: str,
        findings: tuple[dict[str, Any], ...] = (FIRST,),
        steps: tuple[dict[str, Any], ...] = (),
        on: str = "2027-03-01",
        lang: str = "en",
    ) -> Result:
        monkeypatch.setattr(cli_notice, "source", lambda *given: memory(*findings, steps=steps))
        monkeypatch.setattr(cli_notice, "today", lambda zone: date.fromisoformat(on))
        voice = Voice.of_terminal()
        session = type("Said", (), {"voice": Voice(voice.out, voice.err, lang)})()
        return CliRunner().invoke(cli_notice.app, ["notice", *arguments], obj=session)

    return notice


def test_it_is_printed_or_written_once_for_its_owner_alone(run: Any, tmp_path: Path) -> None:
    """Monday 2027-03-01 and ten working days without a holiday: Monday the 15th."""
    printed, file = run(FIRST["id"]), tmp_path / "n.json"
    written = run(FIRST["id"], "--to", str(file))
    assert (printed.exit_code, written.exit_code, written.stdout) == (0, 0, ""), written.output
    assert file.read_text() == printed.stdout and stat.S_IMODE(file.stat().st_mode) == 0o600
    assert '"reply_by": "2027-03-15"' in printed.stdout and f'"subject": "{h.HEARD}"' in printed.stdout
    for words in (f"// 逾期录入 · Late entry · {FIRST['id']}", f"// {LATE['data']['detail_zh']}", f"// {LATE['data']['detail_en']}"):
        assert words in printed.stdout
    assert "10 working days" in printed.stdout and "第10个工作日" in printed.stdout
    told = written.stderr.splitlines()
    assert told[0] == f"{file}: notice to {h.HEARD} on the matter {h.MATTER}"
    assert told[-2:] == [
        "still to be filled in: data.document_no, data.service.method",
        f"then: mingjian sign {file} --officer AUDITOR | mingjian send",
    ]
    again = run(FIRST["id"], "--to", str(file))
    assert again.exit_code == 2 and "is there already; name another file with --to" in again.stderr


def test_with_all_that_a_person_decides_it_is_ready_to_sign(run: Any, tmp_path: Path) -> None:
    about, other = (tmp_path / f"{name}.zip" for name in ("about", "other"))
    about.write_bytes(pack({FINDING: b'{"event": {"id": "%s"}}' % FIRST["id"].encode()}))
    other.write_bytes(pack({FINDING: b'{"event": {"id": "018f0000-0000-7000-8000-000000000001"}}'}))
    given = ("--document-no", "样例知〔2027〕1号", "--method", "post", "--served-on", "2027-03-02")
    done = run(FIRST["id"], *given, "--evidence", str(about))
    event = read_lenient(done.stdout)
    check_data(CATALOGUE[event["type"]], event["data"], event["subject"])
    assert event["data"]["evidence_sha256"] == hashlib.sha256(about.read_bytes()).hexdigest()
    assert (event["data"]["document_no"], event["data"]["service"]) == (given[1], {"served_on": "2027-03-02", "method": "post"})
    assert event["data"]["reply_by"] == "2027-03-16" and "still to be filled in" not in done.stderr
    assert "it can be sent from 2027-03-02 (Tue) on" in done.stderr
    for file, why in ((other, "pack of another finding"), (__file__, "is no evidence pack"), (tmp_path / "none.zip", "none.zip")):
        wrong = run(FIRST["id"], *given, "--evidence", str(file))
        assert wrong.exit_code != 0 and wrong.stdout == "" and why in wrong.stderr


def test_in_chinese_it_speaks_chinese(run: Any) -> None:
    told = run(FIRST["id"], lang="zh").stderr
    assert "尚待填写：data.document_no, data.service.method" in told and "答复期限最早至2027年3月15日（周一）" in told


@pytest.mark.parametrize("name", [FIRST["id"], NEWER["id"], h.MATTER])
def test_it_is_filled_in_from_the_finding_that_stands(name: str, run: Any) -> None:
    done = run(name, findings=(FIRST, NEWER))
    assert read_lenient_open(done.stdout)["data"]["finding"] == NEWER["id"]
    assert ("worked out again since" in done.stderr) == (name == FIRST["id"])


def read_lenient_open(text: str) -> Any:
    """The event of a draft that has something open."""
    filled = text.replace("<number of a document, at most 80 characters>", "1")
    return read_lenient(filled.replace("<handed_over | left | post | notice | electronic>", "post"))


def test_each_of_several_is_asked_for_and_has_an_event_that_names_all(run: Any) -> None:
    asked = run(FIRST["id"], findings=(BOTH,))
    assert asked.exit_code == 2 and asked.stdout == "" and "name one of them with --officer" in asked.stderr
    for who in (h.HEARD, kit.COLLEAGUE.pseudonym):
        event = read_lenient_open(run(FIRST["id"], "--officer", who, findings=(BOTH,)).stdout)
        assert (event["subject"], event["data"]["concerns"]) == (who, BOTH["data"]["concerns"])
    office = read_lenient_open(run(FIRST["id"], "--office", findings=(BOTH,)).stdout)
    assert office["subject"] == f"office:{LATE['data']['office']}"


@pytest.mark.parametrize(
    ("arguments", "more", "code", "said"),
    [
        (("018f0000-0000-7000-8000-000000000001",), {}, 6, "there is no finding and no matter 018f0000"),
        ((FIRST["id"],), {"findings": (FIRST, GONE)}, 2, "retracted"),
        ((FIRST["id"],), {"steps": (NOTICE, REPLY), "on": "2027-03-11"}, 2, f"under way.*mingjian hearing {h.MATTER}"),
        ((FIRST["id"], "--officer", "test-colleague"), {}, 2, f"does not concern officer:test-colleague; it concerns {h.HEARD}"),
        ((FIRST["id"], "--officer", "a-b", "--office"), {}, 2, "leave one out"),
        ((FIRST["id"], "--served-on", "tomorrow"), {}, 2, "--served-on is 'tomorrow'; a date such as 2026-01-15"),
        ((FIRST["id"], "--method", "owl"), {}, 2, "--method is 'owl'; it is one of handed_over, left, post"),
        ((FIRST["id"], "--document-no", "x" * 81), {}, 2, "data.document_no: .*80"),
    ],
)
def test_what_can_not_be_is_refused_and_nothing_written(
    arguments: tuple[str, ...], more: dict[str, Any], code: int, said: str, run: Any, tmp_path: Path
) -> None:
    done = run(*arguments, "--to", str(tmp_path / "n.json"), **more)
    assert (done.exit_code, [*tmp_path.iterdir()]) == (code, []), done.output
    assert re.search(said, done.stderr), done.stderr


def test_what_a_person_should_know_first_is_said(run: Any) -> None:
    again = run(FIRST["id"], steps=(NOTICE,), on="2027-03-05")
    assert again.exit_code == 0 and "there is a notice of 2027-03-01 (Mon) (notified); this one begins the hearing anew" in again.stderr
    sign = run(PATTERN["id"], findings=(PATTERN,))
    assert sign.exit_code == 0 and "does not propose a hearing" in sign.stderr
    assert "note:" not in run(FIRST["id"]).stderr
