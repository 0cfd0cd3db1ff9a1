"""Which of a network's outputs are class scores."""

from typing import Any

import pytest
import torch

from stnscope.backend.experiment.watching.class_scores import class_probabilities

LOGITS = torch.tensor([[2.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
PROBABILITIES = LOGITS.softmax(dim=1)
FOUND = [
    LOGITS,
    LOGITS.log_softmax(dim=1),
    PROBABILITIES,
    LOGITS.double(),
    (LOGITS, torch.zeros(2, 6)),
    [{"boxes": torch.zeros(2, 4), "logits": LOGITS}],
]


@pytest.mark.parametrize("output", FOUND)
@pytest.mark.parametrize(("labels", "classes"), [([0, 2], None), ([None, None], 3), ([0, 1], 3)])
def test_scores_become_probabilities(output: Any, labels: list[Any], classes: int | None) -> None:
    found = class_probabilities(output, labels, classes)
    assert found is not None
    torch.testing.assert_close(found, PROBABILITIES)


@pytest.mark.parametrize(
    ("output", "labels", "classes"),
    [
        (LOGITS, [None, None], None),
        (LOGITS, [0, 3], None),
        (LOGITS, [0, 1], 4),
        (LOGITS[:, :1], [0, 0], None),
        (torch.zeros(2, 3, 8, 8), [0, 1], 3),
        (torch.zeros(2, 3, dtype=torch.int64), [0, 1], 3),
        (torch.zeros(5, 3), [0, 1], 3),
        (torch.zeros(()), [0, 1], 3),
        ("text", [0, 1], 3),
        (None, [0, 1], 3),
    ],
)
def test_other_outputs_are_none(output: Any, labels: list[Any], classes: int | None) -> None:
    assert class_probabilities(output, labels, classes) is None


def test_number_of_classes_decides_between_several_tensors() -> None:
    outputs = (torch.zeros(2, 6), LOGITS)
    for classes, expected in ((3, PROBABILITIES), (6, torch.full((2, 6), 1 / 6))):
        found = class_probabilities(outputs, [0, 1], classes)
        torch.testing.assert_close(found, expected)


def test_scores_of_sequences_follow_their_labels() -> None:
    scores = torch.rand(2, 4, 3)
    found = class_probabilities(scores, [[0, 1, 2, 0], [1, 1, 1, 1]], None)
    assert found is not None
    assert found.shape == (2, 4, 3)
    assert class_probabilities(scores, [0, 1], 3) is None
