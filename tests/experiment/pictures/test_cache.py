"""The cache of recently used pictures."""

from io import BytesIO

import pytest
from PIL import Image

from stnscope.backend.experiment.errors import NotFound, PictureError
from stnscope.backend.experiment.pictures.cache import PictureCache


def encode_png(value: int) -> bytes:
    buffer = BytesIO()
    Image.new("L", (4, 4), value).save(buffer, "PNG")
    return buffer.getvalue()


def test_same_picture_is_decoded_once() -> None:
    cache = PictureCache()
    key = cache.add(encode_png(3))
    first = cache.get(key)
    assert cache.add(encode_png(3)) == key
    assert cache.get(key) is first
    assert first.pixels[0, 0, 0] == 3


def test_least_recently_used_picture_is_removed() -> None:
    cache = PictureCache(size=2)
    first, second = cache.add(encode_png(1)), cache.add(encode_png(2))
    cache.get(first)
    third = cache.add(encode_png(3))
    with pytest.raises(NotFound, match="Upload it again"):
        cache.get(second)
    assert [cache.get(key).pixels[0, 0, 0] for key in (first, third)] == [1, 3]
    assert cache.add(encode_png(2)) == second


def test_invalid_picture_is_not_cached() -> None:
    cache = PictureCache(size=1)
    key = cache.add(encode_png(1))
    with pytest.raises(PictureError):
        cache.add(b"no picture")
    assert cache.get(key).pixels[0, 0, 0] == 1
