"""Time to export a run, and what an export costs a run that trains meanwhile.

    python -m benchmarks.export [--pairs 5] [--rounds 5] [--seconds 6]

The forms are written from the photos of `benchmarks.gif`: 100 frames of 472x264. The pace of a run
on a real server is measured alternately with and without exports one after the other.
"""

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

from benchmarks import _interleaved as interleaved
from benchmarks.gif import COUNT, FPS, SIZE, photos
from benchmarks.overhead import RecordedRun
from stnscope.backend.experiment.export.export import export
from stnscope.backend.experiment.export.options import ExportOptions, FileInfo, FormatName
from stnscope.backend.experiment.recording.reader import Recording
from tests.live_server import Server, serve

MP4_LIMIT = 2.0
"""Seconds."""
PACE_LIMIT = 0.95
WITHOUT_CHECKPOINT = "safetensors"
"""The form that the photos, which no network made, do not have."""


def time_forms(recording: Recording, pairs: int) -> None:
    """Print the time and bytes of each form."""
    # Two images of 224 pixels side by side, as in `benchmarks.gif`.
    options = ExportOptions(frames=COUNT, fps=FPS, width=SIZE[0])
    with tempfile.TemporaryDirectory() as folder:
        for name in get_args(FormatName):
            if name == WITHOUT_CHECKPOINT:
                continue
            target, times = Path(folder) / "file", []
            info: FileInfo = {}
            for _ in range(pairs):
                start = time.perf_counter()
                info = export(recording, replace_format(options, name), target)
                times.append(time.perf_counter() - start)
            row = (
                f"{name}: {statistics.median(times):.2f} s, {target.stat().st_size / 1024:.0f} KiB"
            )
            if info.get("psnr") is not None:
                row += f", PSNR {info['psnr']} dB"
            print(row + (f" (goal {MP4_LIMIT:g} s)" if name == "mp4" else ""))


def replace_format(options: ExportOptions, name: FormatName) -> ExportOptions:
    return options.model_copy(update={"format": name})


@contextmanager
def exporting(server: Server, run_id: str) -> Iterator[None]:
    """Export a run again and again, one file at a time."""
    is_over = threading.Event()

    def make() -> None:
        params: dict[str, str | int] = {"format": "mp4", "layout": "stage", "scale": 2}
        while not is_over.is_set():
            server.http.get(f"/runs/{run_id}/export", params=params).raise_for_status()

    thread = threading.Thread(target=make)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


class ExportedRun(RecordedRun):
    """A run that is exported while it trains."""

    def exported_rate(self, seconds: float) -> float:
        """Return steps per second while the run is exported."""
        with exporting(self.server, self.id):
            return self.rate(seconds, viewers=0)


def compare_pace(rounds: int, seconds: float) -> None:
    """Print the pace of a run with exports, as a share of that without."""
    with tempfile.TemporaryDirectory() as home, serve(Path(home)) as server:
        run = ExportedRun(server)
        rates = interleaved.measure(
            {
                "alone": lambda: run.rate(seconds, viewers=0),
                "exported": lambda: run.exported_rate(seconds),
            },
            rounds,
        )
    ratios = [a / b for a, b in zip(rates["exported"], rates["alone"], strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4)
    print(
        f"pace of a run that is exported meanwhile: {middle:.3f} of that alone (quartiles "
        f"{low:.3f} to {high:.3f}, goal {PACE_LIMIT})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6)
    options = parser.parse_args()
    print(f"{COUNT} photo frames of {SIZE[0]} pixels width:")
    with photos(moving=False) as recording:
        time_forms(recording, options.pairs)
    compare_pace(options.rounds, options.seconds)


if __name__ == "__main__":
    main()
