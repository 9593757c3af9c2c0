"""An assessment as text, in Chinese or English: both paths drawn over the days, and every day that is told named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from services.audit.domain.consequence import CLEARED
from services.audit.domain.dates import en_day, zh_day
from services.audit.domain.detectors.wording import named
from services.audit.evidence.words import CONSEQUENCES

_WIDTH = 60
_Both = tuple[str, str]
_KINDS: Mapping[str, _Both] = {
    "late_entry": ("逾期录入", "late entry"),
    "entry_untrue": ("录入经认定不实", "entry untrue"),
    "backdated_correction": ("事后更正，内容改轻", "backdated correction"),
}
_SUPPOSING: Mapping[str, _Both] = {
    "on_time": ("假如在最后一日录入", "had it been entered on its last day"),
    "true": ("假如如实录入", "had it said what was true"),
    "never": ("假如没有这条录入", "had it not been made"),
}
_APPROVALS: Mapping[str, _Both] = {
    "no_approval": ("", ""),
    "soonest": ("，提出当日即获批准", ", approved on the day of the proposal"),
    "as_long": ("，经过与实际相同的时间获批准", ", approved as long after the proposal as it really was"),
    "never": ("，仅以实际作出的批准为准", ", approved only when it really was"),
}
_MARKS: Mapping[str, _Both] = {
    "signed_in_time": ("签署在期限内", "signed in time"),
    "outage": ("期限内有申明的故障", "a declared outage touched its term"),
    "provisional": ("期限是暂定的：所涉年度的日历尚未发布", "its deadline is provisional: the calendar of a year concerned is not issued"),
    "ongoing": ("两条路径至今仍不同", "the paths still differ"),
    "undone_since": ("此后已无影响：按现在所知，这些日子无一仍然成立", "undone since: none of the days holds by all that is known now"),
    "joint": ("与其他录入一起还造成另外的差错", "with other entries it made further days wrong"),
    "truth_unknown": ("真实情况尚未认定或更正", "nobody has determined or put right what is true"),
}
_WRONG: Mapping[str, _Both] = {
    "grade": ("等级", "grade"),
    "list": ("名单", "list"),
    "measure": ("监管措施", "measure"),
    "benefit": ("激励措施", "benefit"),
}
_ON_OFF: Mapping[str, _Both] = {"on": ("有", "on"), "off": ("无", "off")}
_FIGURES: Sequence[tuple[str, str, str]] = (
    ("operation_days", "由系统自身的延误造成，与人员无关", "made by the system's own delay, not the officer's"),
    ("outage_days", "在申明的故障期间", "touched by a declared outage"),
    ("stayed_days", "在停止执行期间，不得公布", "under a stay, while nothing may be published"),
)


def lines(data: Mapping[str, Any], entry: str, consequence: Mapping[str, Any], *, cleared: bool, language: str = "en") -> Iterator[str]:
    """The assessment's ``data``. ``entry``: what the entry is, in words; ``consequence``: as the hearing stands since;
    ``cleared``: there; ``language``: ``zh`` or ``en``."""
    return _Text(data, 0 if language == "zh" else 1).lines(entry, consequence, cleared)


@dataclass(frozen=True)
class _Text:
    """``at``: 0 Chinese, 1 English."""

    data: Mapping[str, Any]
    at: int

    def t(self, zh: str, en: str) -> str:
        return (zh, en)[self.at]

    def day(self, text: str) -> str:
        return zh_day(text) if self.at == 0 else en_day(text)

    def named(self, words: Mapping[str, _Both], word: str) -> str:
        return named(words, word)[self.at]

    def plural(self, number: int) -> str:
        return self.t(f"{number} 日", f"{number} day" + ("" if number == 1 else "s"))

    @property
    def whole(self) -> bool:
        return bool(self.data["affected"] != self.data["subject_of"])

    def lines(self, entry: str, consequence: Mapping[str, Any], cleared: bool) -> Iterator[str]:
        data = self.data
        if cleared:
            yield from (*(CLEARED if self.at == 0 else reversed(CLEARED)), "")
        yield f"{self.named(_KINDS, data['kind'])} · {entry}"
        yield self.t(
            f"对象 {data['subject_of']}，评级规则 {data['regime']}；发现 {data['finding']}",
            f"of {data['subject_of']}, rated by {data['regime']}; finding {data['finding']}",
        )
        if self.whole:
            yield self.t(
                f"对 {data['affected']} 的影响：它由所属各家评定，该对象是其中之一",
                f"what it did to {data['affected']}, which is graded by its parts, of which that is one",
            )
        yield ""
        yield from self._drawn()
        yield ""
        yield from self._days()
        yield from self._told()
        yield ""
        yield from self._follows(consequence, cleared)

    def _drawn(self) -> Iterator[str]:
        data = self.data
        first, last = date.fromisoformat(data["from_day"]), date.fromisoformat(data["to_day"])
        total = (last - first).days + 1
        width = min(total, _WIDTH)
        columns = [first + timedelta(days=number * total // width) for number in range(width)]
        supposed = self.named(_SUPPOSING, data["supposing"])
        rows = [(self.t("实际显示", "as shown"), data["shown"])]
        rows += [(f"{supposed}{self.named(_APPROVALS, one['approvals'])}", one["path"]) for one in data["supposed"]]
        scale = "" if total == width else self.t(f"，每个字母 {total / width:.1f} 日", f", {total / width:.1f} to a letter")
        until = self.t("至", " to ").join((self.day(data["from_day"]), self.day(data["to_day"])))
        yield f"{until}{self.t('，', ', ')}{self.plural(total)}{scale}"
        for words, path in rows:
            yield f"  {''.join(_letter(path, one) for one in columns)}  {words}"
            yield f"  {self._listed(path)}"

    def _listed(self, path: Sequence[Mapping[str, Any]]) -> str:
        said = []
        for one in path:
            what = one["grade"] or one["status"].replace("_", " ")
            hidden = "" if one["displayed"] else self.t("（不公示）", " (not displayed)")
            until_zh, until_en = (f"至 {one['last']}", f" to {one['last']}") if one["last"] else ("起", " on")
            said.append(self.t(f"{one['first']} {until_zh} {what}{hidden}", f"{what} from {one['first']}{until_en}{hidden}"))
        return self.t("；", "; ").join(said)

    def _days(self) -> Iterator[str]:
        data = self.data
        settled = data["least"] == data["most"]
        bounds = self.t("至多在 ", "at the outside ") if data["bounds"] != "exact" else self.t("恰为 ", "exactly ") if settled else ""
        yield f"{self.t('显示的等级有别：', 'days with another grade shown: ')}{bounds}{self._span(data['least'], data['most'])}"
        for one in data["supposed"]:
            if one["approvals"] != "no_approval":
                yield f"  {self.plural(one['days'])}{self.named(_APPROVALS, one['approvals']).removeprefix(',')}"
        span = self._span(data["stands_least"], data["stands_most"])
        yield f"{self.t('其中按现在所知的全部事实仍成立：', 'of them hold by all that is known now: ')}{span}"
        for name, zh, en in _FIGURES:
            if data[name]:
                yield f"  {self.plural(data[name])}{self.t(zh, f' {en}')}"

    def _span(self, least: int, most: int) -> str:
        if least == most:
            return self.plural(least)
        return self.t(
            f"{least} 至 {most} 日，取决于何时批准", f"{least} to {self.plural(most)}, depending on when approval would have come"
        )

    def _told(self) -> Iterator[str]:
        data = self.data
        for one in data["wrong"]:
            sure = "" if one["certain"] else self.t("（如届时已批准）", ", if approved by then")
            what = f"{self.named(_WRONG, one['what'])} {one['name']}"
            was, should = (one[name] if one["what"] == "grade" else self.named(_ON_OFF, str(one[name])) for name in ("was", "should"))
            first, last = self.day(one["first"]), self.day(one["last"])
            yield self.t(
                f"  {first}至{last}：{what} 实为 {was}，本应为 {should}{sure}",
                f"  {first} to {last}: {what} was {was}, should have been {should}{sure}",
            )
        for one in data["evaluations"]:
            sure = "" if one["certain"] else self.t("（如届时已批准）", ", if approved by then")
            period = self.day(one["period_last"])
            yield self.t(
                f"  截至{period}的评定得出 {one['was']}，本应得出 {one['should']}{sure}",
                f"  the evaluation of the period up to {period} gave {one['was']}, should have given {one['should']}{sure}",
            )
        if not data["evaluations"] and not self.whole:
            yield self.t("  没有评定会得出另外的结果", "  no evaluation would have come out otherwise")

    def _follows(self, found: Mapping[str, Any], cleared: bool) -> Iterator[str]:
        data = self.data
        for one in data["joint"]:
            if len(one["matters"]) > 1:
                others = self.t("、", ", ").join(id for id in one["matters"] if id != data["matter"])
                span = self._span(one["least"], one["most"])
                yield self.t(f"与 {others} 一起才造成：{span}", f"only together with {others}: {span}")
        if self.whole:
            yield self.t(
                "涉及其他各家的录入没有计入：几家的录入共同造成的影响不在此列",
                "entries about its other parts are not looked at: what several did only together is not told here",
            )
        elif not data["joint_complete"]:
            yield self.t(
                "该对象逾期或不实的录入太多，没有试遍所有组合",
                "there are too many late or untrue entries of this subject to have tried all of them together",
            )
        for one in data.get("without", ()):
            yield self.t(f"假设中一并没有 {one}，它是关于该录入的", f"supposed without {one}, which is about it")
        for one in data["marks"]:
            yield f"{self.t('注明：', 'mark: ')}{self.named(_MARKS, one)}"
        readings = self.t("、", ", ").join(found["readings"])
        named = self.t(f"（{found['clause']}；解读 {readings}）", f" ({found['clause']}; readings {readings})") if found["clause"] else ""
        if cleared:
            yield self.t("建议：无", "proposed: none")
        else:
            proposed = self.named(CONSEQUENCES, found["kind"])
            yield f"{self.t('建议（由人决定）：', 'proposed, for people to decide: ')}{proposed}{named}"
            yield from (f"  {found[name]}" for name in (("why_zh",) if self.at == 0 else ("why_en", "why_zh")))
        books = ", ".join(f"{one['regime']} {one['version']}" for one in data["rulebooks"])
        yield self.t(f"按评级规则 {books}，{data['software']}", f"by the rulebook {books}, {data['software']}")


def _letter(path: Sequence[Mapping[str, Any]], on: date) -> str:
    text = on.isoformat()
    one = next((one for one in path if one["first"] <= text and (one["last"] is None or text <= one["last"])), None)
    if one is None:
        return "?"
    if one["grade"] is None:
        return "·"
    letter = str(one["grade"])[:1]
    return letter if one["displayed"] else letter.lower()
