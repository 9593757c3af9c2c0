"""Reading: the stream of changes, a grade and its reasons, findings."""

from __future__ import annotations
