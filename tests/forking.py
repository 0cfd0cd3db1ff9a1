"""Starts Python programs of the tests by forking a process that has loaded what they import.

To import torch takes a second of a core, and a hundred programs of the tests do: servers, trainers,
inference processes. `ForkingPopen` is a `subprocess.Popen` whose Python programs are forked from a
process of its own instead (the fork server), which imports everything once and starts no thread.
Programs are children of the process that started them, with their own command, environment, folder,
session and standard streams, as if started anew. Where there is no Linux it is `subprocess.Popen`.

Tests of what a new interpreter does (its start, imports, its surroundings) do not use this.
"""

import atexit
import ctypes
import gc
import importlib
import inspect
import json
import os
import runpy
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).parents[1]

IS_SUPPORTED = sys.platform == "linux"

PROGRAMS = (
    "stnscope.__main__",
    *(
        f"stnscope.backend.server.processes.{name}_main"
        for name in (
            *("trainer", "inference", "export", "import"),
            *("evaluation", "reproduction", "committee", "weights", "devices"),
        )
    ),
)
"""Modules that are run as programs: what they import is loaded, they themselves are not."""
LOADED = ("streamlit.web.bootstrap", "stnscope.dashboard.component")
"""What programs import later."""

RUN_CODE = (sys.executable, "-m", "tests.run_code")
"""The command before code that imports torch, and does not test how it is imported."""
NewInterpreter = subprocess.Popen
"""The class itself, for whatever is put in its place."""

RARELY = 20_000
"""Allocations between two garbage collections, which at 700 take a twentieth of the time."""
PR_SET_CHILD_SUBREAPER = 36
COMMAND_BYTES = 4096
"""Longest command that a program can be listed with."""
MAX_REQUEST_BYTES = 1 << 17


@dataclass(frozen=True)
class Program:
    """A Python program that is to run."""

    command: list[str]
    """Command for a new interpreter: its path, and `-m MODULE` or a file, with arguments."""
    environment: dict[str, str]
    folder: str
    has_own_session: bool


class ForkServer:
    """The process that programs are forked from, as its parent uses it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    @classmethod
    def start(cls) -> "ForkServer":
        """Start a fork server in a new interpreter."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-m", "tests.forking", str(theirs.fileno())]
            # What a program is started with, its first environment too, is listed of all its forks.
            environment = {**os.environ}
            environment.pop("PYTEST_CURRENT_TEST", None)
            NewInterpreter(
                [*command, "-" * COMMAND_BYTES],
                cwd=ROOT,
                env=environment,
                pass_fds=[theirs.fileno()],
            ).returncode = 0  # it ends with this process, which does not wait for it
        _adopt_orphans()
        return cls(ours)

    @classmethod
    def fork(cls) -> "ForkServer | socket.socket":
        """Fork this process, which has no threads, into a fork server of its own.

        Returns:
            The server; in the new process its end of the connection, for `serve`.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if os.fork() == 0:
            ours.close()
            return theirs
        theirs.close()
        _adopt_orphans()
        return cls(ours)

    def start_program(self, program: Program, streams: list[int]) -> int:
        """Start a program with these standard streams; return its process id."""
        request = json.dumps(asdict(program)).encode()
        with self._lock:
            socket.send_fds(self._connection, [request], streams)
            pid = self._connection.recv(64)
        if not pid:
            raise RuntimeError("The fork server has ended; it has printed why.")
        return int(pid)


class ForkingPopen(NewInterpreter[bytes]):
    """A `subprocess.Popen` that forks Python programs from a fork server."""

    fork_server: ForkServer | None = None

    # The one place where the class starts a process; all else of it stays as it is.
    def _execute_child(self, *arguments: Any) -> None:
        start = super()._execute_child  # type: ignore[misc]
        given = inspect.signature(start).bind(*arguments).arguments
        command = [os.fspath(each) for each in given["args"]]
        if not (IS_SUPPORTED and can_fork(command)) or given["preexec_fn"] is not None:
            start(*arguments)
            return
        environment = os.environ if given["env"] is None else given["env"]
        program = Program(
            command=command,
            environment=dict(environment),
            folder=str(given["cwd"] or Path.cwd()),
            has_own_session=given["start_new_session"],
        )
        if ForkingPopen.fork_server is None:
            ForkingPopen.fork_server = ForkServer.start()
        ends = [given[name] for name in ("p2cread", "c2pwrite", "errwrite")]
        streams = [standard if end == -1 else end for standard, end in enumerate(ends)]
        self.pid = ForkingPopen.fork_server.start_program(program, streams)
        self._child_created = True
        names = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
        self._close_pipe_fds(*(given[name] for name in names))  # type: ignore[attr-defined]


def can_fork(command: list[str]) -> bool:
    """Return whether a command runs a program of the tests or of the package in Python."""
    if command[0] != sys.executable:
        return False
    arguments = [each for each in command[1:] if each != "-P"]
    if arguments[0] == "-m":
        module = arguments[1]
        is_program = module in PROGRAMS or f"{module}.__main__" in PROGRAMS
        return is_program or module.startswith("tests.")
    return Path(arguments[0]).is_relative_to(ROOT / "tests")


def main() -> None:
    """Load everything, and fork a program for each request; in its process, run it."""
    _load()
    connection = socket.socket(fileno=int(sys.argv[1]))
    while True:
        program = _serve(connection)
        if program is None:
            return
        if not {"serve", RUN_CODE[-1]} & set(program.command):
            break
        # Programs of a program are its children: it forks them from a fork server of its own.
        own = ForkServer.fork()
        if isinstance(own, ForkServer):
            ForkingPopen.fork_server = own
            subprocess.Popen = ForkingPopen  # type: ignore[assignment, misc]
            break
        connection = own
    _run(program)


def _load() -> None:
    for module in (*PROGRAMS, *LOADED):
        importlib.import_module(module)
    for module in PROGRAMS:
        del sys.modules[module]
    # What is loaded stays; a collection in a forked process would copy its pages.
    gc.collect()
    gc.freeze()
    gc.set_threshold(RARELY)


def _serve(connection: socket.socket) -> Program | None:
    """Fork a process for each request, and return its program there; return None at the end."""
    while True:
        request, streams, _, _ = socket.recv_fds(connection, MAX_REQUEST_BYTES, 3)
        if not request:
            return None
        program = Program(**json.loads(request))
        # The program becomes an orphan, and so a child of the process that requested it.
        pipe = os.pipe()
        between = os.fork()
        if between == 0:
            between = os.getpid()
            if os.fork() != 0:
                os._exit(0)
            connection.close()
            _prepare(program, streams, between)
            os.write(pipe[1], str(os.getpid()).encode())
            for end in pipe:
                os.close(end)
            return program
        os.waitpid(between, 0)
        connection.send(os.read(pipe[0], 64))
        for descriptor in (*pipe, *streams):
            os.close(descriptor)


def _prepare(program: Program, streams: list[int], between: int) -> None:
    """Give this process what the program's would have, once its first parent has ended."""
    while os.getppid() == between:
        time.sleep(0.001)
    for standard, descriptor in enumerate(streams):
        os.dup2(descriptor, standard)
    for descriptor in streams:
        os.close(descriptor)
    # The present ones record whether what they wrote to was a file or a pipe.
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(  # noqa: SIM115
        2, "w", buffering=1, errors="backslashreplace", closefd=False
    )
    if program.has_own_session:
        os.setsid()
    os.chdir(program.folder)
    os.environ.clear()
    os.environ.update(program.environment)
    _list_as(program.command)


def _run(program: Program) -> NoReturn:
    """Run a program as the main one, as the interpreter does, and end this process."""
    name, *arguments = [each for each in program.command[1:] if each != "-P"]
    code: object = 0
    try:
        if name == "-m":
            name, *arguments = arguments
            sys.argv = [name, *arguments]
            runpy.run_module(name, run_name="__main__", alter_sys=True)
        else:
            sys.argv = [name, *arguments]
            runpy.run_path(name, run_name="__main__")
    except SystemExit as end:
        code = end.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    # What the interpreter does at its end, but for clearing all modules: that takes longer than
    # many of the programs.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    if isinstance(code, str):
        print(code, file=sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def _adopt_orphans() -> None:
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def _list_as(command: list[str]) -> None:
    """List this process with the program's command, in the memory of that of the fork server."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end = int(fields[45]), int(fields[46])
    listed = "\0".join(command).encode()[: end - start - 1]
    ctypes.memmove(start, listed.ljust(end - start, b"\0"), end - start)


if __name__ == "__main__":
    main()
