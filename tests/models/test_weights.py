"""Saving and strict loading of weights."""

import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from stnscope.models import weights
from stnscope.models.architectures import build
from stnscope.models.cards import Card


@pytest.fixture
def card() -> Card:
    return Card(
        name="trial",
        title="Trial",
        description="Untrained.",
        subject="digit",
        architecture="digits",
        family="affine",
        dataset="digits",
        distortion="scattered",
        classes=tuple("0123456789"),
        parameters=1,
        command="none",
        seed=3,
        steps=0,
        accuracy=0.1,
        date="2026-01-31",
        machine="any",
    )


def change_tensors(path: Path, **tensors: torch.Tensor | None) -> Path:
    """Replace or add tensors of a file; None removes one."""
    all_tensors = load_file(path) | tensors
    save_file({name: tensor for name, tensor in all_tensors.items() if tensor is not None}, path)
    return path


def test_saved_weights_load_again(card: Card, tmp_path: Path) -> None:
    first, second = build("digits"), build("digits")
    path = weights.save(first, card, tmp_path)
    weights.load_into(second, path)
    for name, tensor in first.state_dict().items():
        assert torch.equal(second.state_dict()[name], tensor), name
    assert Card.read(tmp_path / "trial.json") == card


def test_load_into_names_every_difference_and_changes_nothing(card: Card, tmp_path: Path) -> None:
    path = weights.save(build("digits"), card, tmp_path)
    bias = "stages.0.regression.bias"
    change_tensors(
        path, **{"surplus": torch.zeros(1), bias: None, "stages.1.1.weight": torch.zeros(2)}
    )
    model = build("digits")
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(weights.WeightsError) as caught:
        weights.load_into(model, path)
    assert f"missing {bias};" in str(caught.value)
    assert "unexpected surplus;" in str(caught.value)
    assert re.search(r"stages\.1\.1\.weight is \(2,\) torch.float32, not \(", str(caught.value))
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_load_into_refuses_another_dtype(card: Card, tmp_path: Path) -> None:
    path = weights.save(build("digits"), card, tmp_path)
    name = "stages.0.regression.bias"
    change_tensors(path, **{name: load_file(path)[name].double()})
    with pytest.raises(weights.WeightsError, match=r"float64, not \(6,\) torch.float32"):
        weights.load_into(build("digits"), path)


def test_load_into_refuses_another_file_format(tmp_path: Path) -> None:
    path = tmp_path / "pickle.safetensors"
    torch.save({"a": torch.zeros(1)}, path)
    with pytest.raises(weights.WeightsError, match="not a safetensors file"):
        weights.load_into(build("digits"), path)


def test_load_refuses_an_unknown_name() -> None:
    with pytest.raises(KeyError, match="no weights"):
        weights.load("../weights/digits")


def test_number_that_an_earlier_recording_has_as_an_array_of_one_is_loaded() -> None:
    model = build("digits", "affine")
    state = {
        name: tensor.reshape(1) + 3 if tensor.shape == () else tensor
        for name, tensor in model.state_dict().items()
    }
    assert any(tensor.shape == () for tensor in model.state_dict().values())
    weights.load_state(model, state, "The checkpoint")
    assert {int(each) for each in model.state_dict().values() if each.shape == ()} == {3}
