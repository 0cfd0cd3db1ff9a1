"""Stillness, of pictures whose unrest is known beforehand."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional

from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.frames.stillness import WINDOW, Stillness, resized

Pixels = NDArray[np.uint8]


def frame(inputs: Pixels, outputs: Pixels, collapsed: Sequence[str | None] = ()) -> Frame:
    """Frames of moving probes (N, H, W, 1) and their outputs."""
    info = {
        "moving": True,
        "transformers": [{"name": "st"}],
        "collapsed": {"st": list(collapsed) or [None] * len(inputs)},
    }
    return Frame(info, {"input": inputs, "output.st": outputs})


def noise(seed: int, count: int = 1, side: int = 8) -> Pixels:
    shape = (count, side, side, 1)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def followed(frames: Sequence[Frame]) -> float | None:
    stillness = Stillness()
    return [stillness.add(each) for each in frames][-1]


def test_identity_has_the_stillness_of_its_input() -> None:
    assert followed([frame(noise(n, 3), noise(n, 3)) for n in range(WINDOW)]) == pytest.approx(1)


def test_an_output_that_does_not_move_is_still() -> None:
    assert followed([frame(noise(n), noise(0)) for n in range(WINDOW)]) == 0


def test_half_the_unrest_of_an_output_as_varied_is_half_the_number() -> None:
    """By the definition, with numbers computed another way."""
    inputs = [noise(n, 2) for n in range(WINDOW)]
    outputs = [(noise(99, 2) // 2 + noise(n + 500, 2) // 4).astype(np.uint8) for n in range(WINDOW)]

    def unrest(images: Sequence[Pixels], probe: int) -> float:
        each = np.array([image[probe].ravel() for image in images], dtype=float)
        time, space = each.var(axis=0).mean(), each.var(axis=1).mean()
        return float(np.sqrt(time / space))

    expected = np.mean([unrest(outputs, p) / unrest(inputs, p) for p in range(2)])
    found = followed([frame(*pair) for pair in zip(inputs, outputs, strict=True)])
    assert 0.2 < expected < 0.9
    assert found == pytest.approx(expected)


def test_only_the_last_frames_count() -> None:
    restless = [frame(noise(n), noise(n)) for n in range(WINDOW)]
    resting = [frame(noise(n), noise(0)) for n in range(WINDOW)]
    assert followed(restless + resting) == pytest.approx(0, abs=1e-6)
    assert followed(resting + restless) == pytest.approx(1)


def test_it_is_undefined_before_there_are_enough_frames_and_after_one_that_stands() -> None:
    moving = [frame(noise(n), noise(n)) for n in range(WINDOW)]
    assert followed(moving[1:]) is None
    standing = Frame({**moving[0].info, "moving": False}, moving[0].tensors)
    assert followed([*moving, standing]) is None
    assert followed([*moving, standing, *moving[1:]]) is None
    assert followed([*moving, standing, *moving]) is not None


def test_collapsed_probes_are_left_out_and_with_all_of_them_the_number() -> None:
    def each(collapsed: Sequence[str | None]) -> list[Frame]:
        frames = []
        for n in range(WINDOW):
            outputs = np.concatenate([noise(0), noise(n)])  # the first one stands still
            frames.append(frame(noise(n, 2), outputs, collapsed if n == 3 else ()))
        return frames

    both = followed(each([None, None]))
    assert both is not None
    assert 0.3 < both < 0.7
    assert followed(each([None, "outside"])) == pytest.approx(0, abs=1e-6)
    assert followed(each(["outside", "vanishing"])) is None


def test_a_blank_output_has_no_stillness() -> None:
    blank = np.zeros((1, 8, 8, 1), dtype=np.uint8)
    assert followed([frame(noise(n), blank) for n in range(WINDOW)]) is None


def test_a_network_without_a_transformer_has_none() -> None:
    bare = Frame({"moving": True, "transformers": [], "collapsed": {}}, {"input": noise(0)})
    assert followed([bare] * WINDOW) is None


def test_a_picture_that_joins_changes_nothing() -> None:
    alone = [frame(noise(n, 2), noise(n // 2, 2)) for n in range(WINDOW + 5)]

    def joined(n: int) -> Frame:
        more = frame(noise(n, 3), noise(n // 2, 3), (None, None, "outside"))
        return more.with_info(joined=[2])

    expected = followed(alone)
    assert expected is not None
    assert followed(alone[:9] + [joined(n) for n in range(9, WINDOW + 5)]) == expected


@pytest.mark.parametrize("size", [(3, 5), (12, 9), (6, 7)])
def test_an_image_is_resized_by_the_area_that_each_pixel_covers(size: tuple[int, int]) -> None:
    """Against torch where sides divide, and always so that the mean stays."""
    images = np.random.default_rng(1).integers(0, 256, (2, 12, 15, 3), dtype=np.uint8)
    found = resized(images, size)
    assert found.shape == (2, *size, 3)
    assert np.allclose(found.mean(axis=(1, 2)), images.mean(axis=(1, 2)))
    if size == (3, 5):
        planes = torch.from_numpy(images).double().permute(0, 3, 1, 2)
        expected = functional.interpolate(planes, size=size, mode="area").permute(0, 2, 3, 1)
        assert np.allclose(found, expected)
