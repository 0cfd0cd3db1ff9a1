"""The export process: makes one file from one recording.

The request is `{"recording", "options", "target"}`. While it works, the process sends
`{"done", "total"}`; its response, once the file is complete, is `{}`.
"""

from pathlib import Path

from stnscope.backend.experiment.errors import StnscopeError
from stnscope.backend.experiment.export.export import ExportOptions, export
from stnscope.backend.experiment.recording.quota import raising_insufficient_storage
from stnscope.backend.experiment.recording.reader import Recording
from stnscope.backend.server.processes.child_main import ParentPipe
from stnscope.backend.server.processes.message_pipe import Head, Message


def main() -> None:
    pipe = ParentPipe()

    def send_progress(done: int, total: int) -> None:
        pipe.send({"done": done, "total": total})

    def make_file(request: Head, _: bytes) -> Message:
        target = Path(request["target"])
        options = ExportOptions.model_validate(request["options"])
        try:
            with (
                Recording.open(Path(request["recording"])) as recording,
                raising_insufficient_storage(),
            ):
                target.write_bytes(export(recording, options, progress=send_progress))
        except StnscopeError:
            target.unlink(missing_ok=True)
            raise
        return {}, b""

    pipe.handle_request(make_file)


if __name__ == "__main__":
    main()
