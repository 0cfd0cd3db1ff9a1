"""`stnscope serve`: the page and the interface on one port."""

import argparse
import logging
import os
import secrets
import socket
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import uvicorn

from stnscope.access.policy import EVERYWHERE, LOOPBACK
from stnscope.backend.commands.options import (
    Commands,
    add_data,
    add_limits,
    add_mirror,
    bounds,
    command,
)
from stnscope.backend.server.app import create_app
from stnscope.backend.server.settings import Settings

# Streams carry small JSON one way and frames the other; Streamlit's own messages are larger.
MOST_MESSAGE_BYTES = 1024 * 1024

EXAMPLES = """\
  stnscope serve --port 9000              on this machine, on another port
  stnscope serve --host 0.0.0.0           for others too; prints a link with a token
  stnscope serve --host 0.0.0.0 --allow-host lab.example:8501 \\
      --allow-origin http://lab.example:8501    under a name of the network's
"""


def add(commands: Commands) -> None:
    """Adds the command."""
    text = "Serve the page and the interface on one port."
    serve = command(commands, "serve", _serve, text, EXAMPLES)
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    serve.add_argument("--port", type=int, default=8501, help="port to listen on (%(default)s)")
    serve.add_argument(
        "--token",
        default=os.environ.get("STNSCOPE_TOKEN") or None,
        help="what everyone must present; made and printed where one is needed and none is given",
    )
    serve.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="HOST[:PORT]",
        help="answer under this Host too; may be repeated",
    )
    serve.add_argument(
        "--allow-origin",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="let pages of this origin in too; may be repeated",
    )
    serve.add_argument(
        "--trust-proxy",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="believe this proxy, or network, what it forwards (X-Forwarded-For and -Proto); "
        "may be repeated",
    )
    add_data(serve)
    add_mirror(serve)
    add_limits(serve)
    serve.add_argument("--no-page", action="store_true", help="serve the interface alone")
    serve.add_argument(
        "--no-demonstration", action="store_true", help="start nothing in an empty home"
    )
    serve.add_argument(
        "--no-standby",
        action="store_true",
        help="keep no process waiting to train or to take a picture: saves some 400 MB, and each "
        "start takes seconds longer",
    )


def _serve(options: argparse.Namespace) -> int:
    token = options.token or None
    if token is None and options.host not in LOOPBACK:
        token = secrets.token_urlsafe(24)
    try:
        settings = _settings(options, token)
    except ValueError as error:
        sys.exit(f"stnscope: {error}")
    listening = listen(settings.host, settings.port)
    _tell_page(settings)
    config = uvicorn.Config(
        create_app(settings, None if options.no_page else _page_script()),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=sorted(settings.proxies),
        ws_max_size=MOST_MESSAGE_BYTES,
        # Pictures of raw pixels are small already; compressing them costs more than it saves.
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=2,
        # Longer than clients keep an idle connection, so that none is closed under a new request.
        timeout_keep_alive=75,
    )
    _quieten()
    server = _AnnouncingServer(config, _link(settings))
    server.run([listening])
    return 0 if server.started else 1


def _settings(options: argparse.Namespace, token: str | None) -> Settings:
    return Settings(
        home=options.home,
        data=options.data,
        mirror=options.mirror,
        host=options.host,
        port=options.port,
        demonstration=not options.no_demonstration,
        token=token,
        allowed_hosts=frozenset(host.lower() for host in options.allow_host),
        allowed_origins=frozenset(origin.lower().rstrip("/") for origin in options.allow_origin),
        proxies=frozenset(options.trust_proxy),
        standby=not options.no_standby,
        bounds=bounds(options),
    )


def listen(host: str, port: int) -> socket.socket:
    """Takes the port before anything starts, so that a server too many disturbs no run."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0]
        sys.exit(f"Cannot listen on port {port} of {host}: {reason}. Choose another port.")
    # Handed on to each connection; else an answer's second part waits 40 ms for an acknowledgement.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _quieten() -> None:
    """Keeps uvicorn from telling each request, and with it the token in the printed link.

    By filters, because Streamlit sets these loggers' levels anew while it starts.
    """
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi", "websockets"):
        logging.getLogger(name).addFilter(lambda record: record.levelno >= logging.WARNING)


class _AnnouncingServer(uvicorn.Server):
    """Prints the link once the server can be reached."""

    def __init__(self, config: uvicorn.Config, link: str) -> None:
        super().__init__(config)
        self._link = link

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(f"\n  stnscope is ready: {self._link}\n  Ctrl-C stops it.\n", flush=True)


def _link(settings: Settings) -> str:
    host = "localhost" if settings.host in LOOPBACK | EVERYWHERE else _in_address(settings.host)
    address = f"http://{host}:{settings.port}/"
    return f"{address}?token={quote(settings.token)}" if settings.token else address


def _in_address(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _tell_page(settings: Settings) -> None:
    """Tells the page, which runs in this process, where the interface is and how to enter it."""
    host = "127.0.0.1" if settings.host in LOOPBACK | EVERYWHERE else _in_address(settings.host)
    os.environ.setdefault("STNSCOPE_API_URL", f"http://{host}:{settings.port}")
    if settings.token:
        os.environ["STNSCOPE_TOKEN"] = settings.token


def _page_script() -> Path:
    """Where the page's script lies; the page itself is never imported here."""
    found = find_spec("stnscope.dashboard")
    if found is None or not found.submodule_search_locations:
        sys.exit("The page is not installed. Install stnscope[dashboard], or add --no-page.")
    return Path(found.submodule_search_locations[0]) / "app.py"
