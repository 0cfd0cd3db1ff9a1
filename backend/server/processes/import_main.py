"""The import process: a stranger's recording is read here, alone, and written anew.

It reads one line of JSON, `{"source", "target"}`, and prints one: `{}` once the recording stands
at its target, or what `told_errors` makes of why it does not.
"""

import json
import sys
from pathlib import Path
from typing import Any

from stnscope.backend.experiment.errors import StnscopeError, TooLarge
from stnscope.backend.experiment.recording.importer import import_recording
from stnscope.backend.server.processes.error_codec import tell
from stnscope.backend.server.processes.memory_limit import limit_memory

MOST_MEMORY = 512 * 1024**2
"""Bytes beyond what the libraries take: of a recording, a few frames are in memory at a time."""


def main() -> int:
    task = json.loads(sys.stdin.readline())
    limit_memory(MOST_MEMORY)
    print(json.dumps(_answer(Path(task["source"]), Path(task["target"]))), flush=True)
    return 0


def _answer(source: Path, target: Path) -> dict[str, Any]:
    try:
        import_recording(source, target)
    except StnscopeError as error:
        return tell(error)
    except MemoryError:
        return tell(TooLarge("This recording holds parts that are too large to be read."))
    return {}


if __name__ == "__main__":
    sys.exit(main())
