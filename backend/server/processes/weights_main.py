"""The process that checks weights before they are added: it loads torch, handles one request and
ends.

The request is weights, as `TrainedWeights.encode` has them. The response has `parameters`, the
number of their network's.
"""

from stnscope.backend.experiment.weights.load import load
from stnscope.backend.experiment.weights.trained_weights import TrainedWeights
from stnscope.backend.server.processes.child_main import ParentPipe
from stnscope.backend.server.processes.message_pipe import Head, Message


def main() -> None:
    ParentPipe().handle_request(_handle)


def _handle(request: Head, _: bytes) -> Message:
    network = load(TrainedWeights.decode(request))
    return {"parameters": sum(parameter.numel() for parameter in network.parameters())}, b""


if __name__ == "__main__":
    main()
