"""The page's pure modules, tested in JavaScript by the Node that Playwright brings along."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from playwright._impl._driver import compute_driver_executable

from stnscope.backend.experiment.frames import region_geometry
from stnscope.models import grid
from stnscope.models.families import FAMILIES, Family

ASSETS = Path(__file__).parents[2] / "dashboard" / "assets"
TESTS = sorted((Path(__file__).parent / "js").rglob("*.test.js"))


def test_some_are_found() -> None:
    assert len(TESTS) >= 6


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name.partition(".")[0])
def test_module(path: Path) -> None:
    node = compute_driver_executable()[0]
    done = subprocess.run(
        [node, "--test", "--test-reporter=tap", path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# fail 0" in done.stdout
    assert "# tests 0" not in done.stdout


def ran(script: str) -> Any:
    """What a module's script prints, as JSON."""
    node = compute_driver_executable()[0]
    done = subprocess.run(
        [node, "--input-type=module", "-"],
        input=script,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_regions_are_told_in_the_servers_words() -> None:
    """An upload's answer and the page say the same of the same region."""
    height, width = 40, 60
    rng = np.random.default_rng(3)
    ticks = np.linspace(-1, 1, 7)
    flat = np.stack([*np.meshgrid(ticks, ticks), np.ones((7, 7))], axis=-1)
    maps = np.concatenate([np.eye(2, 3)[None], rng.normal(0, 0.7, (60, 2, 3))])
    points = np.einsum("yxk,nck->nyxc", flat, maps)
    points[40:] += rng.normal(0, 0.05, points[40:].shape)
    lattices = (points + 1) / 2 * [width, height]
    expected = [
        region_geometry.words(each) for each in region_geometry.readings(lattices, height, width)
    ]
    script = f"""
      import {{ regionSentence }} from "{(ASSETS / "stage" / "theta-text.js").as_uri()}";
      const lattices = {json.dumps(lattices.reshape(len(lattices), -1).tolist())};
      const said = lattices.map((each) => regionSentence(each, [{height}, {width}]));
      console.log(JSON.stringify(said));
    """
    assert ran(script) == expected


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_a_dragged_region_stays_in_its_family(family: Family) -> None:
    """What the page asks for is what the server finds a theta for: nothing slips from the hand."""
    height, width = 40, 60
    draw = torch.Generator().manual_seed(4)
    theta = torch.tensor(family.identity).double()
    theta = theta + 0.1 * torch.randn(8, len(theta), generator=draw).double()
    if family.name.startswith("spline"):
        theta = torch.tensor(family.identity).double().expand(8, -1)
    aspect, corners = width / height, grid.corners().double()
    regions = grid.to_pixels(family.warp(theta, corners, aspect), height, width)
    script = f"""
      import {{ moveCorner }} from "{(ASSETS / "geometry" / "region-drag.js").as_uri()}";
      const moved = {json.dumps(regions.tolist())}.map((corners, index) =>
        moveCorner("{family.name}", corners, index % 4, [1.5, -2]));
      console.log(JSON.stringify(moved));
    """
    wanted = torch.tensor(ran(script), dtype=torch.float64)
    assert (wanted != regions).any()
    found = family.closest(grid.from_pixels(wanted, height, width), aspect)
    there = grid.to_pixels(family.warp(found, corners, aspect), height, width)
    torch.testing.assert_close(there, wanted)
