"""What `stnscope.trace` shows of networks that are not ours."""

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import stnscope
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.frames.frame_metrics import frame_metrics
from stnscope.backend.experiment.inputs.probes import Probes
from stnscope.backend.experiment.probes.observe import observe
from stnscope.models.architectures import build
from stnscope.models.catalog import ARCHITECTURES
from stnscope.models.transformer import SpatialTransformer
from tests.experiment.watching.networks import Sampled, TransformerNet, regular_grid

WITH_TRANSFORMERS = [entry for entry in ARCHITECTURES.values() if entry.transformers]


class Logits(nn.Module):
    """One of our networks, as anybody else's."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.network(images).logits
        return logits


def images(count: int = 3, channels: int = 1, side: int = 12, seed: int = 0) -> Tensor:
    return torch.rand(count, channels, side, side, generator=torch.Generator().manual_seed(seed))


OUR_NETWORKS = [
    *((entry, "affine") for entry in WITH_TRANSFORMERS),
    # Homographies one behind the other, on pictures and on maps.
    *(
        (entry, "projective")
        for entry in WITH_TRANSFORMERS
        if entry.name in ("signs-2st", "vgg-2st")
    ),
]


@pytest.mark.parametrize(
    ("entry", "family"), OUR_NETWORKS, ids=lambda value: getattr(value, "name", value)
)
def test_our_networks_are_traced_as_they_are_observed(entry: Any, family: str) -> None:
    torch.manual_seed(1)
    network = build(entry.name, family)
    for module in network.modules():
        if isinstance(module, SpatialTransformer):
            nn.init.normal_(module.regression.weight, std=0.02)
    batch = torch.rand(2, entry.channels, entry.height, entry.width)
    label: Any = [0] * entry.labels if entry.labels > 1 else 0
    classes = [str(index) for index in range(entry.classes)]
    observed = observe(network, Probes(batch, (label, label), tuple(classes)), {})
    traced = stnscope.trace(Logits(network), batch, [label, label], classes=classes)
    for ours, theirs in zip(observed.transformers, traced.transformers, strict=True):
        for kind in ("grid", "corners"):
            np.testing.assert_allclose(
                traced.tensors[f"{kind}.{theirs}"], observed.tensors[f"{kind}.{ours}"], atol=0.01
            )
        np.testing.assert_array_equal(
            traced.tensors[f"output.{theirs}"], observed.tensors[f"output.{ours}"]
        )
    np.testing.assert_array_equal(
        traced.tensors["probabilities"], observed.tensors["probabilities"]
    )
    for ours, theirs in zip(
        observed.info["transformers"], traced.info["transformers"], strict=True
    ):
        assert (theirs["at"], "placement" in theirs) == (ours["at"], False)


def forms_of(network: nn.Module, batch: Tensor) -> dict[str, Any]:
    network.eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {
            "compiled": torch.compile(network, backend="eager"),
            "traced": torch.jit.trace(network, batch),  # type: ignore[no-untyped-call]
            "exported": torch.export.export(network, (batch,)).module(),
        }


@pytest.mark.seconds
@pytest.mark.parametrize("form", ["compiled", "traced", "exported"])
def test_other_forms_of_a_network_show_what_it_shows(form: str) -> None:
    torch.manual_seed(0)
    network, batch = TransformerNet(), images()
    expected = stnscope.trace(network, batch, [0, 1, 2])
    other = forms_of(network, batch)[form]
    if form == "compiled":
        other(batch)
    traced = stnscope.trace(other, batch, [0, 1, 2])
    assert traced.tensors.keys() == expected.tensors.keys()
    for name, tensor in expected.tensors.items():
        np.testing.assert_allclose(traced.tensors[name], tensor, atol=1e-5)
    assert traced.info["transformers"] == expected.info["transformers"]


def test_theta_of_affine_grid_is_read() -> None:
    torch.manual_seed(0)
    network, batch = TransformerNet(), images()
    frame = stnscope.trace(network, batch)
    (entry,) = frame.info["transformers"]
    assert entry == {"name": "st", "family": "affine", "at": "input"}
    theta = network.localisation(batch).detach().numpy()
    np.testing.assert_allclose(frame.tensors["theta.st"], theta, atol=1e-6)


@pytest.mark.parametrize("made", [False, True])
@pytest.mark.parametrize("sampled", [False, True])
def test_align_corners_of_both_calls_is_converted(made: bool, sampled: bool) -> None:
    theta = torch.tensor([[[0.5, 0.2, 0.1], [-0.1, 0.7, -0.2]]])

    class Net(nn.Module):
        def __init__(self, *, read: bool) -> None:
            super().__init__()
            self.read = read

        def forward(self, batch: Tensor) -> Tensor:
            grid = functional.affine_grid(
                theta.expand(len(batch), -1, -1), [len(batch), 1, 5, 7], align_corners=made
            )
            grid = grid if self.read else grid + 0.0
            return functional.grid_sample(batch, grid, align_corners=sampled)

    batch = torch.rand(2, 1, 9, 11)
    read, fitted = (stnscope.trace(Net(read=read), batch) for read in (True, False))
    assert "theta" not in read.info["transformers"][0]
    assert fitted.info["transformers"][0]["theta"] == "fitted"
    np.testing.assert_allclose(read.tensors["theta.st"], fitted.tensors["theta.st"], atol=1e-5)
    np.testing.assert_allclose(read.tensors["grid.st"], fitted.tensors["grid.st"], atol=1e-4)
    if not made and not sampled:
        np.testing.assert_allclose(read.tensors["theta.st"][0], theta.flatten(), atol=1e-6)
    # The first sampled pixel, by the definition of `grid_sample`.
    grid = functional.affine_grid(theta, [1, 1, 5, 7], align_corners=made)
    x = float(grid[0, 0, 0, 0])
    expected = (x + 1) / 2 * 10 + 0.5 if sampled else (x + 1) / 2 * 11
    centre = np.array([2 * 0.5 / 7 - 1, 2 * 0.5 / 5 - 1, 1])
    a, b, c = read.tensors["theta.st"][0][:3]
    assert (np.dot([a, b, c], centre) + 1) / 2 * 11 == pytest.approx(expected, abs=1e-4)


BEFORE = {
    "convolution": (nn.Conv2d(1, 3, 5, stride=2, padding=1), "6x6 map", 1.0),
    "dilated": (nn.Conv2d(1, 2, 3, dilation=2), "9x9 map", 2.0),
    "pooling": (nn.MaxPool2d(2), "6x6 map", 0.0),
    "average": (nn.AvgPool2d(3, stride=2), "6x6 map", 0.5),
    "transposed": (nn.ConvTranspose2d(1, 2, 4, stride=2, padding=1), "26x26 map", 0.0),
    "padded": (nn.ZeroPad2d((2, 0, 1, 0)), "14x15 map", None),
    "resized": (nn.Upsample(scale_factor=2, mode="bilinear"), "26x26 map", 0.0),
    "adaptive": (nn.AdaptiveAvgPool2d(13), "13x13 map", 0.0),
}


@pytest.mark.parametrize("name", BEFORE)
def test_map_is_placed_by_receptive_fields(name: str) -> None:
    before, at, _ = BEFORE[name]
    batch = torch.zeros(1, 1, 13, 13)
    with torch.no_grad():
        height, width = before(batch).shape[-2:]
    frame = stnscope.trace(Sampled(regular_grid(height, width), before), batch)
    (entry,) = frame.info["transformers"]
    assert entry["at"] == at
    assert "placement" not in entry
    corners = frame.tensors["corners.st"][0]
    # The centre of the map's first pixel is the centre of the inputs that it depends on.
    for row, column in ((0, 0), (height - 1, width - 1), (height // 2, 1)):
        centre = centre_of_influence(before, batch, row, column)
        place = corners[0] + (corners[2] - corners[0]) * [
            (column + 0.5) / width,
            (row + 0.5) / height,
        ]
        if centre is not None:
            np.testing.assert_allclose(place, centre, atol=0.01)


def centre_of_influence(
    before: nn.Module, batch: Tensor, row: int, column: int
) -> np.ndarray[Any, Any] | None:
    """Return the middle, (x, y), of the input pixels that a pixel of a map depends on.

    None if the border cuts its window, so that the middle is not the window's.
    """
    size = batch.shape[-2:]
    wide = torch.nn.functional.pad(batch, (0, 0, 0, 0)).requires_grad_()
    noise = torch.rand(size, generator=torch.Generator().manual_seed(0))
    (before(wide + noise)[0, :, row, column].sum()).backward()
    assert wide.grad is not None
    touched = wide.grad[0, 0].abs().nonzero()
    if not len(touched) or isinstance(before, nn.MaxPool2d):
        return None
    low, high = touched.min(dim=0).values, touched.max(dim=0).values
    is_cut = bool((low == 0).any() or (high == torch.tensor(size) - 1).any())
    middle: np.ndarray[Any, Any] = ((low + high + 1) / 2).flip(0).numpy()
    return None if is_cut else middle


def test_grid_behind_an_unknown_operation_is_stretched_and_says_so() -> None:
    class Rolled(nn.Module):
        def forward(self, batch: Tensor) -> Tensor:
            restored: Tensor = torch.fft.ifft2(torch.fft.fft2(batch)).real
            return restored[..., ::2, ::2].contiguous()

    frame = stnscope.trace(Sampled(regular_grid(6, 6), Rolled()), images())
    (entry,) = frame.info["transformers"]
    assert entry["placement"] == "stretched"
    corners = frame.tensors["corners.st"][0]
    assert np.abs(corners - [[0, 0], [12, 0], [12, 12], [0, 12]]).max() < 1.1


def test_several_maps_an_image_are_several_transformers() -> None:
    shifts = torch.tensor([[0.0, 0.0], [0.5, 0.0], [0.0, -0.5]])

    class Heads(nn.Module):
        def __init__(self, *, tiled: bool) -> None:
            super().__init__()
            self.tiled = tiled

        def forward(self, batch: Tensor) -> Tensor:
            grid = regular_grid(6, 6)
            count = len(batch)
            if self.tiled:
                maps = torch.cat([batch] * 3)
                grids = torch.cat([(grid + shift).expand(count, -1, -1, -1) for shift in shifts])
            else:
                maps = batch.repeat_interleave(3, dim=0)
                grids = (grid + shifts[:, None, None]).repeat(count, 1, 1, 1)
            return functional.grid_sample(maps, grids, align_corners=False)

    for tiled in (True, False):
        frame = stnscope.trace(Heads(tiled=tiled), images(count=2))
        assert frame.transformers == ["st1", "st2", "st3"]
        for name, shift in zip(frame.transformers, shifts, strict=True):
            centre = frame.tensors[f"corners.{name}"].mean(axis=1)
            np.testing.assert_allclose(centre, np.tile(6 + 6 * shift, (2, 1)), atol=0.01)


def test_free_grid_keeps_its_shape_and_names_the_distance_to_its_theta() -> None:
    grid = regular_grid(12, 12).clone()
    grid[..., 0] += 0.2 * torch.sin(3 * grid[..., 1])
    frame = stnscope.trace(Sampled(grid), images())
    (entry,) = frame.info["transformers"]
    assert (entry["family"], entry["theta"]) == ("affine", "fitted")
    assert 0.1 < entry["residual"] < 2
    edge = frame.tensors["grid.st"][0, :, 0]
    assert np.ptp(edge[:, 0]) > 1


def test_network_without_grid_sample_shows_its_input_and_says_why() -> None:
    with pytest.warns(UserWarning, match="did not call grid_sample"):
        frame = stnscope.trace(nn.Sequential(nn.Flatten(), nn.Linear(144, 4)), images(), [0, 1, 2])
    assert frame.transformers == []
    assert frame.tensors["probabilities"].shape == (3, 4)


def test_volumes_are_not_shown_and_said_to_be() -> None:
    class Volume(nn.Module):
        def forward(self, batch: Tensor) -> Tensor:
            grid = torch.zeros(len(batch), 2, 2, 2, 3)
            return functional.grid_sample(batch[:, None], grid, align_corners=False)

    with pytest.warns(UserWarning, match="samples volumes"):
        stnscope.trace(Volume(), images())


def test_outputs_that_are_no_scores_are_not_shown() -> None:
    class Regression(nn.Module):
        def forward(self, batch: Tensor) -> dict[str, Tensor]:
            sampled: Tensor = Sampled(regular_grid(12, 12))(batch)
            return {"boxes": sampled.flatten(1)[:, :4]}

    frame = stnscope.trace(Regression(), images())
    assert "probabilities" not in frame.tensors
    assert frame.info["predicted"] == [None] * 3
    assert Frame.decode(frame.encode()).info == frame.info


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_any_number_of_channels_and_any_values_have_a_picture(channels: int) -> None:
    batch = images(channels=channels) * 7 - 3
    frame = stnscope.trace(Sampled(regular_grid(12, 12)), batch)
    assert frame.tensors["input"].shape == (3, 12, 12, 1 if channels in (1, 5) else 3)
    np.testing.assert_array_equal(frame.tensors["input"], frame.tensors["output.st"])


def test_large_images_are_reduced_with_their_regions() -> None:
    frame = stnscope.trace(Sampled(regular_grid(600, 300)), torch.rand(1, 3, 600, 300))
    assert frame.tensors["input"].shape == (1, 256, 128, 3)
    assert frame.tensors["output.st"].shape == (1, 128, 64, 3)
    np.testing.assert_allclose(frame.tensors["corners.st"][0, 2], [128, 256], atol=0.01)


def test_network_that_cannot_take_the_probes_says_so_itself() -> None:
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        stnscope.trace(TransformerNet(side=11), images())


def test_lazy_weights_are_refused() -> None:
    network = nn.Sequential(nn.Flatten(), nn.LazyLinear(4))
    with pytest.raises(ValueError, match="Apply it to a batch once"):
        stnscope.trace(network, images())


def test_network_of_reduced_precision_is_given_its_precision() -> None:
    torch.manual_seed(0)
    network = TransformerNet()
    exact = stnscope.trace(network, images(), [0, 1, 2])
    reduced = stnscope.trace(network.bfloat16(), images(), [0, 1, 2])
    np.testing.assert_allclose(reduced.tensors["corners.st"], exact.tensors["corners.st"], atol=0.3)
    np.testing.assert_array_equal(reduced.tensors["input"], exact.tensors["input"])


def test_of_many_calls_the_first_are_shown_and_said_to_be() -> None:
    class Many(nn.Module):
        def forward(self, batch: Tensor) -> Tensor:
            grid = regular_grid(4, 4).expand(len(batch), -1, -1, -1)
            maps = [functional.grid_sample(batch, grid, align_corners=False) for _ in range(20)]
            return torch.stack(maps).mean()

    with pytest.warns(UserWarning, match="Of 20 calls of grid_sample, 16 maps are shown"):
        frame = stnscope.trace(Many(), images())
    assert len(frame.transformers) == 16


def test_region_that_is_not_finite_has_collapsed() -> None:
    frame = stnscope.trace(Sampled(torch.full((1, 4, 4, 2), float("nan"))), images())
    assert frame.info["collapsed"]["st"] == ["vanishing"] * 3
    assert Frame.decode(frame.encode()).info == frame.info


@pytest.mark.parametrize("scale", [1e20, 1e37, float("inf"), float("nan")])
@pytest.mark.parametrize("is_affine", [True, False])
def test_diverged_network_raises_nothing_where_numpy_is_to_raise(
    scale: float, *, is_affine: bool
) -> None:
    grid = regular_grid(12, 12) * scale
    network = Sampled(grid if is_affine else grid + 0.1 * grid.flip(-1) ** 2)
    with np.errstate(all="raise"):
        frame = stnscope.trace(network, images())
        frame_metrics(frame)
    assert None not in frame.info["collapsed"]["st"]


def test_scores_that_are_not_finite_are_no_prediction() -> None:
    class Diverged(nn.Module):
        def forward(self, batch: Tensor) -> Tensor:
            scores = torch.zeros(len(batch), 4)
            scores[1] = float("nan")
            return (
                functional.grid_sample(
                    batch, regular_grid(12, 12).expand(len(batch), -1, -1, -1), align_corners=False
                ).mean(dim=(1, 2, 3))[:, None]
                + scores
            )

    frame = stnscope.trace(Diverged(), images(), [0, 0, 0])
    assert frame.info["predicted"] == [0, None, 0]
