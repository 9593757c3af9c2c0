"""A finding's page: what, whose, when; what it did; what it rests on; what speaks for those concerned; the chain of proofs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from fastapi import Depends, FastAPI, Request
from starlette.responses import Response

from services._bus.problems import Problem
from services.audit.domain.consequence import CLEARED, as_it_stands
from services.audit.domain.detectors.wording import NAMES, ROLES, said
from services.audit.domain.findings import event_of
from services.audit.domain.hearings import SILENT, Word
from services.audit.packs import NotMade, Packs
from services.audit.web.console.base import STATES, Auditor, Desk, Id, lang_of, to, wanted_finding
from services.audit.web.console.drawing import Drawing, both_paths
from services.audit.web.console.hearings import Board, told
from services.audit.web.console.listing import Listed
from services.audit.web.console.notices import how_to_begin
from services.audit.web.console.proving import chain
from services.audit.web.console.words import (
    CONSEQUENCE,
    MARKS,
    ON_OFF,
    PROPOSES,
    SUPPOSING,
    WRONG,
    Words,
    clears,
    explained,
    pick,
)

EVIDENCE_SHOWN = 20
WRONG_SHOWN = 24


class Effect:
    """The newest assessment of a matter, as the page tells it. ``data``: of ``finding.assessed``; ``id``: of the event; ``word``: what the
    hearing says since, which the page goes by before the next night puts it on record."""

    def __init__(self, id: str, data: Mapping[str, Any], words: Words, lang: str, word: Word = SILENT) -> None:
        self.id, self.data, self._words, self._lang = id, data, words, lang
        self.regime: str = data["regime"]
        self.called = words.regime(data["regime"], lang)
        self.affected: str = data["affected"]
        self.whole = data["affected"] != data["subject_of"]
        self.drawing: Drawing = both_paths(data, words, lang)
        self.supposing = pick(SUPPOSING, data["supposing"], lang)
        self.stands = as_it_stands(data["consequence"], word)
        self.consequence = pick(CONSEQUENCE, self.stands["kind"], lang)
        self.why: str = self.stands["why_zh" if lang == "zh" else "why_en"]

    def said(self, word: str | None) -> str:
        """A grade or status."""
        return self._words.said(self.regime, word, self._lang)

    @property
    def in_words(self) -> str:
        """What the drawing shows, for who can't see it."""
        counted = str(self.data["most"]) if self.data["least"] == self.data["most"] else f"{self.data['least']}–{self.data['most']}"
        if self._lang == "zh":
            return f"所示等级与假设等级逐日对照：{counted} 日不同，自 {self.data['from_day']} 至 {self.data['to_day']}"
        return f"The grade shown and as supposed, day by day: {counted} days differ, from {self.data['from_day']} to {self.data['to_day']}"

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Days on which something was wrong, in words; grades first."""
        found = []
        for one in sorted(self.data["wrong"], key=lambda one: one["what"] != "grade"):
            first, last = date.fromisoformat(one["first"]), date.fromisoformat(one["last"])
            words = {"kind": pick(WRONG, one["what"], self._lang), "called": self._called(one)}
            found.append(
                dict(one) | words | {"days": (last - first).days + 1} | {n: self._held(one["what"], one.get(n)) for n in ("was", "should")}
            )
        return found

    def _held(self, what: str, word: str | None) -> str:
        return self.said(word) if what == "grade" else pick(ON_OFF[what], word, self._lang) if word else "–"

    def _called(self, one: Mapping[str, Any]) -> str:
        name: str = one["name"]
        if one["what"] == "grade":
            return ""
        return self._words.listed(self.regime, name, self._lang) if one["what"] == "list" else name

    @property
    def approvals(self) -> bool:
        """Whether anything supposed needed approval."""
        return any(one["approvals"] != "no_approval" for one in self.data["supposed"])

    @property
    def marks(self) -> list[str]:
        """What is to be weighed, in words."""
        return [pick(MARKS, one, self._lang) for one in self.data["marks"]]

    @property
    def figures(self) -> list[tuple[int, str, str]]:
        """(days, zh, en) of what else is counted, where there is any."""
        data = self.data
        named = [
            (data["outage_days"], "其中在申明的故障期间", "of them within a declared outage"),
            (data["stayed_days"], "其中在停止执行期间", "of them within a stay"),
            (data["operation_days"], "其中由系统自身的延误造成", "of them made by the system's own delay"),
        ]
        return [one for one in named if one[0]]


def evidence(data: Mapping[str, Any], words: Words, lang: str) -> list[dict[str, Any]]:
    """The records that a finding rests on; of one that names none the record in question."""
    rows = [dict(one) for one in data.get("evidence") or ()]
    if not rows:
        record = data.get("event") or data["cause"]
        rows = [
            dict(record)
            | {"role": "entry", "type": data.get("event_type"), "known_from": None, "sha256": None, "source": data.get("office")}
        ]
    for one in rows:
        one["name"] = words.event(one["type"], lang) or one["type"]
        one["shows"] = pick(ROLES, one["role"], lang)
    return rows


def add(app: FastAPI, desk: Desk, board: Board, packs: Packs, auditor: Auditor) -> None:
    """The routes."""

    @app.get("/findings/{id}", include_in_schema=False, dependencies=[Depends(auditor)])
    async def finding(request: Request, id: Id) -> Response:
        row, lang = await wanted_finding(desk, id), lang_of(request)
        data = event_of(row["value"])["data"]
        return desk.pages.render(request, "console/finding.html", signed_in=True, **await _told(desk, board, row, data, lang))

    @app.get("/findings/{id}/pack", include_in_schema=False, dependencies=[Depends(auditor)])
    async def pack(id: Id) -> Response:
        await wanted_finding(desk, id)
        try:
            data = await packs.zip_of(id)
        except NotMade as error:
            raise _no_pack(error) from None
        named = f'attachment; filename="evidence-{id}.zip"'
        return Response(data, media_type="application/zip", headers={"Content-Disposition": named, "Cache-Control": "no-store"})


def _no_pack(error: NotMade) -> Problem:
    if error.missing:
        zh = "日志中还没有这条发现：检查点覆盖之后才有证据包，通常在数秒之内。请稍后再试。"
        en = "The log does not have the finding yet: there is a pack once a checkpoint covers it, within seconds. Ask again in a moment."
        return Problem(503, "not-in-log", zh=zh, en=en, headers={"retry-after": "5"})
    zh = "证据包没有做成。服务的日志写明原因；`mingjian evidence` 也可制作。"
    en = "The pack could not be made. The service's log says why; `mingjian evidence` makes one as well."
    return Problem(500, "pack-not-made", zh=zh, en=en)


def value_in_words(one: Mapping[str, Any], lang: str) -> dict[str, str]:
    """What was seen and what it was held against, by a name that people know."""
    name, bound = one["name"], one.get("bound")
    at = 0 if lang == "zh" else 1
    return {
        "name": pick(NAMES, name, lang),
        "value": said(name, one["value"])[at],
        "bound": said(name, bound)[at] if bound is not None else "–",
    }


async def _told(desk: Desk, board: Board, row: Mapping[str, Any], data: Mapping[str, Any], lang: str) -> dict[str, Any]:
    matter, declared = row["about_matter"], desk.words.declared.get(data["kind"])
    found = await desk.reader.effects(matter)
    word = board.word(matter)
    effects = [Effect(one["id"], event_of(one["value"])["data"], desk.words, lang, word) for one in found]
    days = tuple(max(one.data[name] for one in effects) for name in ("least", "most")) if effects else (None, None)
    shown = Listed(dict(row) | {"least": days[0], "most": days[1]}, desk, lang)
    history = await desk.reader.of_matter(matter)
    newest = next((one for one in history if not one["superseded"]), None)
    records = evidence(data, desk.words, lang)
    return {
        "one": shown,
        "data": data,
        "title": desk.words.kind(data["kind"], lang),
        "effects": effects,
        "evidence": records[:EVIDENCE_SHOWN],
        "more_evidence": max(0, len(records) - EVIDENCE_SHOWN),
        "explanations": explained(data, declared, shown.outages, lang),
        "clears": clears(data, declared, lang),
        "rests_on": (declared.rests_on_zh if lang == "zh" else declared.rests_on_en) if declared else None,
        "proposes": pick(PROPOSES, data["proposes"], lang) if data.get("proposes") and not word.cleared else None,
        "cleared": CLEARED[0 if lang == "zh" else 1] if word.cleared else None,
        "statistic": data.get("statistic"),
        "values": [value_in_words(one, lang) for one in data.get("values") or ()],
        "chain": await chain(desk, data.get("event") or data["cause"]),
        "chained": data.get("event") or data["cause"],
        "joints": [await _joint(desk, one, matter, lang) for one in effects],
        "wrong_shown": WRONG_SHOWN,
        "newest": to(f"/findings/{newest['id']}", lang) if newest and newest["id"] != row["id"] else None,
        "earlier": len(history) - 1 if len(history) > 1 else 0,
        "state": desk.state_of(matter, row["retracted"]),
        "state_name": pick(STATES, desk.state_of(matter, row["retracted"]), lang),
        "regime": desk.words.regime(row["regime"], lang) if row["regime"] else None,
        "pack": f"/findings/{row['id']}/pack",
        "hearing": await told(desk, board, matter, row["regime"], lang),
        "begin": None if row["superseded"] else await how_to_begin(desk, board, row, lang),
    }


async def _joint(desk: Desk, effect: Effect, matter: str, lang: str) -> list[dict[str, Any]]:
    """The smallest sets of matters that made days wrong together, each with the findings that they are."""
    sets: Sequence[Mapping[str, Any]] = effect.data["joint"]
    together = [one for one in sets if len(one["matters"]) > 1]
    named = await desk.reader.named({each for one in together for each in one["matters"]}) if together else {}

    def called(each: str) -> tuple[str | None, str, bool]:
        row = named.get(each)
        if row is None:
            return None, each, each == matter
        data = event_of(row["value"])["data"]
        entry = desk.words.event(data.get("event_type"), lang)
        name = desk.words.kind(row["kind"], lang) + (f"：{entry}" if lang == "zh" else f": {entry}" if entry else "")
        return to(f"/findings/{row['id']}", lang), name if entry else desk.words.kind(row["kind"], lang), each == matter

    return [{"least": one["least"], "most": one["most"], "matters": [called(each) for each in one["matters"]]} for one in together]
