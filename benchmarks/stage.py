"""Frames a second that the stage with 12 probes paints, while training and in a replay.

    python -m benchmarks.stage [--seconds 20] [--batch 16]

Once as the page opens, once with every layer, then in the views of one probe and of the summary,
and compared with a second run. The training run has batches so small that it makes more steps a
second than the 20 frames that are recorded. The replay is of a recording that plays at 60 frames a
second; the maximum is what a loop of empty animation frames reaches on an empty page.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from benchmarks._long_run import make
from benchmarks._page import open_page
from tests.live_server import Server, serve

PROBES = 12
REPLAYED = 3000
"""Frames: enough that the replay does not reach the end at its highest speed."""
EVERYTHING = "layers=dots.outline.mesh.trail.inverse"
VIEWS = {
    "as it opens": "",
    "with all layers": f"&{EVERYTHING}",
    "one probe": f"&view=probe&{EVERYTHING}",
    "the summary": f"&view=summary&{EVERYTHING}",
    "a second run beside it": "&compare=beside",
}
"""Query of the address, by the name of the view."""
SETTLE_MILLISECONDS = 4_000
"""Milliseconds until charts, fonts and caches have loaded."""
BARE_LOOP = """(seconds) => new Promise((done) => {
  let count = -1, from;
  const next = (now) => {
    from ??= now;
    count += 1;
    if (now - from < 1000 * seconds) requestAnimationFrame(next);
    else done((1000 * count) / (now - from));
  };
  requestAnimationFrame(next);
})"""


def bare_loop(page: Page, seconds: float) -> float:
    """Return animation frames a second with nothing to draw."""
    page.goto("about:blank")
    rate: float = page.evaluate(BARE_LOOP, seconds)
    return rate


def training(
    page: Page, server: Server, run_id: str, view: str, seconds: float
) -> tuple[float, float]:
    """Return frames painted and steps made a second."""
    page.goto(f"http://127.0.0.1:{server.port}/?run={run_id}{view}")
    page.wait_for_function("window.paints.some(paint => paint.mode === 'follow')")
    page.wait_for_timeout(SETTLE_MILLISECONDS)
    first = server.get_run(run_id)["step"]
    painted = _painted(page, seconds)
    steps = server.get_run(run_id)["step"] - first
    return painted, steps / seconds


def replay(page: Page, server: Server, run_id: str, view: str, seconds: float) -> float:
    """Return frames of a recording painted a second."""
    page.goto(f"http://127.0.0.1:{server.port}/?run={run_id}{view}")
    page.wait_for_function("window.paints.some(paint => paint.mode === 'replay')")
    page.wait_for_timeout(SETTLE_MILLISECONDS)
    return _painted(page, seconds)


def _painted(page: Page, seconds: float) -> float:
    page.evaluate("window.paints.length = 0")
    page.wait_for_timeout(1000 * seconds)
    count: int = page.evaluate("window.paints.length")
    return count / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--batch", type=int, default=16)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, open_page() as page:
        replayed_run = Path(home) / "recordings" / "replayed.stnscope"
        make(replayed_run, REPLAYED)
        shutil.copyfile(replayed_run, replayed_run.with_stem("beside"))
        with serve(Path(home), "--no-demonstration") as server:
            run_id = server.start_run(
                epochs=1000, batch_size=options.batch, probes={"count": PROBES}
            )
            for name, view in VIEWS.items():
                painted, steps = training(page, server, run_id, view, options.seconds)
                print(
                    f"Stage, {PROBES} probes, {name}: {painted:.1f} painted frames/s while "
                    f"training made {steps:.1f} steps/s, batch {options.batch} "
                    f"(goal: {min(20.0, steps):.0f})",
                    flush=True,
                )
            server.control(run_id, "stop")
            ceiling = bare_loop(page, options.seconds / 4)
            for name, view in VIEWS.items():
                replayed = replay(page, server, "replayed", view, options.seconds)
                print(
                    f"Stage, {PROBES} probes, {name}, in a replay: {replayed:.1f} painted frames/s "
                    f"where a bare loop reaches {ceiling:.1f} "
                    "(goal: 60 where the machine allows)",
                    flush=True,
                )


if __name__ == "__main__":
    main()
