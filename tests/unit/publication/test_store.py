"""The store without a server: what it can't do now it says in the port's word, so that the projection tries again."""

from __future__ import annotations

import asyncio
import socket

import pytest

from services.publication.adapters.postgres_store import PostgresStore


def test_a_server_that_is_away_is_trouble_that_may_pass() -> None:
    with socket.socket() as taken:  # bound, never listening: nobody answers here
        taken.bind(("127.0.0.1", 0))
        store = PostgresStore(f"postgresql://nobody@127.0.0.1:{taken.getsockname()[1]}/nothing")
        with pytest.raises(ConnectionError):
            asyncio.run(store.acquire())
        with pytest.raises(ConnectionError):
            asyncio.run(store.positions())
