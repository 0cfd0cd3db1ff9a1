"""Export a run as an animation, from its recording alone, without torch.

Both layouts show rows of a network's input and its transformers' outputs, with dots at the corners
of the sampled region. `evolution` shows training, with a counter of tenths of the epoch below; in
`moving` the probes move, and the outputs of a good transformer do not.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from stnscope.backend.experiment.errors import Conflict, InvalidInput
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
    MIN_EXPORT_FPS,
    MIN_EXPORT_SCALE,
    Count,
)
from stnscope.backend.experiment.progress import epoch_of, tenths_of

MAX_PIXELS = 4_000_000
"""Pixels of one frame of the animation."""
LAST_FRAME_HUNDREDTHS = 150
"""Minimum duration of the last frame of an evolution without `fps`."""

PALETTE_FRAMES = 12
PALETTE_PIXELS = 60_000
"""Number of frames and pixels from which a palette is computed."""

Progress = Callable[[int, int], None]
Pixels = NDArray[np.uint8]
LayoutName = Literal["evolution", "moving"]


TENTHS = 11
"""Frames of an evolution: before training, and after each tenth of the first epoch."""


@dataclass(frozen=True)
class ExportDefaults:
    """The values of options that are not given; the catalog serves them as `export_defaults`."""

    format: FormatName = "gif"
    samples: Mapping[LayoutName, int] = field(default_factory=lambda: {"evolution": 3, "moving": 1})
    """Number of probes, by layout."""
    tenths_fps: float = 2.0
    """Frames per second of the first epoch's tenths."""
    fps: float = 20.0
    """Frames per second otherwise."""
    scale: float = 1.0
    min_scale: float = MIN_EXPORT_SCALE


DEFAULTS = ExportDefaults()


class ExportOptions(BaseModel):
    """Options of an export.

    Without `first`, `last` and `frames`, `evolution` shows the first epoch's tenths, or as many
    frames of the whole run if the length of an epoch is unknown, and `moving` the closing lap or,
    without one, all steps whose probes moved.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: FormatName = Field(default=DEFAULTS.format, description="Format of the file.")
    layout: LayoutName = Field(
        default="evolution", description="evolution: through training; moving: the probes move."
    )
    first: Count | None = Field(default=None, description="First step of a range.")
    last: Count | None = Field(default=None, description="Last step of a range.")
    frames: int | None = Field(
        default=None,
        ge=1,
        le=MAX_EXPORT_FRAMES,
        description="Number of frames, evenly spaced over the range.",
    )
    samples: int | None = Field(
        default=None,
        ge=1,
        le=MAX_PROBES,
        description=f"Number of probes; {DEFAULTS.samples['evolution']} by default, "
        f"{DEFAULTS.samples['moving']} if moving.",
    )
    probes: str | None = Field(
        default=None,
        pattern=rf"^\d{{1,3}}(,\d{{1,3}}){{0,{MAX_PROBES - 1}}}$",
        description="Indices of probes from 0, separated by commas, instead of a number of probes.",
    )
    fps: float | None = Field(
        default=None,
        ge=MIN_EXPORT_FPS,
        le=MAX_EXPORT_FPS,
        description=f"Frames per second, all of equal duration. Without it, tenths have "
        f"{DEFAULTS.tenths_fps:g} frames a second and others {DEFAULTS.fps:g}, and the last frame "
        "of an evolution is shown longer.",
    )
    scale: float = Field(
        default=DEFAULTS.scale,
        ge=MIN_EXPORT_SCALE,
        le=MAX_EXPORT_SCALE,
        description=f"Scale; at 1 an image has {sheet.TILE} pixels.",
    )


class ReadableRecording(Protocol):
    """The part of `Recording` that an export uses."""

    def summary(self) -> dict[str, Any]: ...

    def frames(self) -> Sequence[FrameEntry]: ...

    def frame(self, step: int, lap: int | None = None) -> Frame: ...


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
    format: FormatName
    footer: Literal["tenths", "steps", "captions"]
    """A counter of tenths, a counter with epoch and step, or the names of the columns.

    If the length of an epoch is unknown, both counters have the step alone.
    """


def export(
    recording: ReadableRecording, options: ExportOptions, progress: Progress | None = None
) -> bytes:
    """Return an animation of a run, finished or still training, as the bytes of a file.

    Args:
        recording: the run's recording, which is read frame by frame.
        options: the content and format.
        progress: called with the number of finished frames and of all frames; an exception that
            it raises cancels the export.

    Raises:
        Conflict: no frame that fits the options is recorded yet.
        InvalidInput: an option does not fit the run; has the field.
    """
    return draw(recording, plan(recording, options), progress)


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
    probes = _select_probes(options, len(last.tensors["input"]))
    layout = sheet.compute_layout(
        last, len(probes), options.scale, _overshoot(recording, selected, probes)
    )
    _check_size(layout)
    is_grey = last.tensors["input"].shape[3] == 1
    delays = _delays(len(selected), options.fps, footer)
    return Plan(selected, delays, probes, layout, is_grey, options.format, footer)


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


def draw(recording: ReadableRecording, plan: Plan, progress: Progress | None = None) -> bytes:
    """Draw and encode the animation of a plan; `progress` as in `export`."""
    run = recording.summary()
    layout, count = plan.layout, len(plan.frames)
    palette = Palette(None if plan.is_grey else _sample_pixels(recording, plan))
    writer = FORMATS[plan.format].open(layout.size, palette.colours, _comment(run, plan))
    for number, (key, delay) in enumerate(zip(plan.frames, plan.delays, strict=True), start=1):
        frame = recording.frame(*key)
        overlay = sheet.draw_overlay(frame, plan.probes, layout)
        if plan.footer == "captions":
            sheet.draw_captions(overlay, layout)
        else:
            counter, details = _counter(key.step, run["steps_per_epoch"], plan.footer)
            sheet.draw_footer(overlay, counter, details, layout)
        images = sheet.draw_images(frame, plan.probes, layout, plan.is_grey)
        writer.add(palette.indices(images, overlay, overlay != sheet.TRANSPARENT), delay)
        if progress is not None:
            progress(number, count)
    return writer.finish()


def _comment(run: dict[str, Any], plan: Plan) -> str:
    first, last = plan.frames[0], plan.frames[-1]
    steps = f"steps {first.step} to {last.step}"
    if last.lap is not None:
        steps = f"closing lap at step {last.step}"
    seed = "" if run["watched"] else f", seed {run['config']['seed']}"
    return f"Run {run['id']}, {steps}{seed}."


def _select_probes(options: ExportOptions, count: int) -> list[int]:
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
    return max(sheet.overshoot(frame, probes) for frame in _read(recording, selected))


def _read(recording: ReadableRecording, keys: Sequence[FrameKey]) -> Iterator[Frame]:
    return (recording.frame(*key) for key in keys)


def _check_size(layout: sheet.Layout) -> None:
    width, height = layout.size
    if width * height > MAX_PIXELS:
        raise InvalidInput(
            f"The animation would have {width} x {height} pixels; at most "
            f"{MAX_PIXELS // 10**6} million are allowed. Choose a smaller scale or fewer samples.",
            "scale",
        )


def _counter(step: int, steps_per_epoch: int | None, footer: str) -> tuple[str, str]:
    """Return two texts: the tenths of the step's epoch, and what stands beside them."""
    if steps_per_epoch is None:
        return f"step {step:,}", ""
    tenths = f"{tenths_of(step, steps_per_epoch)}/10"
    if footer == "tenths":
        return tenths, ""
    return tenths, f"epoch {epoch_of(step, steps_per_epoch)}, step {step:,}"


def _delays(count: int, fps: float | None, footer: str) -> list[int]:
    """Return the duration of each frame in hundredths of a second; their sum is exact."""
    default = DEFAULTS.tenths_fps if footer == "tenths" else DEFAULTS.fps
    ends = [round(100 * number / (fps or default)) for number in range(count + 1)]
    delays = [end - start for start, end in pairwise(ends)]
    if fps or footer == "captions":
        return delays
    return [*delays[:-1], max(delays[-1], LAST_FRAME_HUNDREDTHS)]


def _sample_pixels(recording: ReadableRecording, plan: Plan) -> Pixels:
    """Return pixels of images from all parts of the animation, (M, 3)."""
    count = len(plan.frames)
    indices = np.linspace(0, count - 1, min(PALETTE_FRAMES, count)).round().astype(int)
    samples = []
    for frame in _read(recording, [plan.frames[index] for index in indices]):
        images = sheet.draw_images(frame, plan.probes, plan.layout, is_grey=False)
        overlay = sheet.draw_overlay(frame, plan.probes, plan.layout)
        samples.append(images[overlay == sheet.TRANSPARENT])
    pixels = np.concatenate(samples)
    return pixels[:: max(1, len(pixels) // PALETTE_PIXELS)]
