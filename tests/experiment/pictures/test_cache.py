"""Pictures that are kept for a while."""

from io import BytesIO

import pytest
from PIL import Image

from stnscope.backend.experiment.errors import NotFound, PictureError
from stnscope.backend.experiment.pictures.cache import PictureCache


def png(tone: int) -> bytes:
    buffer = BytesIO()
    Image.new("L", (4, 4), tone).save(buffer, "PNG")
    return buffer.getvalue()


def test_the_same_picture_is_decoded_once() -> None:
    held = PictureCache()
    key = held.take(png(3))
    first = held.find(key)
    assert held.take(png(3)) == key
    assert held.find(key) is first
    assert first.pixels[0, 0, 0] == 3


def test_what_has_lain_longest_makes_room() -> None:
    held = PictureCache(most=2)
    first, second = held.take(png(1)), held.take(png(2))
    held.find(first)
    third = held.take(png(3))
    with pytest.raises(NotFound, match="Put it in again"):
        held.find(second)
    assert [held.find(key).pixels[0, 0, 0] for key in (first, third)] == [1, 3]
    assert held.take(png(2)) == second


def test_what_is_no_picture_is_not_held() -> None:
    held = PictureCache(most=1)
    key = held.take(png(1))
    with pytest.raises(PictureError):
        held.take(b"no picture")
    assert held.find(key).pixels[0, 0, 0] == 1
