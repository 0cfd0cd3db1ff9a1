"""A recording as a file to take home. From the recording alone, without torch.

The `evolution` layout shows rows of what goes into the transformer and what it hands on, with dots
at the corners of the sampled region, above a counter of tenths of the epoch.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from backend.experiment import sheet
from backend.experiment.errors import Conflict, InvalidInput
from backend.experiment.frame import Frame
from backend.experiment.gif import GifWriter
from backend.experiment.palette import Palette
from backend.experiment.recording import epoch_of, tenths_of

MOST_FRAMES = 300
MOST_PIXELS = 4_000_000
"""Of one picture of the animation."""
ROWS = 3

TENTHS_FPS = 2.0
RANGE_FPS = 20.0
HELD_HUNDREDTHS = 150
"""How long the last picture stays where no pace was asked for."""

PALETTE_FRAMES = 12
PALETTE_PIXELS = 60_000

Progress = Callable[[int, int], None]
Pixels = NDArray[np.uint8]


class EvolutionOptions(BaseModel):
    """What an export shows. Without `first`, `last` and `frames`: the first epoch's tenths."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["gif"] = "gif"
    layout: Literal["evolution"] = "evolution"
    first: int | None = Field(default=None, ge=0, description="First step of a range.")
    last: int | None = Field(default=None, ge=0, description="Last step of a range.")
    frames: int | None = Field(
        default=None, ge=1, le=MOST_FRAMES, description="Pictures, evenly spaced over the range."
    )
    samples: int | None = Field(
        default=None, ge=1, le=64, description="How many probes; 3 by default."
    )
    probes: str | None = Field(
        default=None,
        pattern=r"^\d{1,3}(,\d{1,3}){0,63}$",
        description="Which probes, counted from 0 and separated by commas, instead of a number.",
    )
    fps: float | None = Field(
        default=None,
        gt=0,
        le=50,
        description="Pictures a second; all last equally long then. Else the tenths go by at 2 a "
        "second, a range at 20, and the last one stays.",
    )
    scale: float = Field(default=1.0, ge=0.5, le=4, description="1 shows an image in 96 pixels.")


class FrameRef(Protocol):
    """Where a recorded frame stands."""

    @property
    def step(self) -> int: ...

    @property
    def lap(self) -> int | None: ...


class Recorded(Protocol):
    """What is asked of a recording."""

    def summary(self) -> dict[str, Any]: ...

    def frames(self) -> Sequence[FrameRef]: ...

    def frame(self, step: int) -> Frame: ...


@dataclass(frozen=True)
class Plan:
    """What an animation will show, and how."""

    steps: list[int]
    delays: list[int]
    """Hundredths of a second for each step."""
    probes: list[int]
    layout: sheet.Layout
    grey: bool
    """Whether all images are grey; they are then shown without any loss."""
    is_range: bool
    """Whether the footer tells epoch and step too."""


def evolution(
    recording: Recorded, options: EvolutionOptions, progress: Progress | None = None
) -> bytes:
    """A run as an animated GIF in the `evolution` layout, finished or still training.

    Args:
        recording: is read frame by frame.
        options: what to show.
        progress: is told how many pictures of how many are done; what it raises ends the export.

    Raises:
        Conflict: nothing that was asked for is recorded yet.
        InvalidInput: options that do not fit the run; names the field.
    """
    return draw(recording, plan(recording, options), progress)


def plan(recording: Recorded, options: EvolutionOptions) -> Plan:
    """Chooses steps, probes and places; raises what `evolution` does."""
    is_range = any(option is not None for option in (options.first, options.last, options.frames))
    each = recording.summary()["steps_per_epoch"]
    steps = _range(recording, options) if is_range else _tenths(recording, each)
    # The newest has the most inputs: pictures can join the probes.
    newest = recording.frame(steps[-1])
    probes = _probes(options, len(newest.tensors["input"]))
    layout = sheet.lay_out(newest, len(probes), options.scale, _overshoot(recording, steps, probes))
    _check_size(layout)
    return Plan(
        steps,
        _delays(len(steps), options.fps, RANGE_FPS if is_range else TENTHS_FPS),
        probes,
        layout,
        newest.tensors["input"].shape[3] == 1,
        is_range,
    )


def draw(recording: Recorded, plan: Plan, progress: Progress | None = None) -> bytes:
    """Draws and writes what was planned; arguments as of `evolution`."""
    run = recording.summary()
    layout, steps = plan.layout, plan.steps
    palette = Palette(None if plan.grey else _sampled(recording, plan), sheet.LEVELS)
    comment = f"Run {run['id']}, steps {steps[0]} to {steps[-1]}, seed {run['config']['seed']}."
    writer = GifWriter(layout.size, palette.colours, comment)
    for number, (step, delay) in enumerate(zip(steps, plan.delays, strict=True), start=1):
        frame = recording.frame(step)
        overlay = sheet.overlay(frame, plan.probes, layout)
        counter, more = _counter(step, run["steps_per_epoch"])
        sheet.footer(overlay, counter, more if plan.is_range else "", layout)
        clean = sheet.images(frame, plan.probes, layout, plan.grey)
        writer.add(palette.indices(clean, overlay, overlay != sheet.NOTHING), delay)
        if progress is not None:
            progress(number, len(steps))
    return writer.finish()


def _tenths(recording: Recorded, steps_per_epoch: int) -> list[int]:
    """The first recorded step of each tenth of the first epoch, as far as it has come."""
    by_tenth: dict[int, int] = {}
    for step in _steps(recording):
        if step <= steps_per_epoch:
            by_tenth.setdefault(tenths_of(step, steps_per_epoch), step)
    if not by_tenth:
        raise Conflict("Nothing is recorded of the run's first epoch yet. Try again in a moment.")
    return list(by_tenth.values())


def _range(recording: Recorded, options: EvolutionOptions) -> list[int]:
    steps = _steps(recording)
    if not steps:
        raise Conflict("Nothing is recorded of the run yet. Try again in a moment.")
    first = options.first if options.first is not None else steps[0]
    last = options.last if options.last is not None else steps[-1]
    if first > last:
        raise InvalidInput(f"The first step, {first}, comes after the last, {last}.", "first")
    inside = [step for step in steps if first <= step <= last]
    if not inside:
        field = "first" if options.first is not None else "last"
        raise InvalidInput(
            f"No frame is recorded from step {first} to {last}; this run's frames go from "
            f"step {steps[0]} to {steps[-1]}.",
            field,
        )
    count = min(options.frames or MOST_FRAMES, len(inside))
    return [inside[place] for place in np.linspace(0, len(inside) - 1, count).round().astype(int)]


def _steps(recording: Recorded) -> list[int]:
    return [ref.step for ref in recording.frames() if ref.lap is None]


def _probes(options: EvolutionOptions, count: int) -> list[int]:
    if options.probes is not None:
        chosen = [int(probe) for probe in options.probes.split(",")]
        if max(chosen) >= count:
            raise InvalidInput(f"The run watches {count} probes, 0 to {count - 1}.", "probes")
        return chosen
    if options.samples is not None and options.samples > count:
        raise InvalidInput(f"The run watches {count} probes, no more.", "samples")
    return list(range(options.samples or min(ROWS, count)))


def _overshoot(recording: Recorded, steps: Sequence[int], probes: Sequence[int]) -> float:
    """How far a sampled corner lies outside the input at most, in pixels of it."""
    furthest = 0.0
    for frame in _each(recording, steps):
        if not frame.transformers:
            continue
        corners = frame.tensors[f"corners.{frame.transformers[0]}"]
        corners = corners[[probe for probe in probes if probe < len(corners)]]
        height, width = frame.tensors["input"].shape[1:3]
        beyond = np.maximum(-corners, corners - np.array([width, height]))
        furthest = max(furthest, float(beyond[np.isfinite(beyond)].max(initial=0)))
    return furthest


def _each(recording: Recorded, steps: Sequence[int]) -> Iterator[Frame]:
    return (recording.frame(step) for step in steps)


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


def _delays(count: int, fps: float | None, usual: float) -> list[int]:
    """Hundredths of a second for each picture, that add up to what the pace asks for."""
    ends = [round(100 * number / (fps or usual)) for number in range(count + 1)]
    delays = [end - start for start, end in pairwise(ends)]
    return delays if fps else [*delays[:-1], max(delays[-1], HELD_HUNDREDTHS)]


def _sampled(recording: Recorded, plan: Plan) -> Pixels:
    """Pixels of images from all over the animation, (M, 3)."""
    count = len(plan.steps)
    places = np.linspace(0, count - 1, min(PALETTE_FRAMES, count)).round().astype(int)
    kept = []
    for frame in _each(recording, [plan.steps[place] for place in places]):
        clean = sheet.images(frame, plan.probes, plan.layout, grey=False)
        kept.append(clean[sheet.overlay(frame, plan.probes, plan.layout) == sheet.NOTHING])
    pixels = np.concatenate(kept)
    return pixels[:: max(1, len(pixels) // PALETTE_PIXELS)]
