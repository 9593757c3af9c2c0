"""What a witness asks of its disk and its clock. Each docstring states durability, order and atomicity."""

from __future__ import annotations

from typing import Protocol


class StateLost(Exception):
    """What is kept of a log is missing, torn or not what was signed. Nothing is cosigned for it until a person has looked."""


class Disk(Protocol):
    """Files of one folder by name, one system call a method. Raises ``OSError``."""

    def write(self, name: str, data: bytes) -> None:
        """Write a file anew, owner only, and sync its content. A crash inside leaves any part of it."""

    def rename(self, name: str, to: str) -> None:
        """Let the file take the other's place. A crash after it may still have lost the new name."""

    def sync_names(self) -> None:
        """Make renames durable."""

    def read(self, name: str) -> bytes | None:
        """The file's bytes; None where there is none."""
