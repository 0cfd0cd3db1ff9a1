"""Time to make a GIF of 100 photo frames, beside other programs on the same frames.

    python -m benchmarks.gif [--pairs 5]

All write the same 472x264 pictures, alternately. Ours starts from the recording; the others start
from finished RGB pictures. Of each: time, bytes, the share of pixels that flicker (they change
though the pictures do not), and the error of colours (PSNR). A program that is not installed is
left out: imageio, ffmpeg (its own, or that of imageio-ffmpeg), gifski.
"""

import argparse
import math
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks._photo import Pixels, photo
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.export import sheet
from stnscope.backend.experiment.export.animation import draw_frames
from stnscope.backend.experiment.export.cut import Cut
from stnscope.backend.experiment.export.gif import encode_gif
from stnscope.backend.experiment.export.options import ExportOptions, ReadableRecording
from stnscope.backend.experiment.export.plan import Plan, plan
from stnscope.backend.experiment.export.psnr import Psnr
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.recording.reader import Recording
from stnscope.backend.experiment.recording.writer import RecordingWriter, create

COUNT = 100
SIDE = 224
FPS = 20
SIZE = (472, 264)
LIMIT = 1 / 30

Encode = Callable[[list[Pixels]], bytes]


@contextmanager
def photos(moving: bool) -> Iterator[Recording]:
    """Record a run on one photo whose sampled region moves; if `moving`, the photo too."""
    picture = photo(SIDE + 2 * COUNT, SIDE + 2 * COUNT)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photos.stnscope"
        create(path, config=RunConfig(), steps_per_epoch=COUNT - 1)
        with RecordingWriter.open(path) as writer, writer.transaction():
            for step in range(COUNT):
                writer.add_frame(_frame(picture, step, moving), attempt=0, kept=True)
        with Recording.open(path) as recording:
            yield recording


def _frame(picture: Pixels, step: int, moving: bool) -> Frame:
    shift = step if moving else 0
    image = picture[shift : shift + SIDE, 2 * shift : 2 * shift + SIDE]
    corners = _region(step / COUNT)
    quadrilateral = corners[[0, 3, 2, 1]].ravel().tolist()
    output = Image.fromarray(image).transform(
        (SIDE, SIDE), Image.Transform.QUAD, quadrilateral, Image.Resampling.BILINEAR
    )
    info = {
        "protocol": 1,
        "step": step,
        "classes": ["photo"],
        "predicted": [0],
        "transformers": [{"name": "st", "family": "affine", "at": "input"}],
    }
    tensors = {
        "input": np.ascontiguousarray(image)[None],
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


def plan_pictures(recording: ReadableRecording) -> Plan:
    """Return the plan of the pictures: two photos side by side above a counter, 472x264."""
    chosen = plan(recording, ExportOptions(frames=COUNT, fps=FPS))
    layout = sheet.Layout(1.0, (SIDE, SIDE), ((SIDE, SIDE),), margin=sheet.GAP, rows=1)
    assert layout.size == SIZE
    return replace(chosen, layout=layout, footer="tenths")


def pillow(pictures: list[Pixels]) -> bytes:
    """Save with Pillow's default: a palette for each picture, dithered."""
    first, *others = (Image.fromarray(picture) for picture in pictures)
    buffer = BytesIO()
    first.save(buffer, "GIF", save_all=True, append_images=others, duration=1000 // FPS, loop=0)
    return buffer.getvalue()


def imageio(pictures: list[Pixels]) -> bytes:
    """Save with imageio's default."""
    made: bytes = import_module("imageio.v3").imwrite(
        "<bytes>", np.stack(pictures), extension=".gif", duration=1000 // FPS, loop=0
    )
    return made


def ffmpeg(program: str) -> Encode:
    """Save with ffmpeg's palette of the whole video, as its guides do."""
    size = f"{SIZE[0]}x{SIZE[1]}"
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", str(FPS), "-i", "-"]
    palette = "split[a][b];[a]palettegen[p];[b][p]paletteuse"
    command = [program, "-v", "error", *source, "-lavfi", palette, "-f", "gif", "-"]

    def encode(pictures: list[Pixels]) -> bytes:
        data = b"".join(picture.tobytes() for picture in pictures)
        return subprocess.run(command, input=data, capture_output=True, check=True).stdout

    return encode


def gifski(pictures: list[Pixels]) -> bytes:
    """Save with gifski, from PNG files that are not part of its time elsewhere either."""
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for number, picture in enumerate(pictures):
            names.append(f"{folder}/{number:03}.png")
            Image.fromarray(picture).save(names[-1], compress_level=0)
        target = f"{folder}/out.gif"
        command = ["gifski", "--quiet", "--fps", str(FPS), "-W", str(SIZE[0]), "-o", target]
        subprocess.run([*command, *names], check=True)
        return Path(target).read_bytes()


def others() -> Mapping[str, Encode]:
    """Return the other programs that are installed."""
    found: dict[str, Encode] = {"Pillow": pillow}
    if find_spec("imageio"):
        found["imageio"] = imageio
    program = shutil.which("ffmpeg")
    if program is None and find_spec("imageio_ffmpeg"):
        program = import_module("imageio_ffmpeg").get_ffmpeg_exe()
    if program is not None:
        found["ffmpeg"] = ffmpeg(program)
    if shutil.which("gifski"):
        found["gifski"] = gifski
    return found


def quality(data: bytes, pictures: list[Pixels]) -> tuple[float, float]:
    """Return the share of constant pixels that flicker, and the PSNR in decibels."""
    error, flickering, constant = Psnr(), 0, 0
    before = None
    with Image.open(BytesIO(data)) as image:
        for number in range(min(len(pictures), getattr(image, "n_frames", 1))):
            image.seek(number)
            shown = np.array(image.convert("RGB"))
            error.add(pictures[number], shown)
            if before is not None:
                equal = (pictures[number] == pictures[number - 1]).all(axis=2)
                constant += int(equal.sum())
                flickering += int((equal & (shown != before).any(axis=2)).sum())
            before = shown
    return flickering / max(1, constant), error.decibels


def timed(make: Callable[[], bytes]) -> tuple[float, bytes]:
    """Return the duration in seconds, and what was made."""
    start = time.perf_counter()
    data = make()
    return time.perf_counter() - start, data


def compare(name: str, recording: Recording, pairs: int) -> None:
    """Print a row for each program: medians and quartiles of interleaved runs."""
    cut = Cut(recording)
    chosen = plan_pictures(cut)
    pictures = [layers.flatten() for layers in draw_frames(cut, chosen)]
    programs: dict[str, Callable[[], bytes]] = {
        "ours": lambda: encode_gif(cut, chosen, ExportOptions())
    }
    for label, encode in others().items():
        programs[label] = lambda encode=encode: encode(pictures)  # type: ignore[misc]
    times: dict[str, list[float]] = {label: [] for label in programs}
    made = {}
    for _ in range(pairs):
        for label, make in programs.items():
            duration, made[label] = timed(make)
            times[label].append(duration)
    print(f"GIF, {COUNT} photo frames of {SIZE[0]}x{SIZE[1]}, {name}:")
    for label, durations in times.items():
        flicker, decibels = quality(made[label], pictures)
        row = f"  {label}: {statistics.median(durations):.2f} s, {len(made[label]) / 1024:.0f} KiB"
        row += f", {flicker:.2%} of constant pixels flicker, PSNR {decibels:.1f} dB"
        if label != "ours":
            ratios = [a / b for a, b in zip(times["ours"], durations, strict=True)]
            low, middle, high = statistics.quantiles(ratios, n=4)
            row += f"; ours takes 1/{1 / middle:.1f} (quartiles 1/{1 / high:.1f} to 1/{1 / low:.1f}"
            row += f", goal 1/{1 / LIMIT:.0f})" if label == "Pillow" else ")"
        print(row)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=5)
    pairs = parser.parse_args().pairs
    for name, moving in (("the region moves", False), ("the photo moves too", True)):
        with photos(moving) as recording:
            compare(name, recording, pairs)


if __name__ == "__main__":
    main()
