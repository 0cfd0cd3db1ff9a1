"""Weights on disk: safetensors, loaded strictly, each with a card of its provenance."""

import dataclasses
import json
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from stnscope.models.architectures import build
from stnscope.models.cards import FOLDER, SUFFIX, Card, cards
from stnscope.models.network import Network

MAX_LISTED = 8
"""Tensors that a message names."""


class WeightsError(ValueError):
    """Weights that do not fit the network; the message lists the differences."""


def save(model: Network, card: Card, folder: Path = FOLDER) -> Path:
    """Write `<name>.safetensors` and its card `<name>.json`; return the path of the former."""
    path = folder / f"{card.name}{SUFFIX}"
    tensors = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(tensors, path)
    text = json.dumps(dataclasses.asdict(card), indent=2, ensure_ascii=False)
    path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
    return path


def load(name: str) -> Network:
    """Load a trained network by name, in evaluation mode.

    Raises:
        KeyError: there are no weights with this name; the message lists the names.
        WeightsError: the file does not fit its architecture.
    """
    if name not in cards():
        raise KeyError(f"There are no weights {name!r}; there are {', '.join(cards())}.")
    card = cards()[name]
    model = build(card.architecture, card.family)
    load_into(model, FOLDER / f"{name}{SUFFIX}")
    return model.eval()


def load_into(model: Network, path: Path) -> None:
    """Load weights from a file into a network; on an error nothing is changed.

    Raises:
        WeightsError: tensors are missing, unexpected, or of another shape or type.
    """
    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise WeightsError(f"{path.name} is not a safetensors file: {error}.") from error
    load_state(model, tensors, path.name)


def load_state(model: Network, tensors: dict[str, Tensor], source: str) -> None:
    """Load weights into a network; on an error nothing is changed.

    Args:
        model: the network.
        tensors: by name.
        source: where they are from, the beginning of an error's text.

    Raises:
        WeightsError: tensors are missing, unexpected, or of another shape or type.
    """
    expected = model.state_dict()
    tensors = {name: _as_number(tensor, expected.get(name)) for name, tensor in tensors.items()}
    differences = _differences(expected, tensors)
    if differences:
        raise WeightsError(f"{source} does not fit this network: {'; '.join(differences)}.")
    model.load_state_dict(tensors)


def _as_number(tensor: Tensor, expected: Tensor | None) -> Tensor:
    """Return a number where one is expected: earlier recordings have a tensor of one instead."""
    is_number = expected is not None and expected.shape == () and tensor.shape == (1,)
    return tensor.reshape(()) if is_number else tensor


def _differences(expected: dict[str, Tensor], actual: dict[str, Tensor]) -> list[str]:
    missing = sorted(expected.keys() - actual.keys())
    unexpected = sorted(actual.keys() - expected.keys())
    differences = [f"missing {_list(missing)}"] if missing else []
    differences += [f"unexpected {_list(unexpected)}"] if unexpected else []
    others = []
    for name in sorted(expected.keys() & actual.keys()):
        expected_tensor, tensor = expected[name], actual[name]
        if (tensor.shape, tensor.dtype) != (expected_tensor.shape, expected_tensor.dtype):
            others.append(
                f"{name} is {tuple(tensor.shape)} {tensor.dtype}, "
                f"not {tuple(expected_tensor.shape)} {expected_tensor.dtype}"
            )
    return differences + others[:MAX_LISTED]


def _list(names: list[str]) -> str:
    """Return names for a message, and how many more there are."""
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    return ", ".join(names[:MAX_LISTED]) + more
