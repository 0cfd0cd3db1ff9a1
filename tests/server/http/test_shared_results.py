"""Results that threads share: never older than the request, and computed no more than needed."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from stnscope.backend.server.http.shared_results import SharedResults
from tests.live_server import wait_until


def test_threads_that_wait_share_one_newer_result() -> None:
    shared: SharedResults[int] = SharedResults()
    begun, may_end = threading.Event(), threading.Event()
    results = iter(range(10))

    def compute() -> int:
        begun.set()
        assert may_end.wait(60)
        return next(results)

    with ThreadPoolExecutor(6) as threads:
        first = threads.submit(shared.get, "key", compute)
        assert begun.wait(60)
        # These requests come after the first computation began, so its result may be too old for
        # them.
        others = [threads.submit(shared.get, "key", compute) for _ in range(4)]
        another = threads.submit(shared.get, "other key", compute)
        wait_until(lambda: len(shared._waiting) == 2)
        wait_until(lambda: threads._work_queue.empty())
        may_end.set()
        assert first.result(60) == 0
        assert {other.result(60) for other in others} | {another.result(60)} == {1, 2}
        assert len({other.result(60) for other in others}) == 1
    assert shared.get("key", lambda: next(results)) == 3


def test_error_reaches_each_thread_and_is_not_kept() -> None:
    shared: SharedResults[int] = SharedResults()

    def fail() -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        shared.get("key", fail)
    assert shared.get("key", lambda: 5) == 5
