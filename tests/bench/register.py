"""A made-up register for the bulk replay: so many subjects, ten facts each, in about the sample town's proportions.

Written straight to Kafka as intake would have written it, in the order in which offices enter: year after year, subject after
subject, with each year's evaluation after its facts. Signatures are of the right size and of nobody; a replay doesn't check them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from schemas.canonical import trusted_canonical_bytes
from services.rating.domain.fold import Book

FACTS_EACH = 10
OFFICES = ("/departments/measured/offices/retail", "/departments/measured/offices/wholesale", "/departments/market/offices/cases")
YEARS = (2023, 2024, 2025)
SIGNATURE = {"key_id": "0123456789abcdef" * 2, "alg": "Ed25519", "value": "A" * 86}

Row = tuple[bytes, str, bytes]
"""Key, type and value of a record; a control's key is ``control``."""


def subject_name(number: int) -> str:
    """A credit code in a region that does not exist."""
    return f"uscc:9199{number:014d}"


class Register:
    """``subjects`` subjects under the rulebook of ``book``; the same seed, the same bytes."""

    def __init__(self, book: Book, subjects: int, seed: int = 20261125) -> None:
        self._book, self._subjects, self._rng = book, subjects, Random(seed)

    def rows(self) -> Iterator[Row]:
        """All of it, in the order in which it is entered."""
        yield self.controls(None)
        yield from self.opening()
        for year in YEARS:
            yield from self.year(year)
            yield self.controls(year)

    def controls(self, year: int | None) -> Row:
        """The rulebook's activation (None), or the evaluation of a year."""
        regime = self._book.rulebook.regime
        if year is None:
            data: dict = {
                "occurred_on": "2022-12-01",
                "regime": regime,
                "version": self._book.rulebook.version,
                "sha256": self._book.sha256,
            }
            data["in_force_from"] = "2023-01-01"
            return self._row(f"regime:{regime}", "rulebook.activated", "2022-12-01", data, key=b"control")
        on = f"{year + 1}-01-16"
        data = {"occurred_on": on, "regime": regime, "period": {"first": f"{year}-01-01", "last": f"{year}-12-31"}, "evaluation_date": on}
        return self._row(f"regime:{regime}", "evaluation.closed", on, data, key=b"control")

    def opening(self) -> Iterator[Row]:
        """Three facts of each subject: registered, licensed, in operation."""
        regime = self._book.rulebook.regime
        for number in range(self._subjects):
            subject, on = subject_name(number), self._day(2022 if number % 40 == 0 else 2012)
            data = {"occurred_on": on, "name": f"样例药店{number}", "business_kind": "drug_retail", "address": f"样例镇样例街{number}号"}
            data |= {"licence_numbers": [f"样例证{number:06d}"], "regimes": [regime], "commitments": {"legal_representative": "e" * 64}}
            yield self._row(subject, "enterprise.registered", "2022-12-10", data)
            permit = {"occurred_on": on, "permit_no": f"样例证{number:06d}", "permit_kind": "business"}
            yield self._row(subject, "permit.granted", "2022-12-10", permit)
            yield self._row(subject, "operation.started", "2022-12-10", {"occurred_on": on})

    def year(self, year: int) -> Iterator[Row]:
        """The year's facts of all subjects: a score each; inspections, samplings, warnings, penalties as they fall. Seven in three."""
        for number in range(self._subjects):
            subject, more = subject_name(number), 2 if year == YEARS[-1] else 1
            for _ in range(more):
                yield self._act(subject, number, year)
            data = {"regime": self._book.rulebook.regime, "year": year, "maximum": "100", "final": True, "standard": "样例评分标准"}
            deductions = [{"item": f"YL-{item:02d}", "points": "0.5"} for item in range(1, 1 + self._rng.randrange(4))]
            # Most do well, as in a town: a third above the bound of the best grade, a few below that of the worst.
            total = self._rng.choice(
                ("99", "98.5", "98", "97.5", "96", "95", "94", "92", "91", "90", "85", "72" if number % 5 == 0 else "93")
            )
            data |= {"occurred_on": f"{year}-12-20", "deductions": deductions, "total": total}
            yield self._row(subject, "score.recorded", f"{year}-12-20", data)

    def _act(self, subject: str, number: int, year: int) -> Row:
        on, chance = self._day(year), self._rng.randrange(100)
        service = {"service": {"served_on": on, "method": "handed_over"}}
        if chance < 60:
            items = [{"code": f"GSP-{item:02d}", "result": "pass"} for item in range(2, 6)]
            data = {"occurred_on": on, "kind": "routine", "mode": "on_site", "items": items, "regime": self._book.rulebook.regime}
            data |= {"started_at": f"{on}T01:30:00.000Z", "ended_at": f"{on}T02:30:00.000Z"}
            if chance < 6:
                data["violations"] = [f"YP-{100 + number % 7}"]
            return self._row(subject, "inspection.recorded", on, data)
        if chance < 85:
            data = {
                "occurred_on": on,
                "product": "样例止咳糖浆",
                "batch_no": "YL591852",
                "result": "qualified",
                "report_no": "样例检07117号",
            }
            return self._row(subject, "sampling.recorded", on, data)
        if chance < 92:
            data = {
                "occurred_on": on,
                "document_no": f"样例警〔{year}〕{number}号",
                "violation": f"YP-{100 + number % 7}",
                "legal_field": "drug",
            }
            return self._row(subject, "warning.issued", on, data | {"correction_ordered": False} | service)
        if chance < 96:
            data = {"occurred_on": on, "document_no": f"样例改〔{year}〕{number}号", "violations": ["YP-305"], "legal_field": "drug"}
            return self._row(subject, "correction.ordered", on, data | {"correct_by": f"{year}-12-31"} | service)
        kinds = self._rng.choice((["fine"], ["fine", "confiscation_of_gains"], ["suspension_ordered"]))
        one = {
            "violation": "YP-207",
            "kinds": kinds,
            "legal_field": "drug",
            "basis": ["样例条款"],
            "gravity": "general",
            "fault": "negligence",
        }
        data = {"occurred_on": on, "document_no": f"样例罚〔{year}〕{number}号", "acts": [one | {"amount": "1000"}]}
        return self._row(subject, "penalty.decided", on, data | service)

    def _day(self, year: int) -> str:
        return (date(year, 1, 1) + timedelta(days=self._rng.randrange(350))).isoformat()

    def _row(self, subject: str, name: str, on: str, data: dict, *, key: bytes | None = None) -> Row:
        time = f"{on}T08:00:00.000Z"
        event = {
            "specversion": "1.0",
            "id": str(uuid.UUID(int=self._rng.getrandbits(128), version=4)),
            "source": self._rng.choice(OFFICES),
            "type": f"mingjian.{name}.v1",
            "subject": subject,
            "time": time,
            "datacontenttype": "application/json",
            "data": data | {"entered_by": "officer:measured-r01"},
        }
        entry = {"received_at": time, "channel": "feed", "batch": "bench", "registry_offset": 60}
        value = trusted_canonical_bytes({"event": event, "signature": SIGNATURE, "entry": entry})
        return (key or subject.encode(), event["type"], value)
