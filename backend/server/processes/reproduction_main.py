"""The process that trains a row of a published table: it answers one request and ends.

The request has the arguments of `reproduction.reproduce.reproduce`. Messages with `progress`, the
fields of `segment.Progress`, come before the response: `result`, the fields of
`results.SeedResult`, and `path`, that of the result file. When the input ends, the process writes a
checkpoint and ends.
"""

from dataclasses import asdict
from pathlib import Path

from stnscope.backend.experiment.reproduction.reproduce import reproduce
from stnscope.backend.experiment.reproduction.segment import Progress
from stnscope.backend.server.processes.child_main import ParentPipe, lower_priority
from stnscope.backend.server.processes.message_pipe import Head, Message

END: Message = ({"end": True}, b"")


def main() -> None:
    pipe = ParentPipe(END)
    lower_priority()
    pipe.handle_request(lambda request, _: _reproduce(pipe, request))


def _reproduce(pipe: ParentPipe, request: Head) -> Message:
    def report(progress: Progress) -> None:
        left = progress.seconds_left
        pipe.send({"progress": asdict(progress) | {"seconds_left": left}})

    reproduction = reproduce(
        request["row"],
        request["seed"],
        Path(request["folder"]),
        Path(request["data"]),
        device=request["device"],
        threads=request["threads"],
        minutes=request["minutes"],
        report=report,
        should_stop=lambda: pipe.receive(timeout=0) is not None,
    )
    if reproduction is None:  # the parent has ended
        return {}, b""
    result = reproduction.result.model_dump(mode="json")
    return {"result": result, "path": str(reproduction.path)}, b""


if __name__ == "__main__":
    main()
