"""Which service belongs to which document, where service became known apart from it.

``document.served`` names a document by its id alone, and ids are unique per source only. The document of the same source is
meant; where there is none, the only one with that id. Where several are left none is: nothing takes effect by a guess. A
service dated before the decision can't be its service: it is treated as none, and kept apart.
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
    before_decision: list[Fact] = field(default_factory=list)

    def settle(self) -> dict[int, Fact]:
        """Document's offset → the fact that serves it, from all that has arrived: the first that can."""
        self.before_decision = []
        joined: dict[int, Fact] = {}
        for service in self.services:
            document = self._meant_by(service)
            if document is None or document.data.get("service") or document.offset in joined:
                continue
            if service.data["service"]["served_on"] < document.data["occurred_on"]:
                self.before_decision.append(service)
            else:
                joined[document.offset] = service
        return joined

    def _meant_by(self, service: Fact) -> Fact | None:
        own = next((one for one in self.documents if one.source == service.source), None)
        return own or (self.documents[0] if len(self.documents) == 1 else None)
