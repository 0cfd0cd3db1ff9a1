"""The export process: makes one file from one recording, or a preview of it.

The request is `{"recording", "compared", "options", "target"}`; without a target, a preview is
made. While it works, the process sends `{"done", "total"}`; its response, once the file is
complete, is information about it, or the preview.
"""

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from stnscope.backend.experiment.export.export import export
from stnscope.backend.experiment.export.options import ExportOptions
from stnscope.backend.experiment.export.preview import preview
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
        with ExitStack() as stack:
            recording, compared = (
                path and stack.enter_context(Recording.open(Path(path)))
                for path in (request["recording"], request["compared"])
            )
            stack.enter_context(raising_insufficient_storage())
            target = request["target"]
            if target is None:
                return asdict(preview(recording, options, compared)), b""
            return dict(export(recording, options, Path(target), send_progress, compared)), b""

    pipe.handle_request(make_file)


if __name__ == "__main__":
    main()
