"""Make the small recording that ships, which the page plays until a first run has frames.

    python tools/make_sample.py

It is a run of the default configuration; evenly spaced frames are kept, so that it is below 1 MB.
"""

import shutil
import tempfile
from collections.abc import Collection
from pathlib import Path

from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.recording.reader import SUFFIX
from stnscope.backend.experiment.recording.writer import RecordingWriter
from stnscope.backend.experiment.runs.controls import NoControls
from stnscope.backend.experiment.runs.session import record
from stnscope.backend.server.runs import SAMPLE, SAMPLE_PATH, Runs

FRAMES = 46


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        runs = Runs(Path(folder))
        path = runs.path(runs.create(RunConfig()))
        record(path, NoControls())
        with RecordingWriter.open(path) as writer:
            steps = [frame.step for frame in writer.frames()]
            last = steps[-1]
            wanted = [last * number / (FRAMES - 1) for number in range(FRAMES)]
            steps_to_keep = {min(steps, key=lambda step: abs(step - target)) for target in wanted}
            retain_frames(writer, steps_to_keep)
            writer.update(id=SAMPLE)
        shutil.copyfile(path, SAMPLE_PATH)
    print(f"{SAMPLE}{SUFFIX}: {SAMPLE_PATH.stat().st_size / 1000:.0f} kB, steps 0 to {last}")


def retain_frames(writer: RecordingWriter, steps: Collection[int]) -> None:
    """Delete checkpoints, the lap and all frames except those of `steps`; free their space."""
    with writer.transaction():
        placeholders = ", ".join("?" * len(steps))
        writer.connection.execute(
            f"DELETE FROM frames WHERE lap IS NOT NULL OR step NOT IN ({placeholders})",
            tuple(steps),
        )
        writer.connection.execute("DELETE FROM checkpoints")
        writer.connection.execute("DELETE FROM inputs WHERE key NOT IN (SELECT input FROM frames)")
    writer.connection.execute("VACUUM")


if __name__ == "__main__":
    main()
