"""The export process: makes one file from one recording.

The request is `{"recording", "options", "target"}`. While it works, the process sends
`{"done", "total"}`; its response, once the file is complete, is `{}`.
"""

from pathlib import Path

from stnscope.backend.experiment.export.export import export
from stnscope.backend.experiment.export.options import ExportOptions
from stnscope.backend.experiment.recording.quota import raising_insufficient_storage
from stnscope.backend.experiment.recording.reader import Recording
from stnscope.backend.server.processes.child_main import (
    EXPORT_NICENESS,
    ParentPipe,
    lower_priority,
)
from stnscope.backend.server.processes.message_pipe import Head, Message


def main() -> None:
    lower_priority(EXPORT_NICENESS)
    pipe = ParentPipe()

    def send_progress(done: int, total: int) -> None:
        pipe.send({"done": done, "total": total})

    def make_file(request: Head, _: bytes) -> Message:
        options = ExportOptions.model_validate(request["options"])
        with (
            Recording.open(Path(request["recording"])) as recording,
            raising_insufficient_storage(),
        ):
            export(recording, options, Path(request["target"]), send_progress)
        return {}, b""

    pipe.handle_request(make_file)


if __name__ == "__main__":
    main()
