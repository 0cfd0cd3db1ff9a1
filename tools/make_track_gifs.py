"""Make the two GIFs of the traffic-sign work again, on real signs.

    python -m tools.make_track_gifs --data FOLDER [--folder FOLDER]

Of GTSRB, whose licence is for research, so that the files are not part of the repository:

    track.gif      a held-out track, 30 photos and back, through the weights `gtsrb-2st`: signs
                   fill GTSRB's photos, which leaves a transformer little to do
    scene.gif      the same signs placed in larger scenes, through the weights `signs`: the input
                   moves, the output stands almost still
    evolution.gif  the first epoch in tenths of a short training of `signs`, some ten minutes
"""

import argparse
import tempfile
from pathlib import Path

from stnscope.backend.experiment.config import DistortionConfig, ProbesConfig, RunConfig
from stnscope.backend.experiment.data.images import Dataset
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.export.export import export
from stnscope.backend.experiment.export.options import ExportOptions
from stnscope.backend.experiment.probes.run_probes import RunProbes
from stnscope.backend.experiment.recording.reader import Recording
from stnscope.backend.experiment.recording.writer import RecordingWriter, create
from stnscope.backend.experiment.runs.controls import NoControls
from stnscope.backend.experiment.runs.session import record
from stnscope.backend.experiment.training.loop import Step
from stnscope.backend.server.runs import Runs
from stnscope.models.cards import cards
from stnscope.models.weights import load as load_weights
from tools.train_weights import RECIPES

DATASET = "gtsrb"
PROBES = (1, 4, 11)
"""Probes that were photographed by day."""
EPOCHS = 2
"""Epochs of the short training."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    parser.add_argument("--folder", type=Path, default=Path(), help="where to write them (.)")
    parser.add_argument("--probe", type=int, default=PROBES[0], help="which moves (%(default)s)")
    options = parser.parse_args()
    dataset = load(DATASET, options.data)
    moving = ExportOptions(layout="moving", probes=str(options.probe))
    for file, weights, distortion, motion in (
        ("track.gif", "gtsrb-2st", "centred", "tracks"),
        ("scene.gif", "signs", "scene", True),
    ):
        probes = ProbesConfig.model_validate({"moving": motion})
        export_lap(weights, distortion, probes, dataset, moving, options.folder / file)
    export_evolution(options.data, options.folder / "evolution.gif")


def export_lap(
    weights: str,
    distortion: str,
    probes: ProbesConfig,
    dataset: Dataset,
    options: ExportOptions,
    target: Path,
) -> None:
    """Export a lap of a data set's probes, as trained weights transform them."""
    card = cards()[weights]
    config = RunConfig(
        architecture=card.architecture,
        family=card.family,
        dataset=dataset.entry.name,
        distortion=DistortionConfig(name=distortion),
        probes=probes,
    )
    model = load_weights(weights)
    step = Step(0, 0, 1, None, card.accuracy, 0, None, model, model, dict)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{weights}.stnscope"
        create(path, config=config, steps_per_epoch=1)
        with RecordingWriter.open(path) as writer, writer.transaction():
            for frame in RunProbes(weights, config, dataset).lap_frames(step):
                writer.add_frame(frame, attempt=0, kept=True)
        with RecordingWriter.open(path) as writer:
            write(writer, options, target)


def export_evolution(data: Path, target: Path) -> None:
    """Train for a short while, and export the first epoch's tenths."""
    config = RECIPES["signs"].config.model_copy(update={"epochs": EPOCHS})
    rows = ExportOptions(probes=",".join(map(str, PROBES)))
    with tempfile.TemporaryDirectory() as folder:
        runs = Runs(Path(folder), data=data)
        path = runs.path(runs.create(config))
        record(path, NoControls(), data=data)
        with Recording.open(path) as recording:
            write(recording, rows, target)


def write(recording: Recording, options: ExportOptions, target: Path) -> None:
    """Write a file, and print its size."""
    export(recording, options, target)
    print(f"{target}, {target.stat().st_size:,} bytes", flush=True)


if __name__ == "__main__":
    main()
