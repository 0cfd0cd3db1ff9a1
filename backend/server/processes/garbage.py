"""Puts off garbage collection while a child process loads torch. Import it before torch.

What is loaded is never freed, and scanning it takes a sixth of the time to load.
"""

import gc

gc.disable()


def start_collection() -> None:
    """Collect garbage from now on, but none of what is loaded: scanning it would delay a step."""
    gc.freeze()
    gc.enable()
