"""Rows → what templates show. Pure: everything comes as an argument."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import orjson

from schemas.events import CATALOGUE
from schemas.events.base import DocumentAct
from schemas.rulebook.model import Rulebook
from schemas.rulebook.paragraph import paragraph
from services.publication.adapters.postgres_reader import Row
from services.publication.domain.history import Told, spans
from services.publication.domain.rows import CORRECTED
from services.publication.domain.vocabulary import Vocabulary
from services.publication.web import dates, words
from services.publication.web.api_routes import timeline_cursor
from services.publication.web.charts import Bar, bars, step_chart

Leaf = tuple[int, str | None] | None
"""(index in the log, address of its page), where the audit service gave it."""


@dataclass(frozen=True)
class Speaker:
    """The language of a page and how it says things."""

    lang: str
    translate: Callable[[str], str]
    vocabulary: Vocabulary

    def day(self, value: date | str | None) -> str:
        """A date."""
        return dates.day(value, self.lang)


def event_title(type_name: str, lang: str) -> str:
    """What an event type is called."""
    row = CATALOGUE.get(type_name)
    return type_name if row is None else (row.zh if lang == "zh" else row.en)


def needs_service(type_name: str) -> bool:
    """True for acts that have no effect until their document is served."""
    row = CATALOGUE.get(type_name)
    return row is not None and issubclass(row.model, DocumentAct)


def regime_bars(counts: Sequence[Row], regime: str, vocabulary: Vocabulary) -> tuple[list[Bar], int]:
    """The bar of grades of a regime: its grades from best to worst, also those nobody holds, then statuses by number."""
    mine = [row for row in counts if row["regime"] == regime]
    by_grade: dict[str, int] = {}
    by_status: dict[str, int] = {}
    for row in mine:
        if row["grade"] is not None:
            by_grade[row["grade"]] = by_grade.get(row["grade"], 0) + row["n"]
        else:
            by_status[row["status"]] = by_status.get(row["status"], 0) + row["n"]
    known = [term.word for term in vocabulary.grades(regime)]
    grades = known + sorted(set(by_grade) - set(known))
    rows = [("grade", vocabulary.grade(regime, grade), by_grade.get(grade, 0)) for grade in grades]
    statuses = sorted(by_status, key=lambda status: -by_status[status])
    rows += [("status", vocabulary.status(regime, status), by_status[status]) for status in statuses]
    return bars(rows), sum(row["n"] for row in mine)


def current_grade(row: Row, here: Callable[[str, str, int, date | None], str], leaf: Leaf, speaker: Speaker) -> dict[str, Any]:
    """A subject's grade with its reasons as sentences. ``here(id, …)`` gives the address of a fact on the page."""
    data = row["data"]
    decisive = {one["id"]: one for one in data.get("decisive_events") or ()}
    reasons = []
    for reason in data.get("reasons") or ():
        events = [_decisive(decisive[id], here, speaker) for id in reason.get("events") or () if id in decisive]
        grade = reason.get("grade")
        shade = speaker.vocabulary.grade(row["regime"], grade).shade if grade else None
        text = dates.in_text(reason.get(speaker.lang) or reason.get("zh", ""), speaker.lang)
        reasons.append(
            {"text": text, "clause": reason.get("clause", ""), "readings": reason.get("readings") or (), "shade": shade, "events": events}
        )
    index, url = leaf or (None, None)
    kept = {name: row[name] for name in ("regime", "grade", "status", "in_force_from", "known_ms")}
    version = (data.get("rulebook") or {}).get("version", "")
    better = [(one["grade"], speaker.day(date.fromisoformat(one["on"]))) for one in data.get("better") or ()]
    near = [one | {name: dates.in_text(one[name], speaker.lang) for name in ("value", "bound")} for one in data.get("near") or ()]
    told = row["in_force_from"] is not None
    hidden = row["suspended"]
    book = None if hidden else speaker.vocabulary.book(row["regime"])
    return kept | {
        "suspended": hidden,
        "paragraph": dates.in_text(paragraph(book, data, "zh" if speaker.lang == "zh" else "en"), speaker.lang) if book else None,
        "reasons": reasons,
        "version": version,
        "rebuilt_by": data.get("rebuilt_by"),
        "leaf": index,
        "leaf_url": url,
        "told": told,
        "better": better,
        "near": near,
    }


def _decisive(one: Mapping[str, Any], here: Callable[[str, str, int, date | None], str], speaker: Speaker) -> dict[str, str]:
    occurred = date.fromisoformat(one["occurred_on"]) if one.get("occurred_on") else None
    label = event_title(one["type"], speaker.lang)
    href = here(one["id"], str(one["partition"]), int(one["offset"]), occurred)
    return {"href": href, "label": f"{label} {speaker.day(occurred)}" if occurred else label}


def history(regime: str, rows: Sequence[Row], *, today: date, shown: int, speaker: Speaker) -> dict[str, Any]:
    """The step chart and table of one regime. ``rows``: its changes, newest first."""
    # By cause, then as told: what another version of rating says of the past covers nothing that was caused later.
    ordered = sorted(rows, key=lambda row: (row["cause_offset"], row["seq"]))
    told = [
        Told(place, row["grade"], row["status"], start, row["corrected_to"] if row["type"] == CORRECTED else None)
        for place, row in enumerate(ordered)
        if (start := row["in_force_from"]) is not None
    ]
    laid = spans(told)
    table = []
    for span in sorted(laid, key=lambda one: one.start, reverse=True)[:shown]:
        row = ordered[span.seq]
        last = span.end - timedelta(days=1) if span.end else None
        kept = {name: row[name] for name in ("regime", "grade", "status", "known_ms")}
        said = {"clauses": row["data"].get("clauses") or [], "rebuilt_by": row["data"].get("rebuilt_by")}
        table.append(kept | said | {"start": span.start, "last": last})
    chart = step_chart(regime, laid, today=today, vocabulary=speaker.vocabulary)
    return {"regime": regime, "chart": chart, "rows": table, "more": len(laid) > shown}


def mention(row: Row, here: Callable[[str, str, int, date | None], str], speaker: Speaker) -> dict[str, str]:
    """A fact that says something of another one: what, how it ended, on which day."""
    outcome = row["data"].get("outcome")
    words_of = [
        event_title(row["type"], speaker.lang),
        words.word(outcome, speaker.translate) if outcome else "",
        speaker.day(row["occurred_on"]),
    ]
    href = here(str(row["event_id"]), str(row["partition"]), int(row["offset"]), row["occurred_on"])
    return {"href": href, "label": " · ".join(one for one in words_of if one)}


def timeline_fact(
    row: Row, decisive: frozenset[str], leaf_url: str | None, speaker: Speaker, said: Sequence[dict[str, str]] = ()
) -> dict[str, Any]:
    """A fact of the timeline. ``said``: what was said of it later."""
    names = ("partition", "offset", "event_hash", "occurred_on", "served_on", "received_at", "known_ms")
    return {name: row[name] for name in names} | {
        "event_id": str(row["event_id"]),
        "title": event_title(row["type"], speaker.lang),
        "decisive": str(row["event_id"]) in decisive,
        "said": list(said),
        "needs_service": needs_service(row["type"]),
        "lines": words.lines(row["data"], speaker.translate, speaker.lang, speaker.day, type_name=row["type"]),
        "place": f"facts / {row['partition']} / {row['offset']}",
        "leaf_url": leaf_url,
    }


def fact_address(subject: str, shown: frozenset[tuple[int, int]], link: Callable[..., str]) -> Callable[[str, str, int, date | None], str]:
    """How a page links to a fact: within itself where it shows it, else to the page of the timeline that begins with it."""

    def here(id: str, partition: str, offset: int, occurred: date | None) -> str:
        fragment = f"#fact-{partition}-{offset}"
        if (int(partition), offset) in shown or occurred is None:
            return fragment
        return link(f"/subjects/{subject}", cursor=timeline_cursor(subject, occurred, offset + 1)) + fragment

    return here


def stay_address(subject: str, here: Callable[[str, str, int, date | None], str], link: Callable[..., str]) -> Callable[[Row], str]:
    """How the page of ``subject`` links to a stay: a part's, or a predecessor's, stands on another subject's timeline."""

    def address(event: Row) -> str:
        at = here if event["subject"] == subject else fact_address(event["subject"], frozenset(), link)
        ordered_on = date.fromisoformat(event["occurred_on"]) if event["occurred_on"] else None
        return at(event["id"], str(event["partition"]), event["offset"], ordered_on)

    return address


def register_lines(row: Row, speaker: Speaker) -> list[tuple[str, str]]:
    """Register data as (label, value)."""
    found: list[tuple[str, str]] = []
    for name in ("name", "business_kind", "business_type", "address", "postcode", "district", "local_ref", "licence_numbers"):
        value = row[name]
        if value:
            text = ("、" if speaker.lang == "zh" else ", ").join(value) if isinstance(value, list) else str(value)
            found.append((speaker.translate(words.FIELDS[name]), words.word(text, speaker.translate) if name == "business_kind" else text))
    for name in ("registered_on", "operating_since", "closed_on"):
        if row[name] is not None:
            found.append((speaker.translate(words.FIELDS[name]), speaker.day(row[name])))
    for name in ("operation", "closed_reason"):
        if row[name] is not None:
            found.append((speaker.translate(words.FIELDS[name]), words.word(row[name], speaker.translate)))
    return found


def story(row: Row, fact: Row, name: str | None, leaf: Leaf, speaker: Speaker) -> dict[str, Any]:
    """The story card. ``fact``: the late entry; ``name``: of the enterprise that it is about."""
    index, url = leaf or (None, None)
    regime = speaker.vocabulary.regime_of_clause(row["story"]["clause"])
    shown = {"id": str(fact["event_id"]), "type": fact["type"], "subject": fact["subject"], "data": fact["data"]}
    raw = orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode()
    told = {name: dates.in_text(row["story"][name], name[-2:]) for name in ("detail_zh", "detail_en")}
    about = {"subject": fact["subject"], "name": name, "raw": raw, "leaf": index, "leaf_url": url, "regime": regime}
    return row["story"] | told | about


def rules_by_grade(book: Rulebook, lang: str, day: date) -> dict[str, list[str]]:
    """The clauses of what gives each grade, or each status, on a day, in our own words, each once."""
    found: dict[str, list[str]] = {}
    for rule in book.rules:
        if rule.in_force(day):
            clause = book.clause_texts.get(rule.clause)
            if clause is not None:
                text = clause.zh if lang == "zh" else clause.en
                held = found.setdefault(rule.grade or rule.status or "", [])
                if text not in held:
                    held.append(text)
    return found


def parameters(book: Rulebook, lang: str, day: date) -> list[dict[str, Any]]:
    """Numbers in force on a day."""
    found = []
    for one in book.parameters:
        dated = one.dated_at(day)
        if dated is None or dated.value is None or one.unit in ("flag", "word", "words"):
            continue
        title = one.title.zh if lang == "zh" else one.title.en
        found.append({"title": title, "value": dated.value, "since": dated.in_force_from, "clause": dated.clause})
    return found


_NUMERALS = str.maketrans({numeral: chr(ord("a") + at) for at, numeral in enumerate("一二三四五六七八九")})


def natural(text: str) -> tuple[tuple[str, int], ...]:
    """A sort key that puts R2 before R10 and 二 before 三."""
    parts = re.findall(r"([^0-9]*)([0-9]*)", text.translate(_NUMERALS))
    return tuple((word, int(number or 0)) for word, number in parts)
