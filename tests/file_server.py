"""A web server for tests that hands out files, with its moods: no ranges, or broken off early."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """What it has, and how it behaves."""

    files: dict[str, bytes]
    supports_ranges: bool = True
    close_after: int | None = None
    """Bytes of an answer's body, after which the connection is closed."""
    pause: threading.Event = field(default_factory=threading.Event)
    """While set, answers stop in the middle."""
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    """Paths and ranges, in the order in which they were asked for."""
    port: int = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serve_files(files: dict[str, bytes]) -> Iterator[FileServer]:
    """Serves these files while inside."""
    state = FileServer(files)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers["Range"]
            state.requests.append((self.path, wanted))
            data = state.files.get(self.path.lstrip("/"))
            if data is None:
                self.send_error(404)
                return
            start = 0
            if wanted and state.supports_ranges:
                found = re.fullmatch(r"bytes=(\d+)-", wanted)
                assert found is not None
                start = int(found[1])
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
                state.pause.wait(0.01)
                threading.Event().wait(0.02)
            self.wfile.write(body[half:])

        def log_message(self, *_: object) -> None:
            """Says nothing."""

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
