"""Results that concurrent requests share."""

from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedResults(Generic[T]):
    """Computes one result for all threads that wait for it.

    A result is never older than a request: each thread gets one whose computation began after its
    request. So any number of threads cause two computations at once at most.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._turn = Lock()
        self._waiting: dict[Hashable, Future[T]] = {}
        """Results whose computation has not begun, by key."""

    def get(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return the result of `compute`, called here or by another thread with an equal key.

        Raises:
            whatever `compute` raises.
        """
        with self._lock:
            result = self._waiting.get(key)
            is_first = result is None
            if result is None:
                result = self._waiting[key] = Future()
        if is_first:
            with self._turn:
                with self._lock:
                    del self._waiting[key]
                try:
                    result.set_result(compute())
                except BaseException as error:
                    result.set_exception(error)
        return result.result()
