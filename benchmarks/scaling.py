"""Viewers of live runs beyond what was measured: a simulation of the server's loop.

    python -m benchmarks.scaling

It takes from `results/viewers.json` what a frame costs the server and how many bytes it has, and
follows each frame through the loop: it is detected at the next read of the recording, and then sent
to one viewer after the other that waits for it. The first table holds the simulation against what
was measured; the second estimates what more viewers take. `make docs` writes both into
`docs/scaling.md`. The simulation draws from one seed, so that the tables are always the same.
"""

import heapq
import itertools
import json
import math
import random
from dataclasses import dataclass
from pathlib import Path

RESULT = Path(__file__).with_name("results") / "viewers.json"
FRAMES_PER_SECOND = 20.0
"""Frames a second that a run records."""
READ_INTERVAL = 0.01
"""Seconds between two reads of a recording (`streams/tail.py`)."""
RATE = 10.0
"""Frames a second that a viewer requests."""
SECONDS = 4.0
MAX_DELAY = 0.15
"""Seconds from step to receipt, of 95 % of frames."""
MAX_SHARE = 0.7
"""Maximum share of a core; the rest is for pages and the machine's other work."""
NUMBERS = (100, 1_000, 10_000, 100_000)


@dataclass(frozen=True)
class Costs:
    """What was measured of one server.

    Attributes:
        base: share of a core without viewers: reading the recording.
        frame: seconds of a core for each frame sent, with its part of the other messages.
        frame_bytes: the mean of a frame.
        floor: seconds from step to receipt that do not depend on the viewers.
    """

    base: float
    frame: float
    frame_bytes: float
    floor: float


@dataclass(frozen=True)
class Simulated:
    """What the simulation finds."""

    p50: float
    """Seconds from step to receipt."""
    p95: float
    frames_per_second: float
    """Frames that one viewer gets."""
    share: float
    """Share of a core."""


def measured_rows() -> list[dict[str, float]]:
    """Return the rows that `benchmarks.viewers --keep` wrote, without that of no viewer."""
    rows: list[dict[str, float]] = json.loads(RESULT.read_text())["rows"]
    return [row for row in rows if row["viewers"]]


def costs(rows: list[dict[str, float]]) -> Costs:
    """Return the costs: a least squares line of the share of a core over frames a second."""
    sent = [row["viewers"] * row["frames_per_second"] for row in rows]
    shares = [row["server"] for row in rows]
    middle, mean = sum(sent) / len(sent), sum(shares) / len(shares)
    above = sum((x - middle) * (y - mean) for x, y in zip(sent, shares, strict=True))
    frame = above / sum((x - middle) ** 2 for x in sent)
    fewest = min(rows, key=lambda row: row["viewers"])
    # A frame waits half a read interval on average, and is then sent.
    floor = max(0.0, fewest["p50"] / 1000 - READ_INTERVAL / 2 - frame)
    return Costs(max(0.0, mean - frame * middle), frame, rows[-1]["frame_bytes"], floor)


def simulate(viewers: int, cost: Costs, rate: float = RATE) -> Simulated:
    """Simulate one server and its viewers of one run.

    A viewer requests its next frame `1 / rate` after the last request was due, or when it
    has it. The server sends the newest frame that it has read, one at a time.
    """
    draw = random.Random(0)
    order = itertools.count()
    work = cost.frame / (1 - cost.base)
    events: list[tuple[float, int, int]] = []
    """Times of the viewers' requests; and, for viewer -1, at which the server detects a frame."""
    for number in range(int(SECONDS * FRAMES_PER_SECOND)):
        detected = number / FRAMES_PER_SECOND + cost.floor + READ_INTERVAL * draw.random()
        heapq.heappush(events, (detected, next(order), -1))
    due = [draw.random() / rate for _ in range(viewers)]
    for viewer, time in enumerate(due):
        heapq.heappush(events, (time, next(order), viewer))
    known, free, has = -1, 0.0, [-1] * viewers
    waiting: list[int] = []
    delays: list[float] = []

    def send(viewer: int, now: float) -> None:
        nonlocal free
        free = max(free, now) + work
        has[viewer] = known
        delays.append(free - known / FRAMES_PER_SECOND)
        due[viewer] = max(due[viewer] + 1 / rate, free)
        heapq.heappush(events, (due[viewer], next(order), viewer))

    while events:
        time, _, viewer = heapq.heappop(events)
        now = max(time, free)  # what happens while the loop is busy is seen after it
        if now > SECONDS:
            break
        if viewer == -1:
            known += 1
            for each in waiting:
                send(each, now)
            waiting = []
        elif has[viewer] < known:
            send(viewer, now)
        else:
            waiting.append(viewer)
    delays.sort()
    share = min(1.0, cost.base + len(delays) * cost.frame / SECONDS)
    return Simulated(
        delays[len(delays) // 2],
        delays[int(0.95 * (len(delays) - 1))],
        len(delays) / SECONDS / viewers,
        share,
    )


def viewers_of_a_core(cost: Costs) -> int:
    """Return how many viewers one core serves within `MAX_DELAY` and `MAX_SHARE`."""

    def holds(viewers: int) -> bool:
        found = simulate(viewers, cost)
        return found.p95 <= MAX_DELAY and found.share <= MAX_SHARE

    low, high = 1, 2
    while holds(high):
        low, high = high, 2 * high
    while high - low > max(1, low // 50):
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def tables() -> str:
    """Return both tables, as Markdown."""
    rows = measured_rows()
    cost = costs(rows)
    lines = [
        "| viewers | frames/s each | p50, p95 measured | simulated | core measured | simulated |",
        "|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        found = simulate(int(row["viewers"]), cost)
        lines.append(
            f"| {row['viewers']:.0f} | {row['frames_per_second']:.1f} "
            f"| {row['p50']:.0f}, {row['p95']:.0f} ms "
            f"| {1000 * found.p50:.0f}, {1000 * found.p95:.0f} ms "
            f"| {row['server']:.2f} | {found.share:.2f} |"
        )
    most = viewers_of_a_core(cost)
    lines += [
        "",
        f"A frame of {cost.frame_bytes / 1000:.0f} kB costs the server "
        f"{1000 * cost.frame:.3f} ms of a core. One core serves {most} viewers at {RATE:.0f} "
        f"frames a second; with more it is busy for over {MAX_SHARE:.0%}, or 5 % of the frames are "
        f"later than {1000 * MAX_DELAY:.0f} ms.",
        "",
        "| viewers at once | servers, one core each | sent | at one frame a second |",
        "|--:|--:|--:|--:|",
    ]
    for viewers in NUMBERS:
        sent = viewers * RATE * cost.frame_bytes * 8 / 1e9
        lines.append(
            f"| {viewers:,} | {math.ceil(viewers / most):,} | {sent:.3g} Gbit/s "
            f"| {math.ceil(viewers / most / RATE):,}; {sent / RATE:.3g} Gbit/s |"
        )
    return "\n".join(lines)


def main() -> None:
    print(tables())


if __name__ == "__main__":
    main()
