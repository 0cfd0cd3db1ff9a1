"""A picture's format, size and completeness, read from its file without decoding it. Without torch.

What a file can cost beyond these checks is bounded by the inference process's memory limit and
deadline.
"""

import re

from stnscope.backend.experiment.errors import PictureError, TooLarge
from stnscope.backend.experiment.limits import MAX_PICTURE_BYTES

MAX_JPEG_SCANS = 100
"""About ten are usual. Each passes over the whole picture: 700 kB of them take minutes to decode,
which would occupy the inference process until its deadline."""

SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"BM": "BMP",
}
"""First bytes of the accepted formats, besides WebP."""
REJECTED_SIGNATURES = {
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
"""First bytes of formats that error messages name."""
ACCEPTED_FORMATS = "PNG, JPEG, WebP, GIF and BMP"
HEADER_BYTES = 12
"""Bytes that `identify_format` needs."""

# Any marker except stuffed bytes and restart markers, which occur inside a scan.
NEXT_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]", re.DOTALL)
START_OF_SCAN, END_OF_IMAGE = b"\xff\xda", b"\xff\xd9"
GIF_IMAGE, GIF_EXTENSION = 0x2C, 0x21
PNG_END = b"IEND\xaeB`\x82"


def check_file_size(size: int) -> None:
    """Check that a file is neither empty nor too large.

    Args:
        size: in bytes.

    Raises:
        PictureError: it is empty.
        TooLarge: it has more than `MAX_PICTURE_BYTES`.
    """
    if not size:
        raise picture_error("The file is empty. Choose another picture.")
    if size > MAX_PICTURE_BYTES:
        raise TooLarge(
            f"The file has {size / 1e6:.1f} MB; at most {MAX_PICTURE_BYTES // 10**6} MB are "
            "accepted. Save the picture smaller, or as a JPEG."
        )


def identify_format(header: bytes) -> str:
    """Return the format of a file with these first bytes, as Pillow names it.

    Raises:
        PictureError: the format is not accepted; the text names it if it is known.
    """
    if header[:4] == b"RIFF" and header[8:12] == b"WEBP":
        return "WEBP"
    for signature, name in SIGNATURES.items():
        if header.startswith(signature):
            return name
    if header[4:8] == b"ftyp":
        description = "a HEIC, AVIF or video file"
    else:
        rejected = REJECTED_SIGNATURES.items()
        names = (name for signature, name in rejected if header.startswith(signature))
        description = next(names, "not a picture in a known format")
    raise picture_error(
        f"This is {description}. {ACCEPTED_FORMATS} are accepted; save the picture as one of them."
    )


def check_structure(file_format: str, data: bytes) -> None:
    """Check for damage that Pillow does not report, and for an excessive number of JPEG scans.

    Raises:
        PictureError: the file is truncated, or has more than `MAX_JPEG_SCANS`.
    """
    if file_format == "PNG" and PNG_END not in data:
        raise truncated_error()
    if file_format == "GIF":
        _check_gif_blocks(data)
    if file_format == "JPEG" and count_jpeg_scans(data) > MAX_JPEG_SCANS:
        raise picture_error(
            f"This JPEG has more than {MAX_JPEG_SCANS} scans. Save the picture again and send "
            "that file."
        )


def read_size(file_format: str, data: bytes) -> tuple[int, int] | None:
    """Return (width, height) from the file's header; None for JPEG and BMP.

    Raises:
        PictureError: the file is truncated, or has another header.
    """
    if file_format == "WEBP":
        return _read_webp_size(data)
    if file_format not in ("PNG", "GIF"):
        return None
    if len(data) < (33 if file_format == "PNG" else 13):
        raise truncated_error()
    if file_format == "PNG":
        return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    return int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")


def _read_webp_size(data: bytes) -> tuple[int, int]:
    """Return the canvas size from the first chunk (developers.google.com/speed/webp/docs)."""
    if len(data) < 30:
        raise truncated_error()
    chunk = data[12:16]
    if chunk == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if chunk == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 ":
        sides = int.from_bytes(data[26:28], "little"), int.from_bytes(data[28:30], "little")
        return sides[0] & 0x3FFF, sides[1] & 0x3FFF
    raise picture_error("Its header is not that of a WebP. Save the picture again.")


def _check_gif_blocks(data: bytes) -> None:
    """Check that a GIF does not end inside a block (www.w3.org/Graphics/GIF/spec-gif89a.txt).

    Raises:
        PictureError: it does.
    """
    at = 13 + _colour_table_bytes(data[10])
    while at < len(data) and data[at] in (GIF_IMAGE, GIF_EXTENSION):
        if data[at] == GIF_EXTENSION:
            at += 2
        elif at + 10 > len(data):
            raise truncated_error()
        else:
            at += 11 + _colour_table_bytes(data[at + 9])
        while at < len(data) and data[at]:
            at += data[at] + 1
        at += 1
        if at > len(data):
            raise truncated_error()


def _colour_table_bytes(flags: int) -> int:
    """Return the size of the colour table that these flags announce."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def count_jpeg_scans(data: bytes) -> int:
    """Return the number of scans in a JPEG (ITU-T T.81, annex B)."""
    scans, at = 0, 2
    while (marker := NEXT_MARKER.search(data, at)) and marker[0] != END_OF_IMAGE:
        scans += marker[0] == START_OF_SCAN
        # The length of a marker's segment follows the marker; a scan's data follows its segment.
        at = marker.end() + max(2, int.from_bytes(data[marker.end() : marker.end() + 2]))
    return scans


def truncated_error() -> PictureError:
    """Return the error for a file that ends too early."""
    return picture_error("The file ends before the picture does. Send it again, or save it again.")


def picture_error(detail: str) -> PictureError:
    """Return an error about the uploaded picture."""
    return PictureError(detail, field="image")
