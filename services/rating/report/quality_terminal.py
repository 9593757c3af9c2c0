"""A quality report as tables on a terminal, in Chinese or English."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.rating.analysis.discrimination import Area
from services.rating.analysis.quality import Followed, Matrix, Quality
from services.rating.report.names import Word, words
from services.rating.report.notes import Note
from services.rating.report.page import figure, percent

_READINGS = {
    "stable": ("稳定", "stable"),
    "some": ("有些变动", "some shift"),
    "marked": ("明显变动", "marked shift"),
    "chance": ("不超过偶然", "no more than chance"),
}


class Sheet:
    """Writes one report to a console. ``chinese``: else English."""

    def __init__(self, console: Console, found: Quality, *, chinese: bool) -> None:
        self.console = console
        self.found = found
        self.chinese = chinese
        self.words = words(found.scene.book.rulebook)

    def write(self, notes: Sequence[Note]) -> None:
        found = self.found
        self._line(
            self._pick(
                f"{found.subjects} 个对象，{len(found.cohorts)} 个评定日，至 {found.as_of}",
                f"{found.subjects} subjects, {len(found.cohorts)} cohorts, up to {found.as_of}",
            )
        )
        if found.followed:
            self._followed(found.followed[0])
        if found.pooled:
            self._matrix(found.pooled)
        self._steadiness()
        for zh, en in notes:
            self._line("! " + self._pick(zh, en))

    def _pick(self, zh: str, en: str) -> str:
        return zh if self.chinese else en

    def _line(self, words: str) -> None:
        self.console.print(Text(words), soft_wrap=True)

    def _table(self, title: str, *heads: str) -> Table:
        table = Table(title=Text(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
        for at, head in enumerate(heads):
            table.add_column(Text(head), justify="right" if at else "left")
        return table

    def _word(self, name: str) -> str:
        word = self.words.get(name) or Word(name, name, name, None)
        own = word.zh if self.chinese else word.en
        return f"{word.word} {own}" if word.graded and own != word.word else own

    def _followed(self, one: Followed) -> None:
        heads = ("等级", "受处罚", "比例", "95% 区间") if self.chinese else ("grade", "penalised", "share", "95 % interval")
        table = self._table(self._pick("其后十二个月受处罚的比例", "Penalised in the twelve months after"), *heads)
        for grade, share in one.shares.items():
            bounds = f"{percent(share.low)} – {percent(share.high)}" if share.n else "–"
            mark = " *" if share.n and share.few else ""
            table.add_row(Text(self._word(grade)), f"{share.hits}/{share.n}", percent(share.share) + mark, bounds)
        self.console.print(table)
        monotone = (
            self._pick("随等级变差而上升：是", "rises with worse grades: yes")
            if one.monotone
            else "; ".join(self._pick(f"{better} 高于 {worse}", f"{better} above {worse}") for better, worse, _ in one.breaks)
        )
        trend = f"Cochran–Armitage z = {figure(one.trend.z, 2)}, p = {one.trend.p:.2g}" if one.trend else "–"
        self._line(f"{monotone}; {trend}")
        for what, area in (
            (self._pick("等级", "grade"), one.by_grade),
            (self._pick("得分", "score"), one.by_score),
            (self._pick("等级（有得分者）", "grade, where scored"), one.by_grade_where_scored),
        ):
            self._line(f"AUC {what}: {self._area(area)}")

    def _area(self, one: Area | None) -> str:
        if one is None:
            return "–"
        bounds = f" ({figure(one.low)} – {figure(one.high)})" if one.low is not None else ""
        few = " *" if one.few else ""
        return f"{figure(one.auc)}{bounds}{few}, Gini {figure(one.gini)}, {one.hits}/{one.hits + one.others}"

    def _matrix(self, one: Matrix) -> None:
        labels = [name for name in self.found.labels if one.row(name)]
        columns = [name for name in self.found.labels if any(one.cells.get((was, name)) for was in labels)]
        heads = [name if self._graded(name) else self._word(name) for name in columns]
        title = self._pick(
            "从一个评定日到下一个（行 → 列）：人数/占该行", "From one cohort to the next (rows → columns): subjects/share of the row"
        )
        table = self._table(title, "", *heads, self._pick("合计", "sum"))
        for was in labels:
            cells = []
            for now in columns:
                n = one.cells.get((was, now), 0)
                cells.append(f"{n}/{n / one.row(was):.0%}" if n else "·")
            table.add_row(Text(was if self._graded(was) else self._word(was)), *cells, str(one.row(was)))
        self.console.print(table)

    def _graded(self, name: str) -> bool:
        return name in self.found.grades

    def _steadiness(self) -> None:
        for first, second, one in self.found.steadiness:
            reading = self._pick(*_READINGS[one.reading])
            chance = self._pick("仅凭偶然约", "by chance about")
            self._line(f"PSI {first} → {second}: {figure(one.psi)} ({reading}; {chance} {figure(one.by_chance)}; n {one.n}, {one.m})")
