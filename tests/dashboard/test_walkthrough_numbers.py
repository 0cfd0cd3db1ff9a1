"""The numbers of the walkthrough "How it works": computed by its modules, and by PyTorch."""

import json
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from stnscope.backend.experiment.frames.frame import Frame
from stnscope.models import catalog
from stnscope.models.families import IMPLEMENTATIONS
from tests.dashboard.javascript import ASSETS, ROOT, run_script
from tools import make_walkthrough_example

ASPECTS = (1.0, 1.5)
CASES = 4
MODES = ("bilinear", "nearest")
ALIGNED = (False, True)


def random(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def compute(expression: str, modules: dict[str, str], **data: Any) -> Any:
    """Evaluate an expression over data and names that modules export."""
    lines = [
        f'import {{ {names} }} from "{(ASSETS / path).as_uri()}";'
        for path, names in modules.items()
    ]
    lines += [f"const {name} = {json.dumps(value)};" for name, value in data.items()]
    return run_script("\n".join([*lines, f"console.log(JSON.stringify({expression}));"]))


def assert_same(actual: Any, expected: Tensor) -> None:
    actual = torch.tensor(actual, dtype=torch.float64)
    torch.testing.assert_close(actual, expected.double().reshape(actual.shape))


def test_warps_of_all_families_are_those_of_the_models() -> None:
    points = random(20, 2, seed=1)
    cases = []
    for index, (name, family) in enumerate(IMPLEMENTATIONS.items()):
        identity = torch.tensor(family.identity, dtype=torch.float64)
        thetas = identity + 0.4 * random(CASES, len(identity), seed=index)
        entry = catalog.FAMILIES[name]
        shape = {
            "theta_labels": entry.theta_labels,
            "theta_matrix": entry.theta_matrix,
            "control_points": entry.control_points,
        }
        cases += [
            (shape, theta.tolist(), aspect, family.warp(theta[None], points, aspect)[0])
            for theta in thetas
            for aspect in ASPECTS
        ]
        cases.append((shape, family.identity, 1.0, points))
    warped, identities = compute(
        "[cases.map(([family, theta, aspect]) => [...warpPoints(family, theta, points, aspect)]),"
        " cases.map(([family]) => identityTheta(family))]",
        {"geometry/theta-grid.js": "identityTheta, warpPoints"},
        points=points.ravel().tolist(),
        cases=[case[:3] for case in cases],
    )
    for actual, (*_, expected) in zip(warped, cases, strict=True):
        assert_same(actual, expected)
    expected_identities = [
        list(family.identity)
        for family in IMPLEMENTATIONS.values()
        for _ in range(CASES * len(ASPECTS) + 1)
    ]
    for actual, numbers in zip(identities, expected_identities, strict=True):
        assert actual == pytest.approx(numbers)


def test_fits_of_all_families_are_those_of_the_models() -> None:
    """The theta of dragged corners, also where no theta matches them."""
    regions = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]]).double()
    convex = regions + 0.2 * random(CASES, 4, 2, seed=6)
    folded = regions[[0, 2, 1, 3]][None]
    targets = torch.cat([convex, folded])
    names = list(IMPLEMENTATIONS)
    shapes = [
        {
            "theta_labels": catalog.FAMILIES[name].theta_labels,
            "theta_matrix": catalog.FAMILIES[name].theta_matrix,
            "control_points": catalog.FAMILIES[name].control_points,
        }
        for name in names
    ]
    fitted = compute(
        "shapes.map((shape) => aspects.map((aspect) =>"
        " targets.map((corners) => fitTheta(shape, corners, aspect))))",
        {"geometry/theta-fit.js": "fitTheta"},
        shapes=shapes,
        aspects=ASPECTS,
        targets=targets.tolist(),
    )
    for name, by_aspect in zip(names, fitted, strict=True):
        for aspect, thetas in zip(ASPECTS, by_aspect, strict=True):
            assert_same(thetas, IMPLEMENTATIONS[name].fit(targets, aspect))


@pytest.mark.parametrize("aligned", ALIGNED)
def test_grid_and_sampler_are_those_of_pytorch(aligned: bool) -> None:
    """Values, and the derivatives that reach the grid, also beside and beyond the edges."""
    theta = random(CASES, 2, 3, seed=2)
    image = random(1, 2, 7, 9, seed=3)
    grids = functional.affine_grid(theta, [CASES, 2, 4, 5], align_corners=aligned)
    modules = {
        "geometry/theta-grid.js": "MATRIX_2X3, pixelCentres, toPixels, warpPoints",
        "geometry/grid-sampler.js": "gridSample, pixelsPerUnit, sampleAt",
    }
    computed = compute(
        """thetas.map((theta) => {
          const image = { data, shape: [7, 9, 2] };
          const points = warpPoints(MATRIX_2X3, theta, pixelCentres(4, 5, aligned));
          const pixels = toPixels(points, [7, 9], aligned);
          const units = [pixelsPerUnit(9, aligned), pixelsPerUnit(7, aligned)];
          return {
            points: [...points],
            sampled: modes.map((mode) =>
              [...gridSample(image, points, { mode, alignCorners: aligned })]),
            slopes: Array.from({ length: 20 }, (_, at) =>
              sampleAt(image, pixels[2 * at], pixels[2 * at + 1]).slopes.map((slope) =>
                slope.map((value, axis) => value * units[axis]))),
          };
        })""",
        modules,
        thetas=theta.flatten(1).tolist(),
        data=image[0].permute(1, 2, 0).ravel().tolist(),
        aligned=aligned,
        modes=MODES,
    )
    for grid, actual in zip(grids, computed, strict=True):
        assert_same(actual["points"], grid)
        for mode, values in zip(MODES, actual["sampled"], strict=True):
            expected = functional.grid_sample(image, grid[None], mode=mode, align_corners=aligned)
            assert_same(values, expected[0].permute(1, 2, 0))
        points = grid.clone().requires_grad_()
        sampled = functional.grid_sample(image, points[None], align_corners=aligned)[0]
        slopes = [
            torch.autograd.grad(channel.sum(), points, retain_graph=True)[0].view(-1, 2)
            for channel in sampled
        ]
        assert_same(actual["slopes"], torch.stack(slopes, dim=1))


def test_forward_warp_scatters_every_pixel_once() -> None:
    theta = torch.tensor([[[0.5, -0.2, 0.1], [0.3, 0.4, -0.2]]], dtype=torch.float64)
    image = random(1, 1, 8, 10, seed=5)
    square = torch.cat([theta[0], torch.tensor([[0.0, 0.0, 1.0]])])
    inverse = torch.linalg.inv(square)[None, :2]
    moved = functional.affine_grid(inverse, [1, 1, 8, 10], align_corners=False)[0].view(-1, 2)
    positions = ((moved + 1) / 2 * torch.tensor([6, 5])).floor().long()
    is_inside = ((positions >= 0) & (positions < torch.tensor([6, 5]))).all(dim=1)
    at = (positions[:, 1] * 6 + positions[:, 0])[is_inside]
    counts = torch.zeros(30, dtype=torch.float64).index_add(
        0, at, torch.ones_like(at, dtype=torch.float64)
    )
    sums = torch.zeros(30, dtype=torch.float64).index_add(0, at, image.ravel()[is_inside])
    grid = functional.affine_grid(theta, [1, 1, 5, 6], align_corners=False)[0].view(-1, 2)
    holes = (counts == 0) & (grid.abs() <= 1).all(dim=1)
    assert holes.any()
    assert (counts > 1).any()
    actual = compute(
        "(({ data, counts, holes }) => [[...data], [...counts], [...holes]])"
        "(forwardWarp({ data, shape: [8, 10, 1] }, theta, [5, 6]))",
        {"geometry/forward-warp.js": "forwardWarp"},
        data=image.ravel().tolist(),
        theta=theta.ravel().tolist(),
    )
    for numbers, expected in zip(actual, (sums / counts.clamp(min=1), counts, holes), strict=True):
        assert_same(numbers, expected)


def test_example_is_what_the_network_does_now() -> None:
    """The frame that ships is that of the present weights, and the page samples its output."""
    shipped = Frame.decode(make_walkthrough_example.PATH.read_bytes())
    frame = make_walkthrough_example.make_frame()
    assert shipped.info["predicted"] == frame.info["predicted"]
    for name, tensor in frame.tensors.items():
        torch.testing.assert_close(
            torch.tensor(shipped.tensors[name]).double(),
            torch.tensor(tensor).double(),
            atol=1 if tensor.dtype == "uint8" else 1e-4,
            rtol=0,
        )
    output = compute(
        "[...gridSample({ data, shape: [48, 48, 1] },"
        " warpPoints(MATRIX_2X3, theta, pixelCentres(28, 28)))]",
        {
            "geometry/theta-grid.js": "MATRIX_2X3, pixelCentres, warpPoints",
            "geometry/grid-sampler.js": "gridSample",
        },
        data=shipped.tensors["input"].ravel().tolist(),
        theta=shipped.tensors["theta.st"].ravel().tolist(),
    )
    torch.testing.assert_close(
        torch.tensor(output),
        torch.tensor(shipped.tensors["output.st"]).ravel().float(),
        atol=1,  # input and output were both rounded
        rtol=0,
    )
    module = (ASSETS / "walkthrough" / "walkthrough-picture.js").read_text()
    numbers = ", ".join(f"{k}: {v}" for k, v in make_walkthrough_example.VARIATION.items())
    assert f"EXAMPLE_VARIATION = {{ {numbers} }}" in module


def test_steps_name_lines_of_the_code_and_have_right_answers() -> None:
    steps = compute("STEPS.map(({ create, ...step }) => step)", {"walkthrough/steps.js": "STEPS"})
    for step in steps:
        assert step["code"]["line"] in (ROOT / step["code"]["path"]).read_text().splitlines()
        assert len(step["sentences"]) == 2
        question = step.get("question")
        assert question is None or 0 <= question["right"] < len(question["answers"])
    ids = [step["id"] for step in steps]
    assert len(set(ids)) == len(ids)
