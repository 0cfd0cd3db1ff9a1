"""Write the weights of a checkpoint as safetensors, which any framework reads."""

import json
from pathlib import Path

from safetensors.numpy import save

from stnscope.backend.experiment.errors import Conflict, NotFound
from stnscope.backend.experiment.export.arrays import provenance
from stnscope.backend.experiment.export.options import ExportOptions, Progress, ReadableRecording
from stnscope.backend.experiment.recording.records import evaluated_weights

LENGTH_BYTES = 8
"""Size of the header's length field; the header's end is a multiple of it."""


def write_safetensors(
    recording: ReadableRecording,
    options: ExportOptions,
    target: Path,
    progress: Progress | None = None,
) -> None:
    """Write the newest kept checkpoint, up to the step `last`.

    Arguments and errors as those of `export`.

    Raises:
        Conflict: the run has no checkpoint.
        NotFound: none that early is kept; the text lists the steps.
    """
    run, kept = recording.summary(), recording.checkpoints()
    if not kept:
        reason = (
            "a program of its own trains it"
            if run["watched"]
            else "one is written while it trains, and none is in an imported recording"
        )
        raise Conflict(f"Run {run['id']} has no checkpoint: {reason}.")
    steps = [each.step for each in kept if options.last is None or each.step <= options.last]
    if not steps:
        known = ", ".join(str(each.step) for each in kept)
        raise NotFound(f"Run {run['id']} has no checkpoint that early, but of step {known}.")
    checkpoint = recording.checkpoint_at(steps[-1])
    info = recording.frame(checkpoint.step).info
    texts = provenance(recording, options, info, f"step {checkpoint.step}")
    data = save(evaluated_weights(checkpoint.tensors), texts | {"step": str(checkpoint.step)})
    target.write_bytes(_with_sorted_texts(data))
    if progress is not None:
        progress(1, 1)


def _with_sorted_texts(data: bytes) -> bytes:
    """Return a safetensors file whose texts are in order; the library's order is by chance."""
    start = LENGTH_BYTES + int.from_bytes(data[:LENGTH_BYTES], "little")
    header = json.loads(data[LENGTH_BYTES:start])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % LENGTH_BYTES)
    return len(text).to_bytes(LENGTH_BYTES, "little") + text + data[start:]
