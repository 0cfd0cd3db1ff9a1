"""The encoding of frames: stable, valid safetensors, and checked when it is decoded."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load

from stnscope.backend.experiment.frames.frame import Array, Frame, FrameError, content_key

GOLDEN = Path(__file__).with_name("golden.frame")


def small_frame() -> Frame:
    info = {
        "protocol": 1,
        "run": "golden",
        "step": 3,
        "epoch": 1,
        "progress": 4,
        "loss": 0.5,
        "accuracy": None,
        "time": 1.0,
        "classes": ["nought", "één"],
        "labels": [0, None],
        "predicted": [0, 1],
        "transformers": [{"name": "st", "family": "affine", "at": "input"}],
        "collapsed": {"st": [None, "outside"]},
    }
    shades = np.arange(2 * 2 * 3, dtype=np.uint8).reshape(2, 2, 3, 1)
    tensors: dict[str, Array] = {
        "input": shades,
        "output.st": shades[:, :, :2] + 100,
        "theta.st": np.linspace(-1, 1, 12, dtype=np.float32).reshape(2, 6),
        "corners.st": np.array([[[0, 0], [3, 0], [3, 2], [0, 2]]] * 2, np.float32),
        "grid.st": np.zeros((2, 7, 7, 2), np.float32),
        "probabilities": np.array([[0.75, 0.25], [0.5, 0.5]], np.float32),
    }
    return Frame(info, tensors)


def test_encode_returns_the_golden_bytes() -> None:
    assert small_frame().encode() == GOLDEN.read_bytes()


def test_decode_reads_the_golden_bytes() -> None:
    frame = Frame.decode(GOLDEN.read_bytes())
    assert frame.info == small_frame().info
    assert frame.transformers == ["st"]
    for name, tensor in small_frame().tensors.items():
        np.testing.assert_array_equal(frame.tensors[name], tensor)


def test_decoded_tensors_are_in_the_order_of_the_bytes() -> None:
    """Tables have their columns in this order: independent of the writer."""
    data = small_frame().encode()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    assert list(Frame.decode(data).tensors) == [name for name in header if name != "__metadata__"]


def test_encoding_is_safetensors_with_one_metadata_key_and_aligned_tensors() -> None:
    data = small_frame().encode()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    assert list(header["__metadata__"]) == ["frame"]
    assert length % 8 == 0
    for entry in header.values():
        if entry.get("dtype") == "F32":
            assert entry["data_offsets"][0] % 4 == 0
    assert set(load(data)) == set(small_frame().tensors)


def test_encode_accepts_an_array_that_is_not_contiguous() -> None:
    transposed = np.arange(12, dtype=np.float32).reshape(3, 4).T
    frame = Frame({"protocol": 1, "transformers": []}, {"theta.st": transposed})
    np.testing.assert_array_equal(Frame.decode(frame.encode()).tensors["theta.st"], transposed)


def test_encode_refuses_nan_in_the_info() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        Frame({"protocol": 1, "loss": float("nan")}, {}).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x" * 40,
        GOLDEN.read_bytes()[:-1],
        Frame({"protocol": 2, "transformers": []}, {}).encode(),
        (2).to_bytes(8, "little") + b"{}",
    ],
)
def test_decode_refuses_bytes_that_are_not_a_frame(data: bytes) -> None:
    with pytest.raises(FrameError, match="frame"):
        Frame.decode(data)


def test_content_key_depends_on_content_and_shape() -> None:
    zeros = np.zeros((1, 2, 3, 1), np.uint8)
    assert content_key(zeros) == content_key(zeros.copy())
    assert content_key(zeros) != content_key(zeros.reshape(1, 3, 2, 1))
    assert content_key(zeros) != content_key(zeros + 1)
