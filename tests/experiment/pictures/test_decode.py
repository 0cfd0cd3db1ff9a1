"""Pictures of every accepted format are decoded; all others are refused with a message."""

import struct
import warnings
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stnscope.backend.experiment.errors import PictureError, StnscopeError, TooLarge
from stnscope.backend.experiment.limits import MAX_PICTURE_BYTES
from stnscope.backend.experiment.pictures.decode import MAX_DECODED_SIDE, decode

ODD_IMAGES = Path(__file__).parents[4] / "shared" / "data" / "odd_images"

# Left half red, right half blue, 40 wide and 20 high.
TWO_HALVES = Image.new("RGB", (40, 20), "red")
TWO_HALVES.paste("blue", (20, 0, 40, 20))


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def noise(width: int = 80, height: int = 64) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_header(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + png_chunk(
        b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    )


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("JPEG", {"quality": 95, "subsampling": 0}),
        ("JPEG", {"quality": 95, "subsampling": 0, "progressive": True}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"quality": 95}),
        ("GIF", {}),
        ("BMP", {}),
    ],
)
def test_decode_accepts_each_format(kind: str, options: dict[str, object]) -> None:
    picture = decode(encode(TWO_HALVES, kind, **options))
    assert picture.pixels.shape == (20, 40, 3)
    assert picture.pixels.dtype == np.uint8
    assert picture.size == (40, 20)
    np.testing.assert_allclose(picture.pixels[10, 5], [255, 0, 0], atol=20)
    np.testing.assert_allclose(picture.pixels[10, 35], [0, 0, 255], atol=20)
    assert picture.notes == ()


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK"])
def test_decode_converts_each_mode(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    image = Image.new("L", (16, 16), 255)
    image.paste(0, (0, 0, 8, 16))
    picture = decode(encode(image.convert("RGB").convert(mode), kind))
    assert picture.pixels[8, 2].max() < 10
    assert picture.pixels[8, 13].min() > 245


def test_sixteen_bit_levels_are_scaled() -> None:
    levels = np.array([[0, 257 * 100, 65535]], dtype=np.uint16)
    picture = decode(encode(Image.fromarray(levels), "PNG"))
    assert picture.pixels[0, :, 0].tolist() == [0, 100, 255]


def test_sixteen_bit_transparent_level_becomes_white() -> None:
    levels = np.array([[0, 25700]], dtype=np.uint16)
    picture = decode(encode(Image.fromarray(levels), "PNG", transparency=25700))
    assert picture.pixels[0, :, 0].tolist() == [0, 255]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int) -> None:
    # What the camera stored for each orientation so that the picture upright is TWO_HALVES.
    stored = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    # A mark in the top left corner distinguishes the flips.
    upright = TWO_HALVES.copy()
    upright.paste("white", (0, 0, 8, 8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = upright if stored is None else upright.transpose(stored)
    picture = decode(encode(image, "JPEG", quality=95, subsampling=0, exif=exif))
    assert picture.size == (40, 20)
    np.testing.assert_allclose(picture.pixels[3, 3], [255, 255, 255], atol=20)
    np.testing.assert_allclose(picture.pixels[16, 3], [255, 0, 0], atol=20)
    np.testing.assert_allclose(picture.pixels[3, 36], [0, 0, 255], atol=20)
    assert bool(picture.notes) == (orientation != 1)


def test_transparent_parts_are_shown_on_white() -> None:
    image = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    image.paste((10, 20, 30, 255), (5, 5, 15, 15))
    picture = decode(encode(image, "PNG"))
    assert picture.pixels[0, 0].tolist() == [255, 255, 255]
    assert picture.pixels[10, 10].tolist() == [10, 20, 30]
    assert "on white" in picture.notes[0]


def test_light_drawing_on_transparency_is_shown_on_black() -> None:
    image = Image.new("RGBA", (20, 20), (255, 255, 255, 0))
    image.paste((255, 255, 255, 255), (5, 5, 15, 15))
    picture = decode(encode(image, "PNG"))
    assert picture.pixels[0, 0].tolist() == [0, 0, 0]
    assert picture.pixels[10, 10].tolist() == [255, 255, 255]
    assert "on black" in picture.notes[0]


@pytest.mark.parametrize("transparency", [0, bytes([0, 255])])
def test_palette_with_transparency(transparency: int | bytes) -> None:
    image = Image.new("P", (4, 4), 0)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((1, 1), 1)
    picture = decode(encode(image, "PNG", transparency=transparency))
    assert picture.pixels[0, 0].tolist() == [255, 255, 255]
    assert picture.pixels[1, 1].tolist() == [0, 0, 255]


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_first_of_several_frames_is_decoded(kind: str) -> None:
    red, green = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "lime")
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encode(red, kind, save_all=True, append_images=[green], duration=100, **options)
    picture = decode(data)
    assert picture.pixels[4, 4].tolist() == [255, 0, 0]
    assert "first one" in picture.notes[0]


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "GIF"])
def test_large_pictures_are_reduced(kind: str) -> None:
    image = TWO_HALVES.resize((4000, 2000), Image.Resampling.NEAREST)
    picture = decode(encode(image, kind))
    assert picture.size == (4000, 2000)
    assert picture.pixels.shape == (MAX_DECODED_SIDE // 2, MAX_DECODED_SIDE, 3)
    np.testing.assert_allclose(picture.pixels[128, 20], [255, 0, 0], atol=20)


def test_one_row_of_pixels_is_decoded() -> None:
    assert decode(encode(Image.new("L", (60_000, 1)), "PNG")).pixels.shape == (
        1,
        MAX_DECODED_SIDE,
        3,
    )


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("GIF", {}),
        ("BMP", {}),
    ],
)
@pytest.mark.parametrize("fraction", [0.02, 0.5, 0.98])
def test_truncated_file_is_refused(kind: str, options: dict[str, object], fraction: float) -> None:
    data = encode(noise(), kind, **options)
    with pytest.raises(PictureError, match=r"ends before|damaged"):
        decode(data[: int(len(data) * fraction)])


@pytest.mark.parametrize("missing", [1, 4, 12])
def test_png_without_its_last_chunk_is_refused(missing: int) -> None:
    with pytest.raises(PictureError, match="ends before"):
        decode(encode(noise(), "PNG")[:-missing])


def test_gif_truncated_in_a_later_frame_is_refused() -> None:
    data = encode(noise(), "GIF", save_all=True, append_images=[noise(80, 64).rotate(90)])
    with pytest.raises(PictureError, match="ends before"):
        decode(data[:-200])


def webp_header(first: bytes, body: bytes) -> bytes:
    chunk = first + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk


LARGE_SIDE = 16_000
BOMBS = {
    "png": png_header(LARGE_SIDE, LARGE_SIDE)
    + png_chunk(b"IDAT", zlib.compress(b""))
    + png_chunk(b"IEND", b""),
    "png, giant": png_header(2**31 - 1, 2**31 - 1) + png_chunk(b"IDAT", zlib.compress(b"")),
    "gif": b"GIF89a"
    + struct.pack("<HH", 65_000, 65_000)
    + b"\x00\x00\x00,\0\0\0\0\1\0\1\0\0\x08\x01\x00\x00;",
    "gif, first frame outside": b"GIF89a\x01\x00\x01\x00\x00\x00\x00,"
    + struct.pack("<HHHH", 0, 0, 65_000, 65_000)
    + b"\x00\x08\x01\x00\x00;",
    "bmp": b"BM"
    + struct.pack("<IHHI", 54, 0, 0, 54)
    + struct.pack("<IiiHHIIiiII", 40, LARGE_SIDE, LARGE_SIDE, 1, 24, 0, 0, 0, 0, 0, 0),
    "webp, extended": webp_header(
        b"VP8X", b"\0\0\0\0" + (LARGE_SIDE - 1).to_bytes(3, "little") * 2
    ),
    "webp, lossless": webp_header(
        b"VP8L", b"\x2f" + struct.pack("<I", 16_383 | 16_383 << 14) + bytes(8)
    ),
    "webp, lossy": webp_header(
        b"VP8 ", b"\x10\x00\x00\x9d\x01\x2a" + struct.pack("<HH", LARGE_SIDE, LARGE_SIDE) + bytes(8)
    ),
    "jpeg": b"\xff\xd8\xff\xc0\x00\x11\x08"
    + struct.pack(">HH", LARGE_SIDE, LARGE_SIDE)
    + b"\x03\x01\x11\x00\x02\x11\x00\x03\x11\x00\xff\xda\x00\x0c\x03\x01\0\x02\0\x03\0\0?\0",
}


@pytest.mark.parametrize("name", BOMBS)
def test_header_with_too_many_pixels_is_refused(name: str) -> None:
    with pytest.raises(TooLarge, match="16 million pixels are accepted"):
        decode(BOMBS[name])


def test_picture_just_over_the_pixel_limit_is_refused() -> None:
    with pytest.raises(TooLarge, match="4001 x 4000"):
        decode(encode(Image.new("1", (4001, 4000)), "PNG"))


def test_file_with_too_many_bytes_is_refused() -> None:
    with pytest.raises(TooLarge, match="at most 10 MB"):
        decode(encode(TWO_HALVES, "PNG") + bytes(MAX_PICTURE_BYTES))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"hello, this is text", "not a picture"),
        (bytes(1000), "not a picture"),
        (encode(TWO_HALVES, "TIFF"), "a TIFF"),
        (encode(TWO_HALVES, "PPM"), "a PNM"),
        (b"\0\0\0\x18ftypheic" + bytes(100), "HEIC"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><!-- made by a program --><svg width="1"/>', "SVG"),
        (b'<!DOCTYPE svg PUBLIC "x" "y"><svg/>', "SVG"),
        ("<svg >".encode("utf-16"), "SVG"),
        (b"<!DOCTYPE html><title>404</title>", "a web page"),
        (b'<?xml version="1.0"?><feed/>', "XML"),
        (b"\0\0\0\x1cftypavif" + bytes(100), "an AVIF"),
        (b"\0\0\0\x1cftypisom" + bytes(100), "a video"),
        (b"\xff\x0a" + bytes(100), "JPEG XL"),
        (b"\x1f\x8b\x08" + bytes(100), "gzipped"),
        (b"PK\x03\x04" + bytes(100), "a zip"),
        (b"%PDF-1.7", "PDF"),
        (b"\x89PNG\r\n\x1a\n", "ends before"),
        (b"BM", "BMP"),
        (b"GIF89a", "ends before"),
        (b"GIF89a" + bytes(7), "no pixels|GIF"),
        (b"\xff\xd8\xff", "JPEG"),
        (b"RIFF\x04\0\0\0WEBP", "ends before"),
        (webp_header(b"JUNK", bytes(40)), "not that of a WebP"),
        (png_header(0, 5) + png_chunk(b"IEND", b""), "no pixels|PNG"),
    ],
)
def test_file_that_is_no_picture_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(PictureError, match=message) as caught:
        decode(data)
    assert str(caught.value).endswith(".")
    assert caught.value.field == "image"


def with_frame_header(marker: int, bits: int) -> bytes:
    """Return a JPEG whose frame header has another marker, and other bits a sample."""
    data = bytearray(encode(TWO_HALVES, "JPEG"))
    at = data.index(b"\xff\xc0\x00\x11")
    data[at + 1], data[at + 4] = marker, bits
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (with_frame_header(0xC1, 12), "a JPEG with 12 bits a sample"),
        (with_frame_header(0xC3, 8), "a JPEG of a rare kind"),
        (with_frame_header(0xC9, 8), "a JPEG of a rare kind"),
        (with_frame_header(0xF7, 8), "JPEG-LS"),
        (
            b"\x89PNG\r\n\x1a\n" + png_chunk(b"CgBI", bytes(4)) + encode(TWO_HALVES, "PNG")[8:],
            "Apple's own format",
        ),
        (b"\x89PNG\r\n\x1a\n" + png_chunk(b"IEND", bytes(40)), "its header is missing"),
    ],
)
def test_variant_that_few_programs_read_is_named(data: bytes, message: str) -> None:
    with pytest.raises(PictureError, match=message):
        decode(data)


def test_text_that_unpacks_to_megabytes_is_refused() -> None:
    text = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(80_000_000), 9))
    data = encode(TWO_HALVES, "PNG")
    with pytest.raises(PictureError, match="without its metadata"):
        decode(data[:33] + text + data[33:])


BLOCKS = {
    "png": (lambda data, count: data[:33] + count * png_chunk(b"teSt", b"") + data[33:]),
    "gif": (lambda data, count: data[:13] + count * b"!\xfe\0" + data[13:]),
}


@pytest.mark.parametrize("kind", BLOCKS)
def test_file_of_many_empty_blocks_is_decoded(kind: str) -> None:
    image = Image.new("L", (3, 3))
    data = encode(image, kind)
    # A GIF's colour table comes before its first block.
    data = data if kind == "png" else b"GIF89a\3\0\3\0\0\0\0" + data[data.index(b",\0\0\0\0") :]
    assert decode(BLOCKS[kind](data, 100_000)).size == (3, 3)


def test_row_of_millions_of_pixels_is_refused() -> None:
    with pytest.raises(TooLarge, match="1 x 3000000 pixels; a side may have at most 65535"):
        decode(encode(Image.new("1", (1, 3_000_000)), "PNG"))


@pytest.mark.parametrize("entries", [1, 60_000])
def test_large_exif_is_ignored(entries: int) -> None:
    orientation = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)
    fields = orientation + b"".join(struct.pack("<HHII", 1, 7, 9, 8) for _ in range(1, entries))
    exif = b"II*\0\x08\0\0\0" + struct.pack("<H", entries) + fields + bytes(4)
    data = encode(TWO_HALVES, "PNG")
    picture = decode(data[:33] + png_chunk(b"eXIf", exif) + data[33:])
    assert picture.size == ((20, 40) if entries == 1 else (40, 20))


def test_jpeg_with_a_thousand_scans_is_refused() -> None:
    data = encode(Image.new("L", (64, 64), 128), "JPEG", progressive=True)
    scan = data[data.rfind(b"\xff\xda") : -2]
    assert decode(data[:-2] + 20 * scan + data[-2:]).size == (64, 64)
    with pytest.raises(PictureError, match="scans"):
        decode(data[:-2] + 1000 * scan + data[-2:])


def test_data_after_a_jpeg_is_ignored() -> None:
    data = encode(TWO_HALVES, "JPEG")
    assert decode(data + 200 * b"\xff\xda\x00\x02").size == (40, 20)


def test_first_photo_of_several_in_a_jpeg_is_decoded() -> None:
    data = encode(TWO_HALVES, "MPO", save_all=True, append_images=[noise()])
    assert decode(data).size == (40, 20)


def test_damaged_exif_is_ignored() -> None:
    exif = b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + bytes(20)
    picture = decode(encode(TWO_HALVES, "JPEG", exif=exif))
    assert picture.size == (40, 20)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP"])
def test_file_with_changed_bytes_is_decoded_or_refused(kind: str) -> None:
    data = encode(noise(24, 24), kind)
    generator = np.random.default_rng(1)
    refused = 0
    for _ in range(200):
        damaged = bytearray(data)
        for index in generator.integers(0, min(len(data), 400), size=3):
            damaged[index] = generator.integers(0, 256)
        try:
            pixels = decode(bytes(damaged)).pixels
        except StnscopeError:
            refused += 1
        else:
            assert max(pixels.shape) <= MAX_DECODED_SIDE
    assert refused > 0


def odd_images() -> list[Path]:
    return sorted(ODD_IMAGES.glob("*")) if ODD_IMAGES.is_dir() else []


@pytest.mark.skipif(not odd_images(), reason="the folder of odd images is not available")
@pytest.mark.parametrize("path", odd_images(), ids=lambda path: path.name)
def test_odd_images_are_decoded_or_refused(path: Path) -> None:
    damaged = (
        "broken_data_stream.png",
        "truncated_end_chunk.png",
        "truncated_image.png",
        "unknown_compression_method.png",
        "png_decompression_dos.png",
    )
    bombs = ("bmp__b__badwidth.bmp", "bmp__b__reallybig.bmp", "decompression_bomb.gif")
    other_format = path.suffix not in (".png", ".jpg", ".gif", ".bmp")
    data = path.read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if path.name in bombs:
            with pytest.raises(TooLarge):
                decode(data)
        elif other_format or path.name in damaged:
            with pytest.raises(PictureError, match=r"\.$"):
                decode(data)
        else:
            pixels = decode(data).pixels
            assert pixels.ndim == 3
            assert max(pixels.shape) <= MAX_DECODED_SIDE
