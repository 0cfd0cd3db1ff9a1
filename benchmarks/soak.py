"""Watch training for a day: memory, gaps, and the recording's size against its limit.

    python -m benchmarks.soak [--hours 24] [--seed 0]

A real server, a run that trains at full speed, followed by another when it ends, and a browser that
follows the newest, with every layer drawn; nothing inspects its page between two samples. The
samples and the verdict are written to
`benchmarks/results/`, in a file of the duration's name, which replaces that of an earlier soak.
"""

import argparse
import json
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks._machine import machine
from benchmarks._page import UnattendedPage, open_unattended
from benchmarks._processes import trainers
from benchmarks.memory import MIN_SAMPLES, sample, slope
from benchmarks.stage import EVERYTHING
from stnscope.backend.experiment.recording.quota import Quota
from stnscope.backend.version import VERSION
from tests.live_server import Server, serve, wait_until

RESULTS = Path(__file__).with_name("results")
SAMPLE_SECONDS = 60
WARM_UP_SHARE = 1 / 6
"""Share of the duration in which the page fills its cache, and samples do not count."""
MAX_WARM_UP_HOURS = 1.0
MIN_JUDGED_HOURS = 0.75
"""After the warm-up: until then a page fills its cache, and growth is reported but not judged."""
MAX_MEGABYTES_PER_HOUR = 2.0
MAX_GAP_SECONDS = 30
"""Maximum interval between painted frames; a new run needs a few seconds."""
EPOCHS = 1000

HAS_STAGE = "Boolean(document.querySelector('.stn-viewer'))"
# Counts paints and collects errors; a list of all paints would be what grows.
BEGIN_COUNTING = """(() => {
  window.counted = { frames: 0, last: performance.now(), gap: 0, problems: [] };
  document.addEventListener("stnscope:paint", ({ detail }) => {
    if (detail.mode !== "follow") return;
    const now = performance.now();
    counted.gap = Math.max(counted.gap, now - counted.last);
    counted.last = now;
    counted.frames++;
  });
  addEventListener("error", ({ message }) => {
    // A notice, and no fault: what one layout did not observe, the next one does.
    if (!message.startsWith("ResizeObserver loop")) counted.problems.push(message);
  });
  addEventListener("unhandledrejection", ({ reason }) => counted.problems.push(String(reason)));
})()"""
TAKE_COUNTS = """(() => {
  const { frames, last, gap, problems } = counted;
  const longest = Math.max(gap, performance.now() - last);
  Object.assign(counted, { frames: 0, gap: 0, problems: [] });
  return { frames, gap: longest / 1000, problems };
})()"""


@dataclass(frozen=True)
class Sample:
    """What was measured in one minute."""

    hours: float
    run: str
    step: int
    status: str
    server: float
    """Resident megabytes, as that of the trainer."""
    trainer: float
    page: float
    """Megabytes of heap and buffers."""
    frames: int
    """Frames that the page has painted since the last sample."""
    gap: float
    """The longest time without a painted frame, in seconds."""
    recording: float
    """Megabytes, with the write-ahead log."""


def take_sample(
    server: Server, run_id: str, unattended: UnattendedPage, hours: float, problems: list[str]
) -> Sample:
    """Measure everything once, and add the page's errors to `problems`."""
    run = server.get_run(run_id)
    with unattended.inspect() as inspector:
        counts = inspector.evaluate(TAKE_COUNTS)
        memory = sample(server, trainers(server)[0].pid, inspector)
    problems += counts["problems"]
    files = (server.home / "recordings").glob(f"{run_id}.stnscope*")
    size = sum(file.stat().st_size for file in files) / 1e6
    return Sample(
        round(hours, 4),
        run_id,
        run["step"],
        run["status"],
        **{name: round(megabytes, 1) for name, megabytes in memory.items()},
        frames=counts["frames"],
        gap=round(counts["gap"], 2),
        recording=round(size, 1),
    )


def judge(samples: list[Sample], problems: list[str], run_limit: int) -> dict[str, Any]:
    """Return the verdict: each finding, and whether it is within its bound."""
    counted = warmed_up(samples)
    findings: dict[str, Any] = {name: growth(counted, name) for name in ("server", "page")}
    # Each run has a trainer of its own.
    longest = max((list(of) for _, of in groupby(counted, lambda s: s.run)), key=len, default=[])
    findings["trainer"] = growth(longest, "trainer")
    gap = max(s.gap for s in samples)
    findings["gap"] = {"seconds": gap, "holds": gap <= MAX_GAP_SECONDS}
    largest = max(s.recording for s in samples)
    # The write-ahead log comes on top of the limit.
    holds = largest <= 1.1 * run_limit / 1e6
    findings["recording"] = {"megabytes": largest, "limit": run_limit / 1e6, "holds": holds}
    findings["problems"] = {"messages": problems[:20], "holds": not problems}
    return findings


def warmed_up(samples: list[Sample]) -> list[Sample]:
    warm_up = min(MAX_WARM_UP_HOURS, WARM_UP_SHARE * samples[-1].hours)
    return [s for s in samples if s.hours >= warm_up]


def growth(samples: list[Sample], name: str) -> dict[str, Any]:
    """Return a memory's growth; it holds unless it is above its bound by twice its error.

    Too short a time is not judged.
    """
    if len(samples) < MIN_SAMPLES:
        return {"megabytes_per_hour": None, "holds": None}
    is_judged = samples[-1].hours - samples[0].hours >= MIN_JUDGED_HOURS
    rate, error = slope([s.hours for s in samples], [getattr(s, name) for s in samples])
    return {
        "megabytes_per_hour": round(rate, 2),
        "give_or_take": round(2 * error, 2),
        "at_the_end": getattr(samples[-1], name),
        "holds": rate - 2 * error <= MAX_MEGABYTES_PER_HOUR if is_judged else None,
    }


def watch(
    server: Server,
    run_id: str,
    page: UnattendedPage,
    hours: float,
    problems: list[str],
    report: Callable[[list[Sample]], None],
) -> list[Sample]:
    """Train one run after another, and sample them once a minute."""
    samples: list[Sample] = []
    seed = server.get_run(run_id)["config"]["seed"]
    with page.inspect() as inspector:
        wait_until(lambda: inspector.evaluate(HAS_STAGE))
        inspector.evaluate(BEGIN_COUNTING)
    begin = time.monotonic()
    while not samples or samples[-1].hours < hours:
        due = begin + SAMPLE_SECONDS * (len(samples) + 1)
        time.sleep(max(0.0, due - time.monotonic()))
        if not server.get_run(run_id)["live"]:
            seed += 1
            run_id = server.start_run(epochs=EPOCHS, seed=seed)
            server.wait_for_step(run_id, 1)
        elapsed = (time.monotonic() - begin) / 3600
        samples.append(take_sample(server, run_id, page, elapsed, problems))
        report(samples)
    return samples


def write(path: Path, result: Mapping[str, Any], samples: list[Sample]) -> None:
    """Write a result, with one line for each sample."""
    rows = ",\n".join(f"    {json.dumps(list(asdict(s).values()))}" for s in samples)
    head = json.dumps({**result, "columns": list(Sample.__dataclass_fields__)}, indent=2)
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'{head[:-2]},\n  "samples": [\n{rows}\n  ]\n}}\n')


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hours", type=float, default=24.0, help="(%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the first run (%(default)s)")
    options = parser.parse_args()
    path = RESULTS / f"soak-{options.hours:.3g}h.json"
    result: dict[str, Any] = {
        "command": shlex.join(["python", "-m", "benchmarks.soak", *sys.argv[1:]]),
        "version": VERSION,
        "started": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "seed": options.seed,
        "machine": machine(),
    }
    problems: list[str] = []

    def report(samples: list[Sample]) -> None:
        """Write what there is, so that a soak that ends early leaves its samples."""
        verdict = judge(samples, problems, Quota().run)
        elapsed = {"hours": samples[-1].hours, "is_complete": samples[-1].hours >= options.hours}
        write(path, {**result, **elapsed, "verdict": verdict}, samples)
        print(samples[-1], flush=True)

    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder) / "home", "--no-demonstration") as server,
    ):
        run_id = server.start_run(epochs=EPOCHS, seed=options.seed)
        address = f"http://127.0.0.1:{server.port}/?{EVERYTHING}"
        with open_unattended(address, Path(folder) / "profile") as page:
            samples = watch(server, run_id, page, options.hours, problems, report)
    verdict = judge(samples, problems, Quota().run)
    for name, finding in verdict.items():
        print(f"Soak of {options.hours:g} h, {name}: {json.dumps(finding)}")
    broken = [name for name, finding in verdict.items() if finding["holds"] is False]
    open_ = [name for name, finding in verdict.items() if finding["holds"] is None]
    print(
        f"Soak of {options.hours:g} h: broken: {broken or 'none'}; too short for: {open_ or 'none'}"
    )


if __name__ == "__main__":
    main()
