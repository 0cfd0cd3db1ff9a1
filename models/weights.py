"""Weights on disk: safetensors, loaded strictly, each with a card of where it comes from."""

import dataclasses
import json
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from stnscope.models.architectures import build
from stnscope.models.cards import FOLDER, Card, cards
from stnscope.models.network import Network


class WeightsError(ValueError):
    """Weights that are not of the network they are meant for; the text says how they differ."""


def save(model: Network, card: Card, folder: Path = FOLDER) -> Path:
    """Writes `<name>.safetensors` and its card `<name>.json`; answers with the former's path."""
    path = folder / f"{card.name}.safetensors"
    tensors = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(tensors, path)
    text = json.dumps(dataclasses.asdict(card), indent=2, ensure_ascii=False)
    path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
    return path


def load(name: str) -> Network:
    """The trained network of that name, in evaluation mode.

    Raises:
        KeyError: no such weights ship; the text lists those that do.
        WeightsError: the file does not fit its architecture.
    """
    if name not in cards():
        raise KeyError(f"There are no weights {name!r}; there are {', '.join(cards())}.")
    card = cards()[name]
    model = build(card.architecture, card.family)
    load_into(model, FOLDER / f"{name}.safetensors")
    return model.eval()


def load_into(model: Network, path: Path) -> None:
    """Fills a network from a file; either everything fits or nothing is changed.

    Raises:
        WeightsError: names what is missing, what is unexpected and what has another shape or type.
    """
    try:
        given = load_file(path)
    except SafetensorError as error:
        raise WeightsError(f"{path.name} is not a safetensors file: {error}.") from error
    wanted = model.state_dict()
    faults = _differences(wanted, given)
    if faults:
        raise WeightsError(f"{path.name} does not fit this network: {'; '.join(faults)}.")
    model.load_state_dict(given)


def _differences(wanted: dict[str, Tensor], given: dict[str, Tensor]) -> list[str]:
    missing = sorted(wanted.keys() - given.keys())
    unexpected = sorted(given.keys() - wanted.keys())
    faults = [f"missing {', '.join(missing)}"] if missing else []
    faults += [f"unexpected {', '.join(unexpected)}"] if unexpected else []
    for name in sorted(wanted.keys() & given.keys()):
        want, got = wanted[name], given[name]
        if (want.shape, want.dtype) != (got.shape, got.dtype):
            faults.append(
                f"{name} is {tuple(got.shape)} {got.dtype}, not {tuple(want.shape)} {want.dtype}"
            )
    return faults
