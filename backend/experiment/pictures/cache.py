"""A cache of recently used pictures, so that none is uploaded or decoded twice. Without torch."""

import hashlib
from collections import OrderedDict

from stnscope.backend.experiment.errors import NotFound
from stnscope.backend.experiment.pictures.decode import Picture, decode

MAX_PICTURES = 32
"""Number of cached pictures; a decoded one takes 0.8 MB at most."""


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

    def get(self, key: str) -> Picture:
        """Return the picture of a key.

        Raises:
            NotFound: it was never added, or has been removed since.
        """
        if key not in self._pictures:
            raise NotFound("This picture is no longer available. Upload it again.")
        self._pictures.move_to_end(key)
        return self._pictures[key]
