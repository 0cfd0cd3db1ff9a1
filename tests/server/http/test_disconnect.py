"""Work for a client that no longer waits."""

import asyncio
from typing import Any

import pytest
from starlette.requests import ClientDisconnect, Request

from stnscope.backend.server.http.disconnect import until_disconnect


def request_of(*messages: str) -> Request:
    """Return a request that receives messages of these types, and then nothing."""
    left = list(messages)

    async def receive() -> dict[str, Any]:
        if not left:
            await asyncio.Event().wait()
        return {"type": left.pop(0)}

    return Request({"type": "http"}, receive)


def test_work_is_cancelled_when_the_client_leaves() -> None:
    cancelled = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    with pytest.raises(ClientDisconnect):
        asyncio.run(until_disconnect(request_of("http.request", "http.disconnect"), work()))
    assert cancelled == [True]


def test_result_and_error_of_the_work_are_those_of_the_request() -> None:
    async def work(error: Exception | None) -> int:
        await asyncio.sleep(0)
        if error is not None:
            raise error
        return 3

    assert asyncio.run(until_disconnect(request_of("http.request"), work(None))) == 3
    with pytest.raises(KeyError):
        asyncio.run(until_disconnect(request_of("http.request"), work(KeyError())))
