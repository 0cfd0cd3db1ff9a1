"""Unusual pictures on a real server: each is transformed or refused with a reason."""

import struct
import subprocess
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import Image

from stnscope.backend.experiment.frames.frame import Frame
from tests.live_server import Server

ODD_IMAGES = Path(__file__).parents[3] / "shared" / "data" / "odd_images"
SHARED = sorted(path for path in ODD_IMAGES.glob("*") if path.name != "LIST.tsv")
# In kilobytes, beyond the memory while idle: the process keeps nothing of a picture.
MAX_GROWTH = 300_000


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, pixels: bytes, depth: int = 8, colour: int = 2) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(pixels, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, body) for kind, body in parts)


def with_chunks(data: bytes, *chunks: bytes) -> bytes:
    """Return a PNG with further chunks after its first."""
    return data[:33] + b"".join(chunks) + data[33:]


def with_scans(count: int) -> bytes:
    """A JPEG of 16 MP that repeats its last scan; decoding it would take 10 s."""
    data = encoded(Image.new("L", (LARGE, LARGE), 128), "JPEG", progressive=True)
    return data[:-2] + data[data.rindex(b"\xff\xda") : -2] * count + data[-2:]


@cache
def bomb() -> bytes:
    return zlib.compress(bytes(200_000_000), 9)


def with_orientation(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(DRAWING, "JPEG", exif=exif)


DRAWING = Image.new("RGB", (60, 40), "white")
DRAWING.paste("black", (25, 5, 32, 35))
PLAIN = encoded(DRAWING, "PNG")
PHOTO = encoded(DRAWING, "JPEG")
SEVERAL = [Image.new("RGB", (90, 90), (shade, 0, 0)) for shade in range(0, 250, 5)]
LARGE = 4000
GIF = b"GIF89a\1\0\1\0\0\0\0"

# Name -> (creates the file, whether it is transformed); created when sent, to save memory.
GENERATED: dict[str, tuple[Callable[[], bytes], bool]] = {
    "1 by 1": (lambda: encoded(Image.new("L", (1, 1)), "PNG"), True),
    "1 by 60,000": (lambda: encoded(Image.new("L", (1, 60_000)), "PNG"), True),
    "60,000 by 1": (lambda: encoded(Image.new("L", (60_000, 1)), "JPEG"), True),
    "1 by 9 million": (lambda: encoded(Image.new("1", (1, 9_000_000)), "PNG"), False),
    "16 MP, 16 bits, transparent": (
        lambda: png(LARGE, LARGE, (b"\0" + bytes(LARGE * 8)) * LARGE, depth=16, colour=6),
        True,
    ),
    "16 MP WebP": (
        lambda: encoded(Image.new("RGBA", (LARGE, LARGE)), "WEBP", lossless=True),
        True,
    ),
    "16 MP GIF": (lambda: encoded(Image.new("P", (LARGE, LARGE)), "GIF"), True),
    "16 MP CMYK": (lambda: encoded(Image.new("CMYK", (LARGE, LARGE)), "JPEG"), True),
    "palette, transparent": (lambda: encoded(Image.new("P", (9, 9)), "PNG", transparency=0), True),
    "grey, 16 bits": (lambda: encoded(Image.new("I;16", (9, 9), 999), "PNG"), True),
    "animated WebP": (
        lambda: encoded(SEVERAL[0], "WEBP", save_all=True, append_images=SEVERAL),
        True,
    ),
    "animated GIF": (
        lambda: encoded(SEVERAL[0], "GIF", save_all=True, append_images=SEVERAL),
        True,
    ),
    "animated PNG": (
        lambda: encoded(SEVERAL[0], "PNG", save_all=True, append_images=SEVERAL),
        True,
    ),
    "many photos in one": (
        lambda: encoded(DRAWING, "MPO", save_all=True, append_images=SEVERAL),
        True,
    ),
    **{f"orientation {n}": (partial(with_orientation, n), True) for n in (*range(1, 9), 0, 9)},
    "a kilometre by a kilometre": (lambda: png(2**31 - 1, 2**31 - 1, b""), False),
    "huge, of 100 bytes": (lambda: png(60_000, 60_000, b""), False),
    "zTXt bomb": (lambda: with_chunks(PLAIN, chunk(b"zTXt", b"Comment\0\0" + bomb())), False),
    "iTXt bomb": (lambda: with_chunks(PLAIN, chunk(b"iTXt", b"Comment\0\1\0\0\0" + bomb())), False),
    "iCCP bomb": (lambda: with_chunks(PLAIN, chunk(b"iCCP", b"profile\0\0" + bomb())), False),
    "pixels bomb": (lambda: png(9, 9, bytes(200_000_000)), True),
    "a million chunks": (lambda: with_chunks(PLAIN, chunk(b"teSt", b"") * 750_000), True),
    "huge EXIF": (lambda: with_chunks(PLAIN, chunk(b"eXIf", b"II*\0" + bytes(9_000_000))), True),
    "EXIF in a circle": (
        lambda: with_chunks(
            PLAIN,
            chunk(b"eXIf", b"II*\0\x08\0\0\0\1\0" + struct.pack("<HHIII", 0x8769, 4, 1, 8, 8)),
        ),
        True,
    ),
    "EXIF in 140 segments": (
        lambda: PHOTO[:2] + (b"\xff\xe1\xff\xffExif\0\0" + bytes(65_527)) * 140 + PHOTO[2:],
        True,
    ),
    "GIF of comments": (lambda: GIF + b"!\xfe\0" * 3_000_000 + b";", False),
    "GIF of a million images": (
        lambda: GIF + b",\0\0\0\0\1\0\1\0\0\x02\x02D\1\0" * 600_000 + b";",
        True,
    ),
    "JPEG of 2,000 scans": (lambda: with_scans(2000), False),
    "cut off": (lambda: PLAIN[:-20], False),
    "PNG called JPEG": (lambda: PLAIN, True),
    "PNG and ZIP at once": (lambda: PLAIN + b"PK\3\4" + bytes(1000), True),
    "JPEG with a script": (lambda: PHOTO[:2] + b"\xff\xfe\0\x0a<script>" + PHOTO[2:], True),
    "GIF and script at once": (lambda: b"GIF89a=1;alert(1)//" + bytes(40), False),
    "nothing": (lambda: b"", False),
    "a page": (lambda: b"<!doctype html><html>", False),
    "a program": (lambda: b"\x7fELF" + bytes(1000), False),
}


def inference_process(server: Server) -> tuple[int, int]:
    """Return the id of the server's inference process, and its memory in kilobytes."""
    assert server.process is not None
    listed = subprocess.run(
        ["ps", "-wwAo", "pid=,ppid=,rss=,args="], capture_output=True, text=True, check=True
    )
    rows = [line.split(None, 3) for line in listed.stdout.splitlines()]
    [(pid, _, memory, _)] = [
        row
        for row in rows
        if row[1] == str(server.process.pid)
        and "stnscope.backend.server.processes.inference_main" in row[-1]
    ]
    return int(pid), int(memory)


@pytest.fixture(scope="module")
def watched(server: Server) -> Iterator[Server]:
    """A server whose inference process is the same after the tests, and does not grow."""
    assert send(server, PLAIN).status_code == 200
    pid, before = inference_process(server)
    yield server
    assert send(server, PLAIN).status_code == 200
    pid_after, after = inference_process(server)
    assert pid_after == pid, "a picture ended the inference process"
    assert after - before < MAX_GROWTH


def send(server: Server, data: bytes, name: str = "picture.jpg") -> httpx.Response:
    return server.http.post("/transform", files={"image": (name, data)})


def is_frame(response: httpx.Response) -> bool:
    """Whether a response is a frame; else it must state what is wrong and what to do."""
    if response.status_code == 200:
        assert Frame.decode(response.content).tensors["probabilities"].shape == (1, 10)
        return True
    assert response.status_code in (413, 422), response.text
    assert response.headers["content-type"] == "application/problem+json"
    sentences = response.json()["detail"].split(". ")
    assert len(sentences) >= 2 or "; " in sentences[0], "the detail states what to do"
    assert sentences[-1].endswith(".")
    return False


@pytest.mark.parametrize("name", GENERATED)
def test_generated_picture_works_or_is_refused_with_a_reason(watched: Server, name: str) -> None:
    create, expected = GENERATED[name]
    assert is_frame(send(watched, create())) == expected


@pytest.mark.skipif(not SHARED, reason="the folder of odd images is not beside the checkout")
def test_shared_pictures_work_or_are_refused_with_a_reason(watched: Server) -> None:
    responses = {
        path.name: is_frame(send(watched, path.read_bytes(), path.name)) for path in SHARED
    }
    assert len(responses) == 48
    other_kinds = (".tif", ".tiff", ".ppm", ".pgm", ".psd", ".jp2")
    refused = {name for name, is_ok in responses.items() if not is_ok}
    assert refused == {name for name in responses if name.endswith(other_kinds)} | {
        "bmp__b__badwidth.bmp",
        "bmp__b__reallybig.bmp",
        "broken_data_stream.png",
        "decompression_bomb.gif",
        "png_decompression_dos.png",
        "truncated_end_chunk.png",
        "truncated_image.png",
        "unknown_compression_method.png",
    }


def test_server_responds_while_it_transforms_large_pictures(watched: Server) -> None:
    create, _ = GENERATED["16 MP, 16 bits, transparent"]
    slow = create()
    with ThreadPoolExecutor(4) as pool:
        pending = [pool.submit(send, watched, slow) for _ in range(3)]
        assert watched.http.get("/health").status_code == 200
        assert not all(response.done() for response in pending), (
            "the server responds while it transforms"
        )
        assert send(watched, PLAIN).status_code == 200
        assert all(is_frame(response.result()) for response in pending)
