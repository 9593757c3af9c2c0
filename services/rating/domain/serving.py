"""Which service belongs to which document, where service became known apart from it.

``document.served`` names a document by its id alone, and ids are unique per source only. The document of the same source is
meant; where there is none, the only one with that id. Where several are left none is: nothing takes effect by a guess. A
service dated before the decision can't be its service: it is treated as none, and the explanation says so while the document
waits for another.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from services.rating.domain.facts import Fact


@dataclass(slots=True)
class Papers:
    """A subject's documents and services that share an id, in the order of arrival. Offsets stand for facts."""

    documents: list[Fact] = field(default_factory=list)
    services: list[Fact] = field(default_factory=list)
    joined: dict[int, Fact] = field(default_factory=dict)

    def settle(self) -> tuple[dict[int, Fact], dict[int, Fact]]:
        """Document's offset → the first fact that serves it, and, of those that none serves, one dated before the decision."""
        joined: dict[int, Fact] = {}
        too_early: dict[int, Fact] = {}
        for service in self.services:
            document = self._meant_by(service)
            if document is None or document.data.get("service") or document.offset in joined:
                continue
            if service.data["service"]["served_on"] < document.data["occurred_on"]:
                too_early.setdefault(document.offset, service)
            else:
                joined[document.offset] = service
        return joined, {offset: service for offset, service in too_early.items() if offset not in joined}

    def _meant_by(self, service: Fact) -> Fact | None:
        own = next((one for one in self.documents if one.source == service.source), None)
        return own or (self.documents[0] if len(self.documents) == 1 else None)
