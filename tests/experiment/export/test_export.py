"""Exported GIFs: exact durations and positions, exact overlay levels, no flicker."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from stnscope.backend.experiment.errors import Conflict, InvalidInput
from stnscope.backend.experiment.export import palette, sheet
from stnscope.backend.experiment.export.options import ExportOptions
from stnscope.backend.experiment.export.plan import plan
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.recording.reader import SUFFIX, Recording
from tests.exports import (
    GENERATOR,
    PER_EPOCH,
    PHOTO,
    WHOLE,
    Corners,
    Pixels,
    Record,
    exported,
    frame,
)
from tests.watched_run import write_watched_run


@dataclass
class Gif:
    """A decoded GIF."""

    image: Image.Image
    frames: list[Pixels]
    delays: list[int]
    """Milliseconds."""


def decode(data: bytes) -> Gif:
    image = Image.open(BytesIO(data))
    frames, delays = [], []
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        delays.append(image.info["duration"])
        frames.append(np.array(image.convert("RGB")))
    image.seek(0)
    return Gif(image, frames, delays)


def steps_of(recording: Recording, options: ExportOptions) -> list[int]:
    return [key.step for key in plan(recording, options).frames]


def test_export_shows_the_tenths_of_the_first_epoch(record: Record) -> None:
    frames = [frame(step) for step in range(3 * PER_EPOCH)]
    gif = decode(exported(record(*frames), ExportOptions()))
    assert len(gif.frames) == 11
    assert gif.delays == [500] * 10 + [1500]
    assert gif.image.info["loop"] == 0
    assert gif.image.info["comment"].startswith(b"Run run, steps 0 to 20, seed 7.\n")
    assert gif.image.size == (8 + 96 + 8 + 96 + 8, 3 * (8 + 96) + 32)


def test_export_shows_the_first_step_of_each_tenth(record: Record) -> None:
    steps = steps_of(record(*[frame(step) for step in range(25)]), ExportOptions())
    assert steps == [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20]


def test_export_of_a_run_in_its_first_epoch_shows_the_recorded_tenths(record: Record) -> None:
    gif = decode(exported(record(*[frame(step) for step in range(7)]), ExportOptions()))
    assert gif.delays == [500, 500, 500, 1500]


def test_export_of_one_frame(record: Record) -> None:
    assert decode(exported(record(frame(0)), ExportOptions())).delays == [1500]


def test_export_of_an_empty_recording_is_refused(record: Record) -> None:
    for options in (ExportOptions(), ExportOptions(first=0)):
        with pytest.raises(Conflict, match="yet"):
            exported(record(), options)


def test_evolution_excludes_the_lap(record: Record) -> None:
    laps = [frame(4, lap=index) for index in range(5)]
    assert steps_of(record(frame(0), frame(4), *laps), ExportOptions()) == [0, 4]


def test_export_selects_steps_of_a_range(record: Record) -> None:
    written = record(*[frame(step) for step in range(0, 60, 2)])
    assert steps_of(written, ExportOptions(first=10, last=20)) == [10, 12, 14, 16, 18, 20]
    assert steps_of(written, ExportOptions(frames=3)) == [0, 28, 58]
    assert steps_of(written, ExportOptions(first=51)) == [52, 54, 56, 58]
    assert decode(exported(written, ExportOptions(last=6))).delays == [50, 50, 50, 1500]


@pytest.mark.parametrize(
    ("fps", "total"), [(30, 1000), (24, 1250), (7, 4290), (50, 600), (20, 1500)]
)
def test_durations_have_an_exact_sum(record: Record, fps: float, total: int) -> None:
    written = record(*[frame(step) for step in range(30)])
    delays = decode(exported(written, ExportOptions(first=0, fps=fps))).delays
    assert len(delays) == 30
    assert sum(delays) == total
    assert min(delays) >= 20
    assert max(delays) - min(delays) <= 10


def test_equal_frames_are_not_merged(record: Record) -> None:
    output = np.zeros((4, 28, 28, 1), np.uint8)
    written = record(*[frame(step, output=output) for step in range(0, 6, 2)])
    gif = decode(exported(written, ExportOptions(fps=2)))
    assert gif.delays == [500, 500, 500]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"first": 9, "last": 3}, "first"),
        ({"first": 500}, "first"),
        ({"first": 3, "last": 3}, "first"),
        ({"samples": 5}, "samples"),
        ({"probes": "0,4"}, "probes"),
    ],
)
def test_options_that_do_not_fit_the_run_are_refused(
    record: Record, options: dict[str, Any], field: str
) -> None:
    written = record(*[frame(step) for step in range(0, 12, 2)])
    with pytest.raises(InvalidInput) as caught:
        exported(written, ExportOptions(**options))
    assert caught.value.field == field


def test_animation_that_is_too_large_is_refused(record: Record) -> None:
    wide = frame(0, probes=4)
    with pytest.raises(InvalidInput, match="at most 4 million") as caught:
        exported(record(wide), ExportOptions(scale=4, probes=",".join("0123" * 5)))
    assert caught.value.field == "scale"


@pytest.mark.parametrize(
    "options",
    [
        {"fps": 0},
        {"fps": 51},
        {"scale": 9},
        {"frames": 301},
        {"samples": 0},
        {"first": -1},
        {"probes": "1,,2"},
        {"format": "avi"},
        {"layout": "../x"},
        {"colour": 1},
    ],
)
def test_error_of_an_invalid_option_has_its_field(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        ExportOptions.model_validate(options)
    assert caught.value.errors()[0]["loc"] == tuple(options)


def test_grey_images_have_exact_levels(record: Record) -> None:
    first, _, last = decode(
        exported(record(frame(0), frame(10), frame(20)), ExportOptions(samples=1))
    ).frames
    enlarged = PHOTO[0, ..., 0].repeat(2, axis=0).repeat(2, axis=1)
    enlarged[enlarged == palette.REPLACED] = 0
    # Dots cover the corners.
    inside = slice(10, 86)
    for picture in (first, last):
        tile = picture[8:104, 8:104]
        np.testing.assert_array_equal(
            tile[inside, inside], enlarged[inside, inside, None].repeat(3, 2)
        )
    assert (first[8:104, 112:208] == 0).all()
    assert (last[8:104, 112:208] == 200).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_constant_pixels_do_not_flicker(record: Record, channels: int) -> None:
    moving = [
        frame(
            step,
            channels=channels,
            corners=tuple((x + step, y) for x, y in WHOLE),
            output=GENERATOR.integers(0, 256, (4, 28, 28, channels), dtype=np.uint8),
        )
        for step in range(0, 10, 2)
    ]
    pictures = decode(exported(record(*moving), ExportOptions())).frames
    assert len(pictures) == 5
    layout = plan(record(), ExportOptions()).layout
    rows, columns = layout.input_box(0)
    for picture in pictures:
        tile = picture[rows, columns]
        np.testing.assert_array_equal(
            tile[10:-10, 30:-10], pictures[0][rows, columns][10:-10, 30:-10]
        )
    assert (pictures[0] != pictures[1]).any()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("corners", [WHOLE, ((10, 12), (40, 12), (40, 36), (10, 36))])
def test_dots_have_exact_positions_and_levels(
    record: Record, channels: int, corners: Corners
) -> None:
    (picture,) = decode(
        exported(record(frame(0, channels=channels, corners=corners)), ExportOptions(samples=1))
    ).frames
    for number, (x, y) in enumerate(corners):
        column, row = 8 + 2 * int(x), 8 + 2 * int(y)
        area = picture[row - 6 : row + 6, column - 6 : column + 6].astype(int)
        # Six pixels of its colour across its middle, then the outline.
        colour = 255 if number else sheet.FIRST_COLOUR
        assert (area[6, 3:9] == colour).all()
        assert (area[3:9, 6] == colour).all()
        assert (area[6, [2, 9]] == 0).all()
        assert (area[[2, 9], 6] == 0).all()
        # The first corner is a square, the others are discs.
        assert (area[3, 3] == colour).all() == (number == 0)


@pytest.mark.parametrize("channels", [1, 3])
def test_background_and_text_have_exact_levels(record: Record, channels: int) -> None:
    (picture,) = decode(exported(record(frame(0, channels=channels)), ExportOptions())).frames
    assert (picture[:3] == sheet.BACKGROUND).all()
    footer = picture[8 - sheet.FOOTER :]
    assert footer.min() == sheet.INK
    assert set(np.unique(footer)) <= set(sheet.LEVELS)


def test_corners_outside_the_image_are_drawn_outside_it(record: Record) -> None:
    outside = ((-6.0, -6.0), (30.0, -6.0), (30.0, 30.0), (-6.0, 30.0))
    written = record(frame(0, corners=outside))
    layout = plan(written, ExportOptions()).layout
    (picture,) = decode(exported(written, ExportOptions())).frames
    rows, columns = layout.input_box(0)
    assert layout.margin >= 12
    assert (picture[rows.start - 12, columns.start - 12] == sheet.FIRST_COLOUR).all()
    assert (picture[rows.start - 12, columns.start + 60] == 255).all()


def test_corners_far_outside_are_drawn_as_arrows(record: Record) -> None:
    far = ((-500.0, 24.0), (24.0, 24.0), (600.0, 24.0), (24.0, 900.0))
    written = record(frame(0, corners=far))
    layout = plan(written, ExportOptions()).layout
    assert layout.margin == 32
    (picture,) = decode(exported(written, ExportOptions())).frames
    rows, columns = layout.input_box(0)
    middle = (rows.start + rows.stop) // 2
    assert (picture[middle, columns.start - 28] == sheet.FIRST_COLOUR).all()


def test_corners_that_are_not_finite_are_not_drawn(record: Record) -> None:
    corners = ((float("nan"), 0.0), (float("inf"), 0.0), (48.0, 48.0), (0.0, 48.0))
    assert decode(exported(record(frame(0, corners=corners)), ExportOptions())).delays == [1500]


def test_prediction_of_a_network_without_transformers_is_drawn(record: Record) -> None:
    written = record(*[frame(step, transformers=False) for step in (0, 2, 5)])
    first, second, third = decode(exported(written, ExportOptions(samples=1))).frames
    assert (first[8:104, 112:208] < 100).any()
    np.testing.assert_array_equal(first[8:104, 112:208], second[8:104, 112:208])
    assert (second[8:104, 112:208] != third[8:104, 112:208]).any()


def test_several_transformers_are_drawn_side_by_side_with_dots_and_numbers(
    record: Record,
) -> None:
    one, other = ((4, 4), (20, 4), (20, 20), (4, 20)), ((28, 26), (44, 26), (44, 46), (28, 46))
    first = frame(3, corners=one)
    both = Frame(
        {**first.info, "transformers": [{"name": name} for name in ("st", "st2")]},
        {
            **first.tensors,
            "output.st2": np.full((4, 14, 28, 1), 90, np.uint8),
            "corners.st2": np.array([other] * 4, np.float32),
        },
    )
    written = record(both)
    layout = plan(written, ExportOptions(samples=1)).layout
    assert layout.outputs == ((96, 96), (48, 96))
    gif = decode(exported(written, ExportOptions(samples=1)))
    (picture,) = gif.frames
    for index, shade in enumerate((30, 90)):
        rows, columns = layout.output_box(0, index)
        assert (picture[rows, columns][20:, 20:] == shade).all()
        number = picture[rows, columns][:16, :16]
        assert (number == 255).any()
        assert (number == 0).any()
    for x, y in (*one[1:], *other[1:]):
        assert (picture[8 + 2 * y, 8 + 2 * x] == 255).all(), (x, y)
    assert layout.output_box(0, 1)[1].stop + layout.gap == gif.image.size[0]


def test_sequence_of_labels_is_drawn(record: Record) -> None:
    single = frame(0, transformers=False)
    probabilities = np.full((4, 2, 2), 0.5, np.float32)
    sequence = Frame(
        {**single.info, "predicted": [[1, 0]] * 4},
        {**single.tensors, "probabilities": probabilities},
    )
    assert decode(exported(record(sequence), ExportOptions())).delays == [1500]


def test_added_picture_is_blank_in_earlier_frames(record: Record) -> None:
    written = record(frame(0, probes=2), frame(2, probes=4))
    before, after = decode(exported(written, ExportOptions(probes="3,0"))).frames
    assert (before[8:104, 112:208] == sheet.BACKGROUND).all()
    assert (after[20:90, 112:208] == 20).all()
    assert (before[120:200, 112:208] == 0).all()


def test_scale_multiplies_the_size(record: Record) -> None:
    written = record(frame(0))
    gif = decode(exported(written, ExportOptions(scale=2)))
    assert gif.image.size == (2 * 216, 2 * 344)


def test_resize_of_other_shapes() -> None:
    image = np.arange(6, dtype=np.uint8).reshape(2, 3, 1)
    assert sheet.resize(image, (4, 6), is_grey=True).tolist()[0] == [0, 0, 1, 1, 2, 2]
    assert sheet.resize(image, (2, 3), is_grey=False).shape == (2, 3, 3)
    assert sheet.resize(np.zeros((300, 200, 3), np.uint8), (96, 64), is_grey=False).shape == (
        96,
        64,
        3,
    )


def test_progress_is_reported_and_can_cancel_the_export(record: Record) -> None:
    written = record(*[frame(step) for step in range(6)])
    reported: list[tuple[int, int]] = []
    exported(written, ExportOptions(), lambda done, total: reported.append((done, total)))
    assert reported == [(1, 3), (2, 3), (3, 3)]

    def cancel(done: int, total: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        exported(written, ExportOptions(), cancel)


MOVING = ExportOptions(layout="moving")


def test_moving_shows_one_probe_over_the_closing_lap(record: Record) -> None:
    laps = [frame(4, lap=number) for number in range(60)]
    written = record(frame(0, moving=True), frame(4), *laps)
    gif = decode(exported(written, MOVING))
    assert [key.lap for key in plan(written, MOVING).frames] == list(range(60))
    assert gif.delays == [50] * 60
    assert gif.image.info["loop"] == 0
    assert gif.image.info["comment"].startswith(b"Run run, closing lap at step 4, seed 7.\n")
    assert gif.image.size == (8 + 96 + 8 + 96 + 8, 8 + 96 + 32)


def test_moving_without_a_lap_shows_the_steps_of_moving_probes(record: Record) -> None:
    written = record(*[frame(step, moving=step >= 3) for step in range(8)])
    assert steps_of(written, MOVING) == [3, 4, 5, 6, 7]
    assert decode(exported(written, MOVING)).image.info["comment"].startswith(b"Run run, steps 3")
    assert steps_of(written, MOVING.model_copy(update={"first": 5})) == [5, 6, 7]
    with pytest.raises(InvalidInput, match="step 3 to 7"):
        exported(written, MOVING.model_copy(update={"last": 2}))


def test_moving_with_a_range_shows_its_steps_instead_of_the_lap(record: Record) -> None:
    laps = [frame(7, lap=number) for number in range(60)]
    written = record(*[frame(step, moving=True) for step in range(8)], *laps)
    assert steps_of(written, MOVING.model_copy(update={"first": 2, "last": 4})) == [2, 3, 4]
    evenly_spaced = plan(written, MOVING.model_copy(update={"frames": 4})).frames
    assert [key.lap for key in evenly_spaced] == [0, 20, 39, 59]


def test_moving_is_refused_for_a_run_without_moving_probes(record: Record) -> None:
    with pytest.raises(Conflict, match="do not move"):
        exported(record(frame(0), frame(1)), MOVING)
    lapped = record(frame(0), *[frame(1, lap=number) for number in range(60)])
    with pytest.raises(Conflict, match="closing lap"):
        exported(lapped, MOVING.model_copy(update={"first": 0}))


def test_captions_are_centred_below_their_columns(record: Record) -> None:
    written = record(*[frame(1, lap=number) for number in range(2)])
    layout = plan(written, MOVING).layout
    first, second = decode(exported(written, MOVING)).frames
    is_text = first[-layout.footer :, :, 0] < 128
    left, right = layout.input_box(0)[1], layout.output_box(0)[1]
    columns = np.flatnonzero(is_text.any(axis=0))
    middle = (left.stop + right.start) / 2
    for box, text in ((left, columns[columns < middle]), (right, columns[columns > middle])):
        assert (text.min() + text.max()) / 2 == pytest.approx((box.start + box.stop) / 2, abs=2)
    assert np.array_equal(first[-layout.footer :], second[-layout.footer :])


# Watched runs


@pytest.fixture
def watched(tmp_path: Path) -> Callable[..., Recording]:
    def write(**run: Any) -> Recording:
        return Recording.open(write_watched_run(tmp_path / f"watched{SUFFIX}", **run))

    return write


def test_evolution_of_unknown_epochs_counts_steps_of_the_whole_run(
    watched: Callable[..., Recording],
) -> None:
    with watched(steps=50) as recording:
        assert steps_of(recording, ExportOptions()) == list(range(0, 51, 5))
        gif = decode(exported(recording, ExportOptions()))
        assert (len(gif.frames), gif.delays) == (11, [500] * 10 + [1500])
        assert gif.image.info["comment"].startswith(b"Run watched, steps 0 to 50.\n")
        assert decode(exported(recording, ExportOptions(first=40, last=50))).frames
        with pytest.raises(Conflict, match="watched run do not move"):
            plan(recording, ExportOptions(layout="moving"))


def test_watched_run_with_epochs_is_exported_by_tenths(watched: Callable[..., Recording]) -> None:
    with watched(steps=15, steps_per_epoch=10, epoch=1, progress=0) as recording:
        assert steps_of(recording, ExportOptions()) == list(range(11))
