"""The process that trains a row of a published table: it handles one request and ends.

The request has the arguments of `reproduction.reproduce.reproduce`, or, with a `recording`, those
of `evaluate_run`. Messages with `progress`, the
fields of `segment.Progress`, come before the response: `result`, the fields of
`results.SeedResult`, and `path`, that of the result file. When the input ends, the process writes a
checkpoint and ends.
"""

from dataclasses import asdict
from pathlib import Path

from stnscope.backend.experiment.reproduction.reproduce import (
    Reproduction,
    evaluate_run,
    reproduce,
)
from stnscope.backend.experiment.reproduction.segment import TrainingProgress
from stnscope.backend.server.processes.child_main import ParentPipe, lower_priority
from stnscope.backend.server.processes.message_pipe import Head, Message

END: Message = ({"end": True}, b"")


def main() -> None:
    pipe = ParentPipe(END)
    lower_priority()
    pipe.handle_request(lambda request, _: _reproduce(pipe, request))


def _reproduce(pipe: ParentPipe, request: Head) -> Message:
    def report(progress: TrainingProgress) -> None:
        left = progress.seconds_left
        pipe.send({"progress": asdict(progress) | {"seconds_left": left}})

    machine = {"device": request["device"], "threads": request["threads"]}
    folder, data = Path(request["folder"]), Path(request["data"])
    reproduction: Reproduction | None
    if "recording" in request:
        recording = Path(request["recording"])
        reproduction = evaluate_run(request["row"], recording, folder, data, **machine)
    else:
        reproduction = reproduce(
            request["row"],
            request["seed"],
            folder,
            data,
            **machine,
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
