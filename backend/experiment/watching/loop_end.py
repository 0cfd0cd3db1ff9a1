"""Detect how a watched loop ends: with its program, by an error, or interrupted."""

import atexit
import os
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol

End = tuple[str, str | None]
"""The status of a run at its end, and the error if there was one."""


class OpenRun(Protocol):
    """What ends with its loop, and calls `has_ended` then.

    Attributes:
        thread: the identity of the one that its loop runs in.
    """

    thread: int

    def end(self, status: str = "finished", error: str | None = None) -> None:
        """End the run; later calls change nothing."""


_open: set[OpenRun] = set()
"""Runs that have not ended. Not by weak references: a loop may drop its run at its end."""
_process: int | None = None
"""The process that installed the hooks; those it forks inherit them and must not act on them."""
_uncaught: End | None = None


def end_of(error: BaseException | None) -> End:
    """Return the status of a run whose loop ended by an exception, or without one."""
    if error is None or (isinstance(error, SystemExit) and not error.code):
        return "finished", None
    if isinstance(error, KeyboardInterrupt | GeneratorExit | SystemExit):
        return "stopped", None
    return "failed", f"{type(error).__name__}: {error}".removesuffix(": ")


def end_with_program(run: OpenRun) -> None:
    """End a run with its program, or with the cell of a notebook that fails."""
    global _process
    if _process != os.getpid():
        _process = os.getpid()
        _open.clear()
        atexit.register(_end_all)
        _watch_exceptions()
        _watch_threads()
        _watch_cells()
    _open.add(run)


def has_ended(run: OpenRun) -> None:
    """Remove a run that has ended."""
    _open.discard(run)


def open_runs() -> list[OpenRun]:
    """Return the runs that have not ended."""
    return list(_open)


def _end_all() -> None:
    if os.getpid() == _process:
        status, error = _uncaught or ("finished", None)
        for run in list(_open):
            run.end(status, error)


def _watch_exceptions() -> None:
    """Record an uncaught exception; what else the program does with it is unchanged."""
    previous: Callable[..., Any] = sys.excepthook

    def note(
        kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        global _uncaught
        _uncaught = end_of(error)
        previous(kind, error, traceback)

    sys.excepthook = note


def _watch_threads() -> None:
    """End the runs of a thread that an exception ends: the program may go on without it."""
    previous: Callable[..., Any] = threading.excepthook

    def note(failure: threading.ExceptHookArgs) -> None:
        if failure.thread is not None and os.getpid() == _process:
            for run in list(_open):
                if run.thread == failure.thread.ident:
                    run.end(*end_of(failure.exc_value))
        previous(failure)

    threading.excepthook = note


def _watch_cells() -> None:
    """End the runs in a notebook when a cell fails or is interrupted: its program continues."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None:
        return

    def note(result: Any) -> None:
        error = result.error_in_exec
        if error is not None and os.getpid() == _process:
            for run in list(_open):
                run.end(*end_of(error))

    shell.events.register("post_run_cell", note)
