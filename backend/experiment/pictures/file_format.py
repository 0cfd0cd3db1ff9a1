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
    b"II+\x00": "a TIFF",
    b"MM\x00+": "a TIFF",
    b"8BPS": "a Photoshop file",
    b"\x00\x00\x00\x0cjP": "a JPEG 2000",
    b"\xff\x4f\xff\x51": "a JPEG 2000",
    b"\xff\x0a": "a JPEG XL",
    b"\x00\x00\x00\x0cJXL": "a JPEG XL",
    b"%PDF": "a PDF",
    b"%!PS": "a PostScript file",
    b"\x00\x00\x01\x00": "an icon file",
    b"\x00\x00\x02\x00": "a cursor file",
    b"icns": "an icon file",
    b"qoif": "a QOI",
    b"DDS ": "a DDS texture",
    b"v/1\x01": "an OpenEXR",
    b"#?RADIANCE": "a Radiance HDR",
    b"gimp xcf": "a GIMP file",
    b"PK\x03\x04": "a zip",
    b"\x1f\x8b": "a gzipped file",
    b"RIFF": "a sound or video file",
    b"\x1aE\xdf\xa3": "a video file",
    **{b"P%d" % number: "a PNM" for number in range(1, 8)},
}
"""First bytes of formats that error messages name."""
REJECTED_TEXTS = {
    "an SVG drawing": re.compile(rb"<svg[\s>]|<!doctype\s+svg", re.IGNORECASE),
    "a web page": re.compile(rb"<html[\s>]|<!doctype\s+html", re.IGNORECASE),
    "an XML file": re.compile(rb"^\s*<\?xml", re.IGNORECASE),
}
"""What text files of markup contain near their start, behind comments and declarations."""
BRANDS = {
    b"avif": "an AVIF",
    b"avis": "an AVIF",
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"), "a HEIC"),
}
"""Formats of files with an `ftyp` box, by its brand; other ones are those of videos."""
ACCEPTED_FORMATS = "PNG, JPEG, WebP, GIF and BMP"
HEADER_BYTES = 512
"""Bytes that `identify_format` uses."""

# Any marker except stuffed bytes and restart markers, which occur inside a scan.
NEXT_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]", re.DOTALL)
START_OF_SCAN, END_OF_IMAGE = b"\xff\xda", b"\xff\xd9"
# Markers of frame headers: C0 to CF without DHT, JPG and DAC; and that of JPEG-LS.
LOSSLESS_JPEG_LS = 0xF7
JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {LOSSLESS_JPEG_LS}
USUAL_JPEG_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
"""Baseline, extended and progressive, with Huffman coding."""
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
    raise picture_error(
        f"This is {_describe_rejected(header[:HEADER_BYTES])}. {ACCEPTED_FORMATS} are accepted; "
        "save the picture as one of them."
    )


def _describe_rejected(header: bytes) -> str:
    """Return what a file is that is not accepted, from its first bytes."""
    if header[4:8] == b"ftyp":
        return BRANDS.get(header[8:12], "a video file")
    # The longest first, since some begin as others do.
    for signature in sorted(REJECTED_SIGNATURES, key=len, reverse=True):
        if header.startswith(signature):
            return REJECTED_SIGNATURES[signature]
    text = header.replace(b"\x00", b"")  # also if it is UTF-16
    for description, pattern in REJECTED_TEXTS.items():
        if pattern.search(text):
            return description
    return "not a picture in a known format"


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
        PictureError: the file is truncated, has another header, or is of a kind that few programs
            read.
    """
    if file_format == "JPEG":
        _check_jpeg_process(data)
    if file_format == "WEBP":
        return _read_webp_size(data)
    if file_format not in ("PNG", "GIF"):
        return None
    if len(data) < (33 if file_format == "PNG" else 13):
        raise truncated_error()
    if file_format == "PNG":
        _check_png_header(data)
        return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    return int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")


def _check_png_header(data: bytes) -> None:
    """Check that a PNG begins with its header, which has the size (www.w3.org/TR/png, 5.6)."""
    if data[12:16] == b"CgBI":
        raise picture_error(
            "This is a PNG in Apple's own format (CgBI), as it is inside apps for iPhones. Open it "
            "on a Mac or an iPhone and save it as an ordinary PNG."
        )
    if data[12:16] != b"IHDR":
        raise picture_error("This PNG is damaged: its header is missing. Save the picture again.")


def _check_jpeg_process(data: bytes) -> None:
    """Check that a JPEG has 8 bits a sample and a usual process (ITU-T T.81, B.2.2)."""
    frame = _find_jpeg_frame(data)
    if frame is None:
        return
    marker, bits = frame
    if marker == LOSSLESS_JPEG_LS:
        kind = "a lossless JPEG (JPEG-LS)"
    elif marker not in USUAL_JPEG_FRAMES:
        kind = "a JPEG of a rare kind, lossless or with arithmetic coding"
    elif bits != 8:
        kind = f"a JPEG with {bits} bits a sample"
    else:
        return
    raise picture_error(f"This is {kind}. Save the picture as an ordinary JPEG, with 8 bits.")


def _find_jpeg_frame(data: bytes) -> tuple[int, int] | None:
    """Return the marker of a JPEG's frame header and its bits a sample; None if there is none."""
    at = 2
    while (marker := NEXT_MARKER.search(data, at)) and marker[0] not in (
        START_OF_SCAN,
        END_OF_IMAGE,
    ):
        kind, after = marker[0][1], marker.end()
        if kind in JPEG_FRAMES and after + 2 < len(data):
            return kind, data[after + 2]
        at = after + max(2, int.from_bytes(data[after : after + 2]))
    return None


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
