"""The pause points of a watched loop, where it takes what the page requests."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from stnscope.backend.experiment.config import SettingsChange
from stnscope.backend.experiment.recording.records import Change
from stnscope.backend.experiment.watching.loop_requests import take
from stnscope.backend.experiment.watching.rate_factors import RateFactors
from stnscope.backend.experiment.watching.recording_thread import RecordingThread, RunColumns

log = logging.getLogger("stnscope")

POLL_INTERVAL = 0.02
"""Seconds between two looks for a request while a loop waits."""


def _do_nothing() -> None:
    pass


class PausePoints:
    """Pauses a loop, trains single steps, slows it down and changes rates, as the page requests.

    Args:
        path: the recording of the loop.
        recording: writes it.
        rates: of the loop's optimisers.
    """

    def __init__(self, path: Path, recording: RecordingThread, rates: RateFactors) -> None:
        self._path = path
        self._recording = recording
        self._rates = rates
        self._slow_motion = 0.0
        self._is_paused = False
        self._is_announced = False
        self._passed = time.monotonic()
        """When the loop passed the last pause point."""

    @property
    def is_paused(self) -> bool:
        """Whether the loop waits here, or trains a single step."""
        return self._is_paused

    def announce(self, step: int) -> None:
        """Record which rates the page may change; the first time, that it may pause the loop."""
        self._is_announced = True
        self._record(SettingsChange(rate_factors=self._rates.values), step)

    def wait(
        self, step: int, show_step: Callable[[], None], idle: Callable[[], None] = _do_nothing
    ) -> bool:
        """Apply what is requested, and wait while the loop is paused; return whether it was.

        Args:
            step: optimiser steps done.
            show_step: records a frame of this step; called where the loop stays.
            idle: called again and again while it stays.
        """
        if not self._is_announced:
            self.announce(step)
        was_paused = self._is_paused
        if self._is_paused:
            show_step()
        # Without its recording, the loop could not be resumed.
        while self._recording.is_alive and self._path.is_file():
            request = take(self._path)
            if request is not None:
                self._change(request.settings, step)
                if request.action == "step" and self._is_paused:
                    break
                if request.action == "pause" and not self._is_paused:
                    self._is_paused = was_paused = True
                    show_step()
                    self._set_status("paused")
                    log.warning(
                        "Run %s is paused; resume it on its page, or interrupt it.", self._path.stem
                    )
                if request.action == "resume" and self._is_paused:
                    self._is_paused = False
                    self._set_status("running")
            idle()
            left = self._passed + self._slow_motion - time.monotonic()
            if not self._is_paused and left <= 0:
                break
            time.sleep(POLL_INTERVAL if self._is_paused else min(POLL_INTERVAL, left))
        self._passed = time.monotonic()
        return was_paused

    def close(self) -> None:
        """Leave the optimisers as they were, and what is requested."""
        self._rates.remove()
        take(self._path)

    def _change(self, settings: SettingsChange, step: int) -> None:
        # The groups may have other names by now.
        factors = self._rates.change(settings.rate_factors or {})
        settings = settings.model_copy(update={"rate_factors": factors or None})
        if not settings.values:
            return
        if settings.slow_motion is not None:
            self._slow_motion = settings.slow_motion
        self._record(settings, step)

    def _record(self, settings: SettingsChange, step: int) -> None:
        self._recording.add(Change(step, 0, settings))

    def _set_status(self, status: str) -> None:
        self._recording.add(RunColumns({"status": status}))
