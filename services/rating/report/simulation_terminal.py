"""A simulation as tables on a terminal, in Chinese or English."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.rating.analysis.changes import Change
from services.rating.analysis.compared import Compared, Number, deciding, label
from services.rating.analysis.simulation import Simulation, said
from services.rating.domain.sentences import Reason
from services.rating.report.names import Word, words
from services.rating.report.notes import Note

_SHOWN = 60
_SECTIONS = {
    "parameters": ("参数", "parameter"),
    "rules": ("规则", "rule"),
    "grades": ("等级", "grade"),
    "statuses": ("状态", "status"),
    "act_sets": ("行为集合", "act set"),
    "concepts": ("概念", "concept"),
    "point_tables": ("扣分表", "point table"),
    "clauses": ("条款文字", "clause text"),
    "readings": ("解读", "reading"),
    "lists": ("名单", "list"),
    "measures": ("措施", "measure"),
    "overrides": ("上位规定", "higher norm"),
    "law_in_time": ("新旧规定的适用", "law in time"),
    "succession": ("承继", "succession"),
    "header": ("规则抬头", "header"),
    "periodic": ("评定方式", "how evaluations work"),
    "latest": ("评定方式", "how ratings come about"),
    "precedence": ("取舍规则", "precedence"),
    "precedence_clause": ("取舍条款", "clause of precedence"),
}
_WHAT = {"changed": ("有改动", "changed"), "added": ("新增", "added"), "removed": ("删去", "removed")}


class Sheet:
    """Writes one simulation to a console. ``chinese``: else English."""

    def __init__(self, console: Console, found: Simulation, *, chinese: bool) -> None:
        self.console = console
        self.found = found
        self.chinese = chinese
        self.words = words(found.old.book.rulebook, found.new.book.rulebook)

    def write(self, compared: str, notes: Sequence[Note]) -> None:
        """``compared``: what was compared with what."""
        self._line(compared)
        for zh, en in notes:
            self._line(self._pick(zh, en))
        self._changes()
        self._headline()
        self._moves()
        self._transitions()
        self._lists()
        self._load()
        self._history()

    def _pick(self, zh: str, en: str) -> str:
        return zh if self.chinese else en

    def _line(self, words: str) -> None:
        self.console.print(Text(words), soft_wrap=True)

    def _table(self, title: str, *heads: tuple[str, bool]) -> Table:
        table = Table(title=Text(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
        for head, number in heads:
            table.add_column(Text(head), justify="right" if number else "left", overflow="fold")
        return table

    def _print(self, table: Table) -> None:
        self.console.print(table)

    def _word(self, name: str) -> str:
        word = self.words.get(name) or Word(name, name, name, None)
        own = word.zh if self.chinese else word.en
        return f"{word.word} {own}" if word.graded and own != word.word else own

    def _changes(self) -> None:
        for one in self.found.changes:
            self._line("  " + change_words(one, chinese=self.chinese))

    def _headline(self) -> None:
        found = self.found
        better = sum(found.ranks(one) > 0 for one in found.movers)
        worse = sum(found.ranks(one) < 0 for one in found.movers)
        self._line("")
        self._line(
            self._pick(
                f"{found.as_of}：{found.rated} 个对象中有 {len(found.movers)} 个变动（升 {better}，降 {worse}）",
                f"{found.as_of}: {len(found.movers)} of {found.rated} subjects move ({better} up, {worse} down)",
            )
        )

    def _moves(self) -> None:
        if not self.found.movers:
            return
        heads = ("对象", "原", "新", "自", "条款", "依据") if self.chinese else ("subject", "from", "to", "since", "clause", "decided by")
        table = self._table(self._pick("谁会变动", "Who moves"), *((head, False) for head in heads))
        table.columns[0].no_wrap = table.columns[4].no_wrap = True
        found = self.found
        for one in found.movers[:_SHOWN]:
            numbers = found.numbers(one)
            reasons = said(deciding(one.new)) or said(deciding(one.old))
            clauses = [each.clause for each in numbers] or [reason.clause for reason in reasons]
            table.add_row(
                Text(f"{one.subject}\n{one.name}" if one.name else one.subject),
                label(one.old),
                label(one.new),
                str(one.since or ""),
                Text("\n".join(dict.fromkeys(clauses))),
                Text(self._why(one, numbers, reasons)),
            )
        self._print(table)
        if (rest := len(self.found.movers) - _SHOWN) > 0:
            self._line(self._pick(f"另有 {rest} 个；--json 或 --html 列出全部", f"and {rest} more; --json or --html lists them all"))

    def _why(self, one: Compared, numbers: Sequence[Number], reasons: Sequence[Reason]) -> str:
        told = []
        for each in numbers:
            bound = f" ({each.quantity.bound})" if each.quantity.bound else ""
            told.append(f"{each.rule}: {each.quantity.name} {each.quantity.value}{bound}")
        if not numbers:
            told = [f"{reason.rule}: {reason.zh if self.chinese else reason.en}" for reason in reasons]
        for change in self.found.read_parameters(one):
            title = (change.title[0] if self.chinese else change.title[1]) if change.title else change.name
            told.append(f"{title}: {change.old} → {change.new}" if change.first else title)
        return "\n".join(told)

    def _transitions(self) -> None:
        found = self.found
        if not found.rated:
            return
        columns = [name for name in found.labels if any(found.transitions.get((was, name)) for was in found.labels)]
        table = self._table(self._pick("原等级（行）→ 新等级（列）", "Old grade (rows) → new grade (columns)"), ("", False))
        for name in columns:
            graded = name in self.words and self.words[name].graded
            table.add_column(Text(name if graded else self._word(name)), justify="right")
        table.add_column(Text(self._pick("合计", "sum")), justify="right")
        for was in found.labels:
            row = [found.transitions.get((was, now), 0) for now in columns]
            if any(row):
                cells = [Text(str(n), style="bold" if was != now else "") if n else Text("·") for now, n in zip(columns, row, strict=True)]
                table.add_row(Text(self._word(was)), *cells, str(sum(row)))
        table.add_row(
            Text(self._pick("合计", "sum")),
            *(str(sum(found.transitions.get((was, now), 0) for was in found.labels)) for now in columns),
            str(found.rated),
        )
        self._print(table)

    def _lists(self) -> None:
        for one in self.found.lists:
            title = one.title[0] if self.chinese else one.title[1]
            self._line(
                self._pick(
                    f"{title}（{one.clause}）：{one.old} → {one.new}，进入 {len(one.entering)}，退出 {len(one.leaving)}",
                    f"{title} ({one.clause}): {one.old} → {one.new}, {len(one.entering)} enter, {len(one.leaving)} leave",
                )
            )
            for sign, names in (("+", one.entering), ("−", one.leaving)):
                for name in names[:_SHOWN]:
                    self._line(f"  {sign} {name}")
                if len(names) > _SHOWN:
                    self._line(f"  {sign} … {len(names) - _SHOWN}")

    def _load(self) -> None:
        if not self.found.load:
            self._line(self._pick("规则没有规定现场检查次数。", "The rulebook sets no number of on-site inspections."))
            return
        heads = (
            ("等级", "条款", "对象", "每年每户", "次/年")
            if self.chinese
            else ("grade", "clause", "subjects", "each a year", "inspections a year")
        )
        title = self._pick("现场检查最少次数", "On-site inspections a year, at least")
        table = self._table(title, *((head, at > 1) for at, head in enumerate(heads)))
        for one in self.found.load:
            table.add_row(
                Text(self._word(one.grade)),
                Text(one.clause),
                *(
                    f"{was} → {now}" if was != now else str(now)
                    for was, now in ((one.old_subjects, one.new_subjects), (one.old_each, one.new_each), (one.old, one.new))
                ),
            )
        was, now = sum(one.old for one in self.found.load), sum(one.new for one in self.found.load)
        table.add_row(Text(self._pick("合计", "sum")), "", "", "", f"{was} → {now} ({now - was:+d})")
        self._print(table)

    def _history(self) -> None:
        found = self.found
        ever = found.ever
        days = sum(one.days for one in ever)
        self._line(
            self._pick(
                f"全部历史（至 {found.as_of}）：{len(ever)} 个对象曾会有不同等级或状态，共 {days:,} 天",
                f"Over the whole history (to {found.as_of}): {len(ever)} subjects would have stood otherwise, on {days:,} days in all",
            )
        )
        if ever:
            heads = (("对象", False), ("天数", True)) if self.chinese else (("subject", False), ("days", True))
            table = self._table(self._pick("天数最多的", "Most days"), *heads)
            for one in ever[:10]:
                table.add_row(Text(f"{one.subject} {one.name or ''}".strip()), f"{one.days:,}")
            self._print(table)


def change_words(one: Change, *, chinese: bool) -> str:
    """One change in a line."""
    section = _SECTIONS[one.section][0 if chinese else 1]
    title = (one.title[0] if chinese else one.title[1]) if one.title else one.name
    if one.old is not None and one.new is not None:
        clause = f"（{one.clause}）" if chinese else f" ({one.clause})"
        since = (f"，自 {one.first}" if chinese else f", from {one.first}") if one.first else ""
        return f"{title}{clause}：{one.old} → {one.new}{since}" if chinese else f"{title}{clause}: {one.old} → {one.new}{since}"
    what = _WHAT[one.what][0 if chinese else 1]
    return f"{section}“{title}”{what}" if chinese else f"{section} {title!r}: {what}"
