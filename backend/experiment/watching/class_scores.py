"""Find the class scores in what a network returns, if there are any."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from stnscope.backend.experiment.frames.frame import Label
from stnscope.backend.experiment.limits import MAX_CLASSES

SCORE_NAMES = ("logits", "scores")
"""What class scores are called among other outputs."""
MIN_CLASSES = 2
SUM_TOLERANCE = 1e-3
"""Largest distance from 1 of the sum of probabilities."""


def class_probabilities(output: Any, labels: Sequence[Label], classes: int | None) -> Tensor | None:
    """Return the probabilities (N, K), or (N, T, K) for sequences; None if there are no scores.

    A tensor holds class scores if the number of classes is known, and is its last side; else if the
    labels are classes of it. Values of a regression, boxes or maps do not count. Of several
    tensors, the first is taken.

    Args:
        output: of the network: a tensor, or any nesting of tuples, lists and mappings.
        labels: of the N probes.
        classes: K, if the names of the classes are known.
    """
    for tensor in _tensors(output):
        if _are_scores(tensor, labels, classes):
            return _to_probabilities(tensor.float())
    return None


def _tensors(output: Any) -> Iterator[Tensor]:
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, Mapping):
        for name in sorted(output, key=lambda name: name not in SCORE_NAMES):
            yield from _tensors(output[name])
    elif isinstance(output, Sequence) and not isinstance(output, str):
        for part in output:
            yield from _tensors(part)


def _are_scores(tensor: Tensor, labels: Sequence[Label], classes: int | None) -> bool:
    lengths = {len(label) for label in labels if isinstance(label, list)}
    shape = (len(labels), *lengths)
    count = tensor.shape[-1] if tensor.ndim else 0
    if not (tensor.is_floating_point() and tuple(tensor.shape[:-1]) == shape):
        return False
    if not MIN_CLASSES <= count <= MAX_CLASSES:
        return False
    if classes is not None:
        return count == classes
    known = [
        index
        for label in labels
        for index in (label if isinstance(label, list) else [label])
        if index is not None
    ]
    return bool(known) and max(known) < count


def _to_probabilities(scores: Tensor) -> Tensor:
    """Convert logits, or logarithms of probabilities, to probabilities; leave those as they are."""
    sums = scores.sum(dim=-1)
    if (scores >= 0).all() and ((sums - 1).abs() < SUM_TOLERANCE).all():
        return scores
    return torch.softmax(scores, dim=-1)
