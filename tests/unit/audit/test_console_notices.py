"""How a hearing is begun, on a finding's page: commands and the notice filled in, only where one can begin; nothing is entered."""

from __future__ import annotations

from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from schemas.envelope import check_data
from schemas.events import CATALOGUE
from services._cli.errors import CliError
from services._cli.skeleton import read_lenient
from services.audit.domain.hearings import Step
from services.audit.domain.registry import Registry
from tests.integration.audit.world import GENESIS
from tests.unit.audit.console_desk import Whole, row
from tests.unit.audit.test_console import LATE, PATTERN
from tests.unit.audit.test_console_hearings import CLEARED, NOTICE, OFFICER, REPLY, RULE

COLLEAGUE, OFFICE = "officer:helper", f"office:{LATE['data']['office']}"
ADDRESS = f"/findings/{LATE['id']}"
VOID = Step(1, "/s", "v", "replied", OFFICER, LATE["data"]["matter"], LATE["id"], OFFICER, date(2026, 4, 1), date(2026, 4, 1), {})


def finding(event: dict[str, Any] = LATE, **more: Any) -> dict[str, Any]:
    return {**event, "data": {name: value for name, value in (event["data"] | more).items() if value is not None}}


def console(folder: Path, *rows: dict[str, Any], steps: tuple[Step, ...] = (), through: str = "2026-03-31") -> Whole:
    """Today is Wednesday 2026-04-01 by the wall."""
    registry = Registry({"type": "mingjian.genesis.v1", "subject": "stack:test", "data": GENESIS})
    registry.steps += steps
    registry.closings.append((9, through))
    given = list(rows) or [row(finding(concerns=[OFFICER]))]
    return Whole(folder, findings=given, registry=registry, rules={"liyujiang": RULE})


def section(pages: Whole, lang: str = "en", path: str = ADDRESS) -> str:
    """The how-to, '' where the page has none."""
    page = unescape(pages.text(f"{path}?lang={lang}"))
    start = page.find('<section id="begin">')
    return "" if start < 0 else page[start : page.index("</section>", start)]


def commands(shown: str) -> list[str]:
    return [part.split("</code>")[0] for part in shown.split('<pre class="command"><code>')[1:]]


@pytest.mark.parametrize(
    ("lang", "auditor", "words"), [("zh", "审计员代号", "尚未告知任何人"), ("en", "AUDITOR", "Nobody was notified yet")]
)
def test_the_page_of_an_open_finding_has_the_exact_commands(lang: str, auditor: str, words: str, tmp_path: Path) -> None:
    shown = section(console(tmp_path), lang)
    assert commands(shown) == [
        f"mingjian notice {LATE['id']} --to notice.json",
        f"mingjian sign notice.json --officer {auditor} | mingjian send",
        f"mingjian hearing {LATE['id']}",
    ]
    assert words in shown and "data.document_no, data.service.method" in shown
    assert ("2026年4月15日" if lang == "zh" else "2026-04-15 (Wed)") in shown, "the tenth working day after the first of April"
    assert ("暂定" if lang == "zh" else "provisional") in shown, "no calendar was issued"
    assert "<script" not in shown


def test_each_of_several_officers_has_commands_and_a_file_of_their_own(tmp_path: Path) -> None:
    pages = console(tmp_path, row(finding(concerns=[OFFICER, COLLEAGUE])))
    shown = section(pages)
    assert commands(shown)[:2] == [
        f"mingjian notice {LATE['id']} --officer {OFFICER} --to notice-tester.json",
        "mingjian sign notice-tester.json --officer AUDITOR | mingjian send",
    ]
    assert commands(shown)[2] == f"mingjian notice {LATE['id']} --officer {COLLEAGUE} --to notice-helper.json"
    for who, name in ((OFFICER, "tester"), (COLLEAGUE, "helper"), (OFFICE, OFFICE.rpartition("/")[2])):
        answer = pages.get(f"{ADDRESS}/notice?who={who}")
        assert answer.headers["content-disposition"] == f'attachment; filename="notice-{name}.json"'
        assert answer.json()["subject"] == who
    for who in (OFFICER, COLLEAGUE):
        assert f'href="{ADDRESS}/notice?lang=en&who={who}"' in shown
        event = pages.get(f"{ADDRESS}/notice?who={who}").json()
        assert (event["subject"], event["data"]["concerns"]) == (who, [OFFICER, COLLEAGUE])


def test_the_download_is_the_notice_of_today_and_open_where_a_person_decides(tmp_path: Path) -> None:
    pages = console(tmp_path)
    answer = pages.get(f"{ADDRESS}/notice")
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"] == 'attachment; filename="notice.json"'
    assert answer.headers["cache-control"] == "no-store"
    with pytest.raises(CliError, match=r"data.document_no is still to be filled in, and 1 more"):
        read_lenient(answer.text)
    event = answer.json()
    served = {"served_on": "2026-04-01", "method": "post"}
    data = event["data"] | {"document_no": "1", "service": event["data"]["service"] | {"method": "post"}}
    check_data(CATALOGUE[event["type"]], data, event["subject"])
    assert (event["subject"], data["service"], data["reply_by"], data["finding"]) == (OFFICER, served, "2026-04-15", LATE["id"])


def test_on_a_simulated_clock_it_is_the_day_after_the_last_closed_one(tmp_path: Path) -> None:
    event = console(tmp_path, through="2026-06-30").get(f"{ADDRESS}/notice").json()
    assert (event["data"]["service"]["served_on"], event["data"]["reply_by"]) == ("2026-07-01", "2026-07-15")


def test_the_office_is_heard_where_nobody_is_concerned_and_can_be_where_somebody_is(tmp_path: Path) -> None:
    assert console(tmp_path, row(LATE)).get(f"{ADDRESS}/notice").json()["subject"] == OFFICE
    assert console(tmp_path).get(f"{ADDRESS}/notice?who={OFFICE}").json()["subject"] == OFFICE


@pytest.mark.parametrize(("steps", "shown"), [((), True), ((VOID,), True), ((NOTICE,), False), ((NOTICE, REPLY, CLEARED), False)])
def test_the_how_to_stands_only_where_there_is_no_hearing_yet(steps: tuple[Step, ...], shown: bool, tmp_path: Path) -> None:
    assert bool(section(console(tmp_path, steps=steps))) == shown


@pytest.mark.parametrize(
    "one",
    [
        row(finding(PATTERN, concerns=[OFFICER])),
        row(finding(concerns=[OFFICER], proposes="correction")),
        row(finding(concerns=[OFFICER], retracted=True)),
        row(finding(concerns=[OFFICER]), superseded=True),
        row(finding(office=None)),
    ],
)
def test_nor_where_the_finding_leads_to_none(one: dict[str, Any], tmp_path: Path) -> None:
    assert section(console(tmp_path, one), path=f"/findings/{one['id']}") == ""


@pytest.mark.parametrize(
    ("one", "steps", "who", "status", "said"),
    [
        (row(finding(concerns=[OFFICER])), (), COLLEAGUE, 404, "does not concern"),
        (row(finding(office=None)), (), None, 404, "does not concern"),
        (row(finding(concerns=[OFFICER])), (NOTICE, REPLY), OFFICER, 409, "under way"),
        (row(finding(concerns=[OFFICER], retracted=True)), (), OFFICER, 409, "retracted"),
    ],
)
def test_what_can_not_be_is_refused_in_words(
    one: dict[str, Any], steps: tuple[Step, ...], who: str | None, status: int, said: str, tmp_path: Path
) -> None:
    query = f"&who={who}" if who else ""
    answer = console(tmp_path, one, steps=steps).get(f"{ADDRESS}/notice?lang=en{query}")
    assert answer.status_code == status and said in answer.text


def test_by_the_address_of_an_earlier_finding_comes_the_notice_on_the_one_that_stands(tmp_path: Path) -> None:
    newer = finding(concerns=[OFFICER]) | {"id": "018f0000-0000-7000-8000-0000000000bb"}
    earlier = row(finding(concerns=[COLLEAGUE]), superseded=True)
    event = console(tmp_path, row(newer, sequence=2), earlier).get(f"{ADDRESS}/notice").json()
    assert (event["data"]["finding"], event["subject"], event["data"]["matter"]) == (newer["id"], OFFICER, LATE["data"]["matter"])


def test_it_is_only_ever_read(tmp_path: Path) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert console(tmp_path).ask(method, f"{ADDRESS}/notice").status_code == 405
