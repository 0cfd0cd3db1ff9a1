"""The inference process: decodes untrusted pictures and transforms them with trained networks.

Its argument is the name of the device that networks are applied on; the CPU without one.
First it sends `{"ready": true}`. Then it handles requests, one after another:

    {"weights", "settings"}             with a picture's bytes: {} with a frame's bytes; weights as
                                        `TrainedWeights.encode` has them, settings as `transform`
                                        takes its other arguments
    {"cached": {...}}                   the arguments of `transform_cached`, for a picture that it
                                        was sent lately: the same
    {"architecture", "dataset"}         with a picture's bytes: {"image", "notes"}, the picture as
                                        it is added to the probes of such a run
    {"input"}                           with a picture's bytes: the same, for a network that takes
                                        such pictures (`PictureInput`)
                                        (`probes.added_pictures.encode_image`)
"""

# isort: off
from stnscope.backend.server.processes import garbage

# isort: on
import faulthandler
import logging
import sys
from typing import Any

import numpy as np

from stnscope.backend.experiment.config import CPU, PictureInput
from stnscope.backend.experiment.errors import StnscopeError, Unavailable
from stnscope.backend.experiment.inference.transform import (
    fit_input,
    fit_probe,
    transform,
    transform_cached,
    warm_up,
)
from stnscope.backend.experiment.probes.added_pictures import encode_image
from stnscope.backend.experiment.weights.trained_weights import TrainedWeights
from stnscope.backend.server.processes.child_main import ParentPipe, limit_memory
from stnscope.backend.server.processes.message_pipe import Head, Message

log = logging.getLogger(__name__)

MAX_MEMORY = 1024**3
"""Bytes beyond what the libraries take once they are imported."""


def main() -> None:
    faulthandler.enable()
    pipe = ParentPipe()
    device = sys.argv[1] if len(sys.argv) > 1 else CPU
    warm_up(threads=1, device=device)
    garbage.start_collection()
    if device == CPU:  # drivers of others reserve far more address space than they use
        limit_memory(MAX_MEMORY)
    pipe.send({"ready": True})
    while True:
        pipe.handle_request(_handle)


def _handle(request: Head, picture: bytes) -> Message:
    try:
        if "input" in request or "architecture" in request:
            return _fit(request, picture)
        if "cached" in request:
            return _transform_cached(**request["cached"])
        weights = TrainedWeights.decode(request["weights"])
        return {}, transform(picture, weights, **request["settings"]).encode()
    except StnscopeError:
        raise
    except Exception:
        log.exception("A picture could not be transformed, as requested by %s.", request)
        raise Unavailable(
            "Transforming the picture failed; the server's log has the reason."
        ) from None


def _fit(request: Head, picture: bytes) -> Message:
    """Fit a picture to a network: one of ours, or one of which only the input is known."""
    fitted = (
        fit_input(picture, PictureInput.model_validate(request["input"]))
        if "input" in request
        else fit_probe(picture, request["architecture"], request["dataset"])
    )
    pixels = (fitted.image * 255).round().astype(np.uint8)
    return {"image": encode_image(pixels), "notes": fitted.notes}, b""


def _transform_cached(request: int | None, **arguments: Any) -> Message:
    arguments["weights"] = TrainedWeights.decode(arguments["weights"])
    return {}, transform_cached(**arguments).with_info(request=request).encode()


if __name__ == "__main__":
    main()
