"""Subject ids, pseudonyms, and ids derived from causes.

A subject id is ``<scheme>:<value>``. ``uscc`` carries the check digit of GB 32100-2015; the others a pattern.
"""

from __future__ import annotations

import hashlib
import re
import uuid

from stdnum.cn import uscc as _uscc
from stdnum.exceptions import ValidationError

from schemas.canonical import canonical_bytes

DERIVED_NAMESPACE = uuid.UUID("6f1d5f0e-3c51-5b52-9a0b-6d696e676a69")
IMPORT_NAMESPACE = uuid.UUID("6f1d5f0e-3c51-5b52-9a0b-696d706f7274")

SCHEMES: dict[str, re.Pattern[str]] = {
    "uscc": re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}"),
    "fhrs": re.compile(r"[1-9][0-9]{0,11}"),
    "camis": re.compile(r"[0-9]{8}"),
    "person": re.compile(r"[0-9a-f]{32}"),
    "officer": re.compile(r"[a-z0-9][a-z0-9-]{2,62}"),
    "office": re.compile(r"/departments/[a-z0-9-]{1,40}/offices/[a-z0-9-]{1,40}"),
    "regime": re.compile(r"[a-z][a-z0-9-]{1,40}"),
    "stack": re.compile(r"[a-z][a-z0-9-]{1,40}"),
}
ENTERPRISE_SCHEMES = ("uscc", "fhrs", "camis")
SOURCE = re.compile(r"/departments/[a-z0-9-]{1,40}/offices/[a-z0-9-]{1,40}")
EVENT_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
SERVICE_SOURCE = re.compile(r"/services/[a-z]{1,20}")


class SubjectError(ValueError):
    """A subject id that can't be. ``code``: ``subject-scheme``, ``subject-form`` or ``subject-check-digit``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def scheme_of(subject: str) -> str:
    """The scheme before the first colon ('' where there is none)."""
    return subject.partition(":")[0] if ":" in subject else ""


def check_subject(subject: str) -> str:
    """Return ``subject`` when it is well formed, else raise ``SubjectError`` that says what to mend."""
    scheme, _, value = subject.partition(":")
    pattern = SCHEMES.get(scheme)
    if pattern is None:
        raise SubjectError("subject-scheme", f"unknown scheme {scheme[:20]!r}; known: {', '.join(SCHEMES)}")
    if not pattern.fullmatch(value):
        raise SubjectError("subject-form", f"the part after {scheme!r}: has not the form {pattern.pattern}")
    if scheme == "uscc":
        try:
            _uscc.validate(value)
        except ValidationError:
            raise SubjectError(
                "subject-check-digit", "the last character is not the check digit of GB 32100-2015; look for a slip of the pen"
            ) from None
    return subject


def derived_id(*, cause: str, kind: str, subject: str, regime: str = "", ordinal: int = 0) -> str:
    """Id of a derived event: the same cause gives the same id on every replay."""
    name = canonical_bytes([cause, kind, subject, regime, ordinal]).decode()
    return str(uuid.uuid5(DERIVED_NAMESPACE, name))


def import_id(*, source: str, row_key: str, content: bytes) -> str:
    """Id of an imported fact: UUIDv5 of the row's key and content, so the same import again adds nothing."""
    name = canonical_bytes([source, row_key, hashlib.sha256(content).hexdigest()]).decode()
    return str(uuid.uuid5(IMPORT_NAMESPACE, name))
