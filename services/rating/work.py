"""A piece of work."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.rating.ports import Message, Row


@dataclass(slots=True)
class Work:
    """What must be durable before the records behind it count as done."""

    rows: list[Row] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.rows or self.messages)
