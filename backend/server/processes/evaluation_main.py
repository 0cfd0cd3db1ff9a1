"""The process that evaluates weights: it loads torch, handles one request and ends.

The request has the arguments of `reproduction.evaluation.evaluate`, the number of `threads`, and
`folder` for a result file, or null. The response has the fields of `Evaluation`, and `path`, that
of the result file. With `variations`, the arguments of `reproduction.invariance`, the weights are
evaluated under each of them, and the response has the fields of `InvarianceResult`.
"""

from dataclasses import asdict
from pathlib import Path

import torch

from stnscope.backend.experiment.reproduction.evaluation import evaluate
from stnscope.backend.experiment.reproduction.invariance import evaluate_invariance
from stnscope.backend.experiment.reproduction.reproduce import (
    describe_evaluation,
    describe_invariance,
)
from stnscope.backend.experiment.reproduction.results import add_evaluation, add_invariance
from stnscope.backend.server.processes.child_main import ParentPipe
from stnscope.backend.server.processes.message_pipe import Head, Message


def main() -> None:
    ParentPipe().handle_request(_handle)


def _handle(request: Head, body: bytes) -> Message:
    torch.set_num_threads(request["threads"])
    return (_evaluate_invariance if "variations" in request else _evaluate)(request, body)


def _evaluate(request: Head, _: bytes) -> Message:
    evaluation = evaluate(
        request["weights"],
        request["dataset"],
        Path(request["data"]),
        request["distortion"],
        every_image=request["every_image"],
        device=request["device"],
    )
    path = None
    if request["folder"]:
        result = describe_evaluation(
            evaluation,
            request["threads"],
            request["device"],
            every_image=request["every_image"],
        )
        path = str(add_evaluation(Path(request["folder"]), result))
    training = evaluation.training.model_dump() if evaluation.training else None
    return asdict(evaluation) | {"training": training, "path": path}, b""


def _evaluate_invariance(request: Head, _: bytes) -> Message:
    invariance = evaluate_invariance(
        request["weights"],
        request["dataset"],
        Path(request["data"]),
        device=request["device"],
        **request["variations"],
    )
    result = describe_invariance(invariance, request["threads"], request["device"])
    folder = request["folder"]
    path = str(add_invariance(Path(folder), result)) if folder else None
    return result.model_dump(mode="json") | {"path": path}, b""


if __name__ == "__main__":
    main()
