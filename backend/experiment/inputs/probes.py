"""Probes: the fixed images that are observed through training, chosen and distorted."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from stnscope.backend.experiment.catalog import ARCHITECTURES, DatasetEntry
from stnscope.backend.experiment.catalog.distortions import PREPROCESSINGS
from stnscope.backend.experiment.config import TRACKS, RunConfig
from stnscope.backend.experiment.data.images import Dataset
from stnscope.backend.experiment.frames.frame import Label
from stnscope.backend.experiment.inputs.pipeline import InputPipeline, build_input_pipeline
from stnscope.backend.experiment.inputs.random_generators import make_generator
from stnscope.backend.experiment.recording.records import AddedPicture

SEED = 48
"""Seed of the probes' distortion: the same for every run, so that runs are comparable."""


@dataclass(frozen=True, eq=False)
class Probes:
    """Images (N, C, H, W) in [0, 1], their labels (None if unknown, a list if several) and the
    classes' names."""

    images: Tensor
    labels: tuple[Label, ...]
    classes: tuple[str, ...]
    path: Callable[[float], Tensor] | None = None
    """Returns the images at a phase of their path, in laps; None if they do not move."""
    added: int = 0
    """Number of added pictures, the last of the probes."""

    @classmethod
    def choose(cls, dataset: Dataset, config: RunConfig) -> "Probes":
        """Choose held-out images of alternating classes, each with its own distortion.

        A probe's path depends only on its index, so the images of a step are the same in every run.
        It is one of the distortion, or of the photos of the image's track: if the configuration
        selects it, or if the distortion has no path.
        """
        held_out = dataset.held_out
        indices = torch.tensor(_alternate_classes(held_out.labels, config.probes.count))
        pipeline = build_input_pipeline(config, dataset.entry, held_out)
        images, labels = held_out.take(indices), tuple(held_out.labels[indices].tolist())
        generators = [make_generator(SEED, "probe", index) for index in range(len(indices))]
        draws = torch.cat([pipeline.draw(1, generator) for generator in generators], dim=1)

        def path(phase: float) -> Tensor:
            return pipeline.apply(images, pipeline.at_phase(draws, phase))

        def along_tracks(phase: float) -> Tensor:
            return pipeline.apply(held_out.take(tracks.at_phase(phase)), draws)

        has_path = pipeline.distortion.moving_draws > 0
        if config.probes.moving == TRACKS or (held_out.tracks and not has_path):
            tracks = _Tracks.of(indices, held_out.tracks)
            path = along_tracks
        return cls(path(0.0), labels, dataset.entry.classes, path)

    @classmethod
    def from_picture(
        cls, picture: AddedPicture, index: int, dataset: DatasetEntry, config: RunConfig
    ) -> "Probes":
        """Build the probe of an added picture.

        Unmoved, the picture is as it was fitted, with the run's preprocessings. On its path the
        run's whole distortion is applied, with draws of its own.

        Args:
            picture: the fitted picture.
            index: of the probe, from 0.
            dataset: the run's.
            config: of the run.
        """
        image = torch.from_numpy(picture.image.copy()).permute(2, 0, 1)[None].float() / 255
        architecture = ARCHITECTURES[config.architecture]
        pipeline = InputPipeline.for_picture(dataset, config.distortion, architecture)
        draws = pipeline.draw(1, make_generator(SEED, "probe", index))
        preprocessings = [
            name for name in config.distortion.name.split("+") if name in PREPROCESSINGS
        ]
        centred_config = config.distortion.model_copy(
            update={"name": "+".join(preprocessings or ["centred"])}
        )
        centred = InputPipeline.for_picture(dataset, centred_config, architecture)

        def path(phase: float) -> Tensor:
            return pipeline.apply(image, pipeline.at_phase(draws, phase))

        return cls(centred.apply(image, draws[:0]), (picture.label,), dataset.classes, path, 1)

    def with_picture(self, picture: "Probes") -> "Probes":
        """Return these probes followed by the probe of an added picture."""

        def path(phase: float) -> Tensor:
            return torch.cat([self.at_phase(phase).images, picture.at_phase(phase).images])

        images = torch.cat([self.images, picture.images])
        labels, added = self.labels + picture.labels, self.added + picture.added
        return Probes(images, labels, self.classes, path, added)

    def at_phase(self, phase: float) -> "Probes":
        """Return the probes at a phase of their path, in laps."""
        return self if self.path is None else replace(self, images=self.path(phase))


@dataclass(frozen=True)
class _Tracks:
    """The tracks of images, which are followed to their end and back in a lap."""

    tracks: Sequence[Tensor]
    positions: Sequence[int]
    """The position of each image in its track."""

    @classmethod
    def of(cls, images: Tensor, tracks: Iterable[Tensor]) -> Self:
        """Find the tracks of images, given by their indices."""
        track_of = {image: track for track in tracks for image in track.tolist()}
        found = [track_of[image] for image in images.tolist()]
        positions = [
            track.tolist().index(image) for image, track in zip(images.tolist(), found, strict=True)
        ]
        return cls(found, positions)

    def at_phase(self, phase: float) -> Tensor:
        """Return the indices of the images at a phase, in laps."""
        pairs = zip(self.tracks, self.positions, strict=True)
        return torch.stack([_track_index(track, position, phase) for track, position in pairs])


def _track_index(track: Tensor, position: int, phase: float) -> Tensor:
    """Return the index of a track's image at a phase, in laps from its image at `position`."""
    last = len(track) - 1
    distance = (position + 2 * last * phase) % (2 * last) if last else 0
    return track[round(min(distance, 2 * last - distance))]


def _alternate_classes(labels: Tensor, count: int) -> list[int]:
    """Return indices of `count` images: the first of each class, then the second of each, ...

    Where images have several labels, the first decides.
    """
    labels = labels.flatten(1)[:, 0] if labels.dim() > 1 else labels
    by_class = [
        (labels == label).nonzero()[:, 0].tolist() for label in sorted(set(labels.tolist()))
    ]
    rounds = itertools.zip_longest(*by_class)
    return [index for round_indices in rounds for index in round_indices if index is not None][
        :count
    ]
