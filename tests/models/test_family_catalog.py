"""The catalog's rows of families, against the implementations of the same names."""

import math

import pytest
import torch
from torch import Tensor

from stnscope.models import families, grid
from stnscope.models.catalog import FAMILIES
from stnscope.models.catalog.families import FamilyEntry

FOR_EACH_FAMILY = pytest.mark.parametrize("entry", FAMILIES.values(), ids=lambda entry: entry.name)
CORNERS = grid.corners().double()
TURN = torch.tensor([[math.cos(0.3), math.sin(0.3)], [-math.sin(0.3), math.cos(0.3)]]).double()

DRAGGED = {
    "translation": CORNERS + torch.tensor([0.2, -0.1]),
    "rotation": CORNERS @ TURN,
    "scale": 0.7 * CORNERS,
    "shear": CORNERS + CORNERS.flip(1) * torch.tensor([0.3, 0.0]),
    "corners": CORNERS + 0.2 * torch.eye(4, 2).double(),
}
"""The whole image's corners after one degree of freedom has been used, (4, 2)."""
MOVED = {
    "angle": CORNERS @ TURN,
    "s": 1.3 * CORNERS,
    "scale": 1.3 * CORNERS,
    "tx": CORNERS + torch.tensor([0.3, 0.0]),
    "ty": CORNERS + torch.tensor([0.0, 0.3]),
}
"""The same corners after 0.3 has been added to the number of theta with this label."""


def identity(entry: FamilyEntry) -> Tensor:
    return torch.tensor([families.get(entry.name).identity], dtype=torch.float64)


def test_catalog_and_implementation_have_the_same_families() -> None:
    assert {name: entry.parameters for name, entry in FAMILIES.items()} == {
        name: family.parameters for name, family in families.IMPLEMENTATIONS.items()
    }


@FOR_EACH_FAMILY
def test_theta_is_labelled_or_a_matrix_or_control_points(entry: FamilyEntry) -> None:
    lengths = [len(entry.theta_labels)] if entry.theta_labels else []
    if entry.theta_matrix:
        rows, columns = entry.theta_matrix
        lengths.append(rows * columns - (rows == columns))
    if entry.control_points:
        lengths.append(2 * entry.control_points**2)
    assert lengths == [entry.parameters]


@FOR_EACH_FAMILY
def test_theta_labels_name_what_each_number_does(entry: FamilyEntry) -> None:
    for index, label in enumerate(entry.theta_labels):
        theta = identity(entry)
        theta[0, index] += 0.3
        torch.testing.assert_close(families.get(entry.name).warp(theta, CORNERS)[0], MOVED[label])


@FOR_EACH_FAMILY
def test_theta_matrix_maps_homogeneous_points(entry: FamilyEntry) -> None:
    if entry.theta_matrix is None:
        return
    theta = identity(entry) + 0.1 * torch.arange(entry.parameters) / entry.parameters
    rows, columns = entry.theta_matrix
    padded = torch.cat([theta[0], theta.new_ones(rows * columns - entry.parameters)])
    matrix = padded.view(rows, columns)
    mapped = torch.cat([CORNERS, torch.ones(4, 1)], dim=1) @ matrix.T
    mapped = mapped[:, :2] / mapped[:, 2:] if rows == 3 else mapped
    torch.testing.assert_close(families.get(entry.name).warp(theta, CORNERS)[0], mapped)


@FOR_EACH_FAMILY
def test_control_points_map_to_theta(entry: FamilyEntry) -> None:
    if entry.control_points is None:
        return
    theta = identity(entry) + 0.1 * torch.arange(entry.parameters) / entry.parameters
    lattice = grid.lattice(entry.control_points).double()
    warped = families.get(entry.name).warp(theta, lattice)
    torch.testing.assert_close(warped.flatten(1), theta)


@FOR_EACH_FAMILY
@pytest.mark.parametrize("degree", DRAGGED)
def test_degrees_of_freedom_are_those_that_dragging_can_set(
    entry: FamilyEntry, degree: str
) -> None:
    family, target = families.get(entry.name), DRAGGED[degree][None]
    reached = family.warp(family.fit(target, 1.0), CORNERS)
    assert torch.allclose(reached, target, atol=1e-9) == (degree in entry.degrees_of_freedom)
