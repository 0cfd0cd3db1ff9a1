"""Export a run as an animation, from its recording alone, without torch.

Both layouts show rows of the transformer's input and output, with dots at the corners of the
sampled region. `evolution` goes through training, with a counter of tenths of the epoch below; in
`moving` the probes move, and the outputs of a good transformer do not.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.experiment.export import frame_selection, sheet
from stnscope.backend.experiment.export.formats import FORMATS, FormatName
from stnscope.backend.experiment.export.frame_selection import FrameEntry, FrameKey
from stnscope.backend.experiment.export.palette import Palette
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.limits import (
    MAX_EXPORT_FPS,
    MAX_EXPORT_FRAMES,
    MAX_EXPORT_SCALE,
    MAX_PROBES,
)
from stnscope.backend.experiment.progress import epoch_of, tenths_of

MAX_PIXELS = 4_000_000
"""Of one picture of the animation."""
DEFAULT_ROWS = {"evolution": 3, "moving": 1}

TENTHS_FPS = 2.0
SMOOTH_FPS = 20.0
LAST_HUNDREDTHS = 150
"""Duration of the last picture without `fps`."""

PALETTE_FRAMES = 12
PALETTE_PIXELS = 60_000

Progress = Callable[[int, int], None]
Pixels = NDArray[np.uint8]


class ExportOptions(BaseModel):
    """What an export shows.

    Without `first`, `last` and `frames`, `evolution` shows the first epoch's tenths, and `moving`
    the closing lap or, without one, all steps whose probes moved.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: FormatName = Field(default="gif", description="The kind of file.")
    layout: Literal["evolution", "moving"] = Field(
        default="evolution", description="evolution: through training; moving: the probes move."
    )
    first: int | None = Field(default=None, ge=0, description="First step of a range.")
    last: int | None = Field(default=None, ge=0, description="Last step of a range.")
    frames: int | None = Field(
        default=None,
        ge=1,
        le=MAX_EXPORT_FRAMES,
        description="Pictures, evenly spaced over the range.",
    )
    samples: int | None = Field(
        default=None, ge=1, le=MAX_PROBES, description="How many probes; 3 by default, 1 if moving."
    )
    probes: str | None = Field(
        default=None,
        pattern=rf"^\d{{1,3}}(,\d{{1,3}}){{0,{MAX_PROBES - 1}}}$",
        description="Which probes, counted from 0 and separated by commas, instead of a number.",
    )
    fps: float | None = Field(
        default=None,
        gt=0,
        le=MAX_EXPORT_FPS,
        description="Pictures a second; all last equally long then. Else the tenths go by at 2 a "
        "second, all others at 20, and the last one of an evolution stays.",
    )
    scale: float = Field(
        default=1.0, ge=0.5, le=MAX_EXPORT_SCALE, description="1 shows an image in 96 pixels."
    )


class ReadableRecording(Protocol):
    """The part of a recording that an export reads."""

    def summary(self) -> dict[str, Any]: ...

    def frames(self) -> Sequence[FrameEntry]: ...

    def frame(self, step: int, lap: int | None = None) -> Frame: ...


@dataclass(frozen=True)
class Plan:
    """The content and layout of an animation."""

    frames: list[FrameKey]
    delays: list[int]
    """Hundredths of a second for each."""
    probes: list[int]
    layout: sheet.Layout
    grey: bool
    """Whether all images are grey; then they are exact."""
    format: FormatName
    footer: Literal["tenths", "steps", "captions"]
    """Below the rows: a counter of tenths, the same with epoch and step, or the columns' names."""


def export(
    recording: ReadableRecording, options: ExportOptions, progress: Progress | None = None
) -> bytes:
    """Return a run, finished or still training, as the bytes of an animation.

    Args:
        recording: read frame by frame.
        options: what to show.
        progress: called with the number of finished pictures and of all; an exception that it
            raises ends the export.

    Raises:
        Conflict: no frame that fits the options is recorded yet.
        InvalidInput: options that do not fit the run; names the field.
    """
    return draw(recording, plan(recording, options), progress)


def plan(recording: ReadableRecording, options: ExportOptions) -> Plan:
    """Select frames and probes, and compute the layout; raises what `export` does."""
    footer: Literal["tenths", "steps", "captions"] = "steps"
    if options.layout == "moving":
        footer, chosen = "captions", frame_selection.select_moving(recording.frames(), options)
    elif (options.first, options.last, options.frames) == (None, None, None):
        each = recording.summary()["steps_per_epoch"]
        footer, chosen = "tenths", frame_selection.select_tenths(recording.frames(), each)
    else:
        chosen = frame_selection.select_range(recording.frames(), options)
    # The last frame has the most inputs: pictures can be added to the probes.
    last = recording.frame(*chosen[-1])
    probes = _probes(options, len(last.tensors["input"]))
    layout = sheet.compute_layout(
        last, len(probes), options.scale, _overshoot(recording, chosen, probes)
    )
    _check_size(layout)
    grey = last.tensors["input"].shape[3] == 1
    delays = _delays(len(chosen), options.fps, footer)
    return Plan(chosen, delays, probes, layout, grey, options.format, footer)


def draw(recording: ReadableRecording, plan: Plan, progress: Progress | None = None) -> bytes:
    """Draw and encode a plan; arguments as of `export`."""
    run = recording.summary()
    layout, count = plan.layout, len(plan.frames)
    palette = Palette(None if plan.grey else _sample_pixels(recording, plan), sheet.LEVELS)
    writer = FORMATS[plan.format].open(layout.size, palette.colours, _comment(run, plan))
    for number, (ref, delay) in enumerate(zip(plan.frames, plan.delays, strict=True), start=1):
        frame = recording.frame(*ref)
        overlay = sheet.draw_overlay(frame, plan.probes, layout)
        if plan.footer == "captions":
            sheet.draw_captions(overlay, layout)
        else:
            counter, details = _counter(ref.step, run["steps_per_epoch"])
            sheet.draw_footer(overlay, counter, details if plan.footer == "steps" else "", layout)
        clean = sheet.draw_images(frame, plan.probes, layout, plan.grey)
        writer.add(palette.indices(clean, overlay, overlay != sheet.TRANSPARENT), delay)
        if progress is not None:
            progress(number, count)
    return writer.finish()


def _comment(run: dict[str, Any], plan: Plan) -> str:
    first, last = plan.frames[0], plan.frames[-1]
    steps = f"steps {first.step} to {last.step}"
    if last.lap is not None:
        steps = f"closing lap at step {last.step}"
    return f"Run {run['id']}, {steps}, seed {run['config']['seed']}."


def _probes(options: ExportOptions, count: int) -> list[int]:
    if options.probes is not None:
        chosen = [int(probe) for probe in options.probes.split(",")]
        if max(chosen) >= count:
            raise InvalidInput(f"The run has {count} probes, 0 to {count - 1}.", "probes")
        return chosen
    if options.samples is not None and options.samples > count:
        raise InvalidInput(f"The run has only {count} probes.", "samples")
    return list(range(options.samples or min(DEFAULT_ROWS[options.layout], count)))


def _overshoot(
    recording: ReadableRecording, chosen: Sequence[FrameKey], probes: Sequence[int]
) -> float:
    """Return the largest distance of a sampled corner from the input, in its pixels."""
    largest = 0.0
    for frame in _read(recording, chosen):
        height, width = frame.tensors["input"].shape[1:3]
        for name in frame.transformers:
            corners = frame.tensors[f"corners.{name}"]
            corners = corners[[probe for probe in probes if probe < len(corners)]]
            distances = np.maximum(-corners, corners - np.array([width, height]))
            largest = max(largest, float(distances[np.isfinite(distances)].max(initial=0)))
    return largest


def _read(recording: ReadableRecording, chosen: Sequence[FrameKey]) -> Iterator[Frame]:
    return (recording.frame(*ref) for ref in chosen)


def _check_size(layout: sheet.Layout) -> None:
    width, height = layout.size
    if width * height > MAX_PIXELS:
        raise InvalidInput(
            f"The animation would be {width} x {height} pixels; at most "
            f"{MAX_PIXELS // 10**6} million are allowed. Choose a smaller scale or fewer samples.",
            "scale",
        )


def _counter(step: int, steps_per_epoch: int) -> tuple[str, str]:
    """Return the counter of tenths of the step's epoch, and its epoch and step, as text."""
    tenths = f"{tenths_of(step, steps_per_epoch)}/10"
    return tenths, f"epoch {epoch_of(step, steps_per_epoch)}, step {step:,}"


def _delays(count: int, fps: float | None, footer: str) -> list[int]:
    """Return each picture's duration in hundredths of a second; their sum is that of `fps`."""
    default = TENTHS_FPS if footer == "tenths" else SMOOTH_FPS
    ends = [round(100 * number / (fps or default)) for number in range(count + 1)]
    delays = [end - start for start, end in pairwise(ends)]
    if fps or footer == "captions":
        return delays
    return [*delays[:-1], max(delays[-1], LAST_HUNDREDTHS)]


def _sample_pixels(recording: ReadableRecording, plan: Plan) -> Pixels:
    """Return pixels of images from the whole animation, (M, 3)."""
    count = len(plan.frames)
    indices = np.linspace(0, count - 1, min(PALETTE_FRAMES, count)).round().astype(int)
    samples = []
    for frame in _read(recording, [plan.frames[index] for index in indices]):
        clean = sheet.draw_images(frame, plan.probes, plan.layout, grey=False)
        samples.append(
            clean[sheet.draw_overlay(frame, plan.probes, plan.layout) == sheet.TRANSPARENT]
        )
    pixels = np.concatenate(samples)
    return pixels[:: max(1, len(pixels) // PALETTE_PIXELS)]
