"""Gradients of the loss with respect to theta and the sampling grid, and steps on theta along them.

The weights stay: only the sampled regions change. Jaderberg et al., 2015, sec. 3.3,
equations 6 and 7; computed by torch's autograd.

N = 1 image, P parameters of a transformer, (h, w) its output, K classes, S steps.
"""

from collections.abc import Mapping
from typing import Any

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from stnscope.backend.experiment.config import FrozenModel
from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.experiment.frames.frame import Array
from stnscope.models import grid
from stnscope.models.network import Network, Prediction

MAX_STEPS = 50
MAX_RATE = 10.0


class Gradient(FrozenModel):
    """Which class's loss the gradient is of."""

    label: int = Field(alias="class", ge=0, description="Index of the class.")


class ThetaSteps(Gradient):
    """Steps of gradient descent on theta."""

    count: int = Field(default=1, ge=1, le=MAX_STEPS)
    rate: float = Field(default=0.1, gt=0, le=MAX_RATE, description="The learning rate.")


def gradient_tensors(
    network: Network, image: Tensor, thetas: Mapping[str, Tensor], gradient: Gradient
) -> tuple[dict[str, Array], dict[str, Any]]:
    """Compute the gradients of the cross entropy of a class.

    Args:
        network: in evaluation mode.
        image: (1, C, H, W), its input.
        thetas: overrides by the transformer's name; the others are predicted.
        gradient: the class.

    Returns:
        For each transformer `gradient.theta.<t>` (1, P), the thetas of the others fixed, and
        `gradient.grid.<t>` (1, h, w, 2), with respect to the sampling point of each output pixel,
        in pixels of the transformer's input; with supersampling, to a shift of all its points. And
        the entry `gradient` of a frame's `info`: the class and the loss.

    Raises:
        InvalidInput: there is no transformer or no such class, or an image has several labels.
    """
    leaves = _leaves(network, image, thetas, "gradient")
    prediction, loss = _loss(network, image, leaves, gradient, "gradient")
    names = [transformer.name for transformer in network.transformers]
    points = [warp.samples for warp in prediction.warps]
    found = torch.autograd.grad(
        loss,
        [*(leaves[name] for name in names), *points],
        allow_unused=True,
        materialize_grads=True,
    )
    tensors: dict[str, Array] = {}
    for name, transformer, path, theta, of_points in zip(
        names,
        network.transformers,
        network.input_paths,
        found[: len(names)],
        found[len(names) :],
        strict=True,
    ):
        (rows, columns), side = transformer.size, transformer.supersampling
        summed = of_points.view(-1, rows, side, columns, side, 2).sum(dim=(2, 4))
        height, width = path.receptive_field.size
        per_pixel = summed * 2 / summed.new_tensor([width, height])
        tensors[f"gradient.theta.{name}"] = theta.cpu().float().numpy()
        tensors[f"gradient.grid.{name}"] = per_pixel.cpu().float().numpy()
    return tensors, {"gradient": {"class": gradient.label, "loss": float(loss.detach())}}


def take_steps(
    network: Network, image: Tensor, thetas: Mapping[str, Tensor], steps: ThetaSteps
) -> tuple[dict[str, Tensor], dict[str, Array]]:
    """Take steps of gradient descent on theta alone.

    Args:
        network, image, thetas: as for `gradient_tensors`.
        steps: class, number and rate.

    Returns:
        The last theta by the transformer's name, on the CPU; and for each transformer
        `steps.theta.<t>` (S + 1, P) and `steps.corners.<t>` (S + 1, 4, 2) in pixels of the image,
        `steps.loss` (S + 1) and `steps.probabilities` (S + 1, K), before the first step and after
        each.

    Raises:
        InvalidInput: as for `gradient_tensors`.
    """
    leaves = _leaves(network, image, thetas, "steps")
    rows: dict[str, list[Tensor]] = {}
    for step in range(steps.count + 1):
        prediction, loss = _loss(network, image, leaves, steps, "steps")
        _append(rows, network, image, prediction, loss)
        if step < steps.count:
            found = torch.autograd.grad(loss, list(leaves.values()))
            leaves = {
                name: (theta - steps.rate * change).detach().requires_grad_()
                for (name, theta), change in zip(leaves.items(), found, strict=True)
            }
    last = {name: theta.detach().cpu() for name, theta in leaves.items()}
    return last, {name: torch.stack(values).numpy() for name, values in rows.items()}


def _append(
    rows: dict[str, list[Tensor]],
    network: Network,
    image: Tensor,
    prediction: Prediction,
    loss: Tensor,
) -> None:
    """Append what is known at one step to each of its columns."""
    warps = [warp._replace(theta=warp.theta.detach().cpu()) for warp in prediction.warps]
    columns = {
        "steps.loss": loss.detach().cpu(),
        "steps.probabilities": prediction.logits.detach().softmax(dim=-1)[0].cpu(),
    }
    for index, transformer in enumerate(network.transformers):
        corners = grid.to_pixels(network.locate(index, warps, grid.corners()), *image.shape[-2:])
        columns[f"steps.theta.{transformer.name}"] = warps[index].theta[0]
        columns[f"steps.corners.{transformer.name}"] = corners[0]
    for name, value in columns.items():
        rows.setdefault(name, []).append(value.float())


def _leaves(
    network: Network, image: Tensor, thetas: Mapping[str, Tensor], field: str
) -> dict[str, Tensor]:
    """Return the theta of each transformer, given or predicted, as a leaf of autograd's graph."""
    if not network.transformers:
        raise InvalidInput(f"{field}: This network has no transformer.", field)
    given = {name: theta.to(network.device) for name, theta in thetas.items()}
    with torch.no_grad():
        warps = network(image.to(network.device), given).warps
    return {
        transformer.name: warp.theta.clone().requires_grad_()
        for transformer, warp in zip(network.transformers, warps, strict=True)
    }


def _loss(
    network: Network, image: Tensor, thetas: Mapping[str, Tensor], of: Gradient, field: str
) -> tuple[Prediction, Tensor]:
    """Return the prediction for given thetas, and the cross entropy of a class."""
    prediction: Prediction = network(image.to(network.device), thetas)
    if prediction.logits.ndim > 2:
        raise InvalidInput(f"{field}: This network reads several labels in an image.", field)
    if of.label >= prediction.logits.shape[1]:
        raise InvalidInput(
            f"{field}.class must be less than {prediction.logits.shape[1]}, the number of classes.",
            f"{field}.class",
        )
    label = torch.tensor([of.label], device=network.device)
    return prediction, functional.cross_entropy(prediction.logits, label)
