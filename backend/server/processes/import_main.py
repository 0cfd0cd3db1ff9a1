"""The import process: reads an untrusted recording and writes its rows to a file of ours.

The request is `{"source", "target"}`, the response, once the recording is complete at its target,
`{}`.
"""

from pathlib import Path

from stnscope.backend.experiment.errors import TooLarge
from stnscope.backend.experiment.recording.importer import import_recording
from stnscope.backend.server.processes.child_main import ParentPipe, limit_memory
from stnscope.backend.server.processes.message_pipe import Head, Message

MAX_MEMORY = 512 * 1024**2
"""Bytes beyond what the libraries take: only a few frames are in memory at a time."""


def main() -> None:
    pipe = ParentPipe()
    limit_memory(MAX_MEMORY)
    pipe.handle_request(_import)


def _import(request: Head, _: bytes) -> Message:
    try:
        import_recording(Path(request["source"]), Path(request["target"]))
    except MemoryError:
        raise TooLarge("This recording has parts that are too large to be read.") from None
    return {}, b""


if __name__ == "__main__":
    main()
