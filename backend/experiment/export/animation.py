"""Draw the frames of an animation: the images, and the overlay above them."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stnscope.backend.experiment.export import sheet
from stnscope.backend.experiment.export.options import Progress, ReadableRecording
from stnscope.backend.experiment.export.plan import Plan
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


def draw_frames(
    recording: ReadableRecording, plan: Plan, progress: Progress | None = None
) -> Iterator[Layers]:
    """Draw the frames of a plan in turn; `progress` is called after each was taken."""
    per_epoch, count = recording.summary()["steps_per_epoch"], len(plan.frames)
    for number in range(count):
        yield draw_frame(recording, plan, number, per_epoch)
        if progress is not None:
            progress(number + 1, count)


def draw_frame(
    recording: ReadableRecording, plan: Plan, number: int, steps_per_epoch: int | None
) -> Layers:
    """Draw the frame of a plan with a number, from 0."""
    key, layout = plan.frames[number], plan.layout
    frame = recording.frame(*key)
    overlay = sheet.draw_overlay(frame, plan.probes, layout)
    if plan.footer == "captions":
        sheet.draw_captions(overlay, layout)
    else:
        counter, details = _counter(key.step, steps_per_epoch, plan.footer)
        sheet.draw_footer(overlay, counter, details, layout)
    return Layers(sheet.draw_images(frame, plan.probes, layout, plan.is_grey), overlay)


def _counter(step: int, steps_per_epoch: int | None, footer: str) -> tuple[str, str]:
    """Return two texts: the tenths of the step's epoch, and what stands beside them."""
    if steps_per_epoch is None:
        return f"step {step:,}", ""
    tenths = f"{tenths_of(step, steps_per_epoch)}/10"
    if footer == "tenths":
        return tenths, ""
    return tenths, f"epoch {epoch_of(step, steps_per_epoch)}, step {step:,}"
