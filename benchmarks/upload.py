"""Time from sending a picture to receiving the transformed Frame, over HTTP, for each format.

    python -m benchmarks.upload [--times 20]

The pictures have 12 megapixels and are as hard to decode as photographs. Each is below the 10 MB
that are accepted; for formats in which a photograph would be larger it is posterised.
"""

import argparse
import struct
import tempfile
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks._photo import Pixels, photo
from benchmarks._spread import summary
from stnscope.backend.experiment.limits import MAX_PICTURE_BYTES
from tests.live_server import Server, serve

SIZE = (3000, 4000)
"""Height and width: 12 megapixels."""
SOFTER = 1.5
DIGIT = Path(__file__).parents[1] / "dashboard" / "assets" / "examples" / "corner.png"
WARMING = 3
OTHER_FORMATS = "p95 below 1 s"


def pictures() -> Iterator[tuple[str, bytes, str]]:
    """Yield each picture's name, its file, and its goal."""
    digit = Image.open(DIGIT).convert("L").resize((28, 28))
    yield "PNG of 28x28", _saved(digit, "PNG"), "below 30 ms"
    sharp = Image.fromarray(photo(*SIZE))
    yield "12 MP JPEG", _saved(sharp, "JPEG", quality=85), "p95 below 250 ms"
    progressive = _saved(sharp, "JPEG", quality=85, progressive=True)
    yield "12 MP JPEG, progressive", progressive, "p95 below 250 ms"
    yield "12 MP WebP", _saved(sharp, "WEBP", quality=80, method=1), OTHER_FORMATS
    softer = photo(*SIZE, SOFTER)
    yield "12 MP PNG, posterised", _saved(_posterised(softer, 4), "PNG"), OTHER_FORMATS
    lossless = _saved(_posterised(softer, 8), "WEBP", lossless=True, quality=20, method=0)
    yield "12 MP WebP, lossless, posterised", lossless, OTHER_FORMATS
    indexed = Image.fromarray(softer).quantize(256, dither=Image.Dither.NONE)
    yield "12 MP GIF", _saved(indexed, "GIF"), OTHER_FORMATS
    few = Image.fromarray(softer).quantize(16, dither=Image.Dither.NONE)
    yield "12 MP BMP of 16 colours", _bitmap(few), OTHER_FORMATS


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _posterised(pixels: Pixels, step: int) -> Image.Image:
    return Image.fromarray(pixels // step * step)


def _bitmap(image: Image.Image) -> bytes:
    """Return an image of 16 colours and even width as a BMP of four bits a pixel."""
    indices = np.asarray(image)[::-1]
    height, width = indices.shape
    rows = (indices[:, ::2] << 4 | indices[:, 1::2]).astype(np.uint8)
    rows = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4)))
    colours = np.zeros((16, 4), dtype=np.uint8)
    colours[:, :3] = np.reshape((image.getpalette("RGB") or [])[:48], (16, 3))[:, ::-1]
    about = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 4, 0, rows.size, 0, 0, 16, 16)
    offset = 14 + len(about) + colours.size
    head = b"BM" + struct.pack("<IHHI", offset + rows.size, 0, 0, offset)
    return head + about + colours.tobytes() + rows.tobytes()


def send(server: Server, picture: bytes) -> float:
    """Return milliseconds from the request to the complete frame."""
    begin = time.perf_counter()
    server.http.post("/transform", files={"image": picture}).raise_for_status()
    return 1000 * (time.perf_counter() - begin)


def _renumbered(picture: bytes, number: int) -> bytes:
    """Return the same picture as a different file: the server caches those that it has received.

    Decoders do not read beyond a picture's end.
    """
    return picture + number.to_bytes(2, "big")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--times", type=int, default=20)
    times = parser.parse_args().times
    with (
        tempfile.TemporaryDirectory() as home,
        serve(Path(home), "--no-page", "--no-demonstration") as server,
    ):
        for name, picture, goal in pictures():
            assert len(picture) <= MAX_PICTURE_BYTES, f"{name}: {len(picture)} bytes"
            times_ms = [
                send(server, _renumbered(picture, index)) for index in range(WARMING + times)
            ][WARMING:]
            print(
                f"Upload to transformed Frame, {name}, {len(picture) / 1e6:.2g} MB: "
                f"{summary(times_ms)} (goal: {goal})",
                flush=True,
            )


if __name__ == "__main__":
    main()
