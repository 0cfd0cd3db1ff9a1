"""A run as one HTML file: its bytes, and the time from opening it to its first painted frame.

    python -m benchmarks.page_file [--frames 300] [--opens 10]

The run is the default configuration, with a frame of twelve probes at each step. Each opening is
that of a new page; the browser runs already.
"""

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks._long_run import make
from benchmarks._page import open_page
from benchmarks._spread import percentile_95, summary
from stnscope.backend.experiment.export.export import export
from stnscope.backend.experiment.export.options import ExportOptions
from stnscope.backend.experiment.recording.reader import Recording

MAX_BYTES = 3_000_000
MAX_MILLISECONDS = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--opens", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path, file = Path(folder) / "run.stnscope", Path(folder) / "run.html"
        make(path, options.frames, trained=options.frames)
        with Recording.open(path) as recording:
            recorded = sum(len(recording.frame(step).encode()) for step in recording.frame_steps())
            started = time.perf_counter()
            export(recording, ExportOptions(format="html", frames=options.frames), file)
        seconds = time.perf_counter() - started
        size = file.stat().st_size
        times = []
        with open_page() as page:
            for _ in range(options.opens):
                page.goto("about:blank")
                page.goto(file.as_uri())
                page.wait_for_function("window.paints.length > 0")
                times.append(float(page.evaluate("window.paints[0].at")))
    print(
        f"One HTML file of {options.frames} frames of 12 probes: {size / 1e6:.2f} MB "
        f"(below {MAX_BYTES / 1e6:.0f}: {'yes' if size < MAX_BYTES else 'NO'}), "
        f"whose frames have {recorded / 1e6:.1f} MB; written in {seconds:.1f} s."
    )
    is_fast = percentile_95(times) < MAX_MILLISECONDS
    print(
        f"From opening it on disk to its first painted frame: {summary(times, 'openings')} "
        f"(below {MAX_MILLISECONDS}: {'yes' if is_fast else 'NO'})."
    )


if __name__ == "__main__":
    main()
