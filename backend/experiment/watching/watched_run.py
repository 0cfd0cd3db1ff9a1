"""A run whose steps are someone's own training loop."""

import math
import os
import threading
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import torch
from torch import Tensor, nn

from stnscope.backend.experiment.config import ProbesConfig, WatchConfig
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.home import new_run_id
from stnscope.backend.experiment.limits import MAX_NAME_LENGTH, MAX_SCALARS
from stnscope.backend.experiment.os_errors import translating_os_errors
from stnscope.backend.experiment.probes.added_pictures import decode_image
from stnscope.backend.experiment.progress import begins_tenth, epoch_of, tenths_of
from stnscope.backend.experiment.recording.quota import Quota
from stnscope.backend.experiment.recording.reader import SUFFIX
from stnscope.backend.experiment.recording.schema import METRICS, is_scalar_name
from stnscope.backend.experiment.recording.writer import create
from stnscope.backend.experiment.runs.pace import Pace
from stnscope.backend.experiment.watching import loop_pictures
from stnscope.backend.experiment.watching.display import ShownRun, show
from stnscope.backend.experiment.watching.export_run import export_run
from stnscope.backend.experiment.watching.loop_end import (
    end_of,
    end_with_program,
    has_ended,
    open_runs,
)
from stnscope.backend.experiment.watching.network_observer import NetworkObserver
from stnscope.backend.experiment.watching.page_server import find_or_start
from stnscope.backend.experiment.watching.pass_budget import PassBudget
from stnscope.backend.experiment.watching.pause_points import PausePoints
from stnscope.backend.experiment.watching.probe_images import ProbeImages
from stnscope.backend.experiment.watching.probe_pass import device_of
from stnscope.backend.experiment.watching.rate_factors import RateFactors
from stnscope.backend.experiment.watching.recording_thread import (
    RecordingThread,
    StepRecord,
    Value,
)

PICTURE_SHARE = 0.2
"""Maximum share of the loop's time for pictures of the page while it trains."""
CHECK_SECONDS = 0.02
"""Interval between checks for a picture: checks after fast steps cost as much as recording them."""
LOOP_METRICS = frozenset({"loss", "accuracy", "learning_rate", "epoch"})
"""Fixed metrics that a loop may pass; the others are computed."""
EVERY_SECONDS = 10.0
"""How long a step waits for a slow disk if `every` requests a frame of it."""


@dataclass(frozen=True)
class WatchOptions:
    """How a loop is watched.

    Attributes:
        name: of the network.
        every: observe each so many steps; None for by `share`.
        share: of the loop's time that probe passes may take.
        steps_per_epoch: optimiser steps of an epoch; None if unknown.
        epochs: of the whole run; None if unknown.
    """

    name: str
    every: int | None = None
    share: float = 0.03
    steps_per_epoch: int | None = None
    epochs: int | None = None

    def __post_init__(self) -> None:
        if self.every is not None and self.every < 1:
            raise ValueError(f"`every` is a number of steps from 1 on, not {self.every}.")
        if not 0 < self.share <= 1:
            raise ValueError(f"`share` is above 0 and at most 1, not {self.share}.")
        for field in ("steps_per_epoch", "epochs"):
            value = getattr(self, field)
            if value is not None and value < 1:
                raise ValueError(f"`{field}` is a number from 1 on, not {value}.")


class WatchedRun:
    """A run that records the steps of a training loop.

    Call `step` after each optimiser step. The run ends with `end`, with its context, or with the
    program; a loop that crashes or is interrupted shows as such.

    Attributes:
        id: of the run.
        path: its recording.
        thread: the identity of the one that the last step was in.
    """

    def __init__(
        self,
        model: nn.Module,
        observer: NetworkObserver,
        probes: ProbeImages,
        folder: Path,
        options: WatchOptions,
    ) -> None:
        self.id = new_run_id()
        self.path = folder / f"{self.id}{SUFFIX}"
        self._model = model
        self._observer = observer
        self._device = device_of(model)
        self._options = options
        self._budget = PassBudget(options.share, options.every)
        self._pace = Pace()
        self._process = os.getpid()
        self.thread = threading.get_ident()
        self._step = 0
        self._scalars: set[str] = set()
        self._warned: set[str] = set()
        self._is_percent = False
        """Whether the loop counts its accuracy to 100."""
        self._has_ended = False
        self._is_distributed = _is_distributed()
        self._rates = RateFactors(model)
        # Before anything is written: a network that the probes do not fit is the caller's error.
        frame = self._observe()
        config = WatchConfig(
            model=options.name[:MAX_NAME_LENGTH],
            parameters=sum(parameter.numel() for parameter in model.parameters()),
            transformers=len(frame.transformers) if frame else 0,
            probes=ProbesConfig(count=len(probes.labels)),
            epochs=options.epochs,
            picture=probes.picture_input,
        )
        with translating_os_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        create(self.path, config=config, steps_per_epoch=options.steps_per_epoch)
        self._recording = RecordingThread(self.path, Quota())
        self._picture_budget = PassBudget(PICTURE_SHARE, every=None)
        self._next_check = 0.0
        """The time from which to check for a picture again."""
        self._results = loop_pictures.PictureResults(self.path)
        self._pause_points = PausePoints(self.path, self._recording, self._rates)
        self._last = StepRecord(0, {"time": time.time()}, {}, frame, is_kept=True)
        self._recording.add(self._last)
        for earlier in open_runs():
            # In a notebook, the cell that watches may be run again.
            if isinstance(earlier, WatchedRun) and earlier._model is model:
                earlier.end()
        end_with_program(self)

    @property
    def is_recorded(self) -> bool:
        """Whether what is passed to `step` is recorded; not after the end, or without a file."""
        return not self._has_ended and self._recording.is_alive

    def step(self, /, loss: Any = None, accuracy: Any = None, **scalars: Any) -> None:
        """Record an optimiser step; call this after it.

        Never raises: what cannot be recorded costs a warning. Waits for the disk only where `every`
        requests frames more often than it records them.

        Args:
            loss: of the step: a number, or a tensor of one element on any device.
            accuracy: the latest, as a share or in percent.
            **scalars: further numbers by name; each becomes a chart. `learning_rate` and `epoch`
                have charts already.
        """
        if not self.is_recorded or os.getpid() != self._process:
            return
        self._step += 1
        self.thread = threading.get_ident()
        now = time.monotonic()
        self._pace.add_step(now)
        metrics: dict[str, Value] = {
            "time": time.time(),
            "epoch": self._epoch(),
            "steps_per_second": self._pace.steps_per_second,
            "loss": self._snapshot("loss", loss),
            "accuracy": self._accuracy(accuracy),
        }
        further: dict[str, Value] = {}
        for name, value in scalars.items():
            if name in LOOP_METRICS:
                metrics[name] = self._snapshot(name, value)
            elif self._accepts(name):
                further[name] = self._snapshot(name, value)
        frame = None
        timeout = 0.0 if self._options.every is None else EVERY_SECONDS
        if self._budget.is_due(self._step, now) and self._recording.has_space(timeout):
            frame = self._try_to_observe()
        self._last = StepRecord(
            self._step, metrics, further, frame, is_kept=self._is_kept(self._step)
        )
        self._recording.add(self._last)
        self._process_picture()

    def pause_point(self, *optimisers: Any) -> None:
        """Let the page pause the loop here, train single steps, slow it down and change rates.

        Call it after `step`, with the optimisers whose learning rates may be changed: those of a
        parameter group are multiplied by a factor during a step, whatever schedule sets them. It
        returns at once unless the page has requested something. In a distributed training it does
        nothing, since the other processes would not wait.

        Args:
            *optimisers: of torch, of Accelerate or of Lightning.

        Raises:
            TypeError: one is not an optimiser.
        """
        if not self.is_recorded or os.getpid() != self._process or self._is_distributed:
            return
        if self._rates.add(optimisers):
            self._pause_points.announce(self._step)
        if self._pause_points.wait(self._step, self._show_step, self._process_picture):
            self._pace.pause()

    def show(self, height: int = 720) -> None:
        """Show the run's page: in a notebook below the cell, elsewhere in a browser.

        The server is one that runs on the default port with `--allow-frame notebook` and the same
        home, else one that is started in the background and ends with this program.

        Args:
            height: of the page in a notebook, in pixels.

        Raises:
            Unavailable: no server can be started; the text has the reason.
        """
        address = find_or_start(self.id, self.path.parent.parent)
        title = f"{self._options.name}, run {self.id}"
        show(ShownRun(self.id, title, address, lambda: self.is_recorded), height)

    def _ipython_display_(self) -> None:
        self.show()

    def _process_picture(self) -> None:
        """Apply the network to a picture that a user has uploaded for it."""
        start = time.monotonic()
        if not (self._pause_points.is_paused or self._picture_budget.is_due(self._step, start)):
            return
        if not self._pause_points.is_paused and start < self._next_check:
            return
        self._next_check = start + CHECK_SECONDS
        picture = loop_pictures.take(self.path)
        if picture is None:
            return
        frame, error = None, ""
        try:
            image = decode_image(picture.image)
            frame = self._observer.observe_picture(image, self._info()).encode()
        except Exception as problem:  # training goes on whatever the network does with it
            error = repr(problem)
        self._results.add(picture.key, frame, error)
        self._picture_budget.add_pass(start, time.monotonic(), 0)

    def _show_step(self) -> None:
        """Record a frame of the last step, if it has none."""
        if self._last.frame is None:
            self._last = replace(self._last, frame=self._try_to_observe())
            self._recording.add(self._last)

    def export(self, file: str | os.PathLike[str], **options: Any) -> Path:
        """Write a file of what is recorded so far: an animation, a figure, numbers, a page.

        Args:
            file: where it is written; its suffix is the form, if no option `format` is given.
            options: those of `stnscope export`, such as `layout="stage"`, `seconds=10`.

        Returns:
            The file.

        Raises:
            StnscopeError: it cannot be made; the text has the reason and a remedy.
            ValueError: an option is invalid.
        """
        if not self._has_ended:
            self._recording.flush()
        return export_run(self.path, Path(file), options)

    def end(self, status: str = "finished", error: str | None = None) -> None:
        """End the run, with a frame of its last step; later calls change nothing.

        Args:
            status: `finished`, `stopped` or `failed`.
            error: why it failed.
        """
        if self._has_ended or os.getpid() != self._process:
            return
        self._has_ended = True
        if self._last.frame is None and status != "failed":
            self._last = replace(self._last, frame=self._try_to_observe())
        self._recording.add(replace(self._last, is_kept=True))
        has_ended(self)
        self._pause_points.close()
        self._results.close()
        self._recording.close(status, error)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end(*end_of(error))

    def __repr__(self) -> str:
        return f"<stnscope run {self.id}: {self._options.name}, step {self._step}>"

    def _epoch(self) -> int | None:
        per_epoch = self._options.steps_per_epoch
        return epoch_of(self._step, per_epoch) if per_epoch else None

    def _is_kept(self, step: int) -> bool:
        per_epoch = self._options.steps_per_epoch
        return per_epoch is not None and begins_tenth(step, per_epoch)

    def _observe(self) -> Frame | None:
        """Observe the probes at the current step, within the budget's count of time."""
        _synchronize(self._device)
        start = time.monotonic()
        frame = self._observer.observe(self._info())
        tensors = frame.without_input().tensors.values() if frame else ()
        size = sum(array.nbytes for array in tensors)
        self._budget.add_pass(start, time.monotonic(), size)
        return frame

    def _info(self) -> dict[str, Any]:
        """Return the fields that a frame of the current step has about it."""
        per_epoch = self._options.steps_per_epoch
        return {
            "run": self.id,
            "step": self._step,
            "epoch": self._epoch(),
            "progress": tenths_of(self._step, per_epoch) if per_epoch else None,
            "loss": None,
            "accuracy": None,
            "moving": False,
        }

    def _try_to_observe(self) -> Frame | None:
        try:
            return self._observe()
        except Exception as error:  # training goes on whatever the network does with the probes
            self._warn("probes", f"The probes cannot be observed any more: {error!r}")
            return None

    def _snapshot(self, name: str, value: Any) -> Value:
        """Return a scalar as it is now; on another device without waiting for it."""
        if isinstance(value, Tensor):
            if value.numel() != 1:
                self._warn(
                    name, f"`{name}` is not a single number: its shape is {tuple(value.shape)}."
                )
                return None
            value = value.detach()
            return float(value) if value.device.type == "cpu" else value.clone()
        try:
            return None if value is None else float(value)
        except (TypeError, ValueError):
            self._warn(name, f"`{name}` is not a number, but {type(value).__name__}.")
            return None

    def _accuracy(self, value: Any) -> Value:
        accuracy = self._snapshot("accuracy", value)
        if isinstance(accuracy, Tensor) or accuracy is None or not math.isfinite(accuracy):
            return accuracy
        self._is_percent = self._is_percent or accuracy > 1
        return accuracy / 100 if self._is_percent else accuracy

    def _accepts(self, name: str) -> bool:
        """Whether a further scalar of this name can be recorded."""
        if name in self._scalars:
            return True
        if name in (*METRICS, "step", "attempt"):
            self._warn(name, f"`{name}` is computed by the program; give yours another name.")
        elif not is_scalar_name(name) or len(self._scalars) >= MAX_SCALARS:
            self._warn(
                name,
                f"`{name[:MAX_NAME_LENGTH]}` is not recorded: a run has up to {MAX_SCALARS} "
                f"further scalars, with printable names of up to {MAX_NAME_LENGTH} characters.",
            )
        else:
            self._scalars.add(name)
            return True
        return False

    def _warn(self, subject: str, message: str) -> None:
        """Warn once about a subject."""
        if subject not in self._warned:
            self._warned.add(subject)
            warnings.warn(message, stacklevel=4)


class UnwatchedRun:
    """What `watch` returns in all processes of a distributed training but the first."""

    id = None
    path = None

    def step(self, /, loss: Any = None, accuracy: Any = None, **scalars: Any) -> None:
        """Do nothing."""

    def pause_point(self, *optimisers: Any) -> None:
        """Do nothing."""

    def show(self, height: int = 720) -> None:
        """Do nothing."""

    def export(self, file: str | os.PathLike[str], **options: Any) -> Path:
        """Return the file, which is not written."""
        return Path(file)

    def end(self, status: str = "finished", error: str | None = None) -> None:
        """Do nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing."""


def is_first_process(environment: Mapping[str, str]) -> bool:
    """Whether this process is the one of a distributed training that records.

    Args:
        environment: the variables of the process, where launchers set its rank.
    """
    distributed = torch.distributed
    if distributed.is_available() and distributed.is_initialized():
        return int(distributed.get_rank()) == 0
    return environment.get("RANK", "0") == "0"


def _is_distributed() -> bool:
    """Whether this is one of several processes of a training."""
    distributed = torch.distributed
    return bool(
        distributed.is_available()
        and distributed.is_initialized()
        and distributed.get_world_size() > 1
    )


def _synchronize(device: torch.device) -> None:
    """Wait for earlier work of a device, so that it does not count as the probe pass's."""
    if device.type not in ("cpu", "meta") and torch.accelerator.is_available():
        torch.accelerator.synchronize(device)
