"""What the embedded stack says when it can't go on."""

from __future__ import annotations


class LocalStackError(Exception):
    """One sentence for the person at the terminal: what is wrong and what to do about it."""
