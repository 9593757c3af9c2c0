"""What a bundle for auditors says of itself: ``manifest.json``, and ``SHA256SUMS`` for who has nothing of ours. See docs/adr/0034.

Invariants
1. The same values give the same bytes.
2. ``SHA256SUMS`` names every file but itself, the manifest too; the manifest every file but these two. So one byte that differs
   anywhere shows, and which file it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

FORMAT = "mingjian-bundle-v1"
MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
_HEX = frozenset("0123456789abcdef")


class ManifestError(ValueError):
    """Bytes that are no manifest of this format; the message says why."""


@dataclass(frozen=True, slots=True)
class Named:
    """A file of the bundle. ``path``: relative, with ``/``; ``size`` in bytes; ``sha256`` in hex."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Edition:
    """An edition of a rulebook that was activated. ``folder``: where its files lie in the bundle; ``sha256``: its digest."""

    regime: str
    version: str
    sha256: str
    folder: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """``size`` in leaves, ``root`` in hex; ``genesis_sha256``: genesis's fingerprint; ``sample``: made-up data; ``last_known``: when the
    newest fact became known, None where there is none; ``rulebooks``: of each regime the one activated last comes first."""

    software: str
    origin: str
    size: int
    root: str
    genesis_sha256: str
    sample: bool
    last_known: str | None
    cosigned_by: tuple[str, ...]
    rulebooks: tuple[Edition, ...]
    files: tuple[Named, ...]

    @property
    def data(self) -> bytes:
        said = {"format": FORMAT, **asdict(self)}
        return (json.dumps(said, indent=1, ensure_ascii=False) + "\n").encode()


def parse_manifest(data: bytes) -> Manifest:
    """Read a manifest. Raises ``ManifestError``."""
    try:
        said = json.loads(data)
        if said.pop("format") != FORMAT:
            raise ManifestError(f"its format is not {FORMAT}")
        files = tuple(_named(one) for one in said.pop("files"))
        rulebooks = tuple(Edition(**_texts(one)) for one in said.pop("rulebooks"))
        size, last, cosigned = said.pop("size"), said.pop("last_known"), tuple(said.pop("cosigned_by"))
        sample = said.pop("sample")
        rest = _texts(said)
        if type(size) is not int or size < 0 or type(sample) is not bool or not (last is None or isinstance(last, str)):
            raise ManifestError("size, sample or last_known is not what it should be")
        found = Manifest(size=size, sample=sample, last_known=last, cosigned_by=cosigned, rulebooks=rulebooks, files=files, **rest)
    except ManifestError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ManifestError(f"it can't be read: {error}") from None
    if len({one.path for one in files}) < len(files):
        raise ManifestError("it names a file twice")
    return found


def _texts(said: Mapping[str, Any]) -> dict[str, str]:
    if not all(isinstance(value, str) for value in said.values()):
        raise ManifestError("a value is not a text")
    return dict(said)


def _named(said: Mapping[str, Any]) -> Named:
    one = Named(**said)
    if not isinstance(one.path, str) or type(one.size) is not int or not isinstance(one.sha256, str):
        raise ManifestError("a file's entry is not path, size and sha256")
    if len(one.sha256) != 64 or not set(one.sha256) <= _HEX:
        raise ManifestError(f"the SHA-256 of {one.path} is not one")
    if not is_inside(one.path) or one.path in (MANIFEST, SUMS):
        raise ManifestError(f"{one.path} is no file that a manifest names")
    return one


def is_inside(path: str) -> bool:
    """Whether a path leads nowhere but into the bundle, on any system."""
    parts = path.split("/")
    return not any(part in ("", ".", "..") or "\\" in part or ":" in part or not part.isprintable() for part in parts)


def sums(manifest: Manifest, manifest_sha256: str) -> bytes:
    """``SHA256SUMS`` in the format of coreutils, sorted by path."""
    lines = [(one.path, one.sha256) for one in manifest.files] + [(MANIFEST, manifest_sha256)]
    return "".join(f"{digest}  {path}\n" for path, digest in sorted(lines)).encode()
