"""Penalties of other departments that stand in their lists and have no entry here; and lines that only seem to lack one."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any

from services._cli.sample.acts import at
from services._cli.sample.enterprises import Enterprise, credit_code
from services._cli.sample.falsify.doings import fine
from services._cli.sample.falsify.ground import Ground, Row
from services._cli.sample.people import RETAIL, staff

KIND = "missing_here"
_AUTHORITY = "样例县物价局"


def sow(ground: Ground) -> None:
    """One list a year, in May for the months before; the office's clerk enters it for the office."""
    rng = ground.chance(KIND)
    clerk = staff(RETAIL)[3]
    grant = {"role": clerk.role, "office": RETAIL, "schemes": ["uscc", "office"], "regimes": []}
    ground.control.append(("role.granted", clerk.pseudonym, {"occurred_on": str(ground.plan.first), **grant}, at(ground.plan.first, 9)))
    for year in range(ground.first.year, ground.last.year + 1):
        first, last = date(year, 1, 4), date(year, 4, 30)
        came = ground.workdays.after(date(year, 5, 12), rng.randint(1, 4))
        if first < ground.first or came > ground.last:
            continue
        lines: list[dict[str, Any]] = []
        told: list[tuple[bool, Row | None, dict[str, Any], str]] = []
        for number in range(1, 9):
            one, day = ground.take(office=RETAIL), ground.workdays.after(first, 5 + 8 * number)
            line = {"document_no": f"样例价罚〔{year}〕{number}号", "subject": one.subject, "decided_on": day.isoformat()}
            lines.append(line)
            if number <= 2 and ground.plants:
                told.append((True, None, line, "on the other department's list, and never entered here"))
                continue
            entered, how, why = _entry(ground, number, day, came, line["document_no"])
            told.append((False, _entered(ground, one, day, entered, how, rng), line, why))
        if ground.likens:
            stranger = {
                "document_no": f"样例价罚〔{year}〕9号",
                "subject": f"uscc:{credit_code(9_000 + year)}",
                "decided_on": f"{year}-03-03",
            }
            lines.append(stranger)
            told.append((False, None, stranger, "an enterprise that this register doesn't have"))
        received = _list(ground, lines, first, last, came, year)
        for planted, row, line, why in told:
            if planted or ground.likens:
                rows = [received] if row is None else [received, row]
                ground.sow(KIND, planted, rows, why, subjects=[line["subject"]], document_no=line["document_no"])


def _entry(ground: Ground, number: int, day: date, came: date, document_no: str) -> tuple[date, str, str]:
    """When and under which number it is entered here."""
    soon = ground.after(day, 3)
    if not ground.likens or number < 5:
        return soon, document_no, "entered here within days"
    if number == 5:
        return soon, document_no.replace("〔", "[").replace("〕", "]"), "entered here with other brackets round the year"
    if number == 6:
        return (
            soon,
            document_no.replace("〔", "（").replace("〕", "）").replace("号", " 号"),
            "entered here with a space before the last sign",
        )
    if number == 7:
        return ground.after(came, 2), document_no, "entered here two days after the list came"
    return ground.after(day, 20), document_no, "entered here weeks after its decision"


def _entered(ground: Ground, one: Enterprise, day: date, entered: date, number: str, rng: Random) -> Row:
    data = {
        "occurred_on": day.isoformat(),
        "document_no": number,
        "authority": _AUTHORITY,
        "service": {"served_on": day.isoformat(), "method": "post"},
        "acts": [fine(one, rng, legal_field="price", violation="JG-01", amount="1000")],
    }
    return ground.enter("other_department.penalised", one.subject, rng.choice(staff(RETAIL)), data, at(entered, 15, rng.randint(0, 50)))


def _list(ground: Ground, lines: list[dict[str, Any]], first: date, last: date, came: date, year: int) -> Row:
    data = {
        "occurred_on": came.isoformat(),
        "authority": _AUTHORITY,
        "list_no": f"样例价单〔{year}〕1号",
        "period_from": first.isoformat(),
        "period_to": last.isoformat(),
        "decisions": lines,
    }
    return ground.enter("other_department_list.received", f"office:{RETAIL}", staff(RETAIL)[3], data, at(came, 9, 40))
