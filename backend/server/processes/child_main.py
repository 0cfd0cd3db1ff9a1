"""What the entry points of child processes share: their pipe to the parent, and their limits.

`child_process` has the parent's part.
"""

import _thread
import os
import queue
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from stnscope.backend.experiment.errors import StnscopeError
from stnscope.backend.experiment.os_errors import translate_os_error
from stnscope.backend.server.processes.error_codec import encode_error
from stnscope.backend.server.processes.message_pipe import (
    Head,
    Message,
    encode_message,
    read_message,
)

HEARTBEAT_SECONDS = 1.0
ACTIVITY_SIGNAL = signal.SIGUSR1
"""Signal by whose handler the main thread shows that it is not blocked."""
NICENESS = 5
"""How much a trainer lowers its priority below that of the server and the browser."""
EXPORT_NICENESS = 15
"""The same of an export, so that trainers keep their pace."""


class ParentPipe:
    """The messages from and to the parent, on standard input and output.

    A thread reads them, so that the end of the input, which means that the parent has ended, is
    detected during a computation. For other code in the process, standard input is empty, and
    standard output is standard error.

    Another thread sends heartbeats, each with how often the main thread was seen at work: it calls
    a handler of this class between two of its instructions, but not within an endless native call.

    Args:
        last: the message to receive when the input has ended; if left out, the process exits then.
    """

    def __init__(self, last: Message | None = None) -> None:
        self._input, self._output = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        self._last = last
        self._received: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._send_lock = threading.Lock()
        self._is_waiting = False
        self._activity = 0
        signal.signal(ACTIVITY_SIGNAL, self._note_activity)
        for work in (self._read, self._send_heartbeats):
            threading.Thread(target=work, daemon=True).start()

    def _read(self) -> None:
        while (message := read_message(self._input)) is not None:
            self._received.put(message)
        if self._last is None:
            os._exit(0)
        self._received.put(self._last)

    def receive_at_end(self, last: Message) -> None:
        """Deliver the end of the input as this message from now on."""
        self._last = last

    def _note_activity(self, *_: object) -> None:
        self._activity += 1

    def _send_heartbeats(self) -> None:
        while True:
            self.send({"heartbeat": self._activity, "is_waiting": self._is_waiting})
            # No signal is sent: this only has the main thread call the handler.
            _thread.interrupt_main(ACTIVITY_SIGNAL)
            time.sleep(HEARTBEAT_SECONDS)

    def receive(self, timeout: float | None = None) -> Message | None:
        """Wait for the next message; return None if none comes in `timeout` seconds.

        Args:
            timeout: without one, wait for as long as it takes.
        """
        self._is_waiting = timeout != 0
        try:
            return self._received.get(timeout != 0, timeout)
        except queue.Empty:
            return None
        finally:
            self._is_waiting = False

    def send(self, head: Head, body: bytes = b"") -> None:
        """Send a message."""
        # If it is not read, the parent has ended, and the end of the input ends this process.
        with self._send_lock, suppress(BrokenPipeError):
            self._output.write(encode_message(head, body))
            self._output.flush()

    def handle_request(self, handle: Callable[[Head, bytes], Message]) -> None:
        """Wait for a request, and send its response: what `handle` returns, or its error."""
        request = self.receive()
        assert request is not None
        try:
            response = handle(*request)
        except StnscopeError as error:
            response = encode_error(error), b""
        except OSError as error:
            response = encode_error(translate_os_error(error)), b""
        self.send(*response)


def lower_priority(niceness: int = NICENESS) -> None:
    """Let the server and the browser have the cores first, on platforms that offer it."""
    with suppress(AttributeError, OSError):
        os.nice(niceness)
        # Linux may weigh sessions first, and only then the processes in each.
        if os.getsid(0) == os.getpid():
            Path("/proc/self/autogroup").write_text(str(niceness))


def limit_memory(additional_bytes: int) -> None:
    """Limit this process to `additional_bytes` beyond what it has, where this is possible.

    An allocation beyond the limit raises MemoryError.
    """
    with suppress(ImportError, OSError, ValueError):
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + additional_bytes
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
