"""The inference process: strangers' pictures are decoded and shown to networks here, alone.

It speaks in messages on its standard input and output (`processes.message_pipe`): first it
says `{"ready": true}`. A request is

    {"weights", "distortion", "theta"}  with a picture's bytes: answered by {} and a frame's bytes
    {"again": {...}}                    what is asked of a picture that it was sent lately, by name:
                                        answered alike
    {"architecture", "dataset"}         with a picture's bytes: answered by {"image", "notes"}, the
                                        picture as it joins the probes of such a run
                                        (`probes.added_pictures.encode_image`)

Each may be answered by an error (`processes.error_codec`). When the input ends, its server is
gone, and it ends at once.
"""

import faulthandler
import logging
import os
import queue
import threading
from contextlib import suppress
from typing import Any, BinaryIO

import numpy as np

from stnscope.backend.experiment.errors import StnscopeError, Unavailable
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.inference.transform import (
    fit_probe,
    prepare,
    transform,
    transform_again,
)
from stnscope.backend.experiment.probes.added_pictures import encode_image
from stnscope.backend.server.processes.error_codec import tell
from stnscope.backend.server.processes.memory_limit import limit_memory
from stnscope.backend.server.processes.message_pipe import Message, pack, unpack_from

log = logging.getLogger(__name__)

MOST_MEMORY = 1024**3
"""Bytes beyond what the libraries take once they are imported."""


def main() -> None:
    faulthandler.enable()
    requests, answers = _own_pipes()
    prepare(threads=1)
    limit_memory(MOST_MEMORY)
    waiting: queue.SimpleQueue[Message] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests, waiting), daemon=True).start()
    with suppress(BrokenPipeError):
        _send(answers, {"ready": True})
        while True:
            request, picture = waiting.get()
            _send(answers, *_answer(request, picture))


def _own_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output for messages only: whatever else prints, prints to the log."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    os.dup2(2, 1)
    return requests, answers


def _read(requests: BinaryIO, waiting: queue.SimpleQueue[Message]) -> None:
    """Beside the work, so that the end of the input is seen in the middle of it."""
    while (message := unpack_from(requests)) is not None:
        waiting.put(message)
    os._exit(0)


def _answer(request: dict[str, Any], picture: bytes) -> Message:
    try:
        if "architecture" in request:
            fitted = fit_probe(picture, request["architecture"], request["dataset"])
            pixels = (fitted.image * 255).round().astype(np.uint8)
            return {"image": encode_image(pixels), "notes": fitted.notes}, b""
        if "again" in request:
            frame = _shown_again(**request["again"])
        else:
            frame = transform(picture, **request)
    except StnscopeError as error:
        return tell(error), b""
    except Exception:
        log.exception("A picture could not be shown, as asked by %s.", request)
        detail = "Showing the picture to the network failed; the server's log says why."
        return tell(Unavailable(detail)), b""
    return {}, frame.encode()


def _shown_again(request: int | None, **asked: Any) -> Frame:
    return transform_again(**asked).saying(request=request)


def _send(answers: BinaryIO, head: dict[str, Any], body: bytes = b"") -> None:
    answers.write(pack(head, body))
    answers.flush()


if __name__ == "__main__":
    main()
