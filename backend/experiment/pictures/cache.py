"""Pictures that were put in lately, by their content, so that none is sent or decoded again.

Without torch.
"""

import hashlib
from collections import OrderedDict

from stnscope.backend.experiment.errors import NotFound
from stnscope.backend.experiment.pictures.decode import Picture, decode

MOST_HELD = 32
"""Pictures that are kept: a decoded one takes 0.8 MB at most."""


class PictureCache:
    """The pictures that were used last.

    Args:
        most: how many are kept; then the one that has lain longest goes.
    """

    def __init__(self, most: int = MOST_HELD) -> None:
        self._most = most
        self._pictures: OrderedDict[str, Picture] = OrderedDict()

    def take(self, data: bytes) -> str:
        """Decodes a picture's file, unless it is held already; its key.

        Raises:
            PictureError, TooLarge: what `pictures.decode.decode` raises.
        """
        key = hashlib.sha256(data).hexdigest()[:32]
        if key not in self._pictures:
            self._pictures[key] = decode(data)
        self._pictures.move_to_end(key)
        if len(self._pictures) > self._most:
            self._pictures.popitem(last=False)
        return key

    def find(self, key: str) -> Picture:
        """The picture of that key.

        Raises:
            NotFound: it was never put in, or has made room for others since.
        """
        if key not in self._pictures:
            raise NotFound("This picture is not at hand any more. Put it in again.")
        self._pictures.move_to_end(key)
        return self._pictures[key]
