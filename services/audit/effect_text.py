"""An assessment as text: both paths drawn over the days, and every day that is told named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from services.audit.domain.consequence import CLEARED
from services.audit.domain.dates import en_day

_WIDTH = 60
_SUPPOSING = {
    "on_time": "had it been entered on its last day",
    "true": "had it said what was true",
    "never": "had it not been made",
}
_APPROVALS = {
    "no_approval": "",
    "soonest": ", approved on the day of the proposal",
    "as_long": ", approved as long after the proposal as it really was",
    "never": ", approved only when it really was",
}
_MARKS = {
    "signed_in_time": "signed in time",
    "outage": "a declared outage touched its term",
    "provisional": "its deadline is provisional: the calendar of a year concerned is not issued",
    "ongoing": "the paths still differ",
    "undone_since": "undone since: none of the days holds by all that is known now",
    "joint": "with other entries it made further days wrong",
    "truth_unknown": "nobody has determined or put right what is true",
}
_WRONG = {"grade": "grade", "list": "list", "measure": "measure", "benefit": "benefit"}


def lines(data: Mapping[str, Any], entry: str, consequence: Mapping[str, Any], *, cleared: bool) -> Iterator[str]:
    """The assessment's ``data``. ``entry``: what the entry is, in words; ``consequence``: as the hearing stands since;
    ``cleared``: there."""
    if cleared:
        yield from (*reversed(CLEARED), "")
    yield f"{data['kind'].replace('_', ' ')} · {entry}"
    yield f"of {data['subject_of']}, rated by {data['regime']}; finding {data['finding']}"
    if data["affected"] != data["subject_of"]:
        yield f"what it did to {data['affected']}, which is graded by its parts, of which that is one"
    yield ""
    yield from _drawn(data)
    yield ""
    yield from _days(data)
    yield from _told(data)
    yield ""
    yield from _follows(data, consequence, cleared)


def _drawn(data: Mapping[str, Any]) -> Iterator[str]:
    first, last = date.fromisoformat(data["from_day"]), date.fromisoformat(data["to_day"])
    total = (last - first).days + 1
    width = min(total, _WIDTH)
    columns = [first + timedelta(days=number * total // width) for number in range(width)]
    rows = [("as shown", data["shown"])]
    rows += [(f"{_SUPPOSING[data['supposing']]}{_APPROVALS[one['approvals']]}", one["path"]) for one in data["supposed"]]
    yield f"{en_day(data['from_day'])} to {en_day(data['to_day'])}, {_plural(total, 'day')}{_scale(total, width)}"
    for words, path in rows:
        yield f"  {''.join(_letter(path, one) for one in columns)}  {words}"
        yield f"  {_listed(path)}"


def _scale(total: int, width: int) -> str:
    return "" if total == width else f", {total / width:.1f} to a letter"


def _letter(path: Sequence[Mapping[str, Any]], on: date) -> str:
    text = on.isoformat()
    one = next((one for one in path if one["first"] <= text and (one["last"] is None or text <= one["last"])), None)
    if one is None:
        return "?"
    if one["grade"] is None:
        return "·"
    letter = str(one["grade"])[:1]
    return letter if one["displayed"] else letter.lower()


def _listed(path: Sequence[Mapping[str, Any]]) -> str:
    said = []
    for one in path:
        what = one["grade"] or one["status"].replace("_", " ")
        hidden = "" if one["displayed"] else " (not displayed)"
        until = f" to {one['last']}" if one["last"] else " on"
        said.append(f"{what} from {one['first']}{until}{hidden}")
    return "; ".join(said)


def _days(data: Mapping[str, Any]) -> Iterator[str]:
    settled = data["least"] == data["most"]
    bounds = "at the outside " if data["bounds"] != "exact" else "exactly " if settled else ""
    yield f"days with another grade shown: {bounds}{_span(data['least'], data['most'])}"
    for one in data["supposed"]:
        if one["approvals"] != "no_approval":
            yield f"  {_plural(one['days'], 'day')}{_APPROVALS[one['approvals']].removeprefix(',')}"
    yield f"of them hold by all that is known now: {_span(data['stands_least'], data['stands_most'])}"
    for name, words in (
        ("operation_days", "made by the system's own delay, not the officer's"),
        ("outage_days", "touched by a declared outage"),
        ("stayed_days", "under a stay, while nothing may be published"),
    ):
        if data[name]:
            yield f"  {_plural(data[name], 'day')} {words}"


def _span(least: int, most: int) -> str:
    return _plural(least, "day") if least == most else f"{least} to {_plural(most, 'day')}, depending on when approval would have come"


def _told(data: Mapping[str, Any]) -> Iterator[str]:
    for one in data["wrong"]:
        sure = "" if one["certain"] else ", if approved by then"
        days = f"{en_day(one['first'])} to {en_day(one['last'])}"
        yield f"  {days}: {_WRONG[one['what']]} {one['name']} was {one['was']}, should have been {one['should']}{sure}"
    for one in data["evaluations"]:
        sure = "" if one["certain"] else ", if approved by then"
        period = en_day(one["period_last"])
        yield f"  the evaluation of the period up to {period} gave {one['was']}, should have given {one['should']}{sure}"
    if not data["evaluations"] and data["affected"] == data["subject_of"]:
        yield "  no evaluation would have come out otherwise"


def _follows(data: Mapping[str, Any], found: Mapping[str, Any], cleared: bool) -> Iterator[str]:
    for one in data["joint"]:
        if len(one["matters"]) > 1:
            others = ", ".join(id for id in one["matters"] if id != data["matter"])
            yield f"only together with {others}: {_span(one['least'], one['most'])}"
    if data["affected"] != data["subject_of"]:
        yield "entries about its other parts are not looked at: what several did only together is not told here"
    elif not data["joint_complete"]:
        yield "there are too many late or untrue entries of this subject to have tried all of them together"
    for one in data.get("without", ()):
        yield f"supposed without {one}, which is about it"
    for one in data["marks"]:
        yield f"mark: {_MARKS[one]}"
    named = f" ({found['clause']}; readings {', '.join(found['readings'])})" if found["clause"] else ""
    yield "proposed: none" if cleared else f"proposed, for people to decide: {found['kind'].replace('_', ' ')}{named}"
    if not cleared:
        yield f"  {found['why_en']}"
        yield f"  {found['why_zh']}"
    books = ", ".join(f"{one['regime']} {one['version']}" for one in data["rulebooks"])
    yield f"by the rulebook {books}, {data['software']}"


def _plural(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")
