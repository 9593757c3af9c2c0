"""Every topic, its partitions and settings: the one place. ``deploy/k8s`` states the same; a test holds them equal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

ClockMode = Literal["wall", "simulated"]

PARTITIONS = 12
FACTS = "mingjian.facts.v1"
REGISTRY = "mingjian.registry.v1"
GRADES = "mingjian.grades.v1"
DUTIES = "mingjian.duties.v1"
PARTS = "mingjian.parts.v1"
REFUSALS = "mingjian.refusals.v1"
FINDINGS = "mingjian.findings.v1"
PUBLICATIONS = "mingjian.publications.v1"
QUARANTINE = "mingjian.quarantine.v1"

# A record of at most 60 KiB plus headers, and what quarantine adds round it.
MAX_MESSAGE_BYTES = 262_144
MAX_ENVELOPE_BYTES = 61_440
CONTROL_KEY = b"control"

RATING_APP = "mingjian-rating"
# Rises with the shape of rating's state, or with its code where it tells otherwise: then all is made again from the facts (ADR 23).
RATING_VERSION = 2


@dataclass(frozen=True)
class Topic:
    """``key`` and ``writer`` are for people; ``config`` is what the broker gets besides the clock's setting."""

    name: str
    partitions: int
    key: str
    writer: str
    config: dict[str, str] = field(default_factory=dict)
    logged: bool = True


_KEPT = {
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "unclean.leader.election.enable": "false",
    "max.message.bytes": str(MAX_MESSAGE_BYTES),
}
_CHANGELOG = {"cleanup.policy": "compact", "max.message.bytes": "1048576"}


def _kept(name: str, partitions: int, key: str, writer: str) -> Topic:
    return Topic(name, partitions, key, writer, dict(_KEPT))


LOGGED_TOPICS: tuple[Topic, ...] = (
    _kept(FACTS, PARTITIONS, "subject", "intake"),
    _kept(REGISTRY, 1, "office or officer", "intake"),
    _kept(GRADES, PARTITIONS, "subject", "rating"),
    _kept(DUTIES, PARTITIONS, "subject", "rating"),
    _kept(PARTS, PARTITIONS, "parent subject", "rating"),
    _kept(REFUSALS, PARTITIONS, "office", "intake"),
    _kept(FINDINGS, PARTITIONS, "office", "audit"),
    _kept(PUBLICATIONS, PARTITIONS, "subject", "publication"),
    _kept(QUARANTINE, PARTITIONS, "as the source", "all"),
)


def rating_app(version: int = RATING_VERSION) -> str:
    """The faust app's id, which is also its consumer group."""
    return f"{RATING_APP}-v{version}"


def changelog(table: str, version: int = RATING_VERSION) -> str:
    """Name that faust gives to a table's changelog."""
    return f"{rating_app(version)}-{table}-changelog"


def changelog_topics(version: int = RATING_VERSION) -> tuple[Topic, ...]:
    """The rating service's tables are a cache of the facts; their changelogs are not evidence and no leaf."""
    return (
        Topic(changelog("chunks", version), PARTITIONS, "subject and chunk", "rating", dict(_CHANGELOG), logged=False),
        Topic(changelog("heads", version), PARTITIONS, "subject", "rating", dict(_CHANGELOG), logged=False),
    )


CHANGELOG_TOPICS: tuple[Topic, ...] = changelog_topics()
TOPICS: tuple[Topic, ...] = LOGGED_TOPICS + CHANGELOG_TOPICS


def topic_config(topic: Topic, clock_mode: ClockMode) -> dict[str, str]:
    """The broker's settings for a topic. On a simulated clock the record's time is intake's (CreateTime)."""
    if not topic.logged:
        return dict(topic.config)
    stamp = "LogAppendTime" if clock_mode == "wall" else "CreateTime"
    return {**topic.config, "message.timestamp.type": stamp}
