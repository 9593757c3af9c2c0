"""Entries by a key, role or jurisdiction that isn't valid. Intake refuses them, so they are for tests that write past it."""

from __future__ import annotations

from services._cli.sample.acts import at
from services._cli.sample.falsify.doings import penalty, visit
from services._cli.sample.falsify.ground import Ground
from services._cli.sample.people import APPROVER, BUREAU, RETAIL, WHOLESALE, staff

KIND = "authority_invalid"
# A penalty that nobody could enter is rated all the same where it stands in the log, and nobody approves what it proposes.
_PROPOSES = ("approval_open",)
UNKNOWN = "nobody"
"""A signer whose key no registrar has registered."""


def sow(ground: Ground) -> None:
    """A key that nobody registered, an office that isn't the signer's, a role that may not say it."""
    rng = ground.chance(KIND)
    if ground.plants:
        row = visit(ground, ground.take(office=RETAIL), ground.day(rng), rng)
        row.signer, row.past_intake = UNKNOWN, True
        ground.sow(KIND, True, [row], "signed with a key that nobody registered", past_intake=True)
        row = penalty(ground, ground.take(office=RETAIL), ground.day(rng), rng)
        row.signer, row.past_intake = staff(WHOLESALE)[1].name, True
        ground.sow(KIND, True, [row], "signed by an officer of another office", past_intake=True, also=_PROPOSES)
        row = penalty(ground, ground.take(office=RETAIL), ground.day(rng), rng)
        row.event["source"], row.signer, row.past_intake = BUREAU, APPROVER.name, True
        row.data["entered_by"] = APPROVER.pseudonym
        ground.sow(KIND, True, [row], "a penalty entered by an approver, who may not", past_intake=True, also=_PROPOSES)
    if ground.likens:
        row = visit(ground, ground.take(office=RETAIL), ground.day(rng), rng)
        clerk, other = staff(RETAIL)[1], staff(RETAIL)[2]
        row.signer, row.data["entered_by"], row.data["on_behalf_of"] = clerk.name, clerk.pseudonym, other.pseudonym
        row.received = max(row.received, at(row.day, 17, 30))
        ground.sow(KIND, False, [row], "entered by a colleague of the same office, and it says so")
