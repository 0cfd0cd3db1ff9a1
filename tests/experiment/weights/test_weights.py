"""Trained weights by name: those that ship, those of the user, those of runs."""

import dataclasses
import json
import os
import pickle
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from stnscope.backend.experiment.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    StnscopeError,
)
from stnscope.backend.experiment.recording.reader import Recording
from stnscope.backend.experiment.weights.load import load
from stnscope.backend.experiment.weights.trained_weights import (
    TrainedWeights,
    cards_of_run,
    find,
    name_without_transformer,
    shipped,
    transform_refusal,
    transformer_count,
)
from stnscope.backend.experiment.weights.weights_folder import (
    WeightsFolder,
    check_is_no_pickle,
    is_name,
    read_card,
)
from stnscope.models.cards import FOLDER, cards
from tests.conftest import TrainedRun
from tests.watched_run import write_watched_run

DIGITS = cards()["digits"]
FILE = FOLDER / "digits.safetensors"


def no_runs(run_id: str) -> Path:
    raise NotFound(run_id)


@pytest.fixture
def folder(tmp_path: Path) -> WeightsFolder:
    return WeightsFolder(tmp_path / "weights")


@pytest.fixture
def run(trained_run: TrainedRun, tmp_path: Path) -> Path:
    """The recording of a finished run."""
    run_id = trained_run.copy_into(tmp_path)
    return tmp_path / "recordings" / f"{run_id}.stnscope"


@pytest.mark.parametrize("name", ["", "digit", "../digits", "digits.json", "/etc/passwd", "a" * 99])
def test_name_that_is_none_is_refused(folder: WeightsFolder, name: str) -> None:
    with pytest.raises(NotFound):
        find(name, folder, no_runs)


def test_own_weights_are_added_found_and_removed(folder: WeightsFolder) -> None:
    mine = dataclasses.replace(DIGITS, name="mine-1.0", accuracy=None, seed=None)
    folder.add(FILE, mine)
    found = find("mine-1.0", folder, no_runs)
    assert TrainedWeights.decode(json.loads(json.dumps(found.encode()))) == found
    image = torch.rand(1, 1, 48, 48)
    with torch.no_grad():
        assert torch.equal(load(found)(image).logits, load(shipped(DIGITS))(image).logits)
    assert list(folder.cards()) == ["mine-1.0"]
    with pytest.raises(Conflict, match="already"):
        folder.add(FILE, mine)
    folder.remove("mine-1.0")
    assert list(folder.folder.iterdir()) == []
    for name, error in (("mine-1.0", NotFound), ("digits", Conflict), ("../digits", NotFound)):
        with pytest.raises(error):
            folder.remove(name)


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "a b", "ä", "digits"])
def test_name_that_cannot_be_one_is_not_added(folder: WeightsFolder, name: str) -> None:
    with pytest.raises(StnscopeError):
        folder.add(FILE, dataclasses.replace(DIGITS, name=name))
    assert not folder.folder.exists() or list(folder.folder.iterdir()) == []
    assert is_name("a")
    assert not is_name("..")


def test_one_damaged_card_never_takes_the_others_down(folder: WeightsFolder) -> None:
    for name in ("a", "b", "c", "d"):
        folder.add(FILE, dataclasses.replace(DIGITS, name=name))
    (folder.folder / "a.json").write_text("{")
    (folder.folder / "b.json").unlink()
    (folder.folder / "c.json").write_text('{"name": 3, "classes": null}')
    (folder.folder / "no name.safetensors").write_bytes(b"")
    assert list(folder.cards()) == ["d"]
    assert list(folder.faults()) == ["a", "b", "c"]
    with pytest.raises(InvalidInput, match=r"c\.json is not the card of weights"):
        find("c", folder, no_runs)


def test_file_that_does_not_fit_names_what_is_wrong(folder: WeightsFolder, tmp_path: Path) -> None:
    tensors = load_file(FILE)
    first, second, *_ = sorted(tensors)
    tensors["other"] = tensors.pop(first)
    tensors[second] = tensors[second].double()
    save_file(tensors, tmp_path / "changed.safetensors")
    changed = TrainedWeights(DIGITS, tmp_path / "changed.safetensors")
    with pytest.raises(InvalidInput, match=rf"missing {first}; unexpected other; {second} is .*64"):
        load(changed)
    (tmp_path / "cut.safetensors").write_bytes(FILE.read_bytes()[:1000])
    with pytest.raises(InvalidInput, match="not a safetensors file"):
        load(TrainedWeights(DIGITS, tmp_path / "cut.safetensors"))
    for unknown in (
        dataclasses.replace(DIGITS, architecture="other"),
        dataclasses.replace(DIGITS, family="other"),
    ):
        with pytest.raises(InvalidInput, match="'other'; there are"):
            load(TrainedWeights(unknown, FILE))


def write_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps({"a": 1}))


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("net.pt", lambda path: torch.save({"a": torch.zeros(1)}, path)),
        ("net.safetensors", lambda path: torch.save({"a": torch.zeros(1)}, path)),
        ("net.PTH", write_pickle),
        ("net.bin", write_pickle),
    ],
)
def test_pickle_is_refused_and_never_loaded(
    tmp_path: Path, name: str, write: Callable[[Path], None]
) -> None:
    path = tmp_path / name
    write(path)
    with pytest.raises(InvalidInput, match=r"any code.*save_file\(model\.state_dict\(\), \"net\."):
        check_is_no_pickle(path)
    with pytest.raises(InvalidInput, match="any code"):
        load(TrainedWeights(DIGITS, path))


@pytest.mark.seconds
def test_checkpoints_of_a_run_are_its_networks(run: Path, folder: WeightsFolder) -> None:
    with Recording.open(run) as recording:
        refs, config = recording.checkpoints(), recording.config()
        newest = recording.checkpoint()
    assert newest is not None
    found = find(f"run:{run.stem}", folder, lambda _: run)
    assert (found.step, found.card.architecture) == (refs[-1].step, config.architecture)
    assert found.card.subject == "digit"
    assert find(f"run:{run.stem}:{refs[0].step}", folder, lambda _: run).step == refs[0].step
    weights = load(found).state_dict()
    for name, tensor in weights.items():
        assert tensor.numpy().tobytes() == newest.tensors[f"model.{name}"].tobytes()
    for name in (f"run:{run.stem}:999999", f"run:{run.stem}:x", f"run:{run.stem}:-1"):
        with pytest.raises(NotFound):
            find(name, folder, lambda _: run)


def test_cards_of_a_run_are_those_of_its_checkpoints(run: Path, folder: WeightsFolder) -> None:
    listed = cards_of_run(run, f"run:{run.stem}")
    with Recording.open(run) as recording:
        steps = [each.step for each in recording.checkpoints()]
    assert [card.steps for card in listed] == steps[::-1]
    assert len(listed) > 1
    for card in listed:
        assert card == find(card.name, folder, lambda _: run).card
    with sqlite3.connect(run) as connection:
        connection.execute("DELETE FROM checkpoints")
    assert cards_of_run(run, "run:x") == []


def test_run_without_a_checkpoint_says_so(folder: WeightsFolder, run: Path) -> None:
    with sqlite3.connect(run) as connection:
        connection.execute("DELETE FROM checkpoints")
    with pytest.raises(Conflict, match="has no checkpoint"):
        find(f"run:{run.stem}", folder, lambda _: run)


def test_network_that_takes_two_images_is_not_offered(folder: WeightsFolder) -> None:
    card = dataclasses.replace(DIGITS, name="mine", architecture="addition-st")
    assert "2 images" in str(transform_refusal(card))
    # Without a transformer a network has no region, but a prediction.
    card = dataclasses.replace(DIGITS, name="mine", architecture="digits-cnn")
    assert transform_refusal(card) is None


def test_weights_name_those_of_the_same_data_without_a_transformer() -> None:
    pairs = {name: name_without_transformer(card) for name, card in cards().items()}
    assert pairs == {
        "digits": "digits-cnn",
        "signs": "signs-cnn",
        "digits-cnn": None,
        "digits-cnn-centred": None,
        "gtsrb-2st": "gtsrb-cnn",
        "gtsrb-cnn": None,
        "mnist-rts-affine": "mnist-rts-compact-cnn",
        "mnist-rts-compact-cnn": None,
        "mnist-rts-projective": "mnist-rts-compact-cnn",
        "mnist-rts-tps": "mnist-rts-compact-cnn",
        "mnist-tc-affine": "mnist-tc-compact-cnn",
        "mnist-tc-compact-cnn": None,
        "mnist-tc-projective": "mnist-tc-compact-cnn",
        "mnist-tc-tps": "mnist-tc-compact-cnn",
        "signs-cnn": None,
    }
    assert [transformer_count(card) for card in (cards()["gtsrb-2st"], cards()["signs-cnn"])] == [
        2,
        0,
    ]


def test_card_that_is_missing_says_how_to_do_without(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="--architecture"):
        read_card(tmp_path / "net.json")


def test_shipped_cards_can_be_read() -> None:
    for card in FOLDER.glob("*.json"):
        assert read_card(card).name == card.stem


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("accuracy", float("nan")),
        ("accuracy", float("inf")),
        ("accuracy", 97.0),
        ("parameters", 10**300),
        ("steps", -1),
        ("title", "a" * 2000),
        ("dataset", "\x1b[2J"),
        ("classes", []),
        ("classes", ["a"] * 2000),
        ("classes", ["\n"]),
    ],
)
def test_card_that_no_list_could_show_is_a_fault(
    folder: WeightsFolder, field: str, value: Any
) -> None:
    folder.add(FILE, dataclasses.replace(DIGITS, name="mine", **{field: value}))
    assert folder.cards() == {}
    assert "is not the card of weights" in folder.faults()["mine"]


def test_pipe_in_place_of_a_card_is_a_fault(folder: WeightsFolder) -> None:
    path = folder.add(FILE, dataclasses.replace(DIGITS, name="mine")).with_suffix(".json")
    path.unlink()
    os.mkfifo(path)
    assert "not a file" in folder.faults()["mine"]


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickle_under_another_name_is_refused(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "net.safetensors"
    path.write_bytes(pickle.dumps({"weight": list(range(300))}, protocol))
    with pytest.raises(InvalidInput, match="is a pickle"):
        check_is_no_pickle(path)
    torch.save({"weight": torch.zeros(2)}, path, _use_new_zipfile_serialization=False)
    with pytest.raises(InvalidInput, match="is a pickle"):
        check_is_no_pickle(path)


def test_checkpoint_of_an_endless_step_is_not_found(folder: WeightsFolder, run: Path) -> None:
    for step in ("9" * 5000, "-1", "\u0663", "9" * 16):
        with pytest.raises(NotFound):
            find(f"run:{run.stem}:{step}", folder, lambda _: run)


def test_watched_run_has_no_checkpoints(folder: WeightsFolder, tmp_path: Path) -> None:
    path = tmp_path / "watched.stnscope"
    write_watched_run(path, steps=2)
    with pytest.raises(Conflict, match="no checkpoints"):
        find("run:watched:1", folder, lambda _: path)
