"""Groups of frames, packed by Python and unpacked by the page's module, are the recorded frames."""

import base64
import json
import zlib
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from stnscope.backend.experiment.export.frame_groups import (
    GROUP_FRAMES,
    FilterName,
    Inputs,
    affine_grid,
    corner_cells,
    group_frames,
    pack_group,
    sample,
)
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.recording.reader import Recording
from stnscope.backend.server.runs import example_path
from tests.dashboard.javascript import ASSETS, run_script

PROBES = 3
UNPACK = f"""
import {{ decodeGroup, decompress, readGroupHeader }} from
  "{(ASSETS / "offline" / "frame-groups.js").as_uri()}";
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const text = (data) =>
  btoa(Array.from(new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    (byte) => String.fromCharCode(byte)).join(""));
async function unpack(packed, input) {{
  const data = await decompress(bytes(packed));
  const header = readGroupHeader(data);
  return decodeGroup(data, header, header.input === null ? null : input[header.input]);
}}
const inputs = [];
for (const packed of INPUTS) inputs.push((await unpack(packed))[0].tensors.input);
const frames = [];
for (const packed of GROUPS) frames.push(...await unpack(packed, inputs));
const written = frames.map(({{ info, tensors }}) => ({{ info, tensors: Object.fromEntries(
  Object.entries(tensors).map(([name, {{ shape, data }}]) => [name, [shape, text(data)]])) }}));
console.log(JSON.stringify(written));
"""


def unpacked_by_the_page(groups: Sequence[bytes], inputs: Inputs) -> list[Frame]:
    """Return frames as the page's module unpacks them."""
    packed = {
        "GROUPS": [base64.b64encode(group).decode() for group in groups],
        "INPUTS": [base64.b64encode(inputs.pack(images)).decode() for images in inputs.images],
    }
    script = UNPACK
    for name, texts in packed.items():
        script = script.replace(f"of {name}", f"of {json.dumps(texts)}")
    frames = []
    for written in run_script(script):
        tensors = {}
        for name, (shape, text) in written["tensors"].items():
            dtype = np.uint8 if name.startswith(("input", "output")) else np.float32
            tensors[name] = np.frombuffer(base64.b64decode(text), dtype).reshape(shape)
        frames.append(Frame(written["info"], tensors))
    return frames


def made_up_frames(
    count: int, *, moving: bool = False, channels: int = 1, zeros: bool = True
) -> list[Frame]:
    """Return frames whose regions move across the edge, with numbers that are not numbers."""
    random = np.random.default_rng(3)
    image = random.integers(0, 256, (PROBES, 9, 8, channels), dtype=np.uint8)
    base = np.stack(np.meshgrid(np.linspace(0, 8, 7), np.linspace(0, 9, 7)), axis=-1)
    frames = []
    for step in range(count):
        scale = random.normal(1, 0.2, (PROBES, 1, 1, 2))
        grid = (base * scale + random.normal(0, 3, (PROBES, 1, 1, 2))).astype(np.float32)
        if step == 2:
            grid[0], grid[1, 3, 3] = np.nan, np.inf
            grid[2] *= -1e9
        images = np.roll(image, step, axis=2) if moving else image
        output = sample(images[None], grid[None], (5, 6), zeros)[0]
        output[0, 0, 0] += step  # what sampling does not predict
        tensors = {
            "output.st": output,
            "theta.st": random.normal(size=(PROBES, 6)).astype(np.float32),
            "corners.st": corner_cells(grid[None])[0],
            "grid.st": grid,
            "probabilities": random.random((PROBES, 4), dtype=np.float32),
            "input": images,
        }
        frames.append(Frame({"step": step, "classes": ["nought", "één"]}, tensors))
    return frames


def assert_same(frames: Sequence[Frame], others: Sequence[Frame]) -> None:
    assert [frame.info for frame in frames] == [frame.info for frame in others]
    for frame, other in zip(frames, others, strict=True):
        assert frame.tensors.keys() == other.tensors.keys()
        for name, tensor in frame.tensors.items():
            assert tensor.shape == other.tensors[name].shape, name
            assert tensor.tobytes() == other.tensors[name].tobytes(), name


def test_the_page_unpacks_the_same_bits() -> None:
    still, moving = made_up_frames(GROUP_FRAMES + 3), made_up_frames(4, moving=True, channels=3)
    few = made_up_frames(2, zeros=False)
    for frame in moving:
        theta, grid = frame.tensors["theta.st"], frame.tensors["grid.st"]
        grid[:] = affine_grid(theta[None], grid.shape[1:3], (1, *frame.tensors["input"].shape))[0]
        grid[1, 0, 0] += 0.25  # what theta does not predict
    for frame in few:
        frame.tensors["probabilities"][:] = 0.5
        points = frame.tensors["grid.st"]
        points[0, 0, -1], points[1, 0, 0], points[2, -1, 0] = np.inf, 3e38, -3e38
        points[1, -1, -1] = np.array(0xFFC12345, np.uint32).view(np.float32)  # bits of a NaN
        frame.tensors["corners.st"][:] = corner_cells(points[None])[0]
    path = Path(example_path("example-signs-2st"))
    with Recording.open(path) as recording:
        recorded = [recording.frame(step) for step in recording.frame_steps()[:3]]
    frames = [*still, *moving, *few, *recorded]
    inputs = Inputs()
    groups = [pack_group(group, inputs) for group in group_frames(iter(frames))]
    assert len(groups) == 2 + 1 + 1 + 1
    headers = b"".join(map(zlib.decompress, groups))
    for name in get_args(FilterName):
        assert f'"filter":"{name}"'.encode() in headers, name
    assert len(inputs.images) == 2, "an input that several groups share is stored once"
    assert_same(unpacked_by_the_page(groups, inputs), frames)


def test_equal_frames_make_equal_groups() -> None:
    """safetensors reads the tensors of a frame in an order by chance."""
    frames = made_up_frames(3)
    reversed_frames = [Frame(each.info, dict(reversed([*each.tensors.items()]))) for each in frames]
    assert pack_group(reversed_frames, Inputs()) == pack_group(frames, Inputs())


@pytest.mark.parametrize(("example", "share"), [("digits", 0.07), ("signs", 0.2)])
def test_groups_are_small(example: str, share: float) -> None:
    """Frames of a training, whose regions move little, take a small part of their bytes."""
    with Recording.open(example_path(f"example-{example}")) as recording:
        frames = [recording.frame(step) for step in recording.frame_steps()]
    inputs = Inputs()
    groups = [pack_group(group, inputs) for group in group_frames(iter(frames))]
    assert list(chain.from_iterable(group_frames(iter(frames)))) == frames
    assert sum(map(len, groups)) < share * sum(len(frame.encode()) for frame in frames)
