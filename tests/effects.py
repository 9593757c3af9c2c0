"""Effects and scans as events, valid by the contract, with days made of a finding's own: for pages and their reader."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson

from schemas.envelope import derived_event
from schemas.events import CATALOGUE
from schemas.ids import derived_id

GOLDEN = Path(__file__).resolve().parents[1] / "schemas" / "golden"
ASSESSED, SCAN = "mingjian.finding.assessed.v1", "mingjian.scan.ran.v1"


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
    benefit = {"what": "benefit", "name": "四(一)1", "was": "on", "should": "off", "certain": False}
    benefit |= {"first": text[0], "last": text[days - 1]}
    measure = benefit | {
        "what": "measure",
        "was": "off",
        "should": "on",
        "name": "四(三)2",
        "first": text[days - 1],
        "certain": least == days,
    }
    data |= {"finding": finding["id"], "subject_of": about["subject_of"], "affected": about["subject_of"], "event": about["event"]}
    data |= {"matter": about["matter"], "regime": about["regime"], "cause": about["cause"], "from_day": text[0], "to_day": text[-1]}
    shown = [(text[0], text[days - 1], "B"), (text[days], None, "D")]
    data["shown"] = path(*shown)
    data["supposed"] = [{"approvals": "soonest", "path": path((text[0], None, "D")), "days": days, "stands": days}]
    if least < days:
        late = path((text[0], text[days - least - 1], "B"), (text[days - least], None, "D"))
        data["supposed"].append({"approvals": "never", "path": late, "days": least, "stands": least})
    data |= {"least": least, "most": days, "stands_least": least, "stands_most": days, "wrong": [*possible, *certain, benefit, measure]}
    data["evaluations"] = [
        {"evaluation": data["finding"], "period_last": "2025-12-31", "was": "B", "should": "D", "certain": least == days}
    ]
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
