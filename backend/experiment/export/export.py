"""A recording as a file to take home. From the recording alone, without torch.

Both layouts show rows of what goes into the transformer and what it hands on, with dots at the
corners of the sampled region. `evolution` goes through training, above a counter of tenths of the
epoch; in `moving` the probes move and, at its best, the outputs stand still.
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
from stnscope.backend.experiment.export.frame_selection import Listed, Moment
from stnscope.backend.experiment.export.palette import Palette
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.limits import (
    MAX_EXPORT_FPS,
    MAX_EXPORT_FRAMES,
    MAX_EXPORT_SCALE,
    MAX_PROBES,
)
from stnscope.backend.experiment.progress import epoch_of, tenths_of

MOST_PIXELS = 4_000_000
"""Of one picture of the animation."""
ROWS = {"evolution": 3, "moving": 1}

TENTHS_FPS = 2.0
SMOOTH_FPS = 20.0
HELD_HUNDREDTHS = 150
"""How long the last picture stays where no pace was asked for."""

PALETTE_FRAMES = 12
PALETTE_PIXELS = 60_000

Progress = Callable[[int, int], None]
Pixels = NDArray[np.uint8]


class ExportOptions(BaseModel):
    """What an export shows.

    Without `first`, `last` and `frames`, `evolution` shows the first epoch's tenths, and `moving`
    the closing lap or else all steps whose probes moved.
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


class Recorded(Protocol):
    """What is asked of a recording."""

    def summary(self) -> dict[str, Any]: ...

    def frames(self) -> Sequence[Listed]: ...

    def frame(self, step: int, lap: int | None = None) -> Frame: ...


@dataclass(frozen=True)
class Plan:
    """What an animation will show, and how."""

    moments: list[Moment]
    delays: list[int]
    """Hundredths of a second for each."""
    probes: list[int]
    layout: sheet.Layout
    grey: bool
    """Whether all images are grey; they are then shown without any loss."""
    format: FormatName
    footer: Literal["tenths", "steps", "captions"]
    """What stands below: a counter of tenths, the same with epoch and step, or what is what."""


def export(recording: Recorded, options: ExportOptions, progress: Progress | None = None) -> bytes:
    """A run as an animated GIF, finished or still training.

    Args:
        recording: is read frame by frame.
        options: what to show.
        progress: is told how many pictures of how many are done; what it raises ends the export.

    Raises:
        Conflict: nothing that was asked for is recorded yet.
        InvalidInput: options that do not fit the run; names the field.
    """
    return draw(recording, plan(recording, options), progress)


def plan(recording: Recorded, options: ExportOptions) -> Plan:
    """Chooses frames, probes and places; raises what `export` does."""
    footer: Literal["tenths", "steps", "captions"] = "steps"
    if options.layout == "moving":
        footer, chosen = "captions", frame_selection.moving(recording.frames(), options)
    elif (options.first, options.last, options.frames) == (None, None, None):
        each = recording.summary()["steps_per_epoch"]
        footer, chosen = "tenths", frame_selection.tenths(recording.frames(), each)
    else:
        chosen = frame_selection.within(recording.frames(), options)
    # The newest has the most inputs: pictures can join the probes.
    newest = recording.frame(*chosen[-1])
    probes = _probes(options, len(newest.tensors["input"]))
    layout = sheet.lay_out(
        newest, len(probes), options.scale, _overshoot(recording, chosen, probes)
    )
    _check_size(layout)
    grey = newest.tensors["input"].shape[3] == 1
    delays = _delays(len(chosen), options.fps, footer)
    return Plan(chosen, delays, probes, layout, grey, options.format, footer)


def draw(recording: Recorded, plan: Plan, progress: Progress | None = None) -> bytes:
    """Draws and writes what was planned; arguments as of `export`."""
    run = recording.summary()
    layout, count = plan.layout, len(plan.moments)
    palette = Palette(None if plan.grey else _sampled(recording, plan), sheet.LEVELS)
    writer = FORMATS[plan.format].open(layout.size, palette.colours, _comment(run, plan))
    for number, (moment, delay) in enumerate(zip(plan.moments, plan.delays, strict=True), start=1):
        frame = recording.frame(*moment)
        overlay = sheet.overlay(frame, plan.probes, layout)
        if plan.footer == "captions":
            sheet.captions(overlay, layout)
        else:
            counter, more = _counter(moment.step, run["steps_per_epoch"])
            sheet.footer(overlay, counter, more if plan.footer == "steps" else "", layout)
        clean = sheet.images(frame, plan.probes, layout, plan.grey)
        writer.add(palette.indices(clean, overlay, overlay != sheet.NOTHING), delay)
        if progress is not None:
            progress(number, count)
    return writer.finish()


def _comment(run: dict[str, Any], plan: Plan) -> str:
    first, last = plan.moments[0], plan.moments[-1]
    steps = f"steps {first.step} to {last.step}"
    if last.lap is not None:
        steps = f"closing lap at step {last.step}"
    return f"Run {run['id']}, {steps}, seed {run['config']['seed']}."


def _probes(options: ExportOptions, count: int) -> list[int]:
    if options.probes is not None:
        chosen = [int(probe) for probe in options.probes.split(",")]
        if max(chosen) >= count:
            raise InvalidInput(f"The run watches {count} probes, 0 to {count - 1}.", "probes")
        return chosen
    if options.samples is not None and options.samples > count:
        raise InvalidInput(f"The run watches {count} probes, no more.", "samples")
    return list(range(options.samples or min(ROWS[options.layout], count)))


def _overshoot(recording: Recorded, chosen: Sequence[Moment], probes: Sequence[int]) -> float:
    """How far a sampled corner lies outside the input at most, in pixels of it."""
    furthest = 0.0
    for frame in _each(recording, chosen):
        height, width = frame.tensors["input"].shape[1:3]
        for name in frame.transformers:
            corners = frame.tensors[f"corners.{name}"]
            corners = corners[[probe for probe in probes if probe < len(corners)]]
            beyond = np.maximum(-corners, corners - np.array([width, height]))
            furthest = max(furthest, float(beyond[np.isfinite(beyond)].max(initial=0)))
    return furthest


def _each(recording: Recorded, chosen: Sequence[Moment]) -> Iterator[Frame]:
    return (recording.frame(*moment) for moment in chosen)


def _check_size(layout: sheet.Layout) -> None:
    width, height = layout.size
    if width * height > MOST_PIXELS:
        raise InvalidInput(
            f"The animation would be {width} x {height} pixels; at most "
            f"{MOST_PIXELS // 10**6} million are made. Choose a smaller scale or fewer samples.",
            "scale",
        )


def _counter(step: int, steps_per_epoch: int) -> tuple[str, str]:
    """Tenths of the step's epoch, and which epoch and step that is."""
    tenths = f"{tenths_of(step, steps_per_epoch)}/10"
    return tenths, f"epoch {epoch_of(step, steps_per_epoch)}, step {step:,}"


def _delays(count: int, fps: float | None, footer: str) -> list[int]:
    """Hundredths of a second for each picture, that add up to what the pace asks for."""
    usual = TENTHS_FPS if footer == "tenths" else SMOOTH_FPS
    ends = [round(100 * number / (fps or usual)) for number in range(count + 1)]
    delays = [end - start for start, end in pairwise(ends)]
    if fps or footer == "captions":
        return delays
    return [*delays[:-1], max(delays[-1], HELD_HUNDREDTHS)]


def _sampled(recording: Recorded, plan: Plan) -> Pixels:
    """Pixels of images from all over the animation, (M, 3)."""
    count = len(plan.moments)
    places = np.linspace(0, count - 1, min(PALETTE_FRAMES, count)).round().astype(int)
    kept = []
    for frame in _each(recording, [plan.moments[place] for place in places]):
        clean = sheet.images(frame, plan.probes, plan.layout, grey=False)
        kept.append(clean[sheet.overlay(frame, plan.probes, plan.layout) == sheet.NOTHING])
    pixels = np.concatenate(kept)
    return pixels[:: max(1, len(pixels) // PALETTE_PIXELS)]
