"""Sending to intake: again and again with the same ids until a receipt or a refusal comes back.

Invariants
1. What is sent again is byte for byte what was sent before, so intake answers with the same receipt.
2. A lost connection, 503, 429 and 202 are waited out; any other answer is final for its event.
3. Batches go out in their order, one at a time: on a simulated clock the order is the time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from services._cli.errors import FAILED, NO_ANSWER, NOT_THERE, CliError

BATCH = 500
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 3.0
_AGAIN = frozenset({429, 502, 503, 504})


@dataclass(frozen=True)
class Outcome:
    """What became of one submission: a receipt (``{"receipt", "signature"}``), or a problem with ``status``, ``title`` and so on.
    ``again``: intake had it before."""

    status: int
    receipt: dict[str, Any] | None
    problem: dict[str, Any] | None
    again: bool = False

    @property
    def accepted(self) -> bool:
        return self.receipt is not None


@dataclass
class Intake:
    """A connection to intake. ``patience_s``: how long to go on without an answer before giving up; ``said`` hears why it waits."""

    url: str
    patience_s: float = 120.0
    said: Callable[[str], None] = lambda words: None

    def __post_init__(self) -> None:
        self._http = httpx.Client(base_url=self.url, timeout=30.0)

    def close(self) -> None:
        self._http.close()

    def deliver(
        self, submissions: Sequence[Mapping[str, Any]], *, channel: str | Sequence[str], at: Sequence[str] | None = None
    ) -> list[Outcome]:
        """The outcomes in the order of the submissions. ``channel``: one for all, or one for each; ``at``: the simulated instant
        of each, on a sample stack only.

        Raises ``CliError`` when intake gave no answer for ``patience_s`` seconds."""
        outcomes: dict[int, Outcome] = {}
        waiting = list(range(len(submissions)))
        pause, since = _FIRST_PAUSE_S, time.monotonic()
        while waiting:
            body: dict[str, Any] = {"events": [submissions[index] for index in waiting]}
            if not isinstance(channel, str):
                body["channels"] = [channel[index] for index in waiting]
            if at:
                body["simulated_at"] = [at[index] for index in waiting]
            answers = self._post(body, channel if isinstance(channel, str) else None)
            settled = {index: one for index, one in zip(waiting, answers or [], strict=False) if one is not None}
            if settled:
                outcomes |= settled
                waiting = [index for index in waiting if index not in settled]
                pause, since = _FIRST_PAUSE_S, time.monotonic()
                continue
            if time.monotonic() - since > self.patience_s:
                raise CliError(
                    f"intake at {self.url} gave no receipt for {self.patience_s:.0f} s; the same command goes on later", NO_ANSWER
                )
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)
        return [outcomes[index] for index in range(len(submissions))]

    def _post(self, batch: Mapping[str, Any], channel: str | None) -> list[Outcome | None] | None:
        """One request. None for an event that has to wait; None for all when nothing came back."""
        headers = {"content-type": "application/json"} | ({"mingjian-channel": channel} if channel else {})
        try:
            answer = self._http.post("/api/v1/events:batch", content=orjson.dumps(batch), headers=headers)
        except httpx.TransportError as error:
            self.said(f"intake doesn't answer ({type(error).__name__}); trying again")
            return None
        if answer.status_code in _AGAIN:
            self.said(f"intake is not ready ({answer.status_code}); trying again")
            return None
        body = _body(answer)
        if answer.status_code >= 400:
            # The batch as a whole was refused: each event bears the answer.
            return [Outcome(answer.status_code, None, body)] * len(batch["events"])
        return [_outcome(one) for one in body["results"]]

    def get(self, path: str, **params: str) -> dict[str, Any]:
        """A JSON answer. Raises ``CliError``."""
        return get_json(self._http, path, params)


def _body(answer: httpx.Response) -> dict[str, Any]:
    try:
        value = answer.json()
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {"title": f"HTTP {answer.status_code}", "status": answer.status_code}


def _outcome(result: Mapping[str, Any]) -> Outcome | None:
    status = int(result["status"])
    if status == 202 or status in _AGAIN:
        return None
    if status < 400:
        return Outcome(status, result["receipt"], None, again=bool(result.get("again")))
    return Outcome(status, None, result["problem"])


def get_json(http: httpx.Client, path: str, params: Mapping[str, str]) -> dict[str, Any]:
    """GET, with one sentence for what can go wrong."""
    try:
        answer = http.get(path, params=dict(params))
    except httpx.TransportError:
        raise CliError(f"nothing answers at {http.base_url}; is the stack up? (`mingjian status`)", NO_ANSWER) from None
    if answer.status_code >= 400:
        raise CliError(problem_words(_body(answer)), NOT_THERE if answer.status_code == 404 else FAILED)
    return answer.json()


def problem_words(problem: Mapping[str, Any], language: str = "en") -> str:
    """An RFC 9457 problem as one or two lines: what, where, how to mend."""
    detail = problem.get(f"detail_{language}") or problem.get("detail") or problem.get("title") or "no reason was given"
    parts = [str(detail)]
    if problem.get("field"):
        parts.insert(0, f"{problem['field']}:")
    remedy = problem.get(f"remedy_{language}") or problem.get("remedy")
    if remedy:
        parts.append(f"→ {remedy}")
    return " ".join(parts)
