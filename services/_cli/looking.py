"""Looking at a running stack: who is ready, who is behind, what was found."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

import httpx

from schemas.canonical import event_hash
from services._cli.delivery import get_json
from services._cli.session import Session


def look(session: Session) -> dict[str, object]:
    """``ready``, ``endpoints``, ``lag`` (the longest, in records; null when nobody says), ``log``, each service's own answer, ``genesis``
    (the fingerprint of this home's and of the stack that answers, each null where there is none), ``witnesses`` as audit last met them,
    and ``grades``: what its newest run over all of them found.

    ``ready`` is about this home's stack: another that happens to answer at the same addresses doesn't count. A witness that is away
    makes nothing unready by itself: the policy decides."""
    services = {name: _ask(url) | {"url": url} for name, url in all_endpoints(session).items()}
    cosigning = [one.pop("witnesses", None) for one in services.values()]
    grades = [one.pop("grades", None) for one in services.values()]
    answering = [one.pop("fingerprint", None) for one in services.values()]
    genesis = {"home": _fingerprint(session), "answering": next(filter(None, answering), None)}
    lags = [one["lag"] for one in services.values() if one["lag"] is not None]
    vkey = session.home.genesis_data()["log_vkey"] if session.home.genesis_path.exists() else None
    return {
        "ready": all(one["ready"] for one in services.values()) and other_stack(genesis) is None,
        "endpoints": dict(session.endpoints),
        "lag": max(lags) if lags else None,
        "log": {"dir": str(session.home.log_dir), "vkey": vkey},
        "genesis": genesis,
        "witnesses": next(filter(None, cosigning), None),
        "grades": next(filter(None, grades), None),
        "services": services,
    }


def other_stack(genesis: Mapping[str, str | None]) -> str | None:
    """A sentence where the stack that answers is not this home's; None where it is, or where nobody says which it is.

    A home without a genesis looks at whatever answers: that is how one reads another's register."""
    home, answering = genesis["home"], genesis["answering"]
    if home is None or answering is None or home == answering:
        return None
    return f"another stack answers at these addresses: its genesis is {answering[:12]}…, this home's is {home[:12]}…"


def _fingerprint(session: Session) -> str | None:
    return event_hash(session.home.genesis()["event"]) if session.home.genesis_path.exists() else None


def all_endpoints(session: Session) -> dict[str, str]:
    """The three services with an interface, and rating, which has only its state to show."""
    return {**session.endpoints, "rating": session.ports.url("rating")}


def _ask(url: str) -> dict[str, object]:
    try:
        with httpx.Client(base_url=url, timeout=5.0) as http:
            ready = http.get("/readyz")
            said = http.get("/status")
        told = said.json() if said.status_code == 200 else {}
        if not isinstance(told, dict):
            raise ValueError("its status is no object")
        lag = {name: value for name, value in told.items() if name == "lag" or name.endswith("_lag")} or None
    except (httpx.HTTPError, ValueError) as error:
        return {"ready": False, "reason": f"no answer ({type(error).__name__})", "lag": None}
    reason = "ready" if ready.status_code == 200 else _reasons(ready)
    own = {"fingerprint": told.get("fingerprint"), "witnesses": told.get("witnesses"), "grades": told.get("grades")}
    return {"ready": ready.status_code == 200, "reason": reason, "lag": total_lag(lag), **own}


def cosigning_words(found: Mapping[str, Any] | None) -> list[str]:
    """A line about the policy and one for each witness; none where there are no witnesses."""
    if not found or not found["witnesses"]:
        return []
    have = sum(one["cosigned"] for one in found["witnesses"])
    lines = [f"checkpoint cosigned by {have} of {len(found['witnesses'])} witnesses, needed are {found['needed']} of {found['counted']}"]
    if not found["reached"]:
        lines[0] += "; published all the same" if found["missing"] == "publish" else "; the next one waits"
    for one in found["witnesses"]:
        reason = f" ({one['reason']})" if one["reason"] else ""
        lines.append(f"  {one['name']:<10} {one['url'] or '–'}  {one['standing']}{reason}")
    return lines


def grades_words(found: Mapping[str, Any] | None) -> list[str]:
    """A line about the newest nightly run, and one about what it waits for; none where audit doesn't answer."""
    if not found:
        return []
    lines = []
    if last := found["last"]:
        missing = f", {last['copies_missing']} control events without all copies" if last["copies_missing"] else ""
        unjudged = f", not judged: {', '.join(last['unjudged'])}" if last["unjudged"] else ""
        counts = f"{last['compared']:,} events, {last['differences']:,} differences"
        lines.append(f"grades worked out again after {last['day']}: {counts}{missing}{unjudged}")
    else:
        lines.append("grades were not worked out again yet; that is done after a day has closed")
    if found["failed"]:
        lines.append(f"  the last attempt failed: {found['failed']}")
    elif running := found["running"]:
        lines.append(f"  being worked out after {running['day']}: {running['done']:,} of {running['of']:,} records")
    return lines


def _reasons(answer: httpx.Response) -> str:
    """What ``/readyz`` gives as its reasons; else the answer's beginning."""
    try:
        return "; ".join(answer.json()["reasons"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:300]


def total_lag(lag: object) -> int | None:
    """A service's lag is a number, or one a topic or partition, nested, with or without their total; None where it doesn't say."""
    if isinstance(lag, bool) or lag is None:
        return None
    if isinstance(lag, int):
        return lag
    if isinstance(lag, dict):
        if "total" in lag:
            return total_lag(lag["total"])
        parts = [total_lag(one) for one in lag.values()]
        return sum(one for one in parts if one is not None)
    return None


def all_findings(session: Session, *, gravest: bool = False, **filters: str | None) -> list[dict[str, Any]]:
    """Every finding that stands, in the order in which they were raised: ``{"subject", "regime", "superseded", "event"}``; ``gravest``:
    those with most days of a wrong grade first, with ``least``, ``most`` and ``state``. ``filters``: of the address."""
    found: list[dict[str, Any]] = []
    params = {"limit": "1000"} | {name: value for name, value in filters.items() if value}
    # Not entered but closed: a client that already asked can't be entered.
    with closing(session.auditor()) as http:
        while True:
            page = get_json(http, "/api/v1/findings/gravest" if gravest else "/api/v1/findings", params)
            found += page["findings"]
            if not page["next"]:
                return found
            params["after"] = page["next"]


def one_finding(session: Session, id: str) -> dict[str, Any]:
    """A finding with ``state`` and ``effects``. Raises ``CliError``, ``NOT_THERE`` where there is none."""
    with closing(session.auditor()) as http:
        return get_json(http, f"/api/v1/findings/{id}", {})
