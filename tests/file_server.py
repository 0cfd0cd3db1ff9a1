"""A web server of files for tests, which can refuse ranges, pause, or close connections early."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """The files of a server, its faults, and the requests that it received."""

    files: dict[str, bytes]
    supports_ranges: bool = True
    close_after: int | None = None
    """Bytes of a response's body after which the connection is closed; None for no limit."""
    pause: threading.Event = field(default_factory=threading.Event)
    """While set, responses stop in the middle."""
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    """Paths and `Range` headers, in the order of the requests."""
    port: int = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serve_files(files: dict[str, bytes]) -> Iterator[FileServer]:
    """Serve these files until the end of the block."""
    state = FileServer(files)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requested_range = self.headers["Range"]
            state.requests.append((self.path, requested_range))
            data = state.files.get(self.path.lstrip("/"))
            if data is None:
                self.send_error(404)
                return
            start = 0
            if requested_range and state.supports_ranges:
                match = re.fullmatch(r"bytes=(\d+)-", requested_range)
                assert match is not None
                start = int(match[1])
                if start >= len(data):
                    self.send_error(416)
                    return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            body = data[start:]
            if state.close_after is not None:
                body = body[: state.close_after]
            half = len(body) // 2
            self.wfile.write(body[:half])
            self.wfile.flush()
            while state.pause.is_set():
                time.sleep(0.02)
            self.wfile.write(body[half:])

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield state
    finally:
        state.pause.clear()
        server.shutdown()
        thread.join()
        server.server_close()
