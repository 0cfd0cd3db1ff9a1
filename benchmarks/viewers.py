"""Many viewers of one run: the time from a step to its receipt, and what is left to the trainer.

    python -m benchmarks.viewers [--viewers 1 10 100 200] [--rate 10] [--seconds 10] [--rounds 3]

The server and all its viewers, plain sockets of one process, share one core; the trainer has
another. A viewer requests a frame so many times a second, and gets the newest. Each round measures
all numbers of viewers, in a rotating order, and none for comparison. Printed are medians of the
rounds: frames that a viewer received a second, milliseconds from step to receipt, the share of a
core that server and viewers took, the server's milliseconds of it for each frame sent, and the
trainer's pace beside that without viewers. `benchmarks.scaling` reads the result that is kept.
"""

import argparse
import asyncio
import base64
import itertools
import json
import math
import os
import shlex
import statistics
import struct
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks import _interleaved as interleaved
from benchmarks._machine import machine
from benchmarks._processes import trainers
from tests.live_server import Server, serve

RESULT = Path(__file__).with_name("results") / "viewers.json"
STEPS_KNOWN = 10**6
"""More than the run has, so that no viewer requests the metrics of earlier steps."""
BATCH = 16
"""Batch size with which a step is shorter than the interval of frames, on a busy core too."""
TEXT, BINARY, PING, PONG = 1, 2, 9, 10
"""Opcodes of WebSocket messages."""
MASK = bytes(4)
"""A client must mask what it sends; with zeros it stays as it is."""


@dataclass(frozen=True)
class Measurement:
    """What was measured with one number of viewers."""

    delays: list[float]
    """Seconds from step to receipt, of all frames."""
    frame_bytes: float
    """The mean of a frame."""
    frames_per_second: float
    """Frames that one viewer gets."""
    server: float
    """Share of a core."""
    viewers: float
    """Likewise."""
    steps_per_second: float


def encode(opcode: int, payload: bytes) -> bytes:
    """Encode a client's short message."""
    assert len(payload) < 126
    return bytes([0x80 | opcode, 0x80 | len(payload)]) + MASK + payload


def encode_json(**message: object) -> bytes:
    return encode(TEXT, json.dumps(message).encode())


async def read_message(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read a server's message: its opcode and its payload."""
    opcode, length = await reader.readexactly(2)
    if length == 126:
        (length,) = struct.unpack(">H", await reader.readexactly(2))
    elif length == 127:
        (length,) = struct.unpack(">Q", await reader.readexactly(8))
    return opcode & 0x0F, await reader.readexactly(length)


def time_of(frame: bytes) -> float:
    """Return the time of a frame's step, in seconds since 1970."""
    length = int.from_bytes(frame[:8], "little")
    info = json.loads(json.loads(frame[8 : 8 + length])["__metadata__"]["frame"])
    return float(info["time"])


async def view(port: int, run_id: str, rate: float, received: list[tuple[float, int]]) -> None:
    """View a run's live end until cancelled, `rate` times a second."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    key = base64.b64encode(os.urandom(16)).decode()
    writer.write(
        f"GET /api/runs/{run_id}/stream HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    writer.write(encode_json(type="hello", last_step=STEPS_KNOWN) + encode_json(type="follow"))
    due = time.monotonic()
    try:
        while True:
            opcode, payload = await read_message(reader)
            if opcode == PING:
                writer.write(encode(PONG, payload))
            if opcode != BINARY:
                continue
            received.append((time.time() - time_of(payload), len(payload)))
            due = max(due, time.monotonic() - 1 / rate) + 1 / rate
            wait = max(0.0, due - time.monotonic())
            asyncio.get_running_loop().call_later(
                wait, writer.write, encode_json(type="credit", frames=1)
            )
    finally:
        writer.close()


async def view_all(
    port: int, run_id: str, count: int, rate: float, seconds: float
) -> list[tuple[float, int]]:
    """View a run with many viewers for a time; return the delay and the bytes of each frame."""
    received: list[tuple[float, int]] = []
    views = []
    for _ in range(count):
        views.append(asyncio.create_task(view(port, run_id, rate, received)))
        await asyncio.sleep(1 / (rate * count))  # so that their requests are not all at once
    await asyncio.sleep(1.0)
    received.clear()
    await asyncio.sleep(seconds)
    measured = [*received]
    for task in views:
        failure = task.exception() if task.done() else None
        task.cancel()
        if failure is not None:
            raise failure
    with suppress(asyncio.CancelledError):
        await asyncio.gather(*views, return_exceptions=True)
    return measured


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process and its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(server: Server, run_id: str, count: int, rate: float, seconds: float) -> Measurement:
    """Measure with so many viewers."""
    assert server.process is not None
    pids = (server.process.pid, os.getpid())
    step, before, start = server.get_run(run_id)["step"], [*map(cpu_seconds, pids)], time.time()
    received = asyncio.run(view_all(server.port, run_id, count, rate, seconds))
    duration = time.time() - start
    after = [*map(cpu_seconds, pids)]
    run = server.get_run(run_id)
    server_share, viewers_share = (
        (end - begin) / duration for begin, end in zip(before, after, strict=True)
    )
    delays = [delay for delay, _ in received]
    size = statistics.mean(size for _, size in received) if received else math.nan
    frames = len(delays) / seconds / count if count else 0.0
    pace = (run["step"] - step) / duration
    return Measurement(delays, size, frames, server_share, viewers_share, pace)


def pin(pid: int, core: int) -> None:
    """Let a process, with the threads it has, run on one core."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--viewers", type=int, nargs="+", default=[1, 10, 100, 200])
    parser.add_argument("--rate", type=float, default=10.0, help="a viewer's frames a second")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", action="store_true", help=f"write {RESULT.name}")
    options = parser.parse_args()
    started, on = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), machine()
    shared, own, *_ = [*sorted(os.sched_getaffinity(0)), None]
    if own is None:
        raise SystemExit("This takes two cores.")
    found: dict[int, list[Measurement]] = {count: [] for count in (0, *options.viewers)}
    with (
        tempfile.TemporaryDirectory() as home,
        serve(Path(home), "--no-page", "--no-demonstration", "--no-standby") as server,
    ):
        assert server.process is not None
        run_id = server.start_run(epochs=1000, batch_size=BATCH)
        server.wait_for_step(run_id, 20)
        for pid, core in (
            (server.process.pid, shared),
            (os.getpid(), shared),
            (trainers(server)[0].pid, own),
        ):
            pin(pid, core)

        def once(count: int) -> float:
            found[count].append(measure(server, run_id, count, options.rate, options.seconds))
            return 0.0

        ways = {str(count): lambda count=count: once(count) for count in found}
        interleaved.measure(ways, options.rounds)
    rows = summarise(found)
    print_table(rows)
    if options.keep:
        result = {
            "command": shlex.join(["python", "-m", "benchmarks.viewers", *sys.argv[1:]]),
            "started": started,
            "machine": on,
            "rows": rows,
        }
        RESULT.write_text(json.dumps(result, indent=2) + "\n")


def summarise(found: dict[int, list[Measurement]]) -> list[dict[str, float]]:
    """Return a row for each number of viewers: medians of the rounds."""
    pace = statistics.median(each.steps_per_second for each in found[0])
    rows = []
    for count, measured in found.items():

        def middle(name: str, measured: list[Measurement] = measured) -> float:
            return float(statistics.median(getattr(each, name) for each in measured))

        row = {
            "viewers": float(count),
            "server": middle("server"),
            "clients": middle("viewers"),
            "pace": middle("steps_per_second") / pace,
        }
        if delays := sorted(itertools.chain.from_iterable(each.delays for each in measured)):
            row |= {
                "frames_per_second": middle("frames_per_second"),
                "frame_bytes": middle("frame_bytes"),
                "p50": 1000 * delays[len(delays) // 2],
                "p95": 1000 * delays[int(0.95 * (len(delays) - 1))],
            }
        rows.append({name: round(value, 4) for name, value in row.items()})
    return rows


def print_table(rows: list[dict[str, float]]) -> None:
    print("viewers  frames/s    p50    p95 ms  server  viewers  ms a frame   pace")
    for row in rows:
        line = f"{row['viewers']:7.0f}"
        if "p50" in row:
            cost = 1000 * row["server"] / (row["frames_per_second"] * row["viewers"])
            line += f"{row['frames_per_second']:10.1f}{row['p50']:7.0f}{row['p95']:10.0f}"
            line += f"{row['server']:8.2f}{row['clients']:9.2f}{cost:12.3f}"
        else:
            line += f"{'':27}{row['server']:8.2f}{row['clients']:9.2f}{'':12}"
        print(f"{line}{row['pace']:7.3f}")
    print("To hold with 200 viewers at 10 frames a second: p95 below 150 ms, pace at least 0.95.")


if __name__ == "__main__":
    main()
