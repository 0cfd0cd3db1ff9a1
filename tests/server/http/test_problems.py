"""What goes wrong becomes a problem of its status; a full disk is told from other errors."""

import asyncio
import errno
import sqlite3

import httpx
import pytest
from fastapi import FastAPI

from stnscope.access.responses import PROBLEM_TYPE
from stnscope.backend.experiment.errors import InsufficientStorage
from stnscope.backend.server.http import problems


def answer_to(error: Exception) -> httpx.Response:
    app = FastAPI()
    problems.install(app)

    @app.get("/")
    def fail() -> None:
        raise error

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.get("/")

    return asyncio.run(ask())


def full_database() -> sqlite3.Error:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (InsufficientStorage("Delete runs."), 507, "Delete runs."),
        (OSError(errno.ENOSPC, "no space"), 507, "disk is full"),
        (full_database(), 507, "disk is full"),
        (OSError(errno.EACCES, "no access"), 500, "log"),
        (sqlite3.OperationalError("no such table"), 500, "log"),
    ],
)
def test_error_becomes_a_problem_with_status_and_detail(
    error: Exception, status: int, said: str
) -> None:
    answer = answer_to(error)
    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM_TYPE
    assert said in answer.json()["detail"]
