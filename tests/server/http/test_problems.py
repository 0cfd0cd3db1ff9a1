"""Errors become problems with a status; a full disk and a locked recording have their own."""

import asyncio
import errno
import sqlite3

import httpx
import pytest
from fastapi import FastAPI

from stnscope.access.responses import PROBLEM_TYPE
from stnscope.backend.experiment.errors import InsufficientStorage, NotInstalled
from stnscope.backend.server.http import problems


def response_to(error: Exception) -> httpx.Response:
    app = FastAPI()
    problems.install(app)

    @app.get("/")
    def fail() -> None:
        raise error

    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.get("/")

    return asyncio.run(get())


def database_error(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("a message of SQLite")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "status", "detail"),
    [
        (InsufficientStorage("Delete runs."), 507, "Delete runs."),
        (NotInstalled("Install it."), 501, "Install it."),
        (OSError(errno.ENOSPC, "no space"), 507, "disk is full"),
        (database_error(sqlite3.SQLITE_FULL), 507, "disk is full"),
        (database_error(sqlite3.SQLITE_BUSY), 503, "locks this recording"),
        (OSError(errno.EACCES, "no access", "home"), 403, "home may not be read"),
        (sqlite3.OperationalError("no such table"), 500, "log"),
    ],
)
def test_error_becomes_a_problem_with_status_and_detail(
    error: Exception, status: int, detail: str
) -> None:
    response = response_to(error)
    assert response.status_code == status
    assert response.headers["content-type"] == PROBLEM_TYPE
    assert detail in response.json()["detail"]
