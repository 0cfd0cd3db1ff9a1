"""The description of a file's provenance that is written into it."""

import json
import shlex
from dataclasses import dataclass
from typing import Any

from stnscope.backend.experiment.export.options import ExportOptions
from stnscope.backend.experiment.export.plan import Plan


@dataclass(frozen=True)
class Metadata:
    """The provenance of a file."""

    title: str
    """A sentence with the run, its steps and its seed."""
    configuration: str
    """The run's configuration as JSON."""
    command: str
    """The command that makes the file again."""

    @property
    def text(self) -> str:
        """Title, configuration and command as one text, a line each."""
        return f"{self.title}\nConfiguration: {self.configuration}\nCommand: {self.command}"

    def entries(self) -> dict[str, str]:
        """Return texts by the keywords that PNG and PDF have for them."""
        return {
            "Title": self.title,
            "Software": "stnscope",
            "Comment": self.command,
            "Configuration": self.configuration,
        }


def describe(
    run: dict[str, Any], chosen: Plan | None, options: ExportOptions, steps: str | None = None
) -> Metadata:
    """Return the provenance of a file of a run.

    Args:
        run: its summary.
        chosen: what is shown; None with `steps`.
        options: of the export.
        steps: which steps, as text; by default those of `chosen`.
    """
    if steps is None:
        assert chosen is not None
        first, last = chosen.frames[0], chosen.frames[-1]
        steps = f"steps {first.step} to {last.step}"
        if last.lap is not None:
            steps = f"closing lap at step {last.step}"
    seed = "" if run["watched"] else f", seed {run['config']['seed']}"
    return Metadata(
        f"Run {run['id']}, {steps}{seed}.",
        json.dumps(run["config"], separators=(",", ":")),
        command(run["id"], options),
    )


def command(run_id: str, options: ExportOptions) -> str:
    """Return the command line that makes the same export."""
    words = ["stnscope", "export", run_id]
    for name, value in options.model_dump(exclude_defaults=True).items():
        words += [f"--{name}", f"{value:g}" if isinstance(value, float) else str(value)]
    return shlex.join(words)
