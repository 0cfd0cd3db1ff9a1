"""`stnscope serve`: serve the page and the interface on one port."""

import argparse
import asyncio
import errno
import logging
import os
import secrets
import socket
import sys
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from types import FrameType
from typing import Any
from urllib.parse import quote

import uvicorn

from stnscope.access.policy import LOOPBACK, bracketed
from stnscope.access.security_headers import NOTEBOOK
from stnscope.access.token import TOKEN_VARIABLE, VIEWER_TOKEN_VARIABLE
from stnscope.backend.commands import parser as types
from stnscope.backend.commands.options import (
    Commands,
    add_cluster,
    add_data,
    add_device,
    add_mirror,
    add_quota,
    command,
    quota,
)
from stnscope.backend.server.app import create_app
from stnscope.backend.server.deadlines import Deadlines
from stnscope.backend.server.http.connections import ConnectionServer
from stnscope.backend.server.processes.devices import Devices
from stnscope.backend.server.runs import Runs
from stnscope.backend.server.settings import Settings

MAX_MESSAGE_BYTES = 1024 * 1024
"""Maximum of a WebSocket message that is received: ours are small JSON, Streamlit's are larger."""

EXAMPLES = """\
  stnscope serve --port 9000              on this machine, on another port
  stnscope serve --host 0.0.0.0           from other machines too; prints links with tokens
  stnscope serve --host 0.0.0.0 --allow-host lab.example:8501    by a host name of the network
"""


def add(commands: Commands) -> None:
    """Add the command."""
    text = "Serve the page and the interface on one port."
    serve = command(commands, "serve", _serve, text, EXAMPLES)
    serve.add_argument("--host", default=Settings.host, help="address to listen on (%(default)s)")
    serve.add_argument(
        "--port", type=types.port, default=Settings.port, help="port to listen on (%(default)s)"
    )
    serve.add_argument(
        "--token",
        default=os.environ.get(TOKEN_VARIABLE) or None,
        help="secret that every request must present; generated and printed where one is needed "
        "and none is given",
    )
    serve.add_argument(
        "--viewer-token",
        default=os.environ.get(VIEWER_TOKEN_VARIABLE) or None,
        metavar="TOKEN",
        help="secret that suffices to view, but not to start, control, import, export or delete; "
        "generated and printed if other machines reach the page and none is given",
    )
    serve.add_argument(
        "--view-only",
        action="store_true",
        help="show what is in the home, and change nothing: any number of such servers may share "
        "it with one that trains, or serve a copy of it",
    )
    serve.add_argument(
        "--allow-host",
        type=types.host,
        action="append",
        default=[],
        metavar="HOST[:PORT]",
        help="accept this value of Host too; may be repeated",
    )
    serve.add_argument(
        "--allow-origin",
        type=types.origin,
        action="append",
        default=[],
        metavar="ORIGIN",
        help="accept requests of pages of this origin too; may be repeated",
    )
    serve.add_argument(
        "--allow-frame",
        type=types.frame,
        action="append",
        default=[],
        metavar="ORIGIN",
        help=f"let pages of this origin embed this one; {NOTEBOOK} selects the notebooks of "
        "Jupyter and VS Code on this machine; may be repeated",
    )
    serve.add_argument(
        "--trust-proxy",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="trust X-Forwarded-For and -Proto of this proxy, or network; may be repeated",
    )
    add_device(serve)
    add_cluster(serve)
    add_data(serve)
    add_mirror(serve)
    add_quota(serve)
    serve.add_argument("--no-page", action="store_true", help="serve the interface only")
    serve.add_argument(
        "--no-demonstration", action="store_true", help="start no run in an empty home"
    )
    serve.add_argument(
        "--no-standby",
        action="store_true",
        help="keep no process ready to train or to transform a picture: saves some 400 MB, and "
        "each start takes seconds longer",
    )
    serve.add_argument(
        "--end-with-input",
        action="store_true",
        help="end when the standard input is closed, as it is when the program ends that started "
        "this one",
    )
    serve.add_argument(
        "--control-timeout",
        type=types.seconds,
        default=Settings.control_timeout,
        metavar="SECONDS",
        help="time in which a trainer must apply a request (%(default)g)",
    )
    serve.add_argument(
        "--deadline",
        action="append",
        default=[],
        metavar="NAME=SECONDS",
        help="wait so long for something before giving it up; NAME is one of "
        f"{', '.join(field.name for field in fields(Deadlines))}; may be repeated",
    )
    serve.add_argument(
        "--deadline-factor",
        type=float,
        default=1.0,
        metavar="FACTOR",
        help="wait so many times as long for everything, on a slow machine (%(default)g)",
    )


def _serve(options: argparse.Namespace) -> int:
    try:
        settings = _settings(options)
    except ValueError as error:
        sys.exit(f"stnscope: {error}")
    asyncio.run(Devices().find(settings.device))
    with listen(settings.host, settings.port) as listening:
        Runs(settings.recordings)  # reports a home that cannot be made
        return _run(settings, options, listening)


def _run(settings: Settings, options: argparse.Namespace, listening: socket.socket) -> int:
    """Serve on a bound socket until the process is requested to end; return the exit status."""
    _set_page_environment(settings)
    config = uvicorn.Config(
        create_app(settings, None if options.no_page else _page_script()),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=sorted(settings.proxies),
        ws_max_size=MAX_MESSAGE_BYTES,
        # Frames are small already; compressing them costs more time than it saves.
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=2,
        # Longer than clients keep an idle connection, so that none is closed during a new request.
        timeout_keep_alive=75,
    )
    _silence_request_log()
    server = _AnnouncingServer(config, settings)
    if options.end_with_input:
        Thread(target=_end_with_input, args=(server,), daemon=True).start()
    server.run([listening])
    return 0 if server.started else 1


def _end_with_input(server: uvicorn.Server) -> None:
    """Wait until the standard input is closed, and end the server."""
    while os.read(0, 1024):
        pass
    server.should_exit = True


def _settings(options: argparse.Namespace) -> Settings:
    """Return the settings, with tokens where some are needed and not given.

    Raises:
        ValueError: an option is malformed.
    """
    is_shared = options.host not in LOOPBACK
    token, viewer_token = options.token or None, options.viewer_token or None
    if token is None and (is_shared or viewer_token):
        token = secrets.token_urlsafe(24)
    # A page that another server serves would not have a generated one.
    if viewer_token is None and is_shared and not (options.no_page or options.view_only):
        viewer_token = secrets.token_urlsafe(24)
    return Settings(
        home=options.home,
        data=options.data,
        mirror=options.mirror,
        host=options.host,
        port=options.port,
        demonstration=not options.no_demonstration,
        token=token,
        viewer_token=viewer_token,
        view_only=options.view_only,
        allowed_hosts=frozenset(options.allow_host),
        allowed_origins=frozenset(options.allow_origin),
        allowed_frames=frozenset(options.allow_frame),
        proxies=frozenset(options.trust_proxy),
        standby=not options.no_standby,
        device=options.device,
        cluster=options.cluster,
        retries=options.retries,
        control_timeout=options.control_timeout,
        deadlines=_deadlines(options),
        quota=quota(options),
    )


def _deadlines(options: argparse.Namespace) -> Deadlines:
    """Return the deadlines that were chosen.

    Raises:
        ValueError: one is malformed or does not exist.
    """
    chosen = {}
    for text in options.deadline:
        name, _, seconds = text.partition("=")
        try:
            chosen[name] = float(seconds)
        except ValueError:
            raise ValueError(f"A deadline is NAME=SECONDS, not {text!r}.") from None
    return Deadlines().with_values(options.deadline_factor, chosen)


def listen(host: str, port: int) -> socket.socket:
    """Bind the port before anything starts, so that a second server disturbs no run."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        sys.exit(f"stnscope: cannot listen on port {port} of {host}: {_reason(error)}")
    # Inherited by each connection; else a response's second part waits 40 ms for an ACK.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _reason(error: OSError) -> str:
    """Return why a port cannot be listened on, and what to do."""
    # Negative: the name could not be resolved.
    if error.errno == errno.EADDRNOTAVAIL or (error.errno or -1) < 0:
        return "it is not an address of this machine. Name one with --host."
    if error.errno in (errno.EACCES, errno.EPERM):
        return "this user may not use that port. Choose one above 1023 with --port."
    reason = str(error.strerror).partition(" (")[0]
    return f"{reason}. Choose another port with --port."


def _silence_request_log() -> None:
    """Keep uvicorn from logging each request, and with it the token in the printed link.

    With filters, because Streamlit resets the levels of these loggers while it starts.
    """
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi", "websockets"):
        logging.getLogger(name).addFilter(lambda record: record.levelno >= logging.WARNING)


class _AnnouncingServer(ConnectionServer):
    """Prints the links once the server accepts connections."""

    def __init__(self, config: uvicorn.Config, settings: Settings) -> None:
        super().__init__(config, settings.deadlines)
        self._settings = settings

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # A second interrupt does not cut off what the first one began: trainers end in seconds.
        if not self.should_exit:
            super().handle_exit(sig, frame)

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(f"\n{_announcement(self._settings)}\n  Ctrl-C stops it.\n", flush=True)


def _announcement(settings: Settings) -> str:
    """Return the line with the link and, if there is one, the line with that for viewers."""
    ready = f"  stnscope is ready: {_link(settings, settings.token)}"
    if settings.viewer_token is None:
        return ready
    return f"{ready}\n  To hand out, for viewing only: {_link(settings, settings.viewer_token)}"


def _link(settings: Settings, token: str | None) -> str:
    return f"{settings.address}?token={quote(token)}" if token else settings.address


def _set_page_environment(settings: Settings) -> None:
    """Set the interface's address and tokens for the page, which runs in this process."""
    same_family = {"localhost": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}
    host = bracketed(same_family.get(settings.host, settings.host))
    os.environ["STNSCOPE_API_URL"] = f"http://{host}:{settings.port}"
    os.environ[TOKEN_VARIABLE] = settings.token or ""
    os.environ[VIEWER_TOKEN_VARIABLE] = settings.viewer_token or ""


def _page_script() -> Path:
    """Return the path of the page's script, without importing it."""
    found = find_spec("stnscope.dashboard")
    if found is None or not found.submodule_search_locations:
        sys.exit("The page is not installed. Install stnscope[dashboard], or add --no-page.")
    return Path(found.submodule_search_locations[0]) / "app.py"
