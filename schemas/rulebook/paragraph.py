"""A grade explained in one paragraph, in Chinese or English: for a reader who has the law before them and not the program.

What it says is what the grade event says (``schemas.events.derived``), with the rulebook's names, so whoever tells of a grade, rating
or publication, tells it in the same words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from schemas.envelope import lookup
from schemas.events.derived import NOT_RATED
from schemas.rulebook.model import Rulebook, Texts

Language = Literal["zh", "en"]
SHOWN_FACTS = 8
_NO_LONGER = Texts(zh="不再评定", en="no longer rated")
_MISSED = {
    "score": Texts(zh="得分为 {value}，须达到 {bound}", en="by the score alone, {value} where {bound} is needed"),
    "no_acts": Texts(
        zh="{value} 起生效的一项记录落在自 {bound} 起算的期间之内",
        en="by one record alone, in effect from {value}, within the window that begins on {bound}",
    ),
    "operated_for": Texts(zh="实际经营到 {value} 才满所需时间", en="by the time of operation alone, which is complete on {value}"),
}


def paragraph(book: Rulebook, data: Mapping[str, Any], lang: Language) -> str:
    """``data``: that of a ``grade.determined`` or ``grade.corrected``; what it may lack isn't told."""
    sentences = (*_what(book, data, lang), *_why(data, lang), *_facts(data, lang), *_cause(data, lang), *_outlook(data, lang))
    readings = "、".join(data.get("readings") or ()) if lang == "zh" else ", ".join(data.get("readings") or ())
    if lang == "zh":
        applied = f"规则没有写明之处适用解读 {readings}，可以提出异议。" if readings else ""
        return "".join((*sentences, applied, f"所用规则：{book.header.name.zh}，{book.version} 版。"))
    applied = f"Where the rules leave a point open they are read by {readings}, which is open to objection." if readings else ""
    return " ".join(one for one in (*sentences, applied, f"Rulebook: {book.header.name.en}, version {book.version}.") if one)


def grade_name(book: Rulebook, grade: str | None, status: str, lang: Language) -> str:
    """``D 级“失信”``, ``D, “Discredited”``; a status by its name; a grade that is its own name alone."""
    if grade is None:
        found = book.status_words.get(status)
        name = found.name if found else _NO_LONGER if status == NOT_RATED else Texts(zh=status, en=status)
        return _of(name, lang)
    name = _of(next((one.name for one in book.grades if one.grade == grade), Texts(zh=grade, en=grade)), lang)
    if name == grade:
        return f"{grade} 级" if lang == "zh" else grade
    return f"{grade} 级“{name}”" if lang == "zh" else f"{grade}, “{name}”"


def _what(book: Rulebook, data: Mapping[str, Any], lang: Language) -> Iterator[str]:
    name, graded = grade_name(book, data.get("grade"), data["status"], lang), bool(data.get("grade"))
    since, until, how = data.get("in_force_from"), data.get("corrected_to"), _how(data, lang)
    if lang == "zh":
        days = f"{since} 至 {until}，" if until else f"自 {since} 起，" if since else ""
        yield f"{days}{'等级为 ' if graded else '状态为'}{name}{how}。"
    else:
        what = f"the {'grade' if graded else 'status'} {'was' if until else 'is'} {name}{how}."
        yield f"From {since} to {until} {what}" if until else f"Since {since} {what}" if since else f"T{what[1:]}"
    if not data.get("previous_status"):
        return
    before = grade_name(book, data.get("previous_grade"), data["previous_status"], lang)
    if before != name:
        yield f"此前公布为{' ' if data.get('previous_grade') else ''}{before}。" if lang == "zh" else f"Before, it was told as {before}."


def _how(data: Mapping[str, Any], lang: Language) -> str:
    """At which moment it was found."""
    if data.get("moment") == "evaluation" and data.get("period_last"):
        last = data["period_last"]
        return f"，由截至 {last} 的评定得出" if lang == "zh" else f", by the evaluation of the period up to {last}"
    if data.get("moment") == "immediate" and data.get("grade"):
        return "，因两次评定之间生效的事由即时调整" if lang == "zh" else ", between evaluations, for a cause that lowers at once"
    return ""


def _why(data: Mapping[str, Any], lang: Language) -> Iterator[str]:
    for reason in data.get("reasons") or ():
        said = reason[lang].strip()
        ends = said.endswith(("。", ".", "！", "？"))
        yield (
            f"依据{reason['clause']}：{said}{'' if ends else '。'}"
            if lang == "zh"
            else f"Under {reason['clause']}: {said}{'' if ends else '.'}"
        )


def _facts(data: Mapping[str, Any], lang: Language) -> Iterator[str]:
    facts: Sequence[Mapping[str, Any]] = data.get("decisive_events") or ()
    if not facts:
        return
    said = [_fact(one, lang) for one in facts[:SHOWN_FACTS]]
    rest = len(facts) - len(said)
    if lang == "zh":
        yield "所依据的记录：" + "；".join(said) + (f"；另有 {rest} 条" if rest else "") + "。"
    else:
        yield "It rests on these records: " + "; ".join(said) + (f"; and {rest} more" if rest else "") + "."


def _fact(one: Mapping[str, Any], lang: Language) -> str:
    parts = [one["occurred_on"]] if one.get("occurred_on") else []
    if one.get("served_on"):
        parts.append(f"{one['served_on']} 送达" if lang == "zh" else f"served on {one['served_on']}")
    parts.append(f"编号 {one['id']}" if lang == "zh" else f"event {one['id']}")
    name = _type_name(one["type"], lang)
    return f"{name}（{'，'.join(parts)}）" if lang == "zh" else f"{name} ({', '.join(parts)})"


def _type_name(type_name: str, lang: Language) -> str:
    kind = lookup(type_name)
    return type_name if kind is None else kind.zh if lang == "zh" else kind.en.lower()


def _cause(data: Mapping[str, Any], lang: Language) -> Iterator[str]:
    """What made it due, where that is none of the records that it rests on: an annulment, a correction, the evaluation itself."""
    cause = data.get("cause") or {}
    # Events of before ADR 18 say less of it.
    if not cause.get("type") or any(one["id"] == cause["id"] for one in data.get("decisive_events") or ()):
        return
    name, known = _type_name(cause["type"], lang), cause["known_from"]
    if lang == "zh":
        yield f"引起本次认定的记录：{name}（编号 {cause['id']}，{known} 起为系统所知）。"
    else:
        yield f"What made it due: {name} (event {cause['id']}, known from {known})."


def _outlook(data: Mapping[str, Any], lang: Language) -> Iterator[str]:
    for one in data.get("near") or ():
        missed = _of(_MISSED[one["condition"]], lang).format_map({"value": one["value"], "bound": one["bound"]})
        if lang == "zh":
            yield f"离 {one['grade']} 级只差一项条件（{one['clause']}）：{missed}。"
        else:
            yield f"{one['grade']} was missed {missed} ({one['clause']})."
    reached = ("；" if lang == "zh" else "; ").join(_earliest(data.get("better") or (), lang))
    if reached:
        if lang == "zh":
            yield f"没有新的不利记录的，最早可以评为：{reached}；须经批准的自批准起。更正、撤销、异议成立或信用修复可以提前。"
        else:
            yield (
                f"If nothing new counts against it, the earliest evaluation that can give a better grade: {reached}; what needs approval "
                "is in force from it. A correction, an annulment, an upheld objection or repair can bring it forward."
            )


def _earliest(better: Sequence[Mapping[str, Any]], lang: Language) -> Iterator[str]:
    """By the evaluation that can give them, the nearest first; which of several it gives is for the score to say."""
    by_period: dict[str, list[str]] = {}
    for one in better:
        by_period.setdefault(one.get("period_last") or one["on"], []).insert(0, one["grade"])
    for last, grades in by_period.items():
        if lang == "zh":
            yield f"截至 {last} 的评定，{' 或 '.join(grades)} 级{'，视得分' if len(grades) > 1 else ''}"
        else:
            yield f"that of the period up to {last}, {' or '.join(grades)}{' by the score' if len(grades) > 1 else ''}"


def _of(texts: Texts, lang: Language) -> str:
    return texts.zh if lang == "zh" else texts.en
