"""The pages and tables: they say what was found, escape what was entered, and need nothing from outside."""

from __future__ import annotations

import json
import re
from datetime import date
from html.parser import HTMLParser
from io import StringIO

from rich.console import Console

from schemas.canonical import canonical_bytes
from services.rating.analysis.history import Scene
from services.rating.analysis.quality import quality
from services.rating.analysis.simulation import Simulation, simulate
from services.rating.report.notes import notes
from services.rating.report.page import Frame
from services.rating.report.quality_json import quality_json
from services.rating.report.quality_notes import notes as quality_notes
from services.rating.report.quality_page import quality_page
from services.rating.report.quality_terminal import Sheet as QualitySheet
from services.rating.report.simulation_json import simulation_json
from services.rating.report.simulation_page import simulation_page
from services.rating.report.simulation_terminal import Sheet
from tests.cases.ledger import book
from tests.unit.rating.analysis.made import PLAN, Made, edition, subject
from tests.unit.rating.analysis.test_simulation import TO_97, made_town

AS_OF = date(2026, 6, 30)


def found(made: Made | None = None) -> Simulation:
    made = made or made_town(1, 40)[0]
    old = Scene.of(book(PLAN))
    return simulate(made.history(), old, Scene.of(edition("scores.yaml", TO_97), old.go_live), AS_OF)


class Page(HTMLParser):
    """Tags with their attributes; the text; what is open at the end."""

    VOID = frozenset({"meta"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and tag == self.open.pop(), (tag, self.getpos())

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def check(html: str) -> Page:
    """Well nested, nothing to fetch, no script, Chinese first, one heading of the first rank."""
    page = Page(html)
    assert [] == page.open
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in page.tags}
    assert not any(name.startswith("on") or name in ("src", "href") for _, attrs in page.tags for name in attrs)
    assert not re.search(r"https?://|@import|url\(", html)
    assert ("html", {"lang": "zh-CN"}) in page.tags
    assert 1 == sum(tag == "h1" for tag, _ in page.tags)
    assert all(attrs.get("aria-label") or attrs.get("aria-hidden") for tag, attrs in page.tags if tag == "svg")
    return page


def test_the_page_names_everyone_who_moves_and_what_decided() -> None:
    result = found()
    page = check(simulation_page(result, Frame("old", ("新", "new"), notes(result))))
    for one in result.movers:
        assert one.subject in page.text
    assert f"{len(result.movers)} / {result.rated} 个对象" in page.text
    assert "A级最低分（三(二)1(1)）：98 → 97" in page.text
    assert "达到 97 分" in page.text and "at or above 97" in page.text


def test_what_was_entered_is_escaped() -> None:
    made = Made()
    made.opened(subject(1), "2010-03-01", name="<script>alert(1)</script>")
    made.scored(subject(1), 2025, "97.5")
    made.evaluated(2025)
    html = simulation_page(found(made), Frame("old"))
    check(html)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_an_empty_result_says_why() -> None:
    made = Made()
    made.add("2026-06-30", "inspection.recorded", subject(1), {"kind": "routine", "mode": "on_site"})
    result = found(made)
    said = notes(result, ["2027-01-15"])
    page = check(simulation_page(result, Frame("old", ("", ""), said)))
    assert "Nobody in the data is rated by this regime" in page.text
    assert "--as-of 2027-01-15 shows it" in page.text
    assert "none of 0 subjects would move" in page.text


def test_a_sample_wears_its_banner() -> None:
    assert "样例数据" in simulation_page(found(), Frame("old", sample=True))
    assert "样例数据" not in simulation_page(found(), Frame("old"))


def test_the_json_has_every_mover_with_its_number() -> None:
    result = found()
    data = json.loads(json.dumps(simulation_json(result, [], known_at=None, replaced="scores.yaml")))
    assert [one.subject for one in result.movers] == [one["subject"] for one in data["moves"]]
    for one in data["moves"]:
        assert ("B", "A", "2026-01-15") == (one["old"]["grade"], one["new"]["grade"], one["differs_since"])
        assert ["score_exemplary"] == one["decided_by"]["parameters"]
        (number,) = one["decided_by"]["numbers"]
        assert ("new", "a_exemplary", "≥ 97") == (number["rulebook"], number["rule"], number["bound"])
        assert one["decided_by"]["numbers"]
    assert len(data["moves"]) == data["moving"] == data["history"]["by_day"][-1]["subjects"]
    assert data["subjects"] == sum(one["subjects"] for one in data["transitions"])
    assert canonical_bytes(data)


def test_the_terminal_says_the_same_in_both_languages() -> None:
    result = found()
    for chinese, words in ((True, f"有 {len(result.movers)} 个变动"), (False, f"{len(result.movers)} of {result.rated} subjects move")):
        out = StringIO()
        Sheet(Console(file=out, width=120), result, chinese=chinese).write("old → new", notes(result))
        assert words in out.getvalue()
        assert all(one.subject in out.getvalue() for one in result.movers)
        assert "98 → 97" in out.getvalue()


def judged() -> tuple[object, list[tuple[str, str]]]:
    made = Made()
    for number in range(60):
        who = subject(number)
        made.opened(who, "2010-03-01")
        made.scored(who, 2023, str(70 + number % 30))
        made.scored(who, 2024, str(99 - number % 30))
        if number % 7 == 0:
            made.fined(who, "2024-05-05")
        if number % 11 == 0:
            made.closed(who, "2024-06-05")
    made.evaluated(2023, 2024)
    made.add("2026-06-30", "inspection.recorded", subject(0), {"kind": "routine", "mode": "on_site"})
    result = quality(made.history(), Scene.of(book(PLAN)), AS_OF, outcome="penalties")
    return result, quality_notes(result, "penalties")


def test_the_quality_page_shows_each_figure_with_what_it_stands_on() -> None:
    result, said = judged()
    page = check(quality_page(result, Frame("old", notes=said)))  # type: ignore[arg-type]
    data = quality_json(result, said, known_at=None)  # type: ignore[arg-type]
    first = data["followed"][0]
    assert f"{first['auc_of_grade']['auc']:.3f}" in page.text
    for grade, one in first["by_grade"].items():
        assert not one["n"] or f"{one['hits']}/{one['n']}" in page.text, grade
    assert "已终止经营" in page.text
    assert "draw no conclusion" in page.text
    assert json.loads(json.dumps(data)) == data
    assert data["transitions"][0]["subjects"] == sum(one["subjects"] for one in data["transitions"][0]["cells"])


def test_the_quality_table_speaks_both_languages() -> None:
    result, said = judged()
    for chinese, words in ((True, "其后十二个月受处罚的比例"), (False, "Penalised in the twelve months after")):
        out = StringIO()
        QualitySheet(Console(file=out, width=120), result, chinese=chinese).write(said)  # type: ignore[arg-type]
        assert words in out.getvalue() and "PSI" in out.getvalue() and "AUC" in out.getvalue()


def test_a_history_without_an_evaluation_says_so() -> None:
    made = Made()
    made.opened(subject(1), "2010-03-01")
    result = quality(made.history(), Scene.of(book(PLAN)), AS_OF, outcome="penalties")
    said = quality_notes(result, "penalties")
    assert ["The data hold no evaluation and no full year of ratings, so nothing can be judged."] == [en for _, en in said]
    check(quality_page(result, Frame("old", notes=said)))
