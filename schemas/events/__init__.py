"""The event types, v1. Importing this package fills ``CATALOGUE`` (type name → ``EventType``)."""

from schemas.events import catalogued, control, derived, enterprise, penalty, permit, supervision
from schemas.events.base import CATALOGUE, EventType

__all__ = ["CATALOGUE", "EventType", "catalogued", "control", "derived", "enterprise", "penalty", "permit", "supervision"]
