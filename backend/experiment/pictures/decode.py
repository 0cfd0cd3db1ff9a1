"""Decode an untrusted picture within limits. Without torch.

A picture that cannot be used is refused, with the reason and what to do. Pixels are decoded only
after the header has been checked, and reduced to `MAX_DECODED_SIDE`.
"""

import warnings
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stnscope.backend.experiment.errors import StnscopeError, TooLarge
from stnscope.backend.experiment.limits import MAX_PICTURE_PIXELS
from stnscope.backend.experiment.pictures.file_format import (
    check_file_size,
    check_structure,
    identify_format,
    picture_error,
    read_size,
    truncated_error,
)

MAX_PICTURE_SIDE = 65_535
"""The largest side of a JPEG or GIF. Reducing a line of millions of pixels takes seconds."""
MAX_EXIF_BYTES = 128 * 1024
"""EXIF data above this size is ignored; a JPEG's segment holds at most half of it."""
MAX_DECODED_SIDE = 512
"""Longer side of a decoded picture, in pixels; more than the input of any network here."""

Pixels = NDArray[np.uint8]

ORIENTATION_TAG = 0x0112
TRANSPOSES = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""The operation that makes a picture upright, by its EXIF orientation."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture, upright and opaque."""

    pixels: Pixels
    """(H, W, 3), the longer side at most `MAX_DECODED_SIDE`."""
    size: tuple[int, int]
    """(width, height) before it was reduced, upright."""
    notes: tuple[str, ...] = ()
    """What was changed, as sentences."""


def decode(data: bytes) -> Picture:
    """Decode the first frame of a PNG, JPEG, WebP, GIF or BMP.

    EXIF orientation is applied; colour profiles are not. Transparent parts become white, or black
    if the visible parts are light.

    Raises:
        TooLarge: it has more than `MAX_PICTURE_BYTES` or `MAX_PICTURE_PIXELS`.
        PictureError: it has another format, or is damaged or truncated.
    """
    check_file_size(len(data))
    file_format = identify_format(data)
    with warnings.catch_warnings():
        # Pillow warns of sizes, which are checked here, and of unreadable EXIF, which is ignored.
        warnings.simplefilter("ignore")
        try:
            return _decode(file_format, data)
        except StnscopeError:
            raise
        except Image.DecompressionBombError:
            raise _too_many_pixels("too many pixels") from None
        except MemoryError:
            raise TooLarge(
                "The picture needs more memory than is allowed for a picture. Save it smaller."
            ) from None
        # Pillow raises nearly every type of exception for damaged files.
        except Exception as error:
            raise picture_error(_explain(file_format, error)) from error


def _decode(file_format: str, data: bytes) -> Picture:
    notes = []
    # Checked before opening, because opening a WebP allocates memory for the whole canvas.
    if (size := read_size(file_format, data)) is not None:
        _check_size(*size)
    image: Image.Image = Image.open(BytesIO(data), formats=(file_format,))
    _check_size(*image.size)
    check_structure(file_format, data)
    # Further images in a JPEG are previews.
    if file_format != "JPEG" and getattr(image, "is_animated", False):
        notes.append("It has several frames; the first one is used.")
    width, height = image.size
    if file_format == "JPEG":
        # A JPEG can be decoded at 1/2, 1/4 or 1/8 of its size in a fraction of the time.
        # Rounded up in integers, so that it is not decoded at less than `MAX_DECODED_SIDE`.
        longer = max(width, height)
        reduced_width = -(-width * MAX_DECODED_SIDE // longer)
        reduced_height = -(-height * MAX_DECODED_SIDE // longer)
        image.draft(None, (reduced_width, reduced_height))
    image.load()
    orientation = _read_orientation(image)
    reduced = _to_rgb(image)
    reduced.thumbnail((MAX_DECODED_SIDE, MAX_DECODED_SIDE), reducing_gap=2.0)
    if orientation in TRANSPOSES:
        reduced = reduced.transpose(TRANSPOSES[orientation])
        notes.append("It was made upright according to its EXIF orientation.")
        if orientation >= 5:
            width, height = height, width
    if reduced.mode == "RGBA":
        reduced, background = _flatten(reduced)
        notes.append(f"Its transparent parts are shown on {background}.")
    return Picture(np.array(reduced), (width, height), tuple(notes))


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise picture_error("Its header declares no pixels. Save the picture again.")
    if width * height > MAX_PICTURE_PIXELS:
        raise _too_many_pixels(f"{width} x {height} pixels")
    if max(width, height) > MAX_PICTURE_SIDE:
        raise TooLarge(
            f"The picture's header declares {width} x {height} pixels; a side may have at most "
            f"{MAX_PICTURE_SIDE}. Crop it."
        )


def _read_orientation(image: Image.Image) -> int:
    if len(image.info.get("exif", b"")) > MAX_EXIF_BYTES:
        return 1
    try:
        value = image.getexif().get(ORIENTATION_TAG, 1)
    except Exception:  # damaged EXIF does not make a picture unusable
        return 1
    return value if isinstance(value, int) else 1


def _to_rgb(image: Image.Image) -> Image.Image:
    """Convert to RGB, or to RGBA if any pixel is transparent."""
    if image.mode.startswith("I"):
        levels = np.asarray(image)
        grey = (levels.clip(0, 65535) // 257).astype(np.uint8)
        transparent_level = image.info.get("transparency")
        bands = [Image.fromarray(grey)] * 3
        if isinstance(transparent_level, int):
            alpha = np.where(levels == transparent_level, 0, 255).astype(np.uint8)
            bands.append(Image.fromarray(alpha))
        return Image.merge("RGBA" if len(bands) == 4 else "RGB", bands)
    if image.has_transparency_data:
        converted = image.convert("RGBA")
        if converted.getchannel("A").getextrema() != (255, 255):
            return converted
        image = converted
    return image.convert("RGB")


def _flatten(image: Image.Image) -> tuple[Image.Image, str]:
    """Put an RGBA image on white, or on black if its visible parts are light."""
    pixels = np.asarray(image, dtype=np.float32)
    alpha = pixels[..., 3]
    lightness = (pixels[..., :3].mean(axis=2) * alpha).sum() / max(float(alpha.sum()), 1.0)
    background = "black" if lightness > 224 else "white"
    flattened = Image.new("RGB", image.size, background)
    flattened.paste(image, mask=image.getchannel("A"))
    return flattened, background


def _explain(file_format: str, error: Exception) -> str:
    """Return the message for an exception of Pillow's."""
    text = str(error).lower()
    if "truncated" in text or isinstance(error, EOFError):
        return str(truncated_error())
    if "decompressed data too large" in text or "too much memory used in text" in text:
        return (
            f"This {file_format} contains text that unpacks to more than is accepted. "
            "Save the picture without its metadata."
        )
    return f"This {file_format} is damaged and cannot be decoded. Save the picture again."


def _too_many_pixels(declared: str) -> TooLarge:
    return TooLarge(
        f"The picture's header declares {declared}; at most {MAX_PICTURE_PIXELS // 10**6} million "
        "pixels are accepted. Save it smaller."
    )
