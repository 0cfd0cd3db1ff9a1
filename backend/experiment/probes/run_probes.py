"""The probes of a run step by step: its own, and the pictures added to them."""

from collections.abc import Iterable

from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.data.images import Dataset
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.frames.stillness import WINDOW, Stillness
from stnscope.backend.experiment.inputs.probes import Probes
from stnscope.backend.experiment.probes.observe import LAP, observe_step
from stnscope.backend.experiment.recording.records import AddedPicture
from stnscope.backend.experiment.training.loop import Step


class RunProbes:
    """The probes of one run.

    Args:
        run: its id.
        config: of the run.
        dataset: the loaded `config.dataset`.
        added: pictures that have been added already, or at later steps before a resume.
    """

    def __init__(
        self, run: str, config: RunConfig, dataset: Dataset, added: Iterable[AddedPicture] = ()
    ) -> None:
        self._run = run
        self._config = config
        self._entry = dataset.entry
        self._added: list[AddedPicture] = []
        self._probes = [Probes.choose(dataset, config)]
        self._stillness = Stillness()
        self._frame: Frame | None = None
        for picture in added:
            self.add_picture(picture)

    @property
    def count(self) -> int:
        """Number of probes, with all added pictures."""
        return len(self._probes[-1].labels)

    def add_picture(self, picture: AddedPicture) -> None:
        """Add a picture to the probes of all steps from its own on."""
        # After a resume, pictures recorded at later steps come after this one.
        self._added = sorted([*self._added, picture], key=lambda added: added.step)
        del self._probes[1:]
        for added in self._added:
            index = len(self._probes[-1].labels)
            probe = Probes.from_picture(added, index, self._entry, self._config)
            self._probes.append(self._probes[-1].with_picture(probe))

    def has_frame(self, step: Step) -> bool:
        """Whether the latest frame is of this step, with all its probes."""
        frame = self._frame
        if frame is None or frame.info["step"] != step.step:
            return False
        return len(frame.info["labels"]) == len(self._at(step).labels)

    def frame(self, step: Step, *, moving: bool) -> Frame:
        """Return the frame of a step, computed once unless a picture is added in that step."""
        latest = self._frame
        if latest is None or not self.has_frame(step):
            probes = self._at(step)
            frame = observe_step(step, probes, run=self._run, config=self._config, moving=moving)
            if latest is not None and latest.info["step"] == step.step:
                # A second frame of a step has the same outputs of the run's own probes.
                stillness = latest.info["stillness"]
            else:
                stillness = self._stillness.add(frame)
            self._frame = latest = frame.with_info(stillness=stillness)
        return latest

    def lap_frames(self, step: Step) -> list[Frame]:
        """Compute the closing lap: the probes move along one lap, the weights do not change."""
        probes = self._at(step)
        frames = [
            observe_step(step, probes, run=self._run, config=self._config, lap=number)
            for number in range(LAP)
        ]
        stillness = Stillness()
        for frame in frames[1 - WINDOW :]:  # the path is closed: its end precedes its start
            stillness.add(frame)
        return [frame.with_info(stillness=stillness.add(frame)) for frame in frames]

    def _at(self, step: Step) -> Probes:
        """Return the probes of a step."""
        return self._probes[sum(added.step <= step.step for added in self._added)]
