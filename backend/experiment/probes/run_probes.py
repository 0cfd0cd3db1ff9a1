"""What is watched of a run, step by step: its own probes, and the pictures that join them."""

from collections.abc import Iterable

from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.data.images import Dataset
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.frames.stillness import WINDOW, Stillness
from stnscope.backend.experiment.probes.observe import LAP, Probes, observe
from stnscope.backend.experiment.recording.reader import AddedPicture
from stnscope.backend.experiment.training.loop import Step


class RunProbes:
    """The probes of one run.

    Args:
        run: its id.
        config: of the run.
        dataset: the loaded `config.dataset`.
        joined: pictures that have joined already, or will where steps are run again.
    """

    def __init__(
        self, run: str, config: RunConfig, dataset: Dataset, joined: Iterable[AddedPicture] = ()
    ) -> None:
        self._run = run
        self._config = config
        self._entry = dataset.entry
        self._joined: list[AddedPicture] = []
        self._probes = [Probes.choose(dataset, config)]
        self._stillness = Stillness()
        self._frame: Frame | None = None
        for each in joined:
            self.join(each)

    @property
    def count(self) -> int:
        """How many there are, once all have joined."""
        return len(self._probes[-1].labels)

    def join(self, picture: AddedPicture) -> None:
        """Adds a picture to those of steps from its own on."""
        # Those of later steps, recorded before the run was taken up here, stay behind it.
        self._joined = sorted([*self._joined, picture], key=lambda each: each.step)
        del self._probes[1:]
        for each in self._joined:
            number = len(self._probes[-1].labels)
            own = Probes.of_picture(each, number, self._entry, self._config)
            self._probes.append(self._probes[-1].added_as_of(own))

    def has_seen(self, step: Step) -> bool:
        """Whether the frame of a step is at hand, with all that are watched in it."""
        frame = self._frame
        if frame is None or frame.info["step"] != step.step:
            return False
        return len(frame.info["labels"]) == len(self._watched(step).labels)

    def frame(self, step: Step, *, moving: bool) -> Frame:
        """The frame of a step; the same one, until a picture joins in that step."""
        before = self._frame
        if before is None or not self.has_seen(step):
            probes = self._watched(step)
            frame = observe(step, probes, run=self._run, config=self._config, moving=moving)
            if before is not None and before.info["step"] == step.step:
                # Of the run's own probes a second look at a step shows nothing new.
                stillness = before.info["stillness"]
            else:
                stillness = self._stillness.add(frame)
            self._frame = before = frame.saying(stillness=stillness)
        return before

    def lap(self, step: Step) -> list[Frame]:
        """The frames of a closing lap: the probes move once round, the weights stand still."""
        probes = self._watched(step)
        frames = [
            observe(step, probes, run=self._run, config=self._config, lap=number)
            for number in range(LAP)
        ]
        stillness = Stillness()
        for frame in frames[1 - WINDOW :]:  # the lap is closed: its end comes before its start
            stillness.add(frame)
        return [frame.saying(stillness=stillness.add(frame)) for frame in frames]

    def _watched(self, step: Step) -> Probes:
        return self._probes[sum(each.step <= step.step for each in self._joined)]
