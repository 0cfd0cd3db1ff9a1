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
        while self._script and isinstance(left := self._script[0], int):
            if left:
                self._script[0] = left - 1
                return False
            del self._script[0]
        if not self._script:
            raise KeyboardInterrupt  # as if the process were killed
        return True

    def next_request(self) -> Mapping[str, Any]:
        request = self._script.pop(0)
        assert not isinstance(request, int)
        return request


def assert_same_training(one: Path, other: Path) -> None:
    """Check that two recordings have the same steps, losses and checkpoint."""
    with Recording.open(one) as left, Recording.open(other) as right:
        assert left.metrics()["step"] == right.metrics()["step"]
        assert left.metrics()["loss"] == right.metrics()["loss"]
        first, second = left.checkpoint(), right.checkpoint()
    assert first is not None
    assert second is not None
    assert first.step == second.step
    for name, tensor in first.tensors.items():
        np.testing.assert_array_equal(tensor, second.tensors[name], err_msg=name)
