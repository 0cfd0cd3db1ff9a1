"""What a picture's file is made of, read without decoding any of it.

Readers work through a file block by block, and trust what each says; a file of nothing but blocks
would keep them busy for long.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from stnscope.backend.experiment.errors import PictureError, TooLarge
from stnscope.backend.experiment.limits import MAX_PICTURE_BYTES

MOST_SCANS = 100
"""Of a progressive JPEG; each goes over the whole picture, and some ten are usual."""
MOST_BLOCKS = 20_000
"""Of a PNG or GIF; a photo of 10 MB, in pieces of a kilobyte each, has half as many."""

READ_HERE = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"BM": "BMP",
}
# Recognised so that the refusal can name them.
NOT_READ_HERE = {
    b"II*\x00": "a TIFF",
    b"MM\x00*": "a TIFF",
    b"8BPS": "a Photoshop file",
    b"\x00\x00\x00\x0cjP": "a JPEG 2000",
    b"\xff\x4f\xff\x51": "a JPEG 2000",
    b"%PDF": "a PDF",
    b"<svg": "an SVG drawing",
    b"<?xml": "an XML file",
    b"\x00\x00\x01\x00": "an icon file",
    **{b"P%d" % number: "a PNM" for number in range(1, 8)},
}
ACCEPTED_FORMATS = "PNG, JPEG, WebP, GIF and BMP"
HEADER_BYTES = 12
"""Bytes at a file's start that tell its kind."""

# Neither a stuffed byte nor a restart inside a scan.
NEXT_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]", re.DOTALL)
IMAGE, EXTENSION = 0x2C, 0x21
PNG_END = b"IEND\xaeB`\x82"


def check_file_size(count: int) -> None:
    """Refuses a file of no bytes, or of too many.

    Raises:
        PictureError: it is empty.
        TooLarge: it has more than `MAX_PICTURE_BYTES`.
    """
    if not count:
        raise refusal("The file is empty. Choose another picture.")
    if count > MAX_PICTURE_BYTES:
        raise TooLarge(
            f"The file has {count / 1e6:.1f} MB; at most {MAX_PICTURE_BYTES // 10**6} MB are read. "
            "Save the picture smaller, or as a JPEG."
        )


def identify_format(head: bytes) -> str:
    """The format of a picture whose file starts so, as Pillow names it.

    Raises:
        PictureError: it is none that is read here; says what it is instead.
    """
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    for magic, kind in READ_HERE.items():
        if head.startswith(magic):
            return kind
    if head[4:8] == b"ftyp":
        named = "a HEIC, AVIF or video file"
    else:
        found = (name for magic, name in NOT_READ_HERE.items() if head.startswith(magic))
        named = next(found, "not a picture in a known format")
    raise refusal(f"This is {named}. {ACCEPTED_FORMATS} are read; save the picture as one of them.")


def check_blocks(kind: str, data: bytes) -> None:
    """Refuses a file that is cut off, or made of absurdly many parts.

    Raises:
        PictureError: so it is.
    """
    if kind == "PNG":
        _check_count(png_chunks(data))
        if PNG_END not in data:
            raise cut_off()
    elif kind == "GIF":
        _check_count(gif_blocks(data))
    elif kind == "JPEG" and jpeg_scans(data) > MOST_SCANS:
        raise refusal(
            "This JPEG is stored in an absurd number of passes. Save the picture anew and send it "
            "again."
        )


def _check_count(blocks: Iterator[int]) -> None:
    number = 0
    # A file that ends too early may also be too large, which is told first.
    with suppress(PictureError):
        number = sum(1 for _ in islice(blocks, MOST_BLOCKS + 1))
    if number > MOST_BLOCKS:
        raise refusal(
            "This file is made of an absurd number of small parts. Save the picture anew, without "
            "its metadata."
        )


def png_chunks(data: bytes) -> Iterator[int]:
    """Where each chunk of a PNG stands (www.w3.org/TR/png, 5.3)."""
    place = 8
    while place + 8 <= len(data):
        yield place
        place += 12 + int.from_bytes(data[place : place + 4])


def told_size(kind: str, data: bytes) -> tuple[int, int] | None:
    """(width, height) as the first header has it; None where only a reader can tell.

    Raises:
        PictureError: the file ends before that, or begins with something else.
    """
    if kind == "WEBP":
        return _webp_size(data)
    if kind not in ("PNG", "GIF"):
        return None
    if len(data) < (33 if kind == "PNG" else 13):
        raise cut_off()
    if kind == "PNG":
        return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    return int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")


def _webp_size(data: bytes) -> tuple[int, int]:
    """Canvas size from the first chunk's header (developers.google.com/speed/webp/docs)."""
    if len(data) < 30:
        raise cut_off()
    first = data[12:16]
    if first == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if first == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if first == b"VP8 ":
        sides = int.from_bytes(data[26:28], "little"), int.from_bytes(data[28:30], "little")
        return sides[0] & 0x3FFF, sides[1] & 0x3FFF
    raise refusal("Its header is not that of a WebP. Save the picture anew.")


def gif_images(data: bytes) -> int:
    """How many images a GIF has; Pillow would have to seek through all of them."""
    return sum(data[place] == IMAGE for place in gif_blocks(data))


def gif_blocks(data: bytes) -> Iterator[int]:
    """Where each image or extension of a GIF stands (GIF89a, 15-26).

    Raises:
        PictureError: the file ends inside one.
    """
    place = 13 + _gif_table(data[10])
    while place < len(data) and data[place] in (IMAGE, EXTENSION):
        yield place
        if data[place] == EXTENSION:
            place += 2
        elif place + 10 > len(data):
            raise cut_off()
        else:
            place += 11 + _gif_table(data[place + 9])
        while place < len(data) and data[place]:
            place += data[place] + 1
        place += 1
        if place > len(data):
            raise cut_off()


def _gif_table(flags: int) -> int:
    """Bytes of the colour table that these flags announce."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def jpeg_scans(data: bytes) -> int:
    """How often a decoder goes over the whole picture (ITU-T T.81, annex B)."""
    scans, place = 0, 2
    while (marker := NEXT_MARKER.search(data, place)) and marker[0] != b"\xff\xd9":
        scans += marker[0] == b"\xff\xda"
        # The length of what belongs to a marker follows it; a scan's pixels come after that.
        place = marker.end() + max(2, int.from_bytes(data[marker.end() : marker.end() + 2]))
    return scans


def cut_off() -> PictureError:
    return refusal("The file ends before the picture does. Send it again, or save it anew.")


def refusal(detail: str) -> PictureError:
    return PictureError(detail, field="image")
