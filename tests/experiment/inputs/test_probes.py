"""Probes that move along the photos of a track."""

from dataclasses import replace

import pytest
import torch

from stnscope.backend.experiment.catalog import validate
from stnscope.backend.experiment.config import DistortionConfig, ProbesConfig, RunConfig
from stnscope.backend.experiment.data.images import Dataset, Images
from stnscope.backend.experiment.data.registry import DATASETS
from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.experiment.inputs.probes import Probes
from stnscope.backend.experiment.probes.observe import LAP


def made_up_tracks() -> Dataset:
    """Two tracks of four and two photos; the red of each photo is its index."""
    red = torch.arange(6, dtype=torch.uint8)
    pixels = torch.zeros(6, 3, 48, 48, dtype=torch.uint8)
    pixels[:, 0] = red[:, None, None]
    labels = torch.tensor([0, 0, 0, 1, 0, 1])
    tracks = (torch.tensor([0, 1, 2, 4]), torch.tensor([5, 3]))
    images = Images(pixels, labels, tracks=tracks)
    return Dataset(replace(DATASETS["gtsrb"], held_out=6), images, images)


def config_of(moving: bool | str, distortion: str = "centred") -> RunConfig:
    return RunConfig(
        architecture="signs",
        dataset="gtsrb",
        distortion=DistortionConfig(name=distortion),
        probes=ProbesConfig.model_validate({"count": 2, "moving": moving}),
    )


def shown_photos(probes: Probes, phase: float) -> list[int]:
    centres = probes.at_phase(phase).images[:, 0, 24, 24]
    return [round(value) for value in (centres * 255).tolist()]


@pytest.mark.parametrize("moving", [False, "tracks"])
def test_probes_follow_their_tracks_to_the_end_and_back_in_a_lap(moving: bool | str) -> None:
    probes = Probes.choose(made_up_tracks(), config_of(moving))
    assert probes.labels == (0, 1)
    phases = [step / 6 for step in range(7)]
    first, second = zip(*[shown_photos(probes, phase) for phase in phases], strict=True)
    assert first == (0, 1, 2, 4, 2, 1, 0)
    # The second probe is the last photo of its track.
    assert (second[0], second[3], second[6]) == (3, 5, 3)
    assert shown_photos(probes, 1 / LAP) in ([0, 3], [0, 5])


def test_probes_with_a_path_of_their_distortion_follow_it_unless_tracks_are_chosen() -> None:
    dataset = made_up_tracks()
    along_tracks = Probes.choose(dataset, config_of("tracks", "R"))
    assert shown_photos(along_tracks, 0.5)[0] == 4
    turned = Probes.choose(dataset, config_of(moving=True, distortion="R"))
    assert shown_photos(turned, 0.5)[0] == 0


def test_tracks_are_refused_for_a_data_set_without_them() -> None:
    config = RunConfig(probes=ProbesConfig(moving="tracks"))
    with pytest.raises(InvalidInput, match="Handwritten digits has no tracks") as refused:
        validate(config, DATASETS["digits"])
    assert refused.value.field == "probes.moving"
    validate(config_of("tracks"), DATASETS["gtsrb"])
