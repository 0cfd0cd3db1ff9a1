"""The process that evaluates a committee: it loads torch, handles one request and ends.

The request is `{"recordings": [PATH, ...], "data": PATH}`, the response the fields of
`inference.committee.CommitteeResult`.
"""

from dataclasses import asdict
from pathlib import Path

from stnscope.backend.experiment.inference.committee import evaluate
from stnscope.backend.server.processes.child_main import ParentPipe
from stnscope.backend.server.processes.message_pipe import Head, Message


def main() -> None:
    ParentPipe().handle_request(_evaluate)


def _evaluate(request: Head, _: bytes) -> Message:
    recordings = [Path(path) for path in request["recordings"]]
    return asdict(evaluate(recordings, Path(request["data"]))), b""


if __name__ == "__main__":
    main()
