"""A snapshot of a recording that may be written to."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.experiment.export.frame_selection import FrameEntry
from stnscope.backend.experiment.export.options import ReadableRecording
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.recording.records import Checkpoint, CheckpointRef


class FrameDropped(Exception):
    """A frame of the view was dropped meanwhile; a new view has others."""


class Snapshot:
    """A recording as it was when this was made; later frames and metrics are left out.

    No transaction stays open, because a long one lets the write-ahead log of a trainer grow.
    Therefore a frame can be dropped meanwhile, when the recording reaches its limit.

    Args:
        recording: the run.
        compared: a second run that is shown beside it.
    """

    def __init__(
        self, recording: ReadableRecording, compared: ReadableRecording | None = None
    ) -> None:
        self.path = recording.path
        self._recording = recording
        self._summary = recording.summary()
        self._frames = recording.frames()
        self._last_step = max([self._summary["step"], *(entry.step for entry in self._frames)])
        self._keys = {(entry.step, entry.lap) for entry in self._frames}
        self.compared = None if compared is None else Snapshot(compared)

    def summary(self) -> dict[str, Any]:
        return self._summary

    def frames(self) -> Sequence[FrameEntry]:
        return self._frames

    def frame(self, step: int, lap: int | None = None) -> Frame:
        """Return a frame with its input, as of `Recording.frame`.

        Raises:
            FrameDropped: it was one of `frames`, and is not any more.
        """
        frame = self._recording.frame(step, lap)
        if (step, lap) in self._keys and frame.info["step"] != step:
            raise FrameDropped
        return frame

    def metrics(self, after: int | None = None) -> dict[str, Any]:
        return self._until_last_step(self._recording.metrics(after))

    def sampled_metrics(self, points: int, after: int | None = None) -> dict[str, Any]:
        return self._until_last_step(self._recording.sampled_metrics(points, after))

    def _until_last_step(self, columns: Mapping[str, Any]) -> dict[str, Any]:
        """Return metrics without the rows of later steps."""
        count = bisect_right(columns["step"], self._last_step)
        return {
            name: self._heads(values, count) if isinstance(values, Mapping) else values[:count]
            for name, values in columns.items()
        }

    @staticmethod
    def _heads(columns: Mapping[str, Sequence[Any]], count: int) -> dict[str, Sequence[Any]]:
        return {name: values[:count] for name, values in columns.items()}

    def checkpoints(self) -> Sequence[CheckpointRef]:
        return self._recording.checkpoints()

    def checkpoint_at(self, step: int) -> Checkpoint:
        return self._recording.checkpoint_at(step)


def compared_run(recording: ReadableRecording) -> ReadableRecording:
    """Return the second run of a view.

    Raises:
        InvalidInput: it has none.
    """
    compared = recording.compared if isinstance(recording, Snapshot) else None
    if compared is None:
        raise InvalidInput("There is no second run to compare with.", "compare")
    return compared
