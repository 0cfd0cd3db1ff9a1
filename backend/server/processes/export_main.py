"""The export process: makes one file from one recording, apart from the server's event loop.

It reads one line of JSON, `{"recording", "options", "target"}`, and prints lines of JSON:
`{"done", "total"}` while it works, or once `{"error", "detail", "field"}`.
"""

import json
import sys
from pathlib import Path
from typing import Any

from stnscope.backend.experiment.errors import StnscopeError
from stnscope.backend.experiment.export.export import ExportOptions, export
from stnscope.backend.experiment.recording.quota import raising_insufficient_storage
from stnscope.backend.experiment.recording.reader import Recording
from stnscope.backend.server.processes.error_codec import tell


def main() -> int:
    task = json.loads(sys.stdin.readline())
    target = Path(task["target"])
    options = ExportOptions.model_validate(task["options"])
    try:
        with Recording.open(Path(task["recording"])) as recording, raising_insufficient_storage():
            target.write_bytes(export(recording, options, progress=_tell))
    except StnscopeError as error:
        target.unlink(missing_ok=True)
        _print(tell(error))
        return 1
    return 0


def _tell(done: int, total: int) -> None:
    _print({"done": done, "total": total})


def _print(message: dict[str, Any]) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    sys.exit(main())
