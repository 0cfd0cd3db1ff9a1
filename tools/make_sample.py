"""Make the small recording that ships, which the page plays until a first run has frames.

    python tools/make_sample.py

It is a run of the default configuration; evenly spaced frames are kept, so that it is below 1 MB.
"""

import shutil
import tempfile
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
            writer.retain_frames(steps_to_keep)
            writer.update(id=SAMPLE)
        shutil.copyfile(path, SAMPLE_PATH)
    print(f"{SAMPLE}{SUFFIX}: {SAMPLE_PATH.stat().st_size / 1000:.0f} kB, steps 0 to {last}")


if __name__ == "__main__":
    main()
