"""Answers of the services → lines for people. Pure: language and data come in, lines go out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.cells import cell_len

from schemas.times import civil_date

# What publication says in the place of a grade that a stay keeps back.
_SUSPENDED = "publication_suspended"


def grade_words(grade: str | None, status: str, language: str, names: Mapping[str, Mapping[str, str]]) -> str:
    """``D 失信``; a status where there is no grade."""
    if grade is None and status == _SUSPENDED:
        return _pick(language, "公示暂停：依法停止执行", "publication suspended by a stay")
    if grade is None:
        return names.get(status, {}).get(language, status.replace("_", " "))
    name = names.get(grade, {}).get(language, "")
    return f"{grade} {name}".strip()


def _stayed(told: Mapping[str, Any], language: str) -> str:
    """``since 2026-03-10 until 2026-03-20 (R18)``: the days of a suspension."""
    until = _pick(language, f"至 {told['until']}", f"until {told['until']}") if told["until"] else ""
    since = _pick(language, f"自 {told['since']} 起", f"since {told['since']}")
    return " ".join(part for part in (since, until, f"({told['reading']})") if part)


def suspension_lines(name: str, data: Mapping[str, Any], language: str) -> Iterator[str]:
    """What the stream says of suspensions beside its numbers: all that run (``suspensions``), one that begins, one that is over."""
    if name == "resumed":
        yield f"{data['subject']}  {data['regime']}  {_pick(language, '恢复公示', 'published again')}"
        return
    for one in data["items"] if name == "suspensions" else [data]:
        yield f"{one['subject']}  {one['regime']}  {grade_words(None, _SUSPENDED, language, {})}  {_stayed(one, language)}"


def change_line(data: Mapping[str, Any], subject: str, number: str, language: str, names: Mapping[str, Mapping[str, str]]) -> str:
    """One change on the stream in one line."""
    after = grade_words(data.get("grade"), data["status"], language, names)
    before = data.get("previous_grade") or (data.get("previous_status") and grade_words(None, data["previous_status"], language, names))
    # The same again comes with other reasons or another beginning.
    moved = f"{before} → {after}" if before and before != after else after
    since = data.get("in_force_from") or ""
    if until := data.get("corrected_to"):
        # Days that are over: what is told now is what held on them.
        since = f"{_pick(language, '更正', 'corrected')} {since} … {until}"
    clauses = " ".join(data.get("clauses") or ())
    return "  ".join(part for part in (f"#{number}", subject, data["regime"], moved, since, clauses) if part)


def explanation(answer: Mapping[str, Any], language: str, names: Mapping[str, Mapping[str, str]], zone: str = "UTC") -> Iterator[str]:
    """A subject's grades: what, since when, why, on which facts, by which rules; then how it came there.

    ``zone``: the time zone in which the day of an entry is counted."""
    yield f"{answer['subject']}  {answer.get('name') or ''}".rstrip()
    if not answer["grades"]:
        yield _pick(language, "还没有等级。", "No grade yet.")
    entered = {one["event_id"]: civil_date(one["received_at"], zone).isoformat() for one in answer.get("facts") or ()}
    for one in answer["grades"]:
        yield from _grade(one, entered, language, names)
    if len(answer["history"]) > len(answer["grades"]):
        yield ""
        yield _pick(language, "经过(最近的在前):", "How it came there, the latest first:")
        for one in answer["history"]:
            words = _wide(grade_words(one["grade"], one["status"], language, names), 20)
            until = one["data"].get("corrected_to")
            over = f"  {_pick(language, '更正至', 'corrected, to')} {until}" if until else ""
            yield f"  {one['in_force_from'] or '—':<12}{words}{one['regime']}  {' '.join(one['data'].get('clauses') or ())}{over}".rstrip()


def _wide(words: str, columns: int) -> str:
    """Filled up to so many columns of a terminal, on which a Chinese character takes two."""
    return words + " " * max(2, columns - cell_len(words))


def _grade(one: Mapping[str, Any], entered: Mapping[str, str], language: str, names: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    data = one["data"]
    since = f"  {_pick(language, '自', 'since')} {one['in_force_from']}" if one["in_force_from"] else ""
    if told := one.get("suspended"):
        since = f"  {_stayed(told, language)}"
    yield ""
    yield f"{one['regime']}: {grade_words(one['grade'], one['status'], language, names)}{since}"
    for reason in data.get("reasons") or ():
        yield f"  {reason['clause']}  {reason[language]}"
        if reason.get("readings"):
            yield f"    {_pick(language, '解读', 'readings')}: {', '.join(reason['readings'])}"
    yield from _parts(data.get("parts"), language)
    yield from _outlook(data, language)
    decisive = data.get("decisive_events") or ()
    if decisive:
        yield _pick(language, "  依据的事实：", "  It rests on:")
    for fact in decisive:
        yield f"    {_fact(fact, entered.get(fact['id']), language)}"
    book = data.get("rulebook")
    if book:
        yield f"  {_pick(language, '规则', 'rulebook')}: {book['regime']} {book['version']}, SHA-256 {book['sha256'][:16]}…"


def _parts(parts: Mapping[str, Any] | None, language: str) -> Iterator[str]:
    """What a grade by parts was counted from, and the parts that decided."""
    if parts is None:
        return
    grades = ", ".join(f"{one['grade']} {one['parts']}" for one in parts["grades"])
    left, counted = parts["others"], parts["counted"]
    others = _pick(language, f"，另有 {left} 家不计入", f", {left} more left out") if left else ""
    yield _pick(language, f"  计入门店 {counted} 家：{grades}{others}", f"  counted from {counted} parts: {grades}{others}")
    for one in parts["named"]:
        yield f"    {one['part']} · {one['grade']} · {_pick(language, '自', 'since')} {one['since']}"


def _outlook(data: Mapping[str, Any], language: str) -> Iterator[str]:
    for one in data.get("near") or ():
        what = {"score": ("得分", "the score"), "no_acts": ("一项行为", "an act"), "operated_for": ("经营时间", "the time of operation")}
        zh, en = what[one["condition"]]
        yield _pick(
            language,
            f"  {one['grade']} 级只差{zh}：{one['value']}（界限 {one['bound']}） {one['clause']}",
            f"  {one['grade']} was missed by {en} alone: {one['value']}, against {one['bound']}  {one['clause']}",
        )
    if days := ", ".join(f"{one['grade']} {one['on']}" for one in data.get("better") or ()):
        yield _pick(language, f"  最早可能升级：{days}", f"  possible at the earliest: {days}")


def _fact(fact: Mapping[str, Any], entered: str | None, language: str) -> str:
    kind = fact["type"].removeprefix("mingjian.").rpartition(".")[0]
    parts = [kind]
    if fact.get("occurred_on"):
        parts.append(_pick(language, "发生 ", "happened ") + fact["occurred_on"])
    if fact.get("served_on"):
        parts.append(_pick(language, "送达 ", "served ") + fact["served_on"])
    if entered:
        parts.append(_pick(language, "录入 ", "entered ") + entered)
    parts.append(f"facts {fact['partition']}/{fact['offset']}")
    parts.append(fact["id"])
    return " · ".join(parts)


def explanation_known(answer: Mapping[str, Any], language: str, names: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """A subject's grades as of a day, as known at an instant: what, why, which fact decided, and for which days the answer holds."""
    yield answer["subject"]
    yield _pick(
        language,
        f"{answer['as_of']} 当日的等级，按 {answer['known_at']} 时所知",
        f"as of {answer['as_of']}, as known at {answer['known_at']}",
    )
    for one in answer["grades"]:
        yield from _grade(one, {}, language, names)
        until = one["in_force_until"] or _pick(language, "当时仍有效", "still in force then")
        yield f"  {_pick(language, '有效期间', 'holds')}: {one['in_force_from'] or '—'} … {until}"
        yield f"  {_pick(language, '由此决定', 'decided by')}: {_cause(one['cause'])} · {one['cause']['id']}"
        source = one["cause"]["source"] or ""
        yield f"    {source}  {_pick(language, '知悉于', 'known from')} {one['known_from']}".rstrip()
        if one["retrospective"]:
            yield _pick(
                language,
                "  这一天早于首条记录入库：按最初的记录所述，后来的记录不再更正这些日子。",
                "  The day lies before the first entry was known: it is as the first entries tell it, and later ones don't correct it.",
            )
    yield from _silent(answer, language)


def history_known(answer: Mapping[str, Any], language: str, names: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """The history as known at an instant, as a table: from, to, grade, regime, known from, and what caused it."""
    yield answer["subject"]
    yield _pick(language, f"按 {answer['known_at']} 时所知", f"as known at {answer['known_at']}")
    spans = [(regime["regime"], span) for regime in answer["regimes"] for span in regime["spans"]]
    if spans:
        heads = (("自", "至", "等级", "制度", "知悉于", "缘由"), ("from", "to", "grade", "regime", "known from", "caused by"))
        rows = [heads[0] if language == "zh" else heads[1]]
        for regime, one in spans:
            words = grade_words(one["grade"], one["status"], language, names)
            until = one["in_force_until"] or _pick(language, "仍有效", "still")
            rows.append((one["in_force_from"] or "—", until, words, regime, one["known_from"], _cause(one["cause"])))
        widths = [max(cell_len(row[at]) for row in rows) + 2 for at in range(len(rows[0]))]
        yield ""
        yield from ("".join(_wide(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    yield from _silent(answer, language)


def _cause(cause: Mapping[str, Any]) -> str:
    kind = (cause["type"] or "").removeprefix("mingjian.").rpartition(".")[0]
    return " · ".join(part for part in (kind, f"facts {cause['partition']}/{cause['offset']}") if part)


def _silent(answer: Mapping[str, Any], language: str) -> Iterator[str]:
    for one in answer["unanswered"]:
        yield ""
        yield f"{one['regime']}: {one[f'detail_{language}']}" if one["regime"] else one[f"detail_{language}"]


def finding_line(finding: Mapping[str, Any], language: str) -> str:
    """A finding in one line: whether a hearing cleared it, kind, whom it concerns, what was seen."""
    data = finding["event"]["data"]
    about = data.get("office") or finding["event"]["subject"]
    cleared = _pick(language, "已澄清", "cleared") if finding.get("cleared") else ""
    return "  ".join(part for part in (cleared, data["kind"], about, finding.get("subject") or "", data[f"detail_{language}"]) if part)


def _pick(language: str, zh: str, en: str) -> str:
    return zh if language == "zh" else en
