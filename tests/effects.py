"""Effects and scans put on record as the night does, for pages: valid by the contract, with days made of each finding's own."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson
import psycopg

from schemas.envelope import derived_bytes, derived_event
from schemas.events import CATALOGUE
from schemas.ids import derived_id

GOLDEN = Path(__file__).resolve().parents[1] / "schemas" / "golden"
ASSESSED, SCAN = "mingjian.finding.assessed.v1", "mingjian.scan.ran.v1"
_ADD = """
INSERT INTO finding (id, type, kind, about, office, subject, regime, event_id, matter, record_key, value)
VALUES (%(id)s, %(type)s, %(kind)s, %(about)s, %(office)s, %(subject)s, %(regime)s, %(event_id)s, %(matter)s, %(key)s, %(value)s)
ON CONFLICT DO NOTHING
"""


def golden(type: str) -> dict[str, Any]:
    """The contract's example of an event."""
    found: dict[str, Any] = orjson.loads((GOLDEN / f"{type}.json").read_bytes())
    return found


def assessed(finding: dict[str, Any], *, days: int, least: int, beside: str | None = None) -> dict[str, Any]:
    """The effect of a late entry that kept a grade wrong for ``days`` days, ``least`` of them for certain. ``beside``: a matter without
    which there would have been no wrong day. Raises ``ValidationError`` where the contract has another form."""
    about = finding["data"]
    first = date.fromisoformat(about["late"]["deadline"]) + timedelta(days=1)
    text = [(first + timedelta(days=number)).isoformat() for number in range(days + 20)]
    data = golden(ASSESSED)["data"]
    path = lambda *some: [{"first": a, "last": b, "grade": g, "status": "graded", "displayed": True} for a, b, g in some]  # noqa: E731
    grade = {"what": "grade", "name": about["regime"], "was": "B", "should": "D"}
    certain = [grade | {"first": text[days - least], "last": text[days - 1], "certain": True}] if least else []
    possible = [grade | {"first": text[0], "last": text[days - least - 1], "certain": False}] if days > least else []
    benefit = {"what": "benefit", "name": "四(一)1", "first": text[0], "last": text[days - 1], "was": None, "should": None, "certain": False}
    measure = benefit | {"what": "measure", "name": "四(三)2", "first": text[days - 1], "certain": least == days}
    data |= {"finding": finding["id"], "subject_of": about["subject_of"], "affected": about["subject_of"], "event": about["event"]}
    data |= {"matter": about["matter"], "regime": about["regime"], "cause": about["cause"], "from_day": text[0], "to_day": text[-1]}
    shown = [(text[0], text[days - 1], "B"), (text[days], None, "D")]
    data["shown"] = path(*shown)
    data["supposed"] = [{"approvals": "soonest", "path": path((text[0], None, "D"))}]
    if least < days:
        late = path((text[0], text[days - least - 1], "B"), (text[days - least], None, "D"))
        data["supposed"].append({"approvals": "never", "path": late})
    data |= {"least": least, "most": days, "stands_least": least, "stands_most": days, "wrong": [*possible, *certain, benefit, measure]}
    data["evaluations"] = [{"evaluation": data["finding"], "period_last": "2025-12-31", "was": "B", "should": "D", "certain": least == days}]
    together = [about["matter"], *([beside] if beside else [])]
    data["joint"] = [{"matters": together, "least": least, "most": days}]
    CATALOGUE[ASSESSED].model.model_validate_json(orjson.dumps(data))
    id = derived_id(cause=finding["id"], kind="finding.assessed", subject=finding["subject"])
    return derived_event(id=id, service="audit", type=ASSESSED, subject=finding["subject"], time=finding["time"], data=data)


def scanned(number: int, *, hits: int, alpha: str | None = None) -> dict[str, Any]:
    """A scan of the day ``number`` of January 2026."""
    data = golden(SCAN)["data"] | {"hits": hits, "first": "2026-01-01", "through": f"2026-01-{number:02d}"}
    data = {name: value for name, value in data.items() if name != "alpha"} | ({"alpha": alpha} if alpha else {})
    CATALOGUE[SCAN].model.model_validate_json(orjson.dumps(data))
    id = derived_id(cause=f"scan {number}", kind="scan_ran", subject="stack:test")
    return derived_event(id=id, service="audit", type=SCAN, subject="stack:test", time="2026-01-31T16:00:00.000Z", data=data)


def keep(connection: psycopg.Connection[Any], event: dict[str, Any]) -> None:
    """Put it on record."""
    data, of_scan = event["data"], event["type"] == SCAN
    row = {
        "id": event["id"],
        "type": event["type"],
        "kind": data["detector"] if of_scan else data["kind"],
        "about": "scan" if of_scan else "effect",
        "office": None if of_scan else event["subject"].removeprefix("office:"),
        "subject": data.get("subject_of"),
        "regime": data.get("regime"),
        "event_id": None if of_scan else data["event"]["id"],
        "matter": data.get("matter"),
        "key": b"test",
        "value": derived_bytes(event),
    }
    connection.execute(_ADD, row)


def on_record(dsn: str, *, days: int = 40) -> dict[str, Any]:
    """Give the late entries of a stack effects: the first that there is the gravest with ``days`` days, and one without any day. Returns
    that finding."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        rows = connection.execute("SELECT value FROM finding WHERE kind = 'late_entry' AND about = 'entry' ORDER BY sequence").fetchall()
        found = [orjson.loads(bytes(value))["event"] for (value,) in rows]
        for number, one in enumerate(found[:12]):
            most = max(1, days - 3 * number)
            beside = found[1]["data"]["matter"] if number == 0 else None
            keep(connection, assessed(one, days=most, least=most // 2 if number % 2 == 0 else most, beside=beside))
        for day in range(1, 6):
            keep(connection, scanned(day, hits=day % 2, alpha="0.05" if day == 5 else None))
    return found[0]
