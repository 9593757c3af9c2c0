"""``python -m tests.explanations``: ten lives and the explanation of each one's grade, into ``docs/explanations.md``.

For a reader who has the plan and not the program: what was entered, and what is said of it, in both languages."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from schemas.envelope import lookup
from schemas.rulebook.paragraph import Language, paragraph
from services.rating.domain.acts import Act
from services.rating.domain.facts import Fact
from services.rating.domain.sentences import sanctions_text
from tests.cases.ledger import Ledger, act, book, shop

TARGET = Path(__file__).resolve().parents[1] / "docs" / "explanations.md"


def _years(ledger: Ledger, **scores: str) -> Ledger:
    for year, score in scores.items():
        ledger.scored(int(year[1:]), score)
        ledger.evaluated(int(year[1:]))
    return ledger


def _three_clean_years(ledger: Ledger) -> None:
    _years(ledger, y2023="99", y2024="98.5", y2025="98")
    ledger.approved("A", "2026-01-20")


def _short_of_a(ledger: Ledger) -> None:
    _years(ledger, y2025="97.5")


def _fine_that_stains(ledger: Ledger) -> None:
    ledger.fined("2023-05-04")
    _years(ledger, y2025="99")


def _warned(ledger: Ledger) -> None:
    ledger.warned("2025-06-02")
    _years(ledger, y2025="95")


def _found_only(ledger: Ledger) -> None:
    ledger.inspected("2025-06-02", found=("GSP-03",))
    _years(ledger, y2025="93")


def _fined_and_approved(ledger: Ledger) -> None:
    _years(ledger, y2024="95")
    ledger.fined("2025-05-28", served="2025-06-10")
    ledger.approved("D", "2025-06-18")


def _fined_and_waiting(ledger: Ledger) -> None:
    _years(ledger, y2024="95")
    ledger.fined("2025-05-28", served="2025-06-10")


def _unknowing(ledger: Ledger) -> None:
    ledger.penalised("2025-03-03", act("confiscation_of_property", concepts=("unknowing_sale",)))
    _years(ledger, y2025="96")


def _other_department(ledger: Ledger) -> None:
    _years(ledger, y2024="95")
    ledger.other_department("2025-09-01", number="价处〔2025〕1号")


def _annulled(ledger: Ledger) -> None:
    _years(ledger, y2024="95")
    fine = ledger.fined("2025-05-28", served="2025-06-10")
    ledger.approved("D", "2025-06-18")
    ledger.annulled(fine, "2025-11-03")


def _new(ledger: Ledger) -> None:
    ledger.scored(2025, "99")
    ledger.evaluated(2025)


LIVES: list[tuple[str, str, str, Callable[[Ledger], None]]] = [
    # zh · en · in operation since · what happened
    ("三年无处罚且得分达标", "Three years without a penalty, and the score", "2010-03-01", _three_clean_years),
    ("差半分不到示范", "Half a point short of A", "2010-03-01", _short_of_a),
    ("两年多以前的罚款", "A fine more than two years ago", "2010-03-01", _fine_that_stains),
    ("受到警告", "A warning", "2010-03-01", _warned),
    ("检查发现违法行为而没有处理", "A violation found and nothing imposed", "2010-03-01", _found_only),
    ("年中罚款，经批准降级", "Fined within the year, lowered on approval", "2010-03-01", _fined_and_approved),
    ("不知情经营", "Dealing without knowledge", "2010-03-01", _unknowing),
    ("其他部门的处罚", "A penalty of another department", "2010-03-01", _other_department),
    ("罚款被撤销", "The fine annulled", "2010-03-01", _annulled),
    ("新开办", "A new enterprise", "2025-03-01", _new),
]


def explained(ledger: Ledger) -> dict[str, Any]:
    """What the last grade event says."""
    data: dict[str, Any] = ledger.determined()[-1].event["data"]
    return data


def lives() -> Iterator[tuple[str, str, Ledger]]:
    """Titles and the facts."""
    for zh, en, started, happened in LIVES:
        ledger = shop(started, approving=True)
        happened(ledger)
        yield zh, en, ledger


def _entered(ledger: Ledger, fact: Fact, lang: Language) -> str:
    kind = lookup(fact.type)
    assert kind is not None
    data, zh = fact.data, lang == "zh"
    parts = [str(data[name]) for name in ("occurred_on", "document_no", "authority") if data.get(name) is not None]
    for one in data.get("acts") or ():
        imposed = sanctions_text([Act(date.min, 0, frozenset(one["kinds"]), fact)], chinese=zh)
        unknowing = ("，不知情" if zh else ", without knowledge") if one.get("concepts") else ""
        parts.append(f"{imposed} · {one['legal_field']} · {one['violation']}{unknowing}")
    if fact.name == "score.recorded":
        parts.append(f"{data['year']} 年最后得分 {data['total']}" if zh else f"final score of {data['year']}: {data['total']}")
    if fact.name == "evaluation.closed":
        parts.append(f"{data['period']['first']} … {data['period']['last']}")
    if found := data.get("violations") or ([data["violation"]] if data.get("violation") else None):
        parts.append(f"违法行为 {', '.join(found)}" if zh else f"violation {', '.join(found)}")
    if grade := data.get("grade"):
        parts.append(f"{grade} 级" if zh else f"grade {grade}")
    if undone := data.get("act"):
        number = next(one.data["document_no"] for one in ledger.facts if one.id == undone["id"])
        parts.append(f"撤销 {number}" if zh else f"annuls {number}")
    if service := data.get("service"):
        parts.append(f"{service['served_on']} 送达" if zh else f"served {service['served_on']}")
    known = datetime.fromtimestamp(fact.known / 1000, UTC).date().isoformat()
    parts.append(f"{known} 录入" if zh else f"entered {known}")
    return f"{kind.zh if zh else kind.en} · {' · '.join(parts)} · `{fact.id}`"


def page() -> str:
    """The whole document."""
    found = [
        "# Ten grades explained\n",
        "Made by `python -m tests.explanations` from made-up lives under the rulebook `liyujiang`; a test holds it equal. Each explanation",
        "is the paragraph that a subject's page, `mingjian explain --paragraph`, the API and `mingjian rate --json` give.\n",
    ]
    for number, (zh, en, ledger) in enumerate(lives(), 1):
        said = explained(ledger)
        found.append(f"## {number}. {zh} · {en}\n")
        for lang, heading in (("zh", "录入的记录："), ("en", "Entered:")):
            found.append(heading + "\n")
            found += [f"* {_entered(ledger, fact, lang)}" for fact in ledger.facts if fact.name != "rulebook.activated"]  # type: ignore[arg-type]
            found.append(f"\n> {paragraph(ledger.book.rulebook, said, lang)}\n")  # type: ignore[arg-type]
    cited = {id for _, _, ledger in lives() for id in explained(ledger)["readings"]}
    found.append("## 解读 · Readings\n")
    found += [f"* {one.id}: {one.zh}<br>{one.en}" for one in book("liyujiang").rulebook.readings if one.id in cited]
    return "\n".join(found) + "\n"


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{TARGET}\n")
