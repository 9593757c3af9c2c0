"""Days in sentences, in Chinese and English: one way of writing them in findings, packs and reports."""

from __future__ import annotations

from datetime import date

WEEKDAYS_ZH = "一二三四五六日"
"""By ``date.weekday()``."""


def zh_day(day: date | str) -> str:
    """2026年1月15日（周四）"""
    one = date.fromisoformat(day) if isinstance(day, str) else day
    return f"{one.year}年{one.month}月{one.day}日（周{WEEKDAYS_ZH[one.weekday()]}）"


def en_day(day: date | str) -> str:
    """2026-01-15 (Thu)"""
    one = date.fromisoformat(day) if isinstance(day, str) else day
    return f"{one.isoformat()} ({one.strftime('%a')})"
