"""Select the frames and probes that an animation shows, and compute its layout and delays."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stnscope.backend.experiment.errors import Conflict, InvalidInput
from stnscope.backend.experiment.export import frame_selection, sheet, stage
from stnscope.backend.experiment.export.frame_selection import FrameKey
from stnscope.backend.experiment.export.options import (
    DEFAULTS,
    ExportOptions,
    ReadableRecording,
)
from stnscope.backend.experiment.export.snapshot import compared_run
from stnscope.backend.experiment.limits import MAX_EXPORT_FPS, MAX_EXPORT_SCALE, MIN_EXPORT_SCALE

MAX_PIXELS = 4_000_000
"""Pixels of one frame of the animation."""
LAST_FRAME_HUNDREDTHS = 150
"""Minimum duration of the last frame of an evolution without `fps`."""
TENTHS = 11
"""Frames of an evolution: before training, and after each tenth of the first epoch."""
LARGE = 288
"""Longer side of the image of a single probe, in pixels at scale 1."""
TRAIL_FRAMES = 32
"""Frames of a trail; on the page MAX_STEPS of dashboard/assets/playback/trail-steps.js."""
CHART_POINTS = 400
CHART_TITLES = {
    "loss": "Loss",
    "accuracy": "Accuracy",
    "stillness": "Stillness",
    "learning_rate": "Learning rate",
}
HALVINGS = 12
"""Halvings of the range in which the scale for a width is searched."""

Footer = Literal["tenths", "steps", "captions"]
Layout = sheet.Layout | stage.StageLayout
Corners = Mapping[str, NDArray[np.float64]]
"""Corners by transformer, (N, 4, 2)."""


@dataclass(frozen=True)
class Plan:
    """The content and layout of an animation."""

    frames: list[FrameKey]
    delays: list[int]
    """Duration of each frame in hundredths of a second."""
    probes: list[int]
    """Indices of the probes, one for each row or tile."""
    layout: Layout
    is_grey: bool
    """Whether all images are grey; then their levels are exact."""
    fps: float | None
    """Frames per second where all have the same duration but for rounding; else None."""
    steps_per_epoch: int | None
    footer: Footer
    """A counter of tenths, a counter with epoch and step, or the names of the columns.

    If the length of an epoch is unknown, both counters have the step alone.
    """
    corners: Sequence[Corners] = ()
    """The corners in each frame; for trails."""
    width: int | None = None
    """Width of a frame in pixels, where it is given; what the layout leaves is background."""
    compared: "Plan | None" = None
    """The plan of a second run, drawn on the right; its steps are at or before the same ones."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of a frame, in pixels."""
        width, height = self.layout.size
        width = self.width or width
        if self.compared is None:
            return width, height
        other_width, other_height = self.compared.size
        return width + other_width, max(height, other_height)

    @property
    def seconds(self) -> float:
        """The duration of all frames."""
        return sum(self.delays) / 100

    @property
    def colours(self) -> Sequence[int]:
        """The values of the overlay that are colours."""
        if isinstance(self.layout, sheet.Layout):
            return (sheet.FIRST,)
        return range(sheet.FIRST, len(sheet.COLOURS))

    def part(self, first: int, count: int) -> "Plan":
        """Return the plan of some frames in a row."""
        of = slice(first, first + count)
        return replace(
            self,
            frames=self.frames[of],
            delays=self.delays[of],
            corners=self.corners[of],
            compared=self.compared and self.compared.part(first, count),
        )

    def trail(self, number: int) -> stage.CornerTrails:
        """Return the corners of a frame and of those before it, in the last epoch at most."""
        since = self.frames[number].step - (self.steps_per_epoch or math.inf)
        numbers = range(max(0, number - TRAIL_FRAMES + 1), number + 1)
        kept = [self.corners[each] for each in numbers if self.frames[each].step >= since]
        return {name: [corners[name] for corners in kept] for name in kept[-1]}


def plan(recording: ReadableRecording, options: ExportOptions) -> Plan:
    """Select frames and probes, and compute the layout; raises the same errors as `export`."""
    footer, selected = _select_frames(recording, options)
    chosen = _plan_frames(recording, options, selected, footer)
    if options.compare is not None:
        steps = [FrameKey(key.step) for key in selected]
        other = _plan_frames(compared_run(recording), options, steps, footer)
        is_grey = chosen.is_grey and other.is_grey
        chosen = replace(chosen, compared=replace(other, is_grey=is_grey), is_grey=is_grey)
    _check_size(chosen)
    return chosen


def _select_frames(
    recording: ReadableRecording, options: ExportOptions
) -> tuple[Footer, list[FrameKey]]:
    if options.layout == "moving":
        return "captions", _select_moving(recording, options)
    has_range = (options.first, options.last, options.frames) != (None, None, None)
    if options.layout == "evolution" and not has_range:
        return "tenths", _select_evolution(recording)
    return "steps", frame_selection.select_range(recording.frames(), options)


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


def _plan_frames(
    recording: ReadableRecording,
    options: ExportOptions,
    selected: list[FrameKey],
    footer: Footer,
) -> Plan:
    # The last frame has the most probes, because pictures can be added to them.
    last = recording.frame(*selected[-1])
    probes = select_probes(options, len(last.tensors["input"]))
    regions = _read_regions(recording, selected, probes)
    charts = _read_charts(recording, options, selected)

    def layout_at(scale: float) -> Layout:
        if options.layout in ("stage", "one"):
            side = sheet.TILE if options.layout == "stage" else LARGE
            layers = frozenset(options.layers.split(","))
            return stage.compute_layout(last, len(probes), scale, side, layers, charts)
        return sheet.compute_layout(last, len(probes), scale, regions.overshoot)

    width = options.width
    if width is not None and options.compare is not None:
        width //= 2
    fps = _frame_rate(options, len(selected))
    return Plan(
        selected,
        _delays(len(selected), fps, footer),
        probes,
        layout_at(_scale(options, width, layout_at)),
        last.tensors["input"].shape[3] == 1,
        fps,
        recording.summary()["steps_per_epoch"],
        footer,
        regions.corners,
        width,
    )


def select_probes(options: ExportOptions, count: int) -> list[int]:
    """Return the indices of the options' probes.

    Args:
        options: of the export.
        count: probes of the run.

    Raises:
        InvalidInput: the run has no such probe; has the field.
    """
    if options.probes is not None:
        selected = [int(index) for index in options.probes.split(",")]
        if max(selected) >= count:
            raise InvalidInput(f"The run has {count} probes, 0 to {count - 1}.", "probes")
        if options.layout == "one" and len(selected) > 1:
            raise InvalidInput("This layout shows one probe; choose one.", "probes")
        return selected
    if options.samples is not None and options.samples > count:
        raise InvalidInput(f"The run has only {count} probes.", "samples")
    if options.layout == "one":
        return [0]
    return list(range(options.samples or min(DEFAULTS.samples[options.layout], count)))


class _Regions(NamedTuple):
    overshoot: float
    """The largest distance of a corner outside the input, in its pixels."""
    corners: list[Corners]


def _read_regions(
    recording: ReadableRecording, selected: Sequence[FrameKey], probes: Sequence[int]
) -> _Regions:
    """Read the regions of all frames; a probe that is not in a frame yet has none."""
    overshoot, corners = 0.0, list[Corners]()
    for key in selected:
        frame = recording.frame(*key)
        overshoot = max(overshoot, sheet.overshoot(frame, probes))
        regions = {}
        for name in frame.transformers:
            known = frame.tensors[f"corners.{name}"]
            regions[name] = np.full((len(probes), 4, 2), np.nan)
            for row, probe in enumerate(probes):
                if probe < len(known):
                    regions[name][row] = known[probe]
        corners.append(regions)
    return _Regions(overshoot, corners)


def _read_charts(
    recording: ReadableRecording, options: ExportOptions, selected: Sequence[FrameKey]
) -> tuple[stage.Chart, ...]:
    """Return the charts of an export, over the steps that it shows."""
    if options.charts is None:
        return ()
    first, last = selected[0].step, selected[-1].step
    columns = recording.sampled_metrics(CHART_POINTS, first - 1)
    charts = []
    for name in options.charts.split(","):
        rows = [
            (step, value)
            for step, value in zip(columns["step"], columns[name], strict=True)
            if value is not None and step <= last
        ]
        if rows:
            steps, values = zip(*rows, strict=True)
            charts.append(stage.Chart(CHART_TITLES[name], steps, values))
    return tuple(charts)


def _scale(
    options: ExportOptions, width: int | None, layout_at: Callable[[float], Layout]
) -> float:
    """Return the scale, or the largest whose layout is at most as wide as given."""
    if width is None:
        return options.scale
    if options.scale != DEFAULTS.scale:
        raise InvalidInput("Give either a scale or a width.", "width")
    low, high = float(MIN_EXPORT_SCALE), float(MAX_EXPORT_SCALE)
    narrowest, widest = layout_at(low).size[0], layout_at(high).size[0]
    if not narrowest <= width <= widest:
        raise InvalidInput(f"This export can be {narrowest} to {widest} pixels wide.", "width")
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if layout_at(middle).size[0] <= width:
            low = middle
        else:
            high = middle
    return low


def _frame_rate(options: ExportOptions, count: int) -> float | None:
    if options.seconds is None:
        return options.fps
    if options.fps is not None:
        raise InvalidInput("Give either frames per second or seconds.", "seconds")
    if count / options.seconds > MAX_EXPORT_FPS:
        raise InvalidInput(
            f"{count} frames take at least {count / MAX_EXPORT_FPS:g} seconds; choose fewer "
            "frames or more seconds.",
            "seconds",
        )
    return count / options.seconds


def _check_size(chosen: Plan) -> None:
    width, height = chosen.size
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
