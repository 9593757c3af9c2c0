"""Asking witnesses to cosign a checkpoint: all at once, for a bounded time, while the log goes on. Clocks are arguments.

Invariants
1. A line that is returned is a cosignature of exactly this checkpoint by a pinned key, checked here.
2. ``ask`` ends within the limit, whatever a witness does. One that didn't answer in time the last time is asked, not waited for,
   unless the policy can't do without.
3. At most one question to a witness is open at a time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from services.audit.domain.checkpoint import Checkpoint, parse_checkpoint
from services.audit.domain.cosigning import encode_request, missing, read_cosignature, read_size
from services.audit.domain.merkle import HASH_BYTES, ReadHash, consistency_proof, perfect_root
from services.audit.domain.note import NoteError, SignatureLine, parse_note
from services.audit.domain.policy import Member, Policy
from services.audit.domain.tiles import WIDTH, TileError, decode_tile, tile_path, width_at

log = logging.getLogger("mingjian.audit")

Missing = Literal["publish", "wait"]
Standing = Literal["unasked", "cosigned", "away", "behind", "refused", "conflict"]
_TRIES = 3

Ask = Callable[[str, bytes], Awaitable[tuple[int, str, bytes]]]
"""Address of a witness and body of ``add-checkpoint`` → status, media type and body of the answer. Raises ``Away``."""


class Away(Exception):
    """A witness could not be asked; the message says why, without values."""


def hashes_of(size: int, read_file: Callable[[str], bytes | None]) -> ReadHash:
    """Hashes of the tree of ``size`` leaves from its tiles, partial or already full. Raises ``LookupError`` where one is missing."""

    def read(level: int, index: int) -> bytes:
        tile_level, below = divmod(level, 8)
        tile, at = divmod(index << below, WIDTH)
        width = width_at(size, tile_level, tile)
        data = read_file(tile_path(tile_level, tile, width)) or read_file(tile_path(tile_level, tile))
        if data is None:
            raise LookupError(f"tile {tile_level}/{tile} is missing")
        return perfect_root(decode_tile(data, width)[at * HASH_BYTES : (at + (1 << below)) * HASH_BYTES])

    return read


@dataclass
class Watched:
    """What is known of one witness. ``size``: leaves it had when it said so last; ``prompt``: it answered within the limit."""

    member: Member
    standing: Standing = "unasked"
    reason: str = ""
    size: int = 0
    prompt: bool = True
    since: float = 0.0
    line: tuple[str, SignatureLine] | None = None
    open: asyncio.Task[None] | None = None

    def became(self, standing: Standing, reason: str, now: float) -> None:
        if standing != self.standing:
            self.since = now
            level = logging.INFO if standing == "cosigned" else logging.CRITICAL if standing == "conflict" else logging.WARNING
            log.log(level, "witness %s: %s%s", self.member.name, standing, f", {reason}" if reason else "")
        self.standing, self.reason = standing, reason


@dataclass
class Cosigned:
    """What came of asking: the new ``lines``, and whether the policy's quorum is ``reached`` with those that the note had."""

    lines: list[SignatureLine] = field(default_factory=list)
    reached: bool = True


class Witnesses:
    """The witnesses of one log. ``limit_s``: how long ``ask`` may take. ``read_file``: the log's files."""

    def __init__(
        self,
        policy: Policy,
        ask: Ask,
        *,
        missing: Missing,
        limit_s: float,
        read_file: Callable[[str], bytes | None],
        monotonic: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self.policy = policy
        self.missing: Missing = missing
        self._ask = ask
        self._limit_s = limit_s
        self._read_file = read_file
        self._monotonic = monotonic
        self._wall = wall
        self.watched = [Watched(one) for one in policy.members if one.url]

    def lacking(self, note: bytes) -> bool:
        """True when a witness that could be asked has not cosigned the note."""
        return bool(missing(note, [one.member.key for one in self.watched]))

    async def ask(self, note: bytes) -> Cosigned:
        """Ask whoever has not cosigned the note yet. The tiles of its size have to be readable meanwhile."""
        text = parse_note(note).text
        absent = missing(note, self.policy.keys)
        asked = [one for one in self.watched if one.member.key in absent]
        have = [one for one in self.policy.members if one.key not in absent]
        for one in asked:
            if one.open is None or one.open.done():
                one.open = asyncio.create_task(self._one(one, note, parse_checkpoint(text)))
        until = self._monotonic() + self._limit_s
        while waiting := self._waited_for(asked, have, text):
            left = until - self._monotonic()
            if left <= 0:
                break
            await asyncio.wait(waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        for one in asked:
            if one.open is not None and not one.open.done():
                one.prompt = False
                one.became("away", f"no answer within {self._limit_s:g} s", self._wall())
            elif one.open is not None:
                one.open.result()  # a fault of ours ends the process; a witness's never comes here
        came = [one for one in asked if one.line and one.line[0] == text]
        reached = self.policy.reached([*have, *(one.member for one in came)])
        return Cosigned([one.line[1] for one in came if one.line], reached)

    async def close(self) -> None:
        """Leave questions that are still open."""
        left = [one.open for one in self.watched if one.open and not one.open.done()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _waited_for(self, asked: Sequence[Watched], have: Sequence[Member], text: str) -> list[asyncio.Task[None]]:
        came = [one.member for one in asked if one.line and one.line[0] == text]
        all_of_them = self.missing == "wait" and not self.policy.reached([*have, *came])
        return [one.open for one in asked if one.open and not one.open.done() and (one.prompt or all_of_them)]

    async def _one(self, one: Watched, note: bytes, checkpoint: Checkpoint) -> None:
        if one.line and one.line[0] == checkpoint.text:
            return  # it came late, and nothing was published since
        began = self._monotonic()
        try:
            standing, reason = await self._cosign(one, note, checkpoint)
        except Away as error:
            standing, reason = "away", str(error)
        except NoteError as error:
            standing, reason = "refused", f"its answer is not to be trusted: {error}"
        except (LookupError, TileError) as error:
            standing, reason = "behind", f"no proof could be made: {error}"
        one.prompt = standing != "away" and self._monotonic() - began <= self._limit_s
        one.became(standing, reason, self._wall())

    async def _cosign(self, one: Watched, note: bytes, checkpoint: Checkpoint) -> tuple[Standing, str]:
        assert one.member.url is not None
        for _ in range(_TRIES):
            old = min(one.size, checkpoint.size)
            proof = await asyncio.to_thread(consistency_proof, old, checkpoint.size, hashes_of(checkpoint.size, self._read_file))
            status, media, body = await self._ask(one.member.url, encode_request(old, proof, note))
            if status == 200:
                one.line = checkpoint.text, read_cosignature(body, one.member.key, note)
                one.size = checkpoint.size
                return "cosigned", ""
            if status >= 500:
                raise Away(f"it answered {status}")
            has = read_size(media, body) if status == 409 else None
            if has is None:
                return ("conflict" if status in (409, 422) else "refused"), f"it answered {status} for {checkpoint.size} leaves"
            one.size = has
            if has > checkpoint.size:
                return "behind", f"it has {has} leaves, more than this checkpoint's {checkpoint.size}"
        return "refused", "it names another size each time"

    def state(self, note: bytes | None) -> dict[str, Any]:
        """For the status page: the policy, and each witness as it was last. ``note``: the published checkpoint."""
        absent = missing(note, self.policy.keys) if note else list(self.policy.keys)
        cosigned = [one for one in self.policy.members if one.key not in absent]
        known = {one.member.name: one for one in self.watched}
        rows = []
        for member in self.policy.members:
            one = known.get(member.name)
            rows.append(
                {
                    "name": member.name,
                    "key_name": member.key.name,
                    "url": member.url,
                    "cosigned": member in cosigned,
                    "standing": one.standing if one else "unasked",
                    "reason": one.reason if one else "it has no address in the policy",
                    "since": round(one.since, 3) if one and one.since else None,
                    "size": one.size if one else None,
                }
            )
        return {
            "needed": self.policy.needed,
            "counted": len(self.policy.counted),
            "missing": self.missing,
            "reached": self.policy.reached(cosigned),
            "witnesses": rows,
        }
