"""Whose cosignatures count, and how many are needed: a file in the format of C2SP tlog-policy.

``witness NAME VKEY [URL]``, ``group NAME k|any|all MEMBER…``, ``quorum NAME|none``; ``#`` begins a comment, ``log`` lines are others'
business. Of the format's groups one is taken, of witnesses alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.audit.domain.checkpoint import Checkpoint, open_checkpoint
from services.audit.domain.note import COSIGNATURE, NoteError, Signer, VerifierKey


class PolicyError(ValueError):
    """A policy that can't be read; the message names the line."""


@dataclass(frozen=True)
class Member:
    """A witness. ``name``: what the policy calls it; ``url``: without a slash at its end, None where it is only verified."""

    name: str
    key: VerifierKey
    url: str | None = None


@dataclass(frozen=True)
class Policy:
    """``needed`` of ``counted`` have to cosign; other ``members`` may."""

    members: tuple[Member, ...] = ()
    counted: tuple[Member, ...] = ()
    needed: int = 0

    @staticmethod
    def of(keys: Sequence[VerifierKey], needed: int | None = None) -> Policy:
        """``needed`` (default: all) of these keys. Raises ``PolicyError``."""
        members = tuple(Member(key.name, _witness(key), None) for key in dict.fromkeys(keys))
        return _checked(Policy(members, members, len(members) if needed is None else needed))

    @property
    def keys(self) -> tuple[VerifierKey, ...]:
        return tuple(one.key for one in self.members)

    def cosigned(self, signers: Iterable[Signer]) -> list[Member]:
        """The members among those whose signatures hold."""
        keys = {one.key for one in signers}
        return [one for one in self.members if one.key in keys]

    def reached(self, cosigned: Iterable[Member]) -> bool:
        """True when these are enough."""
        return len(set(cosigned) & set(self.counted)) >= self.needed


NOBODY = Policy()
"""No witness is asked and none is needed."""


def _witness(key: VerifierKey) -> VerifierKey:
    if key.kind != COSIGNATURE:
        raise PolicyError(f"{key.name} is not a witness's key (kind 04)")
    return key


def _checked(policy: Policy) -> Policy:
    if not 0 <= policy.needed <= len(policy.counted):
        raise PolicyError(f"{policy.needed} of {len(policy.counted)} witnesses can't be had")
    return policy


def parse_policy(text: str) -> Policy:
    """Read a policy. Raises ``PolicyError``."""
    members: dict[str, Member] = {}
    groups: dict[str, tuple[int, tuple[Member, ...]]] = {}
    quorum: str | None = None
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words or words[0] == "log":
            continue
        try:
            if words[0] == "witness" and len(words) in (3, 4):
                _new(words[1], members, groups)
                members[words[1]] = Member(words[1], _witness(VerifierKey.parse(words[2])), _url(words[3:]))
            elif words[0] == "group" and len(words) >= 4:
                _new(words[1], members, groups)
                among = tuple(members[name] for name in words[3:])
                groups[words[1]] = _threshold(words[2], among), among
            elif words[0] == "quorum" and len(words) == 2 and quorum is None:
                quorum = words[1]
            else:
                raise PolicyError("not a line of a policy, or one too many")
        except KeyError as error:
            raise PolicyError(f"line {number}: {error.args[0]} is no witness above") from None
        except (NoteError, PolicyError) as error:
            raise PolicyError(f"line {number}: {error}") from None
    return _with_quorum(tuple(members.values()), {one.name: (1, (one,)) for one in members.values()} | groups, quorum)


def _new(name: str, *known: dict[str, object] | dict[str, Member] | dict[str, tuple[int, tuple[Member, ...]]]) -> None:
    if name == "none" or any(name in one for one in known):
        raise PolicyError(f"the name {name} is taken")


def _url(words: Sequence[str]) -> str | None:
    if not words:
        return None
    if not words[0].startswith(("http://", "https://")):
        raise PolicyError(f"{words[0]} is no address")
    return words[0].rstrip("/")


def _threshold(word: str, among: tuple[Member, ...]) -> int:
    if len(set(among)) != len(among):
        raise PolicyError("a witness stands twice in the group")
    if word in ("any", "all"):
        return 1 if word == "any" else len(among)
    if not (word.isascii() and word.isdigit() and 1 <= int(word) <= len(among)):
        raise PolicyError(f"{word} of {len(among)} witnesses can't be had")
    return int(word)


def _with_quorum(members: tuple[Member, ...], groups: dict[str, tuple[int, tuple[Member, ...]]], quorum: str | None) -> Policy:
    if len({one.key for one in members}) != len(members):
        raise PolicyError("two witnesses have one key")
    if quorum is None:
        raise PolicyError("no `quorum` line")
    if quorum == "none":
        return Policy(members, members, 0)
    if quorum not in groups:
        raise PolicyError(f"the quorum {quorum} is no witness and no group")
    needed, counted = groups[quorum]
    return Policy(members, counted, needed)


def open_cosigned(data: bytes, log: VerifierKey, policy: Policy) -> Checkpoint:
    """The checkpoint, signed by the log and by as many witnesses as the policy needs. Raises ``NoteError``."""
    checkpoint, signers = open_checkpoint(data, log, policy.keys)
    cosigned = policy.cosigned(signers)
    if not policy.reached(cosigned):
        raise NoteError(shortfall(policy, cosigned))
    return checkpoint


def shortfall(policy: Policy, cosigned: Sequence[Member]) -> str:
    """Says how many cosigned and how many should have."""
    count = len(set(cosigned) & set(policy.counted))
    return f"{count} of {len(policy.counted)} pinned witnesses cosigned the checkpoint, {policy.needed} are needed"
