"""Time to make a GIF of 100 photo frames, beside other programs on the same frames.

    python -m benchmarks.gif [--pairs 5] [--keep]

All write the same 472x264 pictures, alternately: Pillow and imageio with their defaults, ffmpeg
with a palette of the whole video, gifski with its default quality. Ours starts from the recording,
gifski from files, the others from finished RGB pictures. A program that is not installed has a row
with that note. `--keep` writes the rows to `benchmarks/results/gif.json`.
"""

import argparse
import json
import math
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from benchmarks._machine import machine
from benchmarks._photo import Pixels, photo
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.export import sheet
from stnscope.backend.experiment.export.animation import draw_frames
from stnscope.backend.experiment.export.gif import encode_gif
from stnscope.backend.experiment.export.options import ExportOptions, ReadableRecording
from stnscope.backend.experiment.export.plan import Plan, plan
from stnscope.backend.experiment.export.psnr import Psnr
from stnscope.backend.experiment.export.snapshot import Snapshot
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.recording.reader import Recording
from stnscope.backend.experiment.recording.writer import RecordingWriter, create
from stnscope.backend.version import VERSION

COUNT = 100
SIDE = 224
FPS = 20
DELAY = 1000 // FPS
"""Milliseconds of a frame."""
SIZE = (472, 264)
LIMIT = 1 / 30
RESULT = Path(__file__).with_name("results") / "gif.json"

Encode = Callable[[], bytes]
"""Makes a GIF."""


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


def pillow(pictures: list[Pixels], folder: Path) -> Encode:
    """Save with Pillow's default: a palette for each picture, dithered."""

    def encode() -> bytes:
        first, *others = (Image.fromarray(picture) for picture in pictures)
        buffer = BytesIO()
        first.save(buffer, "GIF", save_all=True, append_images=others, duration=DELAY, loop=0)
        return buffer.getvalue()

    return encode


def imageio(pictures: list[Pixels], folder: Path) -> Encode:
    """Save with imageio's default."""
    write, stack = import_module("imageio.v3").imwrite, np.stack(pictures)
    return lambda: cast(bytes, write("<bytes>", stack, extension=".gif", duration=DELAY, loop=0))


def ffmpeg(pictures: list[Pixels], folder: Path) -> Encode:
    """Save with ffmpeg's palette of the whole video, as its guides do."""
    size = f"{SIZE[0]}x{SIZE[1]}"
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", str(FPS), "-i", "-"]
    palette = "split[a][b];[a]palettegen[p];[b][p]paletteuse"
    command = ["ffmpeg", "-v", "error", *source, "-lavfi", palette, "-f", "gif", "-"]
    data = b"".join(picture.tobytes() for picture in pictures)
    return lambda: subprocess.run(command, input=data, capture_output=True, check=True).stdout


def gifski(pictures: list[Pixels], folder: Path) -> Encode:
    """Save with gifski's default quality, from PNG files."""
    names = [f"{folder}/{number:03}.png" for number in range(len(pictures))]
    for name, picture in zip(names, pictures, strict=True):
        Image.fromarray(picture).save(name, compress_level=0)
    target = folder / "out.gif"
    command = ["gifski", "--quiet", "--fps", str(FPS), "-W", str(SIZE[0]), "-o", str(target)]

    def encode() -> bytes:
        subprocess.run([*command, *names], check=True)
        return target.read_bytes()

    return encode


@dataclass(frozen=True)
class Program:
    """A program that makes GIFs of pictures."""

    prepare: Callable[[list[Pixels], Path], Encode]
    """Stores pictures as it takes them, in a folder if it must; returns what makes the GIF."""
    version: str | None
    """None if it is not installed."""
    how_to_install: str = ""


def command_version(*command: str) -> str | None:
    """Return the version that a command prints first, None if there is no such command."""
    if shutil.which(command[0]) is None:
        return None
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return printed.split("Copyright")[0].splitlines()[0].replace("version", "").strip()


def other_programs() -> Mapping[str, Program]:
    """Return the programs that ours is compared with, those that are not installed too."""
    imageio_version = f"imageio {version('imageio')}" if find_spec("imageio") else None
    return {
        "Pillow": Program(pillow, f"Pillow {version('pillow')}"),
        "imageio": Program(imageio, imageio_version, "pip install imageio"),
        "ffmpeg": Program(ffmpeg, command_version("ffmpeg", "-version"), "apt install ffmpeg"),
        "gifski": Program(
            gifski,
            command_version("gifski", "--version"),
            "gif.ski, or the binary in npm's package gifski, on PATH",
        ),
    }


@dataclass(frozen=True)
class Quality:
    """How near a GIF comes to the pictures that it was made of."""

    flicker: float
    """The share of pixels that change from one frame to the next though the pictures do not."""
    white_lost: float
    """The share of pixels of 255 in the pictures, those of dots and text, that are not 255."""
    colour_error: float
    """The mean difference of a channel, of 255 levels."""
    psnr: float
    """Decibels."""
    milliseconds: int
    """The duration of all frames."""


def quality(data: bytes, pictures: list[Pixels]) -> Quality:
    """Compare what a GIF shows at the time of each picture with that picture."""
    error, difference, flickering, constant, lost, white = Psnr(), 0, 0, 0, 0, 0
    shown = shown_at(data, [(number + 0.5) * DELAY for number in range(len(pictures))])
    before = None
    for number, (picture, pixels) in enumerate(zip(pictures, shown, strict=True)):
        error.add(picture, pixels)
        difference += int(np.abs(picture.astype(np.int16) - pixels).sum())
        is_white = (picture == 255).all(axis=2)
        white += int(is_white.sum())
        lost += int((is_white & (pixels != 255).any(axis=2)).sum())
        if before is not None:
            equal = (picture == pictures[number - 1]).all(axis=2)
            constant += int(equal.sum())
            flickering += int((equal & (pixels != before).any(axis=2)).sum())
        before = pixels
    return Quality(
        flicker=flickering / max(1, constant),
        white_lost=lost / max(1, white),
        colour_error=difference / sum(picture.size for picture in pictures),
        psnr=error.decibels,
        milliseconds=duration_of(data),
    )


def shown_at(data: bytes, times: list[float]) -> Iterator[Pixels]:
    """Yield what a GIF shows at some times, in rising order, in milliseconds."""
    with Image.open(BytesIO(data)) as image:
        number, end = 0, image.info["duration"]
        for at in times:
            while end <= at and number + 1 < image.n_frames:  # type: ignore[attr-defined]
                number += 1
                image.seek(number)
                end += image.info["duration"]
            yield np.array(image.convert("RGB"))


def duration_of(data: bytes) -> int:
    """Return the duration of all frames of a GIF, in milliseconds."""
    with Image.open(BytesIO(data)) as image:
        return sum(int(frame.info["duration"]) for frame in ImageSequence.Iterator(image))


def timed(make: Encode) -> tuple[float, bytes]:
    """Return the duration in seconds, and what was made."""
    start = time.perf_counter()
    data = make()
    return time.perf_counter() - start, data


Row = dict[str, Any]


def compare(recording: Recording, pairs: int) -> list[Row]:
    """Return a row for each program: medians and quartiles of interleaved runs."""
    cut = Snapshot(recording)
    chosen = plan_pictures(cut)
    pictures = [layers.flatten() for layers in draw_frames(cut, chosen)]
    others = other_programs()
    with ExitStack() as folders:
        encoders: dict[str, Encode] = {"ours": lambda: encode_gif(cut, chosen, ExportOptions())}
        for label, program in others.items():
            if program.version is not None:
                folder = Path(folders.enter_context(tempfile.TemporaryDirectory()))
                encoders[label] = program.prepare(pictures, folder)
        times: dict[str, list[float]] = {label: [] for label in encoders}
        made = {}
        for _ in range(pairs):
            for label, encode in encoders.items():
                duration, made[label] = timed(encode)
                times[label].append(duration)
    rows: list[Row] = []
    for label in ("ours", *others):
        if label not in encoders:
            rows.append({"program": label, "not_installed": others[label].how_to_install})
            continue
        ratios = [a / b for a, b in zip(times["ours"], times[label], strict=True)]
        rows.append(
            {
                "program": label,
                "version": VERSION if label == "ours" else others[label].version,
                "seconds": statistics.median(times[label]),
                "ours_to_this": statistics.quantiles(ratios, n=4),
                "bytes": len(made[label]),
                **asdict(quality(made[label], pictures)),
            }
        )
    return rows


def print_table(rows: list[Row]) -> None:
    """Print a table of rows."""
    head = f"{'':10}{'time':>8}{'bytes':>10}{'flicker':>9}{'white lost':>12}{'colour error':>14}"
    print(f"{head}{'PSNR':>9}{'duration':>11}  ours takes (quartiles)")
    for row in rows:
        if "not_installed" in row:
            print(f"{row['program']:10}not installed: {row['not_installed']}")
            continue
        cells = f"{row['program']:10}{row['seconds']:6.2f} s{row['bytes'] / 1024:6.0f} KiB"
        cells += f"{row['flicker']:9.2%}{row['white_lost']:12.2%}{row['colour_error']:14.2f}"
        cells += f"{row['psnr']:6.1f} dB{row['milliseconds'] / 1000:9.2f} s"
        low, middle, high = (1 / ratio for ratio in row["ours_to_this"])
        if row["program"] != "ours":
            cells += f"  1/{middle:.1f} (1/{low:.1f} to 1/{high:.1f})"
        print(cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--keep", action="store_true", help=f"write {RESULT.name}")
    options = parser.parse_args()
    result: dict[str, Any] = {
        "command": shlex.join(["python", "-m", "benchmarks.gif", *sys.argv[1:]]),
        "started": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "machine": machine(),
    }
    for name, moving in (("the region moves", False), ("the photo moves too", True)):
        with photos(moving) as recording:
            result[name] = compare(recording, options.pairs)
        print(
            f"GIF, {COUNT} photo frames of {SIZE[0]}x{SIZE[1]}, {COUNT * DELAY / 1000:g} s, {name}"
            f" (goal: 1/{1 / LIMIT:.0f} of the time of Pillow's):"
        )
        print_table(result[name])
    if options.keep:
        RESULT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
