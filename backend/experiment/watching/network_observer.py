"""Compute the frame of what any network does with the probes, from its calls of `grid_sample`."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from stnscope.backend.experiment.frames import region_geometry
from stnscope.backend.experiment.frames.build import build_frame
from stnscope.backend.experiment.frames.frame import (
    LATTICE_SIDE,
    Array,
    Frame,
    Label,
    defined_predictions,
)
from stnscope.backend.experiment.frames.region_geometry import Floats
from stnscope.backend.experiment.limits import MAX_TRANSFORMERS
from stnscope.backend.experiment.probes.tensor_pictures import (
    average_channels,
    reduce,
    to_picture,
    to_uint8,
)
from stnscope.backend.experiment.watching.call_warp import CallWarp, call_warps
from stnscope.backend.experiment.watching.class_scores import class_probabilities
from stnscope.backend.experiment.watching.map_location import MapLocation, locate
from stnscope.backend.experiment.watching.probe_images import ProbeImages
from stnscope.backend.experiment.watching.probe_pass import as_input_of, evaluating
from stnscope.backend.experiment.watching.sampling_calls import (
    SamplingCall,
    SamplingTrace,
    is_scripted,
    observe_sampling,
)

MAX_OUTPUT_SIDE = 128
"""Pixels; larger outputs are reduced, or frames of photos would fill the disk within minutes."""

Forward = Callable[[nn.Module, Tensor], Any]
"""Applies a network to the probes (N, C, H, W)."""


class NetworkObserver:
    """Observes the probes of one network, again and again.

    Args:
        model: any network that samples by `grid_sample`.
        probes: its input.
        forward: how it is applied; None to call it with its images alone.
    """

    def __init__(
        self, model: nn.Module, probes: ProbeImages, forward: Forward | None = None
    ) -> None:
        self._model = model
        self._probes = probes
        self._forward = forward
        self._projective: set[tuple[int, int]] = set()
        """The transformers whose grids were homographies: number of the call, and of its warp."""
        self._count: int | None = None
        """Number of transformers in the first frame."""

    def observe(self, info: Mapping[str, Any]) -> Frame | None:
        """Apply the network to the probes and return the frame of its results.

        Args:
            info: further entries of the frame's `info`: run, step, epoch, progress, loss, ...

        Returns:
            None if it has fewer transformers than before, so that the frame would not fit the run.
        """
        return self._to_frame(*self._apply(), info)

    @region_geometry.allow_diverged
    def _to_frame(self, trace: SamplingTrace, output: Any, info: Mapping[str, Any]) -> Frame | None:
        warps = _Warps(trace, self._probes, self._projective)
        if self._count is None:
            self._count = len(warps.shown)
            if note := _note(self._model, trace, len(warps.shown)):
                warnings.warn(note, stacklevel=6)
        if len(warps.shown) < self._count:
            return None
        probes = self._probes
        tensors: dict[str, Array] = {"input": probes.pictures}
        transformers = []
        for index, warp in enumerate(warps.shown[: self._count]):
            name = "st" if self._count == 1 else f"st{index + 1}"
            entry, parts = warps.observe(warp)
            transformers.append({"name": name, **entry})
            tensors |= {f"{kind}.{name}": array for kind, array in parts.items()}
        probabilities = class_probabilities(output, probes.labels, probes.class_count)
        predicted: list[Label] = [None] * len(probes.labels)
        classes = list(probes.classes)
        if probabilities is not None:
            tensors["probabilities"] = probabilities.float().cpu().numpy()
            predicted = defined_predictions(
                probabilities.argmax(dim=-1).tolist(), tensors["probabilities"]
            )
            classes = classes or [str(index) for index in range(probabilities.shape[-1])]
        height, width = probes.pictures.shape[1:3]
        return build_frame(
            info,
            tensors,
            (height, width),
            classes=classes,
            labels=probes.labels if classes else [None] * len(probes.labels),
            predicted=predicted,
            transformers=transformers,
            further={"stillness": None},
        )

    def observe_once(self) -> Frame:
        """Return the frame of what the network does now, which is of no run."""
        frame = self.observe(
            {
                "run": None,
                "step": 0,
                "epoch": None,
                "progress": None,
                "loss": None,
                "accuracy": None,
            }
        )
        assert frame is not None, "the first frame has all transformers"
        return frame

    def observe_picture(self, picture: Array, info: Mapping[str, Any]) -> Frame:
        """Return the frame of what the network does now with a picture.

        Args:
            picture: as for `ProbeImages.of_picture`.
            info: as for `observe`.
        """
        probes = self._probes.of_picture(picture)
        frame = NetworkObserver(self._model, probes, self._forward).observe(info)
        assert frame is not None, "the first frame has all transformers"
        return frame

    def _apply(self) -> tuple[SamplingTrace, Any]:
        images = as_input_of(self._model, self._probes.images)
        with evaluating(self._model), observe_sampling(images) as observer:
            apply = self._forward
            output = apply(self._model, images) if apply else self._model(images)
        return observer.trace, output


class _Warps:
    """The warps of one forward pass, and what they show of the probes."""

    def __init__(
        self, trace: SamplingTrace, probes: ProbeImages, projective: set[tuple[int, int]]
    ) -> None:
        self._probes = probes
        self._size: tuple[int, int] = (probes.images.shape[-2], probes.images.shape[-1])
        self._by_call: dict[SamplingCall, list[CallWarp]] = {}
        for number, call in enumerate(trace.calls[:MAX_TRANSFORMERS]):
            before = frozenset(part for index, part in projective if index == number)
            warps = call_warps(call, len(probes.labels), before)
            self._by_call[call] = warps
            projective |= {
                (number, part)
                for part, warp in enumerate(warps)
                if warp.theta.family == "projective"
            }
        self._locations = {
            call: locate(call.image, call.size, self._size) for call in self._by_call
        }
        self.shown = [warp for warps in self._by_call.values() for warp in warps]
        del self.shown[MAX_TRANSFORMERS:]

    def observe(self, warp: CallWarp) -> tuple[dict[str, Any], dict[str, Array]]:
        """Return a transformer's entry in a frame's `info`, and its tensors there."""
        points, is_exact = self._locate(warp)
        height, width = self._size
        reduction = np.array(self._probes.pictures.shape[2:0:-1]) / [width, height]
        lattice = (points * reduction).astype(np.float32)
        lattice = lattice.reshape(-1, LATTICE_SIDE, LATTICE_SIDE, 2)
        picture = self._picture(warp)
        entry: dict[str, Any] = {
            "family": warp.theta.family,
            "at": "{}x{} map".format(*warp.call.size) if picture is None else "input",
        }
        if warp.theta.residual is not None:
            entry["theta"] = "fitted"
            if np.isfinite(warp.theta.residual):
                entry["residual"] = round(warp.theta.residual, 3)
        if not is_exact:
            entry["placement"] = "stretched"
        if picture is None:
            output = average_channels(warp.call.output[warp.indices].float().cpu())
        else:
            output = to_picture(picture)
        return entry, {
            "output": to_uint8(reduce(torch.nan_to_num(output), MAX_OUTPUT_SIDE)),
            "theta": warp.theta.theta.astype(np.float32),
            "corners": lattice[:, [0, 0, -1, -1], [0, -1, -1, 0]],
            "grid": lattice,
        }

    def _sampled_map(self, warp: CallWarp) -> tuple[MapLocation, CallWarp | None]:
        """Return where a warp's sampled map lies, and the warp whose output that is."""
        location = self._locations[warp.call]
        earlier = self._by_call[location.call] if location.call else []
        # The first of several maps for an image; it is unknown which of them was read.
        return location, earlier[0] if earlier else None

    def _locate(self, warp: CallWarp) -> tuple[Floats, bool]:
        """Return a warp's lattice in pixels of the input, (N, 49, 2), and whether it is exact."""
        points, is_exact = warp.lattice(), True
        current: CallWarp | None = warp
        while current is not None:
            location, current = self._sampled_map(current)
            points = location.pixels.apply(points)
            is_exact = is_exact and location.pixels.is_exact
            if current is not None:
                points = current.apply(points)
                is_exact = is_exact and current.is_only
            elif location.call is not None:
                is_exact = False
        return points, is_exact

    def _picture(self, warp: CallWarp) -> Tensor | None:
        """Return the output as a picture (N, C, h, w); None if what it sampled is not a picture."""
        location, earlier = self._sampled_map(warp)
        if not location.pixels.keeps_pixels or (location.call and not earlier):
            return None
        source = self._picture(earlier) if earlier else self._probes.picture_tensor
        if source is None:
            return None
        call = warp.call
        return nn.functional.grid_sample(
            source,
            call.grid[warp.indices].float().cpu(),
            mode=call.interpolation,
            padding_mode=call.padding,
            align_corners=call.align_corners,
        )


def _note(model: nn.Module, trace: SamplingTrace, shown: int) -> str | None:
    """Return what is not shown of a network's calls, and why; None if all are."""
    if shown:
        left_out = len(trace.calls) > MAX_TRANSFORMERS or shown == MAX_TRANSFORMERS
        count = len(trace.calls)
        return f"Of {count} calls of grid_sample, {shown} maps are shown." if left_out else None
    if trace.volumes:
        return "This network samples volumes, of which there is no picture; its metrics are shown."
    if trace.calls:
        return (
            "The calls of grid_sample in this network are not of as many maps as there are probes, "
            "or of a multiple; only its metrics are shown."
        )
    scripted = " What TorchScript fuses cannot be seen." if is_scripted(model) else ""
    return (
        "This network did not call grid_sample in evaluation mode; only its input and metrics are "
        f"shown.{scripted}"
    )
