"""四: what the town's offices took upon themselves, and the list that the bureau sends on each January. Signed by the bureau's approver."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date, datetime
from random import Random
from typing import Any

from services._cli.sample.acts import at
from services._cli.sample.enterprises import Enterprise
from services._cli.sample.people import BUREAU, REGIME, RETAIL, WHOLESALE
from services._cli.sample.workdays import Workdays

# Re-checks and visits are the offices'; the list is the bureau's.
_OF_OFFICES = ("四(二)2", "四(三)1", "四(三)2", "四(四)1", "四(四)3")
_OF_BUREAU = ("四(四)6",)
_KINDS = {RETAIL: ("drug_retail", "drug_chain", "device_retail"), WHOLESALE: ("drug_wholesale", "device_wholesale")}
# The plan's January, and the Februaries of a year in which it was forgotten: 四(四)6 with R12.
_IN_TIME, _LATE = (1, 20), (2, 9)

Said = tuple[str, str, dict[str, Any], datetime]
"""Type, subject, data, the instant of entry."""


def adopted(go_live: date) -> Iterator[Said]:
    """From go-live on."""
    day = go_live.isoformat()
    for office, kinds in (*_KINDS.items(), (BUREAU, None)):
        for clause in _OF_OFFICES if kinds else _OF_BUREAU:
            data: dict[str, Any] = {"occurred_on": day, "regime": REGIME, "clause": clause, "in_force_from": day, "withdrawn": False}
            if kinds:
                data["business_kinds"] = list(kinds)
            yield "measures.adopted", f"office:{office}", data, at(go_live, 11)


def notified(enterprises: tuple[Enterprise, ...], first: date, last: date, workdays: Workdays, seed: int) -> Iterator[Said]:
    """Each January, but in the last year only in February."""
    for year in range(first.year + 1, last.year + 1):
        day = workdays.after(date(year, *(_LATE if year == last.year else _IN_TIME)), 1)
        listed = sorted(one.subject for one in enterprises if one.standing.get(year - 1) == "E")
        data = {
            "occurred_on": day.isoformat(),
            "list": "seriously_discredited",
            "regime": REGIME,
            "clause": "四(四)6",
            "recipient": "样例人力资源和社会保障局",
            "as_of": day.isoformat(),
            "listed": len(listed),
            "list_sha256": hashlib.sha256("\n".join(listed).encode()).hexdigest(),
            "document_no": f"样例通〔{year}〕{Random(f'town {seed} notified {year}').randint(1, 99)}号",
        }
        if day <= last:
            yield "list.notified", f"office:{BUREAU}", data, at(day, 15)
