"""Make the recordings that ship with the program, which *Runs* lists as examples, and two GIFs.

    python tools/make_examples.py                  all of them, some 15 minutes on two cores
    python tools/make_examples.py digits spline    some of them

Each is a run of a preset, trained to its end with seed 0 and few probes. Of its frames those of the
first epoch's tenths are kept, and some others, more of them early, when most changes; of some, a
part of the closing lap too. So all of them together are below 7 MB. The GIFs of the documentation
are made of the whole recording.
"""

import argparse
import shutil
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from stnscope.backend.experiment.catalog.examples import EXAMPLES, Example
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.export.export import export
from stnscope.backend.experiment.export.frame_selection import select_tenths
from stnscope.backend.experiment.export.options import ExportOptions
from stnscope.backend.experiment.recording.reader import SUFFIX
from stnscope.backend.experiment.recording.writer import RecordingWriter
from stnscope.backend.experiment.runs.controls import NoControls
from stnscope.backend.experiment.runs.session import record
from stnscope.backend.server.runs import EXAMPLE_FOLDER, Runs

EARLY = 1.7
"""Exponent of the kept frames' steps: above 1, more of them are early."""


@dataclass(frozen=True)
class Extent:
    """How much is kept of a recording: its probes, its frames, and those of the closing lap."""

    probes: int
    frames: int
    lap: int = 0


EXTENTS = {
    "digits": Extent(probes=9, frames=24, lap=20),
    "signs": Extent(probes=4, frames=20, lap=20),
    "signs-2st": Extent(probes=4, frames=20),
    "spline": Extent(probes=6, frames=24),
    "row": Extent(probes=4, frames=16),
    "digits-cnn": Extent(probes=9, frames=24),
    "collapse": Extent(probes=6, frames=20),
    "cure": Extent(probes=6, frames=20),
}

DOCS = Path(__file__).parents[1] / "docs"
GIFS: dict[str, dict[str, ExportOptions]] = {
    "signs": {
        "evolution.gif": ExportOptions(probes="0,1,2"),
        "moving.gif": ExportOptions(layout="moving", probes="0"),
    }
}
"""Files of the documentation, by example."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="all without one")
    names = parser.parse_args().names or [*EXAMPLES]
    if unknown := {*names} - {*EXAMPLES}:
        parser.error(f"There is no example {min(unknown)}; there are {', '.join(EXAMPLES)}.")
    EXAMPLE_FOLDER.mkdir(exist_ok=True)
    for name in names:
        make(EXAMPLES[name], EXTENTS[name])


def make(example: Example, extent: Extent) -> None:
    """Train an example, and keep some of its recording."""
    target = EXAMPLE_FOLDER / f"{example.name}{SUFFIX}"
    with tempfile.TemporaryDirectory() as folder:
        runs = Runs(Path(folder))
        config = RunConfig(**example.config, probes={"count": extent.probes})  # type: ignore[arg-type]
        path = runs.path(runs.create(config))
        record(path, NoControls())
        with RecordingWriter.open(path) as writer:
            for file, options in GIFS.get(example.name, {}).items():
                export(writer, options, DOCS / file)
            run = writer.summary()
            tenths = {key.step for key in select_tenths(writer.frames(), run["steps_per_epoch"])}
            steps = [frame.step for frame in writer.frames()]
            keep(writer, tenths | selected(steps, extent.frames, EARLY), extent.lap)
            writer.update(id=example.id)
        shutil.copyfile(path, target)
    print(
        f"{target.name}: {target.stat().st_size / 1000:.0f} kB, {run['steps']} steps, "
        f"accuracy {run['accuracy']:.3f}, stillness {run['stillness']}",
        flush=True,
    )


def selected(numbers: list[int], count: int, exponent: float = 1.0) -> set[int]:
    """Return some of the numbers, the first and the last among them."""
    targets = [numbers[-1] * (index / (count - 1)) ** exponent for index in range(count)]
    return {min(numbers, key=lambda number: abs(number - target)) for target in targets}


def keep(writer: RecordingWriter, steps: Collection[int], lap: int) -> None:
    """Delete checkpoints, and all frames except some; free their space."""
    rows = writer.connection.execute("SELECT lap FROM frames WHERE lap NOTNULL ORDER BY lap")
    numbers = [number for [number] in rows]
    laps = selected(numbers, lap) if lap else set()
    with writer.transaction():
        writer.connection.execute(
            f"DELETE FROM frames WHERE lap IS NULL AND step NOT IN ({placeholders(steps)})",
            tuple(steps),
        )
        writer.connection.execute(
            f"DELETE FROM frames WHERE lap NOTNULL AND lap NOT IN ({placeholders(laps)})",
            tuple(laps),
        )
        writer.connection.execute("DELETE FROM checkpoints")
        writer.connection.execute("DELETE FROM inputs WHERE key NOT IN (SELECT input FROM frames)")
    writer.connection.execute("VACUUM")


def placeholders(values: Collection[int]) -> str:
    """Return as many placeholders of a query as there are values."""
    return ", ".join("?" * len(values))


if __name__ == "__main__":
    main()
