"""Where something was computed, as checkpoints and result files have it. Without torch."""

from pydantic import Field

from stnscope.backend.experiment.config import FrozenModel


class Machine(FrozenModel):
    """Where something was computed."""

    processor: str
    cores: int
    device: str
    threads: int = Field(description="Those that were used.")
    torch: str
    version: str = Field(description="Of stnscope.")
