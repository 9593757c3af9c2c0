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
from services.rating.domain.controls import Controls
from services.rating.domain.emit import ahead, held
from services.rating.domain.facts import CONTROLS, Fact
from services.rating.domain.outlook import outlook
from services.rating.domain.subject import Subject
from tests.cases.ledger import Ledger, act, shop

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


LIVES: list[tuple[str, str, str, Callable[[Ledger], None], str]] = [
    # zh · en · in operation since · what happened · the day asked for
    ("三年无处罚且得分达标", "Three years without a penalty, and the score", "2010-03-01", _three_clean_years, "2026-02-01"),
    ("差半分不到示范", "Half a point short of A", "2010-03-01", _short_of_a, "2026-02-01"),
    ("两年半以前的罚款", "A fine of two and a half years ago", "2010-03-01", _fine_that_stains, "2026-02-01"),
    ("受到警告", "A warning", "2010-03-01", _warned, "2026-02-01"),
    ("检查发现违法行为而没有处理", "A violation found and nothing imposed", "2010-03-01", _found_only, "2026-02-01"),
    ("年中罚款，经批准降级", "Fined within the year, lowered on approval", "2010-03-01", _fined_and_approved, "2025-07-01"),
    ("不知情经营", "Dealing without knowledge", "2010-03-01", _unknowing, "2026-02-01"),
    ("其他部门的处罚", "A penalty of another department", "2010-03-01", _other_department, "2025-10-01"),
    ("罚款被撤销", "The fine annulled", "2010-03-01", _annulled, "2025-12-01"),
    ("新开办", "A new enterprise", "2025-03-01", _new, "2026-02-01"),
]


def explained(ledger: Ledger, day: str) -> dict[str, Any]:
    """What an event would say of the standing on a day, with what a better grade would take."""
    subject, controls = Subject(ledger.subject, 3), Controls()
    for fact in ledger.facts:
        controls.apply(fact) if fact.name in CONTROLS else subject.apply(fact)
    found = ledger.on(day)
    assert found is not None
    seen = outlook(subject, controls, ledger.book.rulebook, found, upto=ledger.offset, as_of=date.fromisoformat(day))
    return held(found) | ahead(seen)


def lives() -> Iterator[tuple[str, str, Ledger, str]]:
    """Titles, the facts and the day asked for."""
    for zh, en, started, happened, day in LIVES:
        ledger = shop(started, approving=True)
        happened(ledger)
        yield zh, en, ledger, day


def _entered(fact: Fact, lang: Language) -> str:
    kind = lookup(fact.type)
    assert kind is not None
    data, parts = fact.data, []
    for name in ("occurred_on", "document_no", "authority", "year", "total", "grade", "evaluation_date"):
        if data.get(name) is not None:
            parts.append(str(data[name]))
    if service := data.get("service"):
        parts.append(f"{service['served_on']} 送达" if lang == "zh" else f"served {service['served_on']}")
    known = datetime.fromtimestamp(fact.known / 1000, UTC).date().isoformat()
    parts.append(f"{known} 录入" if lang == "zh" else f"entered {known}")
    return f"{kind.zh if lang == 'zh' else kind.en} · {' · '.join(parts)} · `{fact.id}`"


def page() -> str:
    """The whole document."""
    found = [
        "# Ten grades explained\n",
        "Made by `python -m tests.explanations` from made-up lives under the rulebook `liyujiang`; a test holds it equal. Each explanation",
        "is the paragraph that a subject's page, `mingjian explain --paragraph`, the API and `mingjian rate --json` give.\n",
    ]
    for number, (zh, en, ledger, day) in enumerate(lives(), 1):
        said = explained(ledger, day)
        found.append(f"## {number}. {zh} · {en}\n")
        for lang, heading in (("zh", f"录入的记录（问 {day} 当日）："), ("en", f"Entered (asked as of {day}):")):
            found.append(heading + "\n")
            found += [f"* {_entered(fact, lang)}" for fact in ledger.facts if fact.name != "rulebook.activated"]  # type: ignore[arg-type]
            found.append(f"\n> {paragraph(ledger.book.rulebook, said, lang)}\n")  # type: ignore[arg-type]
    return "\n".join(found)


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{TARGET}\n")
