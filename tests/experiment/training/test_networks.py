"""Every network of the catalog can be observed, saved and exported."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import torch

from stnscope.backend.experiment.export.frame_selection import FrameEntry
from stnscope.backend.experiment.export.options import ExportOptions
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.frames.frame_metrics import theta_summary
from stnscope.backend.experiment.inputs.probes import Probes
from stnscope.backend.experiment.probes.observe import observe
from stnscope.models import weights
from stnscope.models.architectures import build
from stnscope.models.cards import Card
from stnscope.models.catalog import ARCHITECTURES, Architecture
from tests.exports import RecordedFrames, exported

FOR_EACH_NETWORK = pytest.mark.parametrize(
    "entry", ARCHITECTURES.values(), ids=lambda entry: entry.name
)


@dataclass(frozen=True)
class FixedStep:
    """A listed frame."""

    step: int = 0
    lap: int | None = None
    moving: bool = False


@dataclass
class Recorded(RecordedFrames):
    """A recording of one frame."""

    only: Frame

    def summary(self) -> dict[str, Any]:
        return {
            "id": "run",
            "step": 0,
            "steps_per_epoch": 10,
            "config": {"seed": 0},
            "watched": False,
        }

    def frames(self) -> Sequence[FrameEntry]:
        return [FixedStep()]

    def frame(self, step: int, lap: int | None = None) -> Frame:
        return self.only

    def sampled_metrics(self, points: int, after: int | None = None) -> dict[str, Any]:
        return {"step": []}


def observe_untrained(entry: Architecture) -> Frame:
    draw = torch.Generator().manual_seed(8)
    images = torch.rand(2, entry.channels, entry.height, entry.width, generator=draw)
    label: int | list[int] = [0] * entry.labels if entry.labels > 1 else 0
    classes = tuple(str(index) for index in range(entry.classes))
    return observe(build(entry.name), Probes(images, (label, None), classes), {"step": 0})


@FOR_EACH_NETWORK
def test_frame_has_every_transformer_and_decodes_again(entry: Architecture) -> None:
    frame = Frame.decode(observe_untrained(entry).encode())
    assert frame.tensors["input"].shape[3] in (1, 3)
    sequence = (entry.labels,) if entry.labels > 1 else ()
    assert frame.tensors["probabilities"].shape == (2, *sequence, entry.classes)
    assert len(frame.transformers) == entry.transformers
    assert len(set(frame.transformers)) == entry.transformers, "names are unique"
    for name in frame.transformers:
        assert frame.tensors[f"output.{name}"].shape[3] in (1, 3)
        assert frame.tensors[f"corners.{name}"].shape == (2, 4, 2)
        assert frame.tensors[f"grid.{name}"].shape == (2, 7, 7, 2)
        assert frame.info["collapsed"][name] == [None, None]
    assert (theta_summary(frame) == {}) == (entry.transformers == 0)


@FOR_EACH_NETWORK
def test_run_can_be_exported(entry: Architecture) -> None:
    recorded = Recorded(observe_untrained(entry))
    assert exported(recorded, ExportOptions()).startswith(b"GIF89a")
    stage = ExportOptions(format="png", layout="stage", layers="outline,mesh,trail,inverse")
    assert exported(recorded, stage).startswith(b"\x89PNG")
    for name, start in (("svg", b"<?xml"), ("csv", b"run,step")):
        assert exported(recorded, ExportOptions.model_validate({"format": name})).startswith(start)


@FOR_EACH_NETWORK
def test_weights_are_saved_and_loaded_strictly(entry: Architecture, tmp_path_factory: Any) -> None:
    card = Card(
        name="any", title="", description="", subject="", architecture=entry.name, family="affine",
        dataset="", distortion="", classes=(), parameters=0, command="", seed=0, steps=0,
        accuracy=0, date="", machine="",
    )  # fmt: skip
    first, second = build(entry.name), build(entry.name)
    path = weights.save(first, card, tmp_path_factory.mktemp("weights"))
    weights.load_into(second, path)
    saved = second.state_dict()
    assert all(torch.equal(saved[name], tensor) for name, tensor in first.state_dict().items())
    path.unlink()
