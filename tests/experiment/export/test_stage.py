"""What the stage of an export shows of regions, as the page's stage does."""

from typing import Any

import numpy as np
import pytest

from stnscope.backend.experiment.export import sheet, stage
from stnscope.backend.experiment.export.animation import draw_frame, draw_frames
from stnscope.backend.experiment.export.control_points import control_points
from stnscope.backend.experiment.export.options import CHARTS, LAYERS, ExportOptions
from stnscope.backend.experiment.export.plan import plan
from stnscope.backend.experiment.export.snapshot import Snapshot
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.recording.reader import Recording
from stnscope.backend.server.runs import example_path
from tests.exports import Pixels, Record, frame, lattice

BEYOND = ((-6.0, -6.0), (54.0, -6.0), (54.0, 54.0), (-6.0, 54.0))
FAR = ((-6.0, -6.0), (480.0, -6.0), (480.0, 54.0), (-6.0, 54.0))


def picture(recording: Recording, layers: str) -> tuple[Pixels, stage.StageLayout]:
    """Return the last frame on the stage, and its layout."""
    cut = Snapshot(recording)
    chosen = plan(cut, ExportOptions(layout="stage", layers=layers))
    assert isinstance(chosen.layout, stage.StageLayout)
    return draw_frame(cut, chosen, len(chosen.frames) - 1).flatten(), chosen.layout


def test_mesh_is_seen_in_the_margin(record: Record) -> None:
    pixels, layout = picture(record(frame(0, corners=BEYOND)), "mesh")
    rows, columns = layout.margin_box(0)
    area = pixels[rows, columns, 0]
    middle = len(area) // 2
    assert area[0, 0] == stage.MARGIN_LEVEL
    # The middle line of the mesh crosses the margin up to the region's edge at -6 of 48 pixels.
    edge = round(layout.margin - 6 * layout.input[0] / 48)
    crossed = np.flatnonzero((area[: layout.margin, middle - 1 : middle + 2] != area[0, 0]).any(1))
    assert crossed.tolist() == list(range(edge, layout.margin))
    assert (area[crossed, middle - 1 : middle + 2] == stage.MESH_LEVEL).any(axis=1).all()


def test_lines_end_at_the_margin_and_are_not_moved_to_it(record: Record) -> None:
    """A point that is far away keeps its direction; nothing is drawn beyond the margin."""
    pixels, layout = picture(record(frame(0, corners=FAR)), "outline")
    rows, columns = layout.margin_box(0)
    beside = pixels[rows, columns.stop : columns.stop + 2]
    assert (beside == sheet.BACKGROUND).all()
    white = (pixels[rows, columns] == 255).all(axis=2)
    top = round(layout.margin - 6 * layout.input[0] / 48)
    assert white[top, layout.margin :].all()
    # No line at the right edge, where a moved corner would have been.
    assert not white[top + 5 : top + 20, -1].any()


@pytest.mark.parametrize("layout", ["evolution", "stage", "one"])
def test_all_that_is_drawn_has_a_colour_in_the_palette_of_a_gif(layout: Any) -> None:
    with Recording.open(example_path("example-signs-2st")) as recording:
        cut = Snapshot(recording)
        options = ExportOptions(
            layout=layout, layers=",".join(LAYERS), charts=",".join(CHARTS), frames=2
        )
        chosen = plan(cut, options)
        drawn = {
            int(value) for layers in draw_frames(cut, chosen) for value in np.unique(layers[1])
        }
    assert drawn <= {sheet.TRANSPARENT, *sheet.LEVELS, *chosen.colours}


def test_further_transformers_are_dashed() -> None:
    assert stage.dash([(0.0, 0.0), (4.0, 0.0), (4.0, 4.0)], [3.0, 2.0]) == [
        [(0.0, 0.0), (3.0, 0.0)],
        [(4.0, 1.0), (4.0, 4.0)],
    ]
    assert stage.dash([(0.0, 0.0), (4.0, 0.0)], []) == [[(0.0, 0.0), (4.0, 0.0)]]
    with Recording.open(example_path("example-signs-2st")) as recording:
        pixels, layout = picture(recording, "outline")
        last = recording.frame(recording.frames()[-1].step)
    area = pixels[layout.margin_box(0)]
    scale = layout.input[0] / last.tensors["input"].shape[1]
    corners = last.tensors[f"corners.{last.transformers[1]}"][0] * scale
    sides = np.hypot(*(corners - np.roll(corners, 1, axis=0)).T).sum()
    drawn = (area == sheet.COLOURS[stage.COLOURS[1]]).all(axis=2).sum()
    # Two pixels wide; a third of the outline is gaps.
    assert 0.4 * 2 * sides < drawn < 0.85 * 2 * sides


def placed_at(frame: Frame, at: str) -> Frame:
    """Return a frame whose transformer is elsewhere in the network."""
    (transformer,) = frame.info["transformers"]
    return Frame({**frame.info, "transformers": [transformer | {"at": at}]}, frame.tensors)


@pytest.mark.parametrize("at", ["input", "features"])
def test_control_points_of_a_spline(at: str) -> None:
    with Recording.open(example_path("example-spline")) as recording:
        last = recording.frame(recording.frames()[-1].step)
        pixels, layout = picture(recording, "mesh")
        without, _ = picture(recording, "outline")
    (transformer,) = last.info["transformers"]
    points = control_points(placed_at(last, at), 0, 0)
    side = round(len(points) ** 0.5)
    corners = points[[0, side - 1, -1, -side]]
    expected = last.tensors[f"corners.{transformer['name']}"][0]
    # A spline interpolates its control points, of which four are the region's corners.
    assert corners == pytest.approx(expected, abs=1e-3)
    rows, columns = layout.margin_box(0)
    blue = sheet.COLOURS[stage.CONTROL_COLOUR]
    assert (pixels[rows, columns] == blue).all(axis=2).sum() > 20
    assert not (without[rows, columns] == blue).all(axis=2).any()


def test_control_points_of_a_deeper_transformer_are_even_over_its_lattice() -> None:
    with Recording.open(example_path("example-spline")) as recording:
        first = recording.frame(0)
    (transformer,) = first.info["transformers"]
    even = lattice(((0.0, 0.0), (30.0, 0.0), (30.0, 30.0), (0.0, 30.0)))
    first.tensors[f"grid.{transformer['name']}"][0] = even
    points = control_points(placed_at(first, "features"), 0, 0)
    side = round(len(points) ** 0.5)
    expected = np.stack(np.meshgrid(np.linspace(0, 30, side), np.linspace(0, 30, side)), axis=-1)
    assert points == pytest.approx(expected.reshape(-1, 2))


def test_families_without_control_points_have_none() -> None:
    assert control_points(frame(0), 0, 0).shape == (0, 2)
