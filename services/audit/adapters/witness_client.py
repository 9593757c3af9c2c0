"""Witnesses over HTTP. What is read of an answer is bounded: a witness is a stranger."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from services.audit.witnessing import Away

_LIMIT_S = 10.0
_MOST_BYTES = 16_384
_PATH = "/add-checkpoint"
_PLAIN = {"content-type": "text/plain; charset=utf-8", "accept-encoding": "identity"}
# What the environment says of proxies holds for the world outside, never for this machine.
_HERE = {"all://127.0.0.1": None, "all://localhost": None}


@dataclass(frozen=True)
class HttpWitnesses:
    """``Ask`` by one client for all of them."""

    client: httpx.AsyncClient

    @staticmethod
    def open() -> HttpWitnesses:
        """Within a running event loop."""
        return HttpWitnesses(httpx.AsyncClient(timeout=_LIMIT_S, mounts=_HERE))

    async def __call__(self, url: str, body: bytes) -> tuple[int, str, bytes]:
        """See ``Ask``."""
        try:
            async with self.client.stream("POST", url + _PATH, content=body, headers=_PLAIN) as answer:
                data = b""
                # As it came: nothing is unpacked that could be larger than it looks.
                async for part in answer.aiter_raw():
                    data += part
                    if len(data) > _MOST_BYTES:
                        raise Away("its answer doesn't end")
                return answer.status_code, answer.headers.get("content-type", ""), data
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Away(type(error).__name__) from error

    async def close(self) -> None:
        """Give the connections back."""
        await self.client.aclose()
