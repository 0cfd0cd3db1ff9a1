"""Scripted controls of a training, and a comparison of recordings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from stnscope.backend.experiment.recording.reader import Recording


class Script:
    """Controls with a script: requests, and numbers of steps between them."""

    def __init__(self, *script: int | Mapping[str, Any]) -> None:
        self._script = list(script)

    def has_request(self, seconds: float = 0.0) -> bool:
        while self._script and isinstance(actual_run := self._script[0], int):
            if actual_run:
                self._script[0] = actual_run - 1
                return False
            del self._script[0]
        if not self._script:
            raise KeyboardInterrupt  # as if the process were killed
        return True

    def next_request(self) -> Mapping[str, Any]:
        request = self._script.pop(0)
        assert not isinstance(request, int)
        return request


def assert_same_training(actual: Path, expected: Path) -> None:
    """Check that two recordings have the same steps, losses and checkpoint."""
    with Recording.open(actual) as actual_run, Recording.open(expected) as expected_run:
        assert actual_run.metrics()["step"] == expected_run.metrics()["step"]
        assert actual_run.metrics()["loss"] == expected_run.metrics()["loss"]
        first, second = actual_run.checkpoint(), expected_run.checkpoint()
    assert first is not None
    assert second is not None
    assert first.step == second.step
    for name, tensor in first.tensors.items():
        np.testing.assert_array_equal(tensor, second.tensors[name], err_msg=name)
