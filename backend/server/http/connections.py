"""The connections of a server: how many it accepts, and when it closes those that are slow.

uvicorn has one deadline, for idle connections between requests. This adds those for a request's
header, for a body that is no longer read, and for a client that reads nothing; a body that is
read has its own (`body_deadline`).
"""

import asyncio
import errno
import logging
import socket
from collections import Counter
from contextlib import suppress
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from stnscope.access.responses import problem
from stnscope.access.security_headers import FIXED_HEADERS
from stnscope.backend.server.deadlines import Deadlines

log = logging.getLogger(__name__)

BACKLOG = 128
"""Connections that the system keeps until they are accepted."""
EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
TICK_SECONDS = 0.5
RETRY_SECONDS = 0.2
LOG_SECONDS = 60.0
"""Interval between lines in the log that accepting is paused."""
MAX_FILES = 8192
"""The limit on open files that a server sets for itself, if the system allows it."""


def raise_file_limit() -> int:
    """Raise the limit on open files as far as is allowed and useful; return it."""
    try:
        import resource
    except ImportError:  # not on this platform
        return MAX_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= MAX_FILES:
        return MAX_FILES
    limit = MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


class Protocol(H11Protocol):
    """HTTP, whose response to what is no HTTP is like those to all other errors."""

    def send_400_response(self, msg: str) -> None:
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.abort()  # in the middle of a response
            return
        response = problem(400, f"{msg.rstrip('.')}.")
        headers = [*response.raw_headers, *FIXED_HEADERS, (b"connection", b"close")]
        for event in (
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=bytes(response.body)),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


class ConnectionServer(uvicorn.Server):
    """A server that accepts connections itself, and closes late ones.

    While too many are open, or no file can be opened, it accepts none: they wait in the system's
    backlog. Half of the files are left for recordings and processes.

    Args:
        config: of uvicorn; its protocol is h11.
        deadlines: for headers, and for clients that read nothing.
        max_connections: that are open at once; half of the open files that are allowed unless
            given.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        deadlines: Deadlines | None = None,
        max_connections: int | None = None,
    ) -> None:
        config.http = Protocol
        super().__init__(config)
        self._deadlines = deadlines or Deadlines()
        self._max_connections = max_connections or raise_file_limit() // 2
        self._tasks: list[asyncio.Task[None]] = []
        self._logged_at = -LOG_SECONDS

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup([])
        for listening in sockets or []:
            listening.setblocking(False)
            listening.listen(BACKLOG)
            self._tasks.append(asyncio.create_task(self._accept_all(listening)))
        self._tasks.append(asyncio.create_task(self._close_late_connections()))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await super().shutdown(sockets)

    async def _accept_all(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            if len(self.server_state.connections) >= self._max_connections:
                await self._pause(f"{self._max_connections} are open")
                continue
            try:
                connection, _ = await loop.sock_accept(listening)
            except ConnectionAbortedError:
                continue
            except OSError as error:
                if error.errno not in EXHAUSTED:
                    raise
                await self._pause(error.strerror or "the system has no more")
                continue
            try:
                await loop.connect_accepted_socket(self._create_protocol, connection)
            except OSError:
                connection.close()

    async def _pause(self, reason: str) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._logged_at >= LOG_SECONDS:
            log.warning("New connections wait until others are closed: %s.", reason)
            self._logged_at = now
        for connection in list(self.server_state.connections):
            if isinstance(connection, Protocol) and connection.timeout_keep_alive_task:
                connection.timeout_keep_alive_handler()  # idle: closed at once
        await asyncio.sleep(RETRY_SECONDS)

    def _create_protocol(self) -> asyncio.Protocol:
        return Protocol(self.config, self.server_state, self.lifespan.state)

    async def _close_late_connections(self) -> None:
        """Close connections that make no progress; counts only time in which this process runs."""
        waits: Counter[Any] = Counter()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            deadlines = {
                (connection, reason): deadline
                for connection in list(self.server_state.connections)
                for reason, deadline in self._waits_for(connection)
            }
            waits = Counter({wait: waits[wait] + 1 for wait in deadlines})
            for wait, deadline in deadlines.items():
                if waits[wait] * TICK_SECONDS >= deadline:
                    wait[0].transport.abort()

    def _waits_for(self, connection: Any) -> list[tuple[object, float]]:
        """Return what a connection waits for, and for how long it may."""
        if not isinstance(connection, Protocol):
            return []  # a WebSocket, which has pings
        waits: list[tuple[object, float]] = []
        is_between_requests = connection.cycle is None or connection.cycle.response_complete
        if is_between_requests and connection.timeout_keep_alive_task is None:
            waits.append(("header", self._deadlines.header))
        if connection.flow.write_paused:
            unsent = connection.transport.get_write_buffer_size()
            waits.append((unsent, self._deadlines.unread))
        return waits
