"""The control points of a region, of families whose theta has some.

The same as `controlPoints` of `dashboard/assets/stage/theta-text.js`.
"""

import numpy as np
from numpy.typing import NDArray

from stnscope.backend.experiment.catalog import FAMILIES
from stnscope.backend.experiment.frames.frame import Frame


def control_points(frame: Frame, index: int, probe: int) -> NDArray[np.float64]:
    """Return a transformer's control points (M, 2), (x, y) in pixels of the input; M may be 0.

    Args:
        frame: with its input.
        index: of the transformer.
        probe: its index.
    """
    transformer = frame.info["transformers"][index]
    family = FAMILIES.get(transformer["family"])
    side = (family and family.control_points) or 0
    if not side:
        return np.empty((0, 2))
    name = transformer["name"]
    if transformer["at"] == "input":
        height, width = frame.tensors["input"].shape[1:3]
        theta = frame.tensors[f"theta.{name}"][probe].astype(np.float64).reshape(-1, 2)
        return np.asarray((theta + 1) * [width / 2, height / 2])
    # The theta of a deeper transformer is in coordinates of a feature map; its lattice is not.
    lattice = frame.tensors[f"grid.{name}"][probe].astype(np.float64)
    return _between(lattice, side).reshape(-1, 2)


def _between(lattice: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Return points (side, side, 2) evenly spaced over a lattice, bilinear in its cells."""
    positions = np.arange(side) / (side - 1) * (len(lattice) - 1)
    cells = np.minimum(positions.astype(int), len(lattice) - 2)
    share = positions - cells
    rows = lattice[cells] + share[:, None, None] * (lattice[cells + 1] - lattice[cells])
    columns, next_columns = rows[:, cells], rows[:, cells + 1]
    return np.asarray(columns + share[None, :, None] * (next_columns - columns))
