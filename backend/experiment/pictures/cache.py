"""A cache of recently used pictures, so that none is uploaded or decoded twice. Without torch."""

import hashlib
from collections import OrderedDict
from functools import lru_cache

from stnscope.backend.experiment.errors import PictureNotFound
from stnscope.backend.experiment.pictures.decode import Picture, decode
from stnscope.backend.experiment.pictures.fit import Fitted, Target, fit

MAX_PICTURES = 32
"""Number of cached pictures; a decoded one takes 0.8 MB at most."""
MAX_FITTED = 64
"""Number of cached fitted pictures."""


class PictureCache:
    """Decoded pictures by a hash of their files.

    Args:
        size: number of pictures; beyond it, the least recently used one is removed.
    """

    def __init__(self, size: int = MAX_PICTURES) -> None:
        self._size = size
        self._pictures: OrderedDict[str, Picture] = OrderedDict()

    def add(self, data: bytes) -> str:
        """Decode a picture's file, unless it is cached, and return its key.

        Raises:
            PictureError, TooLarge: as `pictures.decode.decode`.
        """
        key = hashlib.sha256(data).hexdigest()[:32]
        if key not in self._pictures:
            self._pictures[key] = decode(data)
        self._pictures.move_to_end(key)
        if len(self._pictures) > self._size:
            self._pictures.popitem(last=False)
        return key

    def fit_file(self, data: bytes, target: Target) -> tuple[str, Fitted]:
        """Decode a picture's file, unless it is cached, and fit it; return its key too.

        Raises:
            PictureError, TooLarge: as `pictures.decode.decode`.
        """
        key = self.add(data)
        return key, self.fit(key, target)

    def fit(self, key: str, target: Target) -> Fitted:
        """Fit the picture of a key, unless it is cached as it was fitted to the same target.

        Raises:
            PictureNotFound: it was never added, or has been removed since.
        """
        return _fit(self.get(key), target)

    def get(self, key: str) -> Picture:
        """Return the picture of a key.

        Raises:
            PictureNotFound: it was never added, or has been removed since.
        """
        if key not in self._pictures:
            raise PictureNotFound("This picture is no longer available. Upload it again.")
        self._pictures.move_to_end(key)
        return self._pictures[key]


@lru_cache(maxsize=MAX_FITTED)
def _fit(picture: Picture, target: Target) -> Fitted:
    return fit(picture, *target)
