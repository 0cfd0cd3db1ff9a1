"""Pictures are transformed by a process of their own; the server continues after its end."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from io import BytesIO
from typing import TypeVar

import pytest
from PIL import Image

from stnscope.backend.experiment.errors import (
    InvalidInput,
    PictureError,
    TooLarge,
    Unavailable,
)
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.weights.trained_weights import shipped
from stnscope.backend.server.deadlines import Deadlines
from stnscope.backend.server.processes.inference_worker import InferenceWorker
from stnscope.models.cards import cards
from tests.forking import RUN_CODE
from tests.live_server import is_running, wait_until

DIGITS = shipped(cards()["digits"])

T = TypeVar("T")


def png(size: tuple[int, int] = (28, 28)) -> bytes:
    """A picture of a bright bar."""
    width, height = size
    buffer, image = BytesIO(), Image.new("L", size)
    image.paste(200, (2 * width // 5, height // 5, 3 * width // 5, 4 * height // 5))
    image.save(buffer, "PNG")
    return buffer.getvalue()


@asynccontextmanager
async def running(timeout: float = 60, max_waiting: int = 16) -> AsyncIterator[InferenceWorker]:
    deadlines = Deadlines(picture=timeout)
    worker = InferenceWorker(deadlines=deadlines, max_waiting=max_waiting)
    await worker.start()
    try:
        yield worker
    finally:
        await worker.close()


def run(scenario: Callable[[], Awaitable[T]]) -> T:
    async def whole() -> T:
        return await scenario()

    return asyncio.run(whole())


def test_transform_returns_a_frame() -> None:
    async def scenario() -> None:
        async with running() as worker:
            first = Frame.decode(await worker.transform(png(), DIGITS))
            assert first.tensors["input"].shape == (1, 48, 48, 1)
            pid = worker.pid
            several = await asyncio.gather(
                *(
                    worker.transform(png(), DIGITS, {"distortion": {"seed": seed}})
                    for seed in range(5)
                )
            )
            seeds = [Frame.decode(frame).tensors["input"].tobytes() for frame in several]
            assert len(set(seeds)) == 5
            assert worker.pid == pid

    run(scenario)


def test_errors_keep_their_class_and_field() -> None:
    async def scenario() -> None:
        async with running() as worker:
            pid = worker.pid
            with pytest.raises(PictureError, match="not a picture") as refused:
                await worker.transform(b"no picture", DIGITS)
            assert refused.value.field == "image"
            with pytest.raises(InvalidInput) as wrong:
                await worker.transform(png(), DIGITS, {"distortion": {"name": "none"}})
            assert wrong.value.field == "distortion.name"
            with pytest.raises(TooLarge, match="16 million"):
                await worker.transform(png((4100, 4000)), DIGITS)
            await worker.transform(png(), DIGITS)
            assert worker.pid == pid

    run(scenario)


async def stop_during_request(worker: InferenceWorker) -> asyncio.Task[bytes]:
    """Return a request whose process is stopped while it handles it."""
    await worker.transform(png(), DIGITS)
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGSTOP)
    request = asyncio.create_task(worker.transform(png(), DIGITS))
    await asyncio.sleep(0.2)
    assert not request.done()
    return request


def test_process_killed_during_a_request_is_replaced() -> None:
    async def scenario() -> None:
        async with running() as worker:
            request = await stop_during_request(worker)
            killed = worker.pid
            assert killed is not None
            waiting = asyncio.create_task(worker.transform(png(), DIGITS))
            await asyncio.sleep(0)
            os.kill(killed, signal.SIGKILL)
            with pytest.raises(Unavailable, match="ended while it read this one"):
                await request
            assert Frame.decode(await waiting).info["weights"] == "digits"
            assert worker.pid != killed

    run(scenario)


def test_process_killed_while_idle_is_replaced() -> None:
    async def scenario() -> None:
        async with running() as worker:
            await worker.transform(png(), DIGITS)
            killed = worker.pid
            assert killed is not None
            os.kill(killed, signal.SIGKILL)
            await asyncio.sleep(0.2)
            assert Frame.decode(await worker.transform(png(), DIGITS)).info["step"] == 0
            assert worker.pid != killed

    run(scenario)


def test_request_beyond_the_timeout_replaces_the_process() -> None:
    async def scenario() -> None:
        async with running(timeout=1) as worker:
            request = await stop_during_request(worker)
            hung = worker.pid
            assert hung is not None
            with pytest.raises(Unavailable, match="took longer than 1 s"):
                await request
            assert not is_running(hung)
            assert Frame.decode(await worker.transform(png(), DIGITS)).info["step"] == 0

    run(scenario)


def test_cancelled_request_does_not_disturb_the_next() -> None:
    async def scenario() -> None:
        async with running() as worker:
            request = await stop_during_request(worker)
            pid = worker.pid
            assert pid is not None
            request.cancel()
            await asyncio.sleep(0)
            os.kill(pid, signal.SIGCONT)
            frame = await worker.transform(png(), DIGITS, {"distortion": {"name": "centred"}})
            assert Frame.decode(frame).tensors["input"][0, :9].max() == 0
            assert worker.pid == pid

    run(scenario)


def test_more_requests_than_the_limit_are_refused() -> None:
    async def scenario() -> None:
        async with running(max_waiting=2) as worker:
            request = await stop_during_request(worker)
            second = asyncio.create_task(worker.transform(png(), DIGITS))
            await asyncio.sleep(0)
            with pytest.raises(Unavailable, match="Many pictures"):
                await worker.transform(png(), DIGITS)
            assert worker.pid is not None
            os.kill(worker.pid, signal.SIGCONT)
            assert (
                Frame.decode(await request).tensors.keys()
                == Frame.decode(await second).tensors.keys()
            )

    run(scenario)


def test_close_ends_the_process_and_cancels_requests() -> None:
    async def scenario() -> None:
        async with running() as worker:
            request = await stop_during_request(worker)
            pid = worker.pid
            assert pid is not None
        assert not is_running(pid)
        with pytest.raises(asyncio.CancelledError):
            await request

    run(scenario)


def test_process_that_does_not_start_is_unavailable() -> None:
    async def scenario() -> None:
        worker = InferenceWorker(command=(sys.executable, "-c", "raise SystemExit(1)"))
        await worker.start()
        for _ in range(2):
            with pytest.raises(Unavailable, match="does not start"):
                await worker.transform(png(), DIGITS)
        await worker.close()

    run(scenario)


SERVER = """
import asyncio, sys
from stnscope.backend.server.deadlines import Deadlines
from stnscope.backend.experiment.weights.trained_weights import shipped
from stnscope.backend.server.processes.inference_worker import InferenceWorker
from stnscope.models.cards import cards
from tests.live_server import is_running, wait_until

async def main():
    worker = InferenceWorker()
    await worker.start()
    await worker.transform(sys.stdin.buffer.read(), shipped(cards()["digits"]))
    print(worker.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_process_ends_with_its_server(how: signal.Signals) -> None:
    async def scenario() -> None:
        pipe = asyncio.subprocess.PIPE
        server = await asyncio.create_subprocess_exec(*RUN_CODE, SERVER, stdin=pipe, stdout=pipe)
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(png())
        server.stdin.close()
        pid = int(await server.stdout.readline())
        assert is_running(pid)
        server.send_signal(how)
        await server.wait()
        await asyncio.to_thread(wait_until, lambda: not is_running(pid))

    run(scenario)


def test_process_has_a_session_of_its_own() -> None:
    async def scenario() -> None:
        async with running() as worker:
            assert worker.pid is not None
            assert os.getpgid(worker.pid) != os.getpgid(0)

    run(scenario)
