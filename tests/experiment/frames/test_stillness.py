"""Stillness of images for which it is known."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional

from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.frames.stillness import WINDOW, Stillness, resize

Pixels = NDArray[np.uint8]


def frame(inputs: Pixels, outputs: Pixels, collapsed: Sequence[str | None] = ()) -> Frame:
    """Return a frame of moving probes (N, H, W, 1) and their outputs."""
    info = {
        "moving": True,
        "transformers": [{"name": "st"}],
        "collapsed": {"st": list(collapsed) or [None] * len(inputs)},
    }
    return Frame(info, {"input": inputs, "output.st": outputs})


def noise(seed: int, count: int = 1, side: int = 8) -> Pixels:
    shape = (count, side, side, 1)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def last_stillness(frames: Sequence[Frame]) -> float | None:
    stillness = Stillness()
    return [stillness.add(frame) for frame in frames][-1]


def test_stillness_of_the_identity_is_one() -> None:
    assert last_stillness(
        [frame(noise(n, 3), noise(n, 3)) for n in range(WINDOW)]
    ) == pytest.approx(1)


def test_stillness_of_a_constant_output_is_zero() -> None:
    assert last_stillness([frame(noise(n), noise(0)) for n in range(WINDOW)]) == 0


def test_stillness_equals_its_definition() -> None:
    """The definition is computed without running sums."""
    inputs = [noise(n, 2) for n in range(WINDOW)]
    outputs = [(noise(99, 2) // 2 + noise(n + 500, 2) // 4).astype(np.uint8) for n in range(WINDOW)]

    def temporal_ratio(images: Sequence[Pixels], probe: int) -> float:
        pixels = np.array([image[probe].ravel() for image in images], dtype=float)
        temporal, spatial = pixels.var(axis=0).mean(), pixels.var(axis=1).mean()
        return float(np.sqrt(temporal / spatial))

    expected = np.mean([temporal_ratio(outputs, p) / temporal_ratio(inputs, p) for p in range(2)])
    actual = last_stillness([frame(*pair) for pair in zip(inputs, outputs, strict=True)])
    assert 0.2 < expected < 0.9
    assert actual == pytest.approx(expected)


def test_stillness_depends_on_the_last_frames_only() -> None:
    changing = [frame(noise(n), noise(n)) for n in range(WINDOW)]
    constant = [frame(noise(n), noise(0)) for n in range(WINDOW)]
    assert last_stillness(changing + constant) == pytest.approx(0, abs=1e-6)
    assert last_stillness(constant + changing) == pytest.approx(1)


def test_stillness_is_undefined_before_enough_frames_of_moving_probes() -> None:
    moving = [frame(noise(n), noise(n)) for n in range(WINDOW)]
    assert last_stillness(moving[1:]) is None
    not_moving = Frame({**moving[0].info, "moving": False}, moving[0].tensors)
    assert last_stillness([*moving, not_moving]) is None
    assert last_stillness([*moving, not_moving, *moving[1:]]) is None
    assert last_stillness([*moving, not_moving, *moving]) is not None


def test_stillness_excludes_collapsed_probes_and_is_undefined_if_all_are() -> None:
    def frames_with(collapsed: Sequence[str | None]) -> list[Frame]:
        frames = []
        for n in range(WINDOW):
            outputs = np.concatenate([noise(0), noise(n)])  # the first one is constant
            frames.append(frame(noise(n, 2), outputs, collapsed if n == 3 else ()))
        return frames

    both = last_stillness(frames_with([None, None]))
    assert both is not None
    assert 0.3 < both < 0.7
    assert last_stillness(frames_with([None, "outside"])) == pytest.approx(0, abs=1e-6)
    assert last_stillness(frames_with(["outside", "vanishing"])) is None


def test_stillness_of_a_uniform_output_is_undefined() -> None:
    blank = np.zeros((1, 8, 8, 1), dtype=np.uint8)
    assert last_stillness([frame(noise(n), blank) for n in range(WINDOW)]) is None


def test_stillness_of_a_network_without_transformers_is_undefined() -> None:
    bare = Frame({"moving": True, "transformers": [], "collapsed": {}}, {"input": noise(0)})
    assert last_stillness([bare] * WINDOW) is None


def test_adding_a_picture_does_not_change_the_stillness() -> None:
    initial = [frame(noise(n, 2), noise(n // 2, 2)) for n in range(WINDOW + 5)]

    def with_added_picture(n: int) -> Frame:
        enlarged = frame(noise(n, 3), noise(n // 2, 3), (None, None, "outside"))
        return enlarged.with_info(joined=[2])

    expected = last_stillness(initial)
    assert expected is not None
    assert (
        last_stillness(initial[:9] + [with_added_picture(n) for n in range(9, WINDOW + 5)])
        == expected
    )


@pytest.mark.parametrize("size", [(3, 5), (12, 9), (6, 7)])
def test_resize_averages_the_area_of_each_pixel(size: tuple[int, int]) -> None:
    """It keeps the mean, and equals torch where the sides divide."""
    images = np.random.default_rng(1).integers(0, 256, (2, 12, 15, 3), dtype=np.uint8)
    resized = resize(images, size)
    assert resized.shape == (2, *size, 3)
    assert np.allclose(resized.mean(axis=(1, 2)), images.mean(axis=(1, 2)))
    if size == (3, 5):
        planes = torch.from_numpy(images).double().permute(0, 3, 1, 2)
        expected = functional.interpolate(planes, size=size, mode="area").permute(0, 2, 3, 1)
        assert np.allclose(resized, expected)
