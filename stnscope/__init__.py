"""Watch a Spatial Transformer Network learn where to look.

`watch` records the training loop of any network of PyTorch that samples by `grid_sample`; `trace`
returns what a network does with images, without a run; `export` writes a file of a recorded run.
The subpackages are links to the folders `models`, `backend`, `dashboard` and `access`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stnscope.interface import export, trace, watch

__all__ = ["export", "trace", "watch"]


def __getattr__(name: str) -> Any:
    """Import the interface when it is first used: it loads torch."""
    if name in __all__:
        return getattr(import_module("stnscope.interface"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
