"""The event types, v1. Importing this package fills ``CATALOGUE`` (type name → ``EventType``)."""

from schemas.events import approval, control, derived, duties, effect, enterprise, findings, hearing, penalty, permit, supervision
from schemas.events.base import CATALOGUE, EventType

__all__ = [
    "CATALOGUE",
    "EventType",
    "approval",
    "control",
    "derived",
    "duties",
    "effect",
    "enterprise",
    "findings",
    "hearing",
    "penalty",
    "permit",
    "supervision",
]
