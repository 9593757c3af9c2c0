"""What the embedded stack says when it can't go on."""

from __future__ import annotations


class LocalStackError(Exception):
    """One sentence for the person at the terminal: what is wrong and what to do about it."""


class StillWaiting(LocalStackError):
    """A service lives but is not ready yet: whoever waits may go on waiting."""
