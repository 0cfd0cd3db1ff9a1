"""Select the frames and probes that an animation shows, and compute its layout and delays."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from stnscope.backend.experiment.errors import Conflict, InvalidInput
from stnscope.backend.experiment.export import frame_selection, sheet
from stnscope.backend.experiment.export.frame_selection import FrameKey
from stnscope.backend.experiment.export.options import DEFAULTS, ExportOptions, ReadableRecording
from stnscope.backend.experiment.frames.frame import Frame

MAX_PIXELS = 4_000_000
"""Pixels of one frame of the animation."""
LAST_FRAME_HUNDREDTHS = 150
"""Minimum duration of the last frame of an evolution without `fps`."""
TENTHS = 11
"""Frames of an evolution: before training, and after each tenth of the first epoch."""


@dataclass(frozen=True)
class Plan:
    """The content and layout of an animation."""

    frames: list[FrameKey]
    delays: list[int]
    """Duration of each frame in hundredths of a second."""
    probes: list[int]
    """Indices of the probes, one for each row."""
    layout: sheet.Layout
    is_grey: bool
    """Whether all images are grey; then their levels are exact."""
    footer: Literal["tenths", "steps", "captions"]
    """A counter of tenths, a counter with epoch and step, or the names of the columns.

    If the length of an epoch is unknown, both counters have the step alone.
    """


def plan(recording: ReadableRecording, options: ExportOptions) -> Plan:
    """Select frames and probes, and compute the layout; raises the same errors as `export`."""
    footer: Literal["tenths", "steps", "captions"] = "steps"
    if options.layout == "moving":
        footer, selected = "captions", _select_moving(recording, options)
    elif (options.first, options.last, options.frames) == (None, None, None):
        footer, selected = "tenths", _select_evolution(recording)
    else:
        selected = frame_selection.select_range(recording.frames(), options)
    # The last frame has the most probes, because pictures can be added to them.
    last = recording.frame(*selected[-1])
    probes = select_probes(options, len(last.tensors["input"]))
    layout = sheet.compute_layout(
        last, len(probes), options.scale, _overshoot(recording, selected, probes)
    )
    _check_size(layout)
    is_grey = last.tensors["input"].shape[3] == 1
    delays = _delays(len(selected), options.fps, footer)
    return Plan(selected, delays, probes, layout, is_grey, footer)


def _select_evolution(recording: ReadableRecording) -> list[FrameKey]:
    """Return the frames of an evolution: the first epoch's tenths, or those of the whole run."""
    per_epoch, frames = recording.summary()["steps_per_epoch"], recording.frames()
    if per_epoch is not None:
        return frame_selection.select_tenths(frames, per_epoch)
    return frame_selection.select_range(frames, ExportOptions(frames=TENTHS))


def _select_moving(recording: ReadableRecording, options: ExportOptions) -> list[FrameKey]:
    """Return the frames of moving probes, which those of a watched run hardly are."""
    frames = recording.frames()
    if not any(frame.moving for frame in frames) and recording.summary()["watched"]:
        raise Conflict("The probes of a watched run do not move. Export its evolution instead.")
    return frame_selection.select_moving(frames, options)


def select_probes(options: ExportOptions, count: int) -> list[int]:
    if options.probes is not None:
        selected = [int(index) for index in options.probes.split(",")]
        if max(selected) >= count:
            raise InvalidInput(f"The run has {count} probes, 0 to {count - 1}.", "probes")
        return selected
    if options.samples is not None and options.samples > count:
        raise InvalidInput(f"The run has only {count} probes.", "samples")
    return list(range(options.samples or min(DEFAULTS.samples[options.layout], count)))


def _overshoot(
    recording: ReadableRecording, selected: Sequence[FrameKey], probes: Sequence[int]
) -> float:
    """Return the largest distance of a corner outside the input, in its pixels."""
    return max(sheet.overshoot(frame, probes) for frame in read_frames(recording, selected))


def read_frames(recording: ReadableRecording, keys: Sequence[FrameKey]) -> Iterator[Frame]:
    return (recording.frame(*key) for key in keys)


def _check_size(layout: sheet.Layout) -> None:
    width, height = layout.size
    if width * height > MAX_PIXELS:
        raise InvalidInput(
            f"The animation would have {width} x {height} pixels; at most "
            f"{MAX_PIXELS // 10**6} million are allowed. Choose a smaller scale or fewer samples.",
            "scale",
        )


def _delays(count: int, fps: float | None, footer: str) -> list[int]:
    """Return the duration of each frame in hundredths of a second; their sum is exact."""
    default = DEFAULTS.tenths_fps if footer == "tenths" else DEFAULTS.fps
    ends = [round(100 * number / (fps or default)) for number in range(count + 1)]
    delays = [end - start for start, end in pairwise(ends)]
    if fps or footer == "captions":
        return delays
    return [*delays[:-1], max(delays[-1], LAST_FRAME_HUNDREDTHS)]
