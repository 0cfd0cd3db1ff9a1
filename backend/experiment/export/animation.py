"""Draw the frames of an animation: the images, and the overlay above them."""

from collections.abc import Iterator
from io import BytesIO
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stnscope.backend.experiment.export import sheet, stage
from stnscope.backend.experiment.export.options import Progress, ReadableRecording
from stnscope.backend.experiment.export.plan import Plan
from stnscope.backend.experiment.export.snapshot import compared_run
from stnscope.backend.experiment.progress import epoch_of, tenths_of

Pixels = NDArray[np.uint8]


class Layers(NamedTuple):
    """One frame of an animation."""

    images: Pixels
    """(H, W) if all are grey, else (H, W, 3)."""
    overlay: sheet.Overlay
    """(H, W), indices of `sheet.COLOURS`, `sheet.TRANSPARENT` where images are visible."""

    def flatten(self) -> Pixels:
        """Return the frame as it is seen, (H, W, 3)."""
        grey = self.images.ndim == 2
        pixels = np.repeat(self.images[..., None], 3, axis=2) if grey else self.images.copy()
        covered = self.overlay != sheet.TRANSPARENT
        pixels[covered] = sheet.COLOURS[self.overlay[covered]]
        return pixels

    def to_png(self) -> bytes:
        """Return the frame as a PNG file."""
        file = BytesIO()
        Image.fromarray(self.flatten()).save(file, "PNG")
        return file.getvalue()


def draw_frames(
    recording: ReadableRecording, plan: Plan, progress: Progress | None = None
) -> Iterator[Layers]:
    """Draw the frames of a plan in turn; `progress` is called after each was taken."""
    count = len(plan.frames)
    for number in range(count):
        yield draw_frame(recording, plan, number)
        if progress is not None:
            progress(number + 1, count)


def draw_frame(recording: ReadableRecording, plan: Plan, number: int) -> Layers:
    """Draw the frame of a plan with a number, from 0."""
    layers = _draw_run(recording, plan, number)
    if plan.compared is not None:
        other = _draw_run(compared_run(recording), plan.compared, number)
        layers = _join(layers, other)
    return layers


def _draw_run(recording: ReadableRecording, plan: Plan, number: int) -> Layers:
    key, layout = plan.frames[number], plan.layout
    frame = recording.frame(*key)
    if isinstance(layout, sheet.Layout):
        overlay = sheet.draw_overlay(frame, plan.probes, layout)
        images = sheet.draw_images(frame, plan.probes, layout, plan.is_grey)
    else:
        overlay = stage.draw_overlay(frame, plan.probes, layout, plan.trail(number))
        images = stage.draw_images(frame, plan.probes, layout, plan.is_grey)
        stage.draw_charts(overlay, layout, key.step)
    if plan.footer == "captions":
        assert isinstance(layout, sheet.Layout)
        sheet.draw_captions(overlay, layout)
    else:
        counter, details = _counter(key.step, plan.steps_per_epoch, plan.footer)
        sheet.draw_footer(overlay, counter, details, layout)
    if plan.width is None:
        return Layers(images, overlay)
    extra = plan.width - layout.size[0]
    return _pad(Layers(images, overlay), extra // 2, extra - extra // 2, 0)


def _pad(layers: Layers, left: int, right: int, below: int) -> Layers:
    """Return layers with background around them."""
    sides = ((0, below), (left, right))
    images = [*sides, (0, 0)] if layers.images.ndim == 3 else sides
    return Layers(
        np.pad(layers.images, images, constant_values=sheet.BACKGROUND),
        np.pad(layers.overlay, sides, constant_values=sheet.BACKGROUND),
    )


def _join(left: Layers, right: Layers) -> Layers:
    """Return two frames side by side."""
    height = max(len(left.overlay), len(right.overlay))
    both = [_pad(each, 0, 0, height - len(each.overlay)) for each in (left, right)]
    return Layers(
        np.concatenate([each.images for each in both], axis=1),
        np.concatenate([each.overlay for each in both], axis=1),
    )


def _counter(step: int, steps_per_epoch: int | None, footer: str) -> tuple[str, str]:
    """Return two texts: the tenths of the step's epoch, and the text beside them."""
    if steps_per_epoch is None:
        return f"step {step:,}", ""
    tenths = f"{tenths_of(step, steps_per_epoch)}/10"
    if footer == "tenths":
        return tenths, ""
    return tenths, f"epoch {epoch_of(step, steps_per_epoch)}, step {step:,}"
