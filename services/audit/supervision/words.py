"""What the report calls things, in Chinese and English."""

from __future__ import annotations

from services.audit.domain.found import Fate
from services.audit.domain.supervision import DELAYS

KINDS: dict[str, tuple[str, str]] = {"late_entry": ("逾期录入", "Late entry")}
FATES: dict[Fate, tuple[str, str]] = {
    "undecided": ("未处理", "not decided"),
    "hearing": ("听取意见中", "being heard"),
    "confirmed": ("认定成立", "confirmed"),
    "cleared": ("已澄清", "cleared"),
    "retracted": ("已撤回", "retracted"),
}
CONSEQUENCES = {
    "none": ("无", "none"),
    "circulated_criticism": ("通报批评", "circulated criticism"),
    "referral_for_accountability": ("移送追究责任", "referral for accountability"),
}
STANDINGS = {
    "open": ("未告知", "not notified"),
    "notified": ("已告知", "notified"),
    "replied": ("已答复", "replied"),
    "waived": ("放弃答复", "reply waived"),
    "decided": ("已决定", "decided"),
    "appealed": ("已申诉", "appealed"),
    "final": ("已终结", "final"),
}
OUTCOMES = {"confirmed": ("认定成立", "confirmed"), "cleared": ("已澄清", "cleared"), "remitted": ("发回重办", "sent back")}


def kind(name: str) -> tuple[str, str]:
    """A finding's kind; one without words keeps its code."""
    return KINDS.get(name, (name, name.replace("_", " ")))


def delay_classes() -> list[tuple[str, str]]:
    """The classes of delay, in working days."""
    found, first = [], 1
    for last in DELAYS:
        found.append((f"{first}", f"{first}") if first == last else (f"{first}–{last}", f"{first}–{last}"))
        first = last + 1
    return [*found, (f"{first}以上", f"{first} or more")]
