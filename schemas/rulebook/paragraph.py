"""A grade explained in one paragraph, in Chinese or English: for a reader who has the law before them and not the program.

What it says is what the grade event says (``schemas.events.derived``), with the rulebook's names and the texts of the readings relied
on, so whoever tells of a grade, rating or publication, tells it in the same words.
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
        zh="{value} 有一项行为，自 {bound} 起须无此类行为", en="by an act of {value} alone, where none may be from {bound} on"
    ),
    "operated_for": Texts(zh="经营时间到 {value} 才够", en="by the time of operation alone, which is complete on {value}"),
}


def paragraph(book: Rulebook, data: Mapping[str, Any], lang: Language) -> str:
    """``data``: that of a ``grade.determined`` or ``grade.corrected``; ``near`` and ``better`` may be missing."""
    sentences = [_what(book, data, lang), *_why(data, lang), *_facts(data, lang), *_outlook(data, lang), *_readings(book, data, lang)]
    version = {
        "zh": f"所用规则：{book.header.name.zh}，{book.version} 版。",
        "en": f"Rulebook: {book.header.name.en}, version {book.version}.",
    }
    return ("" if lang == "zh" else " ").join((*sentences, version[lang]))


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


def _what(book: Rulebook, data: Mapping[str, Any], lang: Language) -> str:
    name, graded = grade_name(book, data.get("grade"), data["status"], lang), bool(data.get("grade"))
    since, until, how = data.get("in_force_from"), data.get("corrected_to"), _how(data, lang)
    if lang == "zh":
        days = f"{since} 至 {until}，" if until else f"自 {since} 起，" if since else ""
        return f"{days}{'等级为 ' if graded else '状态为'}{name}{how}。"
    what = f"the {'grade' if graded else 'status'} {'was' if until else 'is'} {name}{how}."
    if until:
        return f"From {since} to {until} {what}"
    return f"Since {since} {what}" if since else f"T{what[1:]}"


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
    kind = lookup(one["type"])
    name = one["type"] if kind is None else kind.zh if lang == "zh" else kind.en.lower()
    parts = [name]
    if one.get("occurred_on"):
        parts.append(f"{one['occurred_on']} 发生" if lang == "zh" else f"of {one['occurred_on']}")
    if one.get("served_on"):
        parts.append(f"{one['served_on']} 送达" if lang == "zh" else f"served on {one['served_on']}")
    parts.append(f"编号 {one['id']}" if lang == "zh" else f"event {one['id']}")
    return ("，" if lang == "zh" else ", ").join(parts)


def _readings(book: Rulebook, data: Mapping[str, Any], lang: Language) -> Iterator[str]:
    texts = {one.id: one for one in book.readings}
    used = [texts[id] for id in data.get("readings") or () if id in texts]
    if not used:
        return
    if lang == "zh":
        yield "规定未写明之处按以下解读：" + "".join(f"{one.id}，{one.zh}" for one in used)
    else:
        yield "Where the law leaves a point open, it is read so: " + " ".join(f"{one.id}: {one.en}" for one in used)


def _outlook(data: Mapping[str, Any], lang: Language) -> Iterator[str]:
    for one in data.get("near") or ():
        missed = _of(_MISSED[one["condition"]], lang).format_map({"value": one["value"], "bound": one["bound"]})
        if lang == "zh":
            yield f"离 {one['grade']} 级只差一项条件（{one['clause']}）：{missed}。"
        else:
            yield f"{one['grade']} was missed {missed} ({one['clause']})."
    if days := list(_earliest(data.get("better") or (), lang)):
        if lang == "zh":
            yield f"此后没有不利记录且得分足够的，最早可为：{'、'.join(days)}。"
        else:
            yield f"If nothing more counts against it and its scores suffice, the earliest possible: {', '.join(days)}."


def _earliest(better: Sequence[Mapping[str, Any]], lang: Language) -> Iterator[str]:
    """The nearest first; of several grades on one day the best, which is told last."""
    best = {one["on"]: one["grade"] for one in better}
    for on, grade in best.items():
        yield f"{on} {grade} 级" if lang == "zh" else f"{grade} on {on}"


def _of(texts: Texts, lang: Language) -> str:
    return texts.zh if lang == "zh" else texts.en
