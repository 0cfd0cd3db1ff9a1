"""A stranger's picture: read under limits, then fitted to what a network takes in.

What cannot be used is refused with a sentence that says why and what to do. Pixels are decoded
only after the header has said that there are not too many of them, and kept at `DETAIL` at most.
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
    check_blocks,
    check_file_size,
    cut_off,
    gif_images,
    identify_format,
    refusal,
    told_size,
)

MAX_SIDE = 65_535
"""What JPEG and GIF can say; a line of millions of pixels takes seconds to make smaller."""
MAX_EXIF = 128 * 1024
"""Bytes of EXIF in which an orientation is looked for; a JPEG's segment holds half of that."""
DETAIL = 512
"""Longest side that is kept, in pixels; more than any network here takes in."""

Pixels = NDArray[np.uint8]

# EXIF orientation, a value from 2 to 8 -> what turns the picture upright.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
ORIENTATION = 0x0112


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture, upright and opaque."""

    pixels: Pixels
    """(H, W, 3), the longer side at most `DETAIL`."""
    size: tuple[int, int]
    """(width, height) of the whole picture, upright."""
    notes: tuple[str, ...] = ()
    """What was done to it, as sentences."""


def decode(data: bytes) -> Picture:
    """Reads the first frame of a PNG, JPEG, WebP, GIF or BMP.

    EXIF orientation is applied. Transparent parts are shown on white, or on black where all that
    can be seen is light. Colour profiles are not applied.

    Raises:
        TooLarge: it has more than `MAX_PICTURE_BYTES` or `MAX_PICTURE_PIXELS`.
        PictureError: another format, or damaged, or cut off.
    """
    check_file_size(len(data))
    kind = identify_format(data)
    with warnings.catch_warnings():
        # Pillow warns of what is judged here anyway: sizes, and EXIF that cannot be read.
        warnings.simplefilter("ignore")
        try:
            return _read(kind, data)
        except StnscopeError:
            raise
        except Image.DecompressionBombError:
            raise _too_many_pixels("a giant size") from None
        except MemoryError:
            raise TooLarge(
                "The picture needs more memory than one picture may take. Save it smaller."
            ) from None
        # Pillow's readers answer damaged files with nearly every kind of exception there is.
        except Exception as error:
            raise refusal(_why_unreadable(kind, error)) from error


def _read(kind: str, data: bytes) -> Picture:
    notes = []
    # Opening a WebP makes its decoder take memory for the whole canvas.
    if (told := told_size(kind, data)) is not None:
        _check_size(*told)
    check_blocks(kind, data)
    image: Image.Image = Image.open(BytesIO(data), formats=(kind,))
    _check_size(*image.size)
    frames = gif_images(data) if kind == "GIF" else int(getattr(image, "n_frames", 1))
    if frames > 1 and kind != "JPEG":
        notes.append("It has several frames; the first one is used.")
    width, height = image.size
    if kind == "JPEG":
        # A JPEG can be decoded at 1/2, 1/4 or 1/8 for a fraction of the time.
        longer = max(width, height)
        image.draft(None, (-(-width * DETAIL // longer), -(-height * DETAIL // longer)))
    image.load()
    orientation = _orientation(image)
    small = _in_colour(image)
    small.thumbnail((DETAIL, DETAIL), reducing_gap=2.0)
    if orientation in UPRIGHT:
        small = small.transpose(UPRIGHT[orientation])
        notes.append("It was turned upright, as its EXIF orientation says.")
        if orientation >= 5:
            width, height = height, width
    if small.mode == "RGBA":
        small, ground = _opaque(small)
        notes.append(f"Its transparent parts are shown on {ground}.")
    return Picture(np.array(small), (width, height), tuple(notes))


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise refusal("Its header declares no pixels at all. Save the picture anew.")
    if width * height > MAX_PICTURE_PIXELS:
        raise _too_many_pixels(f"{width} x {height} pixels")
    if max(width, height) > MAX_SIDE:
        raise TooLarge(
            f"The picture's header declares {width} x {height} pixels; a side may have at most "
            f"{MAX_SIDE}. Crop it."
        )


def _orientation(image: Image.Image) -> int:
    if len(image.info.get("exif", b"")) > MAX_EXIF:
        return 1
    try:
        value = image.getexif().get(ORIENTATION, 1)
    except Exception:  # EXIF is written by anyone; a picture is not refused for it
        return 1
    return value if isinstance(value, int) else 1


def _in_colour(image: Image.Image) -> Image.Image:
    """As RGB, or RGBA where anything may show through."""
    if image.mode.startswith("I"):
        levels = np.asarray(image)
        grey = (levels.clip(0, 65535) // 257).astype(np.uint8)
        clear = image.info.get("transparency")
        bands = [Image.fromarray(grey)] * 3
        if isinstance(clear, int):
            bands.append(Image.fromarray(np.where(levels == clear, 0, 255).astype(np.uint8)))
        return Image.merge("RGBA" if len(bands) == 4 else "RGB", bands)
    if image.has_transparency_data:
        shown = image.convert("RGBA")
        if shown.getchannel("A").getextrema() != (255, 255):
            return shown
        image = shown
    return image.convert("RGB")


def _opaque(image: Image.Image) -> tuple[Image.Image, str]:
    """An RGBA image on the ground that shows it: white, or black where all is light."""
    pixels = np.asarray(image, dtype=np.float32)
    seen = pixels[..., 3]
    lightness = (pixels[..., :3].mean(axis=2) * seen).sum() / max(float(seen.sum()), 1.0)
    ground = "black" if lightness > 224 else "white"
    canvas = Image.new("RGB", image.size, ground)
    canvas.paste(image, mask=image.getchannel("A"))
    return canvas, ground


def _why_unreadable(kind: str, error: Exception) -> str:
    told = str(error).lower()
    if "truncated" in told or isinstance(error, EOFError):
        return str(cut_off())
    if "decompressed data too large" in told or "too much memory used in text" in told:
        return (
            f"This {kind} carries text that unpacks to more than is accepted. "
            "Save the picture without its metadata."
        )
    return f"This {kind} is damaged and cannot be decoded. Save the picture anew and send it again."


def _too_many_pixels(declared: str) -> TooLarge:
    return TooLarge(
        f"The picture's header declares {declared}; at most {MAX_PICTURE_PIXELS // 10**6} million "
        "pixels are read. Save it smaller."
    )
