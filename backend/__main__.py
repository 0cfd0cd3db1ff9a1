"""The command line: serve, train, export, runs."""

import argparse
import json
import logging
import os
import re
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import uvicorn
from platformdirs import user_data_path
from pydantic import ValidationError

from backend.experiment.bounds import Bounds, in_words
from backend.experiment.catalog import ARCHITECTURES, DATASETS, DISTORTIONS, FAMILIES
from backend.experiment.config import RunConfig
from backend.experiment.errors import StnscopeError
from backend.experiment.export import ExportOptions, export
from backend.experiment.recording import LIVE
from backend.server.app import create_app
from backend.server.runs import Run, Runs
from backend.server.settings import Settings
from backend.server.trainers import assignment
from backend.version import VERSION
from gate.access import EVERYWHERE, LOOPBACK

# Streams carry small JSON one way and frames the other; Streamlit's own messages are larger.
MOST_MESSAGE_BYTES = 1024 * 1024
NAMES: Mapping[str, Iterable[str]] = {
    "architecture": ARCHITECTURES,
    "dataset": DATASETS,
    "family": FAMILIES,
    "distortion": DISTORTIONS,
}
EXAMPLES = {
    "serve": """\
examples:
  stnscope serve --port 9000              on this machine, on another port
  stnscope serve --host 0.0.0.0           for others too; prints a link with a token
  stnscope serve --host 0.0.0.0 --allow-host lab.example:8501 \\
      --allow-origin http://lab.example:8501    under a name of the network's
""",
    "train": """\
examples:
  stnscope train                          the demonstration's configuration
  stnscope train --seed 4 --epochs 10     longer, and another one
  stnscope train --architecture digits-cnn    without a transformer, to compare
A page that is open on the same home follows the run; Ctrl-C ends it where it is, and
the page can resume it.
""",
    "export": """\
examples:
  stnscope export RUN                     the first epoch's tenths, into RUN.gif
  stnscope export RUN all.gif --frames 100 --samples 4 --scale 2
  stnscope export RUN moving.gif --layout moving    the closing lap
""",
    "runs": """\
examples:
  stnscope runs                           the newest first
  stnscope runs --json | jq '.[0].accuracy'
""",
}
Commands = Any  # argparse keeps the type of its subparsers private


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; answers with the exit status."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.command(options)
    except (StnscopeError, ValidationError) as error:
        print(f"stnscope: {_sentence(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="stnscope", description="Watch a Spatial Transformer Network learn where to look."
    )
    parser.add_argument("--version", action="version", version=f"stnscope {VERSION}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for add in (_add_serve, _add_train, _add_export, _add_runs):
        add(commands)
    return parser


def _command(commands: Commands, name: str, run: Any, text: str) -> argparse.ArgumentParser:
    """A command with its help and the folder that every command works in."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=text[0].lower() + text.rstrip(".")[1:], description=text
    )
    parser.set_defaults(command=run)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES[name]
    parser.add_argument(
        "--home",
        type=Path,
        default=Path(os.environ.get("STNSCOPE_HOME") or user_data_path("stnscope")),
        help="folder that holds recordings and all else that is kept (%(default)s)",
    )
    return parser


def _add_serve(commands: Commands) -> None:
    serve = _command(commands, "serve", _serve, "Serve the page and the interface on one port.")
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
    _add_limits(serve)
    serve.add_argument("--no-page", action="store_true", help="serve the interface alone")
    serve.add_argument(
        "--no-demonstration", action="store_true", help="start nothing in an empty home"
    )


def _add_train(commands: Commands) -> None:
    train = _command(
        commands, "train", _train, "Train a network into a recording; an open page can follow it."
    )
    for name, field in RunConfig.model_fields.items():
        if field.annotation in (int, float, str):
            kind: Any = field.annotation
            _add_field(train, name, field.description, type=kind, default=field.default)
    _add_field(train, "distortion", "What is done to an image first.", default="scattered")
    train.add_argument("--probes", type=int, default=12, help="images to watch (%(default)s)")
    train.add_argument("--moving", action="store_true", help="let them move along smooth paths")
    _add_limits(train)


def _add_field(parser: argparse.ArgumentParser, name: str, text: str | None, **how: Any) -> None:
    """Adds a field of a configuration as an option; where it is a name, all that there are."""
    said = (text or name).rstrip(".")
    said = said[0].lower() + said[1:]
    if name in NAMES:
        said = f"{said}: {', '.join(NAMES[name])}"
    parser.add_argument(f"--{name.replace('_', '-')}", help=f"{said} (%(default)s)", **how)


def _add_limits(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--run-limit",
        type=_size,
        default=Bounds.run,
        metavar="SIZE",
        help="how large one recording may become, such as 500MB or 2GB; at its limit it drops "
        f"every second frame that can be spared ({in_words(Bounds.run)})",
    )
    parser.add_argument(
        "--home-limit",
        type=_size,
        default=Bounds.home,
        metavar="SIZE",
        help="how much all recordings together may take; at this limit runs are paused and no new "
        f"one starts ({in_words(Bounds.home)})",
    )


def _size(text: str) -> int:
    """A number of bytes: `800000`, `500MB`, `1.5 GB`."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)b?", text.strip().lower())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; write it as 500MB or 2GB")
    number, unit = found.groups()
    return int(float(number) * 1000 ** " kmgt".index(unit or " "))


def _bounds(options: argparse.Namespace) -> Bounds:
    return Bounds(run=options.run_limit, home=options.home_limit)


def _add_export(commands: Commands) -> None:
    export = _command(commands, "export", _export, "Make a GIF of a run from its recording.")
    export.add_argument("run", help="the run's id, as `stnscope runs` lists it")
    export.add_argument("file", type=Path, nargs="?", help="the file to write (RUN.gif)")
    for name, field in ExportOptions.model_fields.items():
        export.add_argument(f"--{name}", default=argparse.SUPPRESS, help=field.description)


def _add_runs(commands: Commands) -> None:
    runs = _command(commands, "runs", _list_runs, "List the runs and how far they are.")
    runs.add_argument("--json", action="store_true", help="everything that is known, as JSON")


def _serve(options: argparse.Namespace) -> int:
    token = options.token or None
    if token is None and options.host not in LOOPBACK:
        token = secrets.token_urlsafe(24)
    try:
        settings = _settings(options, token)
    except ValueError as error:
        sys.exit(f"stnscope: {error}")
    listening = _listen(settings.host, settings.port)
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
        host=options.host,
        port=options.port,
        demonstration=not options.no_demonstration,
        token=token,
        allowed_hosts=frozenset(host.lower() for host in options.allow_host),
        allowed_origins=frozenset(origin.lower().rstrip("/") for origin in options.allow_origin),
        proxies=frozenset(options.trust_proxy),
        bounds=_bounds(options),
    )


def _listen(host: str, port: int) -> socket.socket:
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
    found = find_spec("dashboard")
    if found is None or not found.submodule_search_locations:
        sys.exit("The page is not installed. Install stnscope[dashboard], or add --no-page.")
    return Path(found.submodule_search_locations[0]) / "app.py"


def _train(options: argparse.Namespace) -> int:
    given = {k: v for k, v in vars(options).items() if k in RunConfig.model_fields}
    given["probes"] = {"count": options.probes, "moving": options.moving}
    runs = Runs(_recordings(options), _bounds(options))
    run_id = runs.create(RunConfig.model_validate(given))
    print(f"Run {run_id}", flush=True)
    command = [sys.executable, "-m", "backend.server.trainer"]
    # The trainer outlives an interrupt typed here by the moment it takes to write a checkpoint.
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as trainer:
        assert trainer.stdin is not None
        trainer.stdin.write(assignment(runs, run_id))
        trainer.stdin.flush()
        run = runs.summary(run_id)
        while trainer.poll() is None and run["status"] != "paused":
            run = runs.summary(run_id)
            if sys.stdout.isatty():
                _show_progress(run)
            time.sleep(0.2)
    # A run that has paused for want of room leaves with its input; the page can resume it.
    run = runs.summary(run_id)
    _show_progress(run)
    print(f"\n{run['status'].capitalize()}{': ' + run['error'] if run['error'] else '.'}")
    return 0 if run["status"] == "finished" else 1


def _show_progress(run: Run, width: int = 30) -> None:
    done = width * run["step"] // run["steps"]
    bar = "█" * done + "░" * (width - done)
    loss = "-" if run["loss"] is None else f"{run['loss']:.3f}"
    print(
        f"\r{bar} {run['step']:>6}/{run['steps']} steps  epoch {run['epoch']}/{run['epochs']}"
        f"  loss {loss}  accuracy {_percent(run['accuracy'])} ",
        end="",
        flush=True,
    )


def _export(options: argparse.Namespace) -> int:
    given = {k: v for k, v in vars(options).items() if k in ExportOptions.model_fields}
    target = options.file or Path(f"{options.run}.gif")
    with Runs(_recordings(options)).open(options.run) as recording:
        data = export(recording, ExportOptions.model_validate(given))
    target.write_bytes(data)
    print(f"{target}: {len(data) / 1000:.0f} kB")
    return 0


def _list_runs(options: argparse.Namespace) -> int:
    runs = Runs(_recordings(options)).list()
    if options.json:
        print(json.dumps(runs, indent=2))
        return 0
    for run in runs:
        print(
            f"{run['id']}  {run['status']:<11}  step {run['step']:>6}/{run['steps']:<6}"
            f"  accuracy {_percent(run['accuracy']):>6}  seed {run['config']['seed']}"
        )
    if not runs:
        print(f"There are no runs in {options.home} yet.")
    elif any(run["status"] in LIVE for run in runs):
        print("A run that is being trained can be watched with `stnscope serve`.")
    return 0


def _recordings(options: argparse.Namespace) -> Path:
    return Settings(home=options.home).recordings


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _sentence(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}."
    return str(error)


if __name__ == "__main__":
    sys.exit(main())
