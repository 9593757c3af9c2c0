"""Who succeeded whom (R19), for detectors: entries about a predecessor and its successor are about the same enterprise."""

from __future__ import annotations

from services.audit.domain.detectors.groups import Groups, Key, KeysOf
from services.audit.domain.detectors.ledger import Ledger
from services.audit.domain.detectors.model import Entry

SUCCEEDED = "enterprise.succeeded"


class Successions:
    """Subjects joined by the successions known so far."""

    def __init__(self) -> None:
        self._before: dict[str, str] = {}

    def take(self, entry: Entry) -> None:
        """An ``enterprise.succeeded``."""
        one, other = self.root(entry.data["predecessor"]), self.root(entry.data["successor"])
        if one != other:
            self._before[max(one, other)] = min(one, other)

    def root(self, subject: str) -> str:
        """One name for all that are joined with the subject."""
        while (before := self._before.get(subject)) is not None:
            subject = before
        return subject

    def same(self, one: str, other: str) -> bool:
        """Whether both are one enterprise, as far as successions say."""
        return one == other or self.root(one) == self.root(other)


class Followed(Groups):
    """Groups whose entries are compared by subject: a succession makes each with several entries worth another look."""

    def __init__(self, ledger: Ledger, keys_of: KeysOf) -> None:
        super().__init__(ledger, keys_of)
        self.successions = Successions()
        self._several: dict[Key, None] = {}

    def take(self, entry: Entry) -> list[Key]:
        """The keys of groups with several entries that may be otherwise now."""
        if entry.type == SUCCEEDED:
            self.successions.take(entry)
            keys = list(self._several)
        else:
            keys = super().take(entry)
        several = [key for key in keys if not self.alone(key)]
        self._several |= dict.fromkeys(several)
        return several
