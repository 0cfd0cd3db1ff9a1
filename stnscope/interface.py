"""The interface for Python: watch a training loop, trace what a network does, export a run."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn

from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.home import default_home, recordings_folder
from stnscope.backend.experiment.recording.reader import SUFFIX
from stnscope.backend.experiment.watching.export_run import export_run
from stnscope.backend.experiment.watching.network_observer import Forward, NetworkObserver
from stnscope.backend.experiment.watching.probe_images import FromPicture, ToPicture, choose_probes
from stnscope.backend.experiment.watching.probe_pass import check_is_initialised, device_of, unwrap
from stnscope.backend.experiment.watching.watched_run import (
    UnwatchedRun,
    WatchedRun,
    WatchOptions,
    is_first_process,
)


def watch(
    model: nn.Module,
    images: Any,
    labels: Any = None,
    *,
    classes: Sequence[str] | None = None,
    name: str | None = None,
    count: int | None = None,
    every: int | None = None,
    share: float = 0.03,
    steps_per_epoch: int | None = None,
    epochs: int | None = None,
    forward: Forward | None = None,
    to_pictures: ToPicture | None = None,
    from_pictures: FromPicture | None = None,
    home: str | os.PathLike[str] | None = None,
) -> WatchedRun | UnwatchedRun:
    """Record a training loop, to be watched in the page that `stnscope serve` shows.

    Call it before the loop, and `step` of what it returns after each optimiser step. Training is as
    without it: the probes are observed in evaluation mode, without gradients, and modes, buffers
    and random numbers are restored.

    Args:
        model: any network; each of its calls of `grid_sample` is shown as a transformer.
        images: what is observed: a tensor (N, C, H, W), a list of tensors or of pictures of PIL, a
            data set or a data loader.
        labels: their classes, as indices or names, where known; those of a data set are its own.
        classes: names of the classes.
        name: of the network on the page; that of its class by default.
        count: number of images. By default all of a tensor or list, up to 64, and 12 of a data set,
            one of each class first.
        every: observe each so many steps; by default as often as `share` allows.
        share: of the loop's time that observing may take, at most 20 times a second.
        steps_per_epoch: optimiser steps of an epoch, if known; the page then counts epochs.
        epochs: of the whole training, if known.
        forward: how the network is applied, if not by `model(images)`.
        to_pictures: converts images as the network takes them to pictures in [0, 1]; by default
            values outside [0, 1] are scaled by the smallest and largest of all.
        from_pictures: the inverse, so that pictures can be put through the network from the page;
            not needed without `to_pictures`.
        home: the folder that `stnscope serve` shows: by default `STNSCOPE_HOME`, else the
            platform's folder for application data.

    Returns:
        The run; in a distributed training, in all processes but the first, one that does nothing.

    Raises:
        TypeError: the images are nothing that images can be taken from, or the network's weights
            are distributed over processes.
        ValueError: the images or labels do not fit each other, a number is out of range, or weights
            are lazy.
        StnscopeError: the recording cannot be written; the text has the reason.
    """
    model = unwrap(model)
    options = WatchOptions(
        name or type(model).__name__,
        every=every,
        share=share,
        steps_per_epoch=steps_per_epoch,
        epochs=epochs,
    )
    if not is_first_process(os.environ):
        return UnwatchedRun()
    check_is_initialised(model)
    probes = choose_probes(
        images,
        labels,
        classes=classes,
        count=count,
        device=device_of(model),
        to_pictures=to_pictures,
        from_pictures=from_pictures,
    )
    observer = NetworkObserver(model, probes, forward)
    # Absolute: the program may change its folder later.
    home = Path(home if home is not None else default_home(os.environ)).absolute()
    return WatchedRun(model, observer, probes, recordings_folder(home), options)


def trace(
    model: nn.Module,
    images: Any,
    labels: Any = None,
    *,
    classes: Sequence[str] | None = None,
    forward: Forward | None = None,
    to_pictures: ToPicture | None = None,
) -> Frame:
    """Return what a network does with images, as one frame, without a run.

    Args:
        model, images, labels, classes, forward, to_pictures: as for `watch`; one image (C, H, W) or
            one picture will do.

    Returns:
        Its `tensors`, arrays by name: `input`, and of each transformer `output.<name>`,
        `theta.<name>`, `corners.<name>` and `grid.<name>`, the last two in pixels of `input`;
        `probabilities` where there are class scores. Its `info` names the transformers.
    """
    model = unwrap(model)
    check_is_initialised(model)
    probes = choose_probes(
        images, labels, classes=classes, device=device_of(model), to_pictures=to_pictures
    )
    return NetworkObserver(model, probes, forward).observe_once()


def export(
    run: str | os.PathLike[str],
    file: str | os.PathLike[str],
    *,
    home: str | os.PathLike[str] | None = None,
    **options: Any,
) -> Path:
    """Write a file of a recorded run, as `stnscope export` does.

    Args:
        run: its id, or the path of its recording.
        file: where it is written; its suffix is the form, if no option `format` is given.
        home: the folder with the run: by default that of `watch`.
        options: those of the command, such as `layout="stage"`, `seconds=10`.

    Returns:
        The file.

    Raises:
        StnscopeError: there is no such run, or the file cannot be made; the text has the reason.
        ValueError: an option is invalid.
    """
    path = Path(run)
    if path.suffix != SUFFIX:
        folder = recordings_folder(Path(home if home is not None else default_home(os.environ)))
        path = folder / f"{path.name}{SUFFIX}"
    return export_run(path, Path(file), options)
