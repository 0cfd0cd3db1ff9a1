"""A limit on the streams of one kind that may be open at once."""

from collections.abc import Iterator
from contextlib import contextmanager


class Slots:
    """Slots for streams.

    Args:
        limit: streams that may be open at once.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0

    @contextmanager
    def use(self) -> Iterator[bool]:
        """Use a slot inside this context; yield False if none is free.

        The slot is taken before anything is awaited, so that streams opened together share the
        limit.
        """
        is_free = self._used < self._limit
        self._used += is_free
        try:
            yield is_free
        finally:
            self._used -= is_free
