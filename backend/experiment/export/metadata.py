"""What a file says about where it comes from."""

from typing import Any

from stnscope.backend.experiment.export.plan import Plan


def comment(run: dict[str, Any], plan: Plan) -> str:
    """Return a sentence with the run, its steps and its seed."""
    first, last = plan.frames[0], plan.frames[-1]
    steps = f"steps {first.step} to {last.step}"
    if last.lap is not None:
        steps = f"closing lap at step {last.step}"
    seed = "" if run["watched"] else f", seed {run['config']['seed']}"
    return f"Run {run['id']}, {steps}{seed}."
