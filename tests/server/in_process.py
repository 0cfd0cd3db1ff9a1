"""A server in a thread of the tests: it starts at once, for what needs no process of its own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from stnscope.backend.commands.serve import listen
from stnscope.backend.server.app import create_app
from stnscope.backend.server.http.connections import ConnectionServer
from stnscope.backend.server.settings import Settings
from tests.live_server import Server, free_port, wait_until


@contextmanager
def serve_in_thread(home: Path, **settings: Any) -> Iterator[Server]:
    """Start a server without a page, a demonstration and standby processes; stop it at the end."""
    port = free_port()
    fixed = {"demonstration": False, "standby": False, "port": port}
    max_connections = settings.pop("max_connections", None)
    chosen = Settings(home=home, **(fixed | settings))
    config = uvicorn.Config(
        create_app(chosen),
        port=port,
        log_level="error",
        timeout_graceful_shutdown=2,
        timeout_keep_alive=75,
    )
    running = ConnectionServer(config, chosen.deadlines, max_connections)
    thread = threading.Thread(target=running.run, args=[[listen(chosen.host, port)]])
    thread.start()
    try:
        wait_until(lambda: running.started or not thread.is_alive())
        assert running.started, "the server did not start"
        with Server(home, port).connected() as server:
            yield server
    finally:
        running.should_exit = True
        thread.join()
