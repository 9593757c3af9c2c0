"""Sending to intake: again and again with the same ids until a receipt or a refusal comes back.

Invariants
1. What is sent again is byte for byte what was sent before, so intake answers with the same receipt.
2. A lost connection, 503, 429 and 202 are waited out; any other answer is final for its event.
3. Batches go out in their order, one at a time: on a simulated clock the order is the time.
4. A batch is never larger than intake takes, and one event that spoils a batch is found and answered alone.
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
# Intake takes 16 MiB in one request.
BATCH_BYTES = 15 << 20
# What comes along for each event: comma, channel, instant.
_BESIDE_BYTES = 64
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 3.0
_AGAIN = frozenset({429, 502, 503, 504})
_OF_CONTENT = frozenset({400, 413, 422})


@dataclass(frozen=True)
class Outcome:
    """What became of one submission: a receipt (``{"receipt", "signature"}``), or a problem with ``status``, ``title`` and so on, and
    where its signature was good a ``refusal`` (``{"refusal", "signature"}``): an officer's proof of having tried.
    ``again``: intake had it before. ``whole``: the problem is that of the request in which it was."""

    status: int
    receipt: dict[str, Any] | None
    problem: dict[str, Any] | None
    again: bool = False
    whole: bool = False
    refusal: dict[str, Any] | None = None

    @property
    def accepted(self) -> bool:
        return self.receipt is not None


@dataclass(frozen=True)
class _Sent:
    """What is to be delivered, each submission as the bytes that go out every time. ``channel``: one for all, or one for each."""

    pieces: list[bytes]
    channel: str | Sequence[str]
    at: Sequence[str] | None

    @property
    def header(self) -> str | None:
        """The channel where it is one for all."""
        return self.channel if isinstance(self.channel, str) else None

    def fitting(self, indexes: Sequence[int]) -> list[int]:
        """The first of these that fit into one request, at least one."""
        size, found = 0, []
        for index in indexes:
            size += len(self.pieces[index]) + _BESIDE_BYTES
            if found and size > BATCH_BYTES:
                break
            found.append(index)
        return found

    def body(self, indexes: Sequence[int]) -> bytes:
        """The request with these."""
        body: dict[str, Any] = {"events": [orjson.Fragment(self.pieces[index]) for index in indexes]}
        if not isinstance(self.channel, str):
            body["channels"] = [self.channel[index] for index in indexes]
        if self.at:
            body["simulated_at"] = [self.at[index] for index in indexes]
        return orjson.dumps(body)


def _refused_whole(answers: Sequence[Outcome | None] | None) -> bool:
    """True where the request was refused for what one of its events may have brought along."""
    return bool(answers) and answers[0] is not None and answers[0].whole and answers[0].status in _OF_CONTENT


@dataclass
class Intake:
    """A connection to intake. ``patience_s``: how long to go on without an answer before giving up; ``said`` hears why it waits;
    ``alive`` is asked before every request, and what it raises ends the sending."""

    url: str
    patience_s: float = 120.0
    said: Callable[[str], None] = lambda words: None
    alive: Callable[[], None] = lambda: None

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
        sent = _Sent([orjson.dumps(one) for one in submissions], channel, at)
        outcomes: dict[int, Outcome] = {}
        waiting = list(range(len(submissions)))
        most = len(waiting)
        pause, since = _FIRST_PAUSE_S, time.monotonic()
        while waiting:
            self.alive()
            part = sent.fitting(waiting[:most])
            answers = self._post(sent.body(part), len(part), sent.header)
            if _refused_whole(answers) and len(part) > 1:
                # One of them is at fault, and the others shall not bear it: ask for the halves until it stands alone.
                most, since = len(part) // 2, time.monotonic()
                continue
            settled = {index: one for index, one in zip(part, answers or [], strict=False) if one is not None}
            if settled:
                outcomes |= settled
                waiting = [index for index in waiting if index not in settled]
                most = min(2 * most, len(submissions))
                pause, since = _FIRST_PAUSE_S, time.monotonic()
                continue
            if time.monotonic() - since > self.patience_s:
                raise CliError(
                    f"intake at {self.url} gave no receipt for {self.patience_s:.0f} s; the same command goes on later", NO_ANSWER
                )
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)
        return [outcomes[index] for index in range(len(submissions))]

    def _post(self, body: bytes, count: int, channel: str | None) -> list[Outcome | None] | None:
        """One request with so many events. None for an event that has to wait; None for all when nothing came back."""
        headers = {"content-type": "application/json"} | ({"mingjian-channel": channel} if channel else {})
        try:
            answer = self._http.post("/api/v1/events:batch", content=body, headers=headers)
        except httpx.TransportError as error:
            self.alive()
            self.said(f"intake doesn't answer ({type(error).__name__}); trying again")
            return None
        if answer.status_code in _AGAIN:
            self.said(f"intake is not ready ({answer.status_code}); trying again")
            return None
        told = _body(answer)
        if answer.status_code >= 400:
            # The batch as a whole was refused: each event bears the answer.
            return [Outcome(answer.status_code, None, told, whole=True)] * count
        if not isinstance(told.get("results"), list):
            raise CliError(f"what answers at {self.url} is no intake: its answer to a batch holds no results", FAILED)
        return [_outcome(one) for one in told["results"]]

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
    return Outcome(status, None, result["problem"], refusal=result.get("refusal"))


def get_json(http: httpx.Client, path: str, params: Mapping[str, str]) -> dict[str, Any]:
    """GET, with one sentence for what can go wrong."""
    answer = _get(http, path, params)
    try:
        return answer.json()
    except ValueError:
        raise CliError(f"what answers at {http.base_url} is no service of ours: {path} is not JSON", FAILED) from None


def get_text(http: httpx.Client, path: str, params: Mapping[str, str]) -> str:
    """The same for an answer that is no JSON."""
    return _get(http, path, params).text


def _get(http: httpx.Client, path: str, params: Mapping[str, str]) -> httpx.Response:
    try:
        answer = http.get(path, params=dict(params))
    except httpx.HTTPError:
        raise CliError(f"nothing answers at {http.base_url}; is the stack up? (`mingjian status`)", NO_ANSWER) from None
    if answer.status_code >= 400:
        raise CliError(problem_words(_body(answer)), NOT_THERE if answer.status_code == 404 else FAILED)
    return answer


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
