"""Time to make a GIF of 100 photo frames, as a share of the time of Pillow's default.

    python -m benchmarks.gif [--pairs 5]

Both write the same 472x264 pictures, alternately. Ours starts from the recorded frames; Pillow
starts from finished RGB pictures and saves them with its default options.
"""

import argparse
import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks._photo import Pixels, photo
from stnscope.backend.experiment.export import sheet
from stnscope.backend.experiment.export.gif import encode_gif
from stnscope.backend.experiment.export.options import ExportOptions
from stnscope.backend.experiment.export.plan import Plan, plan
from stnscope.backend.experiment.frames.frame import Frame

COUNT = 100
SIDE = 224
FPS = 20
SIZE = (472, 264)
LIMIT = 1 / 15


@dataclass(frozen=True)
class Ref:
    """The step of a frame."""

    step: int
    lap: int | None = None
    moving: bool = False


class Photos:
    """A run on one photo whose sampled region moves; if `moving`, the photo too."""

    def __init__(self, moving: bool) -> None:
        picture = photo(SIDE + 2 * COUNT, SIDE + 2 * COUNT)
        self._frames = [_frame(picture, step, moving) for step in range(COUNT)]

    def summary(self) -> dict[str, Any]:
        return {
            "id": "photos",
            "steps_per_epoch": COUNT - 1,
            "config": {"seed": 0},
            "watched": False,
        }

    def frames(self) -> Sequence[Ref]:
        return [Ref(step) for step in range(COUNT)]

    def frame(self, step: int, lap: int | None = None) -> Frame:
        return self._frames[step]

    def sampled_metrics(self, points: int, after: int | None = None) -> dict[str, Any]:
        return {"step": []}


def _frame(picture: Pixels, step: int, moving: bool) -> Frame:
    shift = step if moving else 0
    image = picture[shift : shift + SIDE, 2 * shift : 2 * shift + SIDE]
    corners = _region(step / COUNT)
    quadrilateral = corners[[0, 3, 2, 1]].ravel().tolist()
    output = Image.fromarray(image).transform(
        (SIDE, SIDE), Image.Transform.QUAD, quadrilateral, Image.Resampling.BILINEAR
    )
    info = {"step": step, "transformers": [{"name": "st", "family": "affine", "at": "input"}]}
    tensors = {
        "input": image[None],
        "output.st": np.asarray(output)[None],
        "corners.st": corners[None].astype(np.float32),
    }
    return Frame(info, tensors)


def _region(done: float) -> NDArray[np.float64]:
    """Return corners that shrink, rotate and shift over time, in pixels."""
    turn, scale = 0.6 * done, 1 - 0.5 * done
    cos, sin = scale * math.cos(turn), scale * math.sin(turn)
    around = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) @ np.array([[cos, sin], [-sin, cos]])
    return np.asarray((around + 1) * SIDE / 2 + [12 * math.sin(9 * done), 0])


def plan_pictures(recording: Photos) -> Plan:
    """Return the plan of the pictures: two photos side by side above a counter, 472x264."""
    chosen = plan(recording, ExportOptions(frames=COUNT, fps=FPS))
    layout = sheet.Layout(1.0, (SIDE, SIDE), ((SIDE, SIDE),), margin=sheet.GAP, rows=1)
    assert layout.size == SIZE
    return replace(chosen, layout=layout, footer="tenths")


def finished_pictures(recording: Photos, chosen: Plan) -> list[Image.Image]:
    """Return the same pictures in full colour."""
    pictures = []
    for step, _ in chosen.frames:
        frame = recording.frame(step)
        over = sheet.draw_overlay(frame, chosen.probes, chosen.layout)
        sheet.draw_footer(over, f"{10 * step // (COUNT - 1)}/10", "", chosen.layout)
        clean = sheet.draw_images(frame, chosen.probes, chosen.layout, is_grey=False)
        pixels = np.where((over == sheet.TRANSPARENT)[..., None], clean, over[..., None])
        pictures.append(Image.fromarray(pixels.astype(np.uint8)))
    return pictures


def pillow(pictures: list[Image.Image]) -> bytes:
    """Save with Pillow's default: a palette for each picture, dithered."""
    buffer = BytesIO()
    pictures[0].save(
        buffer, "GIF", save_all=True, append_images=pictures[1:], duration=1000 // FPS, loop=0
    )
    return buffer.getvalue()


def timed(make: Callable[[], bytes]) -> tuple[float, int]:
    """Return the duration in seconds and the size in bytes."""
    start = time.perf_counter()
    size = len(make())
    return time.perf_counter() - start, size


def compare(name: str, recording: Photos, pairs: int) -> None:
    """Print one row: medians and quartiles of interleaved pairs."""
    chosen = plan_pictures(recording)
    pictures = finished_pictures(recording, chosen)
    ours, theirs = [], []
    for _ in range(pairs):
        ours.append(timed(lambda: encode_gif(recording, chosen)))
        theirs.append(timed(lambda: pillow(pictures)))
    ratios = [a[0] / b[0] for a, b in zip(ours, theirs, strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4)
    print(
        f"GIF, {COUNT} photo frames of {SIZE[0]}x{SIZE[1]}, {name}: "
        f"1/{1 / middle:.1f} of Pillow's default time (quartiles 1/{1 / high:.1f} to "
        f"1/{1 / low:.1f}, goal 1/{1 / LIMIT:.0f}); "
        f"{statistics.median(a[0] for a in ours):.2f} s and {ours[0][1] / 1024:.0f} KiB against "
        f"{statistics.median(b[0] for b in theirs):.2f} s and {theirs[0][1] / 1024:.0f} KiB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pairs", type=int, default=5)
    pairs = parser.parse_args().pairs
    compare("the region moves", Photos(moving=False), pairs)
    compare("the photo moves too", Photos(moving=True), pairs)


if __name__ == "__main__":
    main()
