"""Sweeps in TOML, and the lines that are named."""

from pathlib import Path

import pytest

from stnscope.backend.experiment.errors import InvalidInput, NotFound
from stnscope.backend.experiment.sweeps.sweep_config import SweepConfig
from stnscope.backend.experiment.sweeps.sweep_file import find_line, naming_line, read_sweep

TEXT = """\
seeds = [0,
  4]

[run]
probes.count = 4          # of each run
distortion = { name = "E", strength = 0.5 }

[product]
"family" = ["affine", "scale"]

[[zip]]
epochs = [1, 2]
[[zip]]
sampler . "padding" = ["zeros", "border"]
sampler.supersampling = [1, 2]
"""


def test_file_is_a_sweep_with_the_name_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "families.toml"
    path.write_text(TEXT)
    assert read_sweep(path) == SweepConfig(
        name="families",
        run={"probes": {"count": 4}, "distortion": {"name": "E", "strength": 0.5}},
        product={"family": ["affine", "scale"]},
        zip=[
            {"epochs": [1, 2]},
            {"sampler": {"padding": ["zeros", "border"], "supersampling": [1, 2]}},
        ],
        seeds=[0, 4],
    )


def test_mark_of_the_byte_order_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "windows.toml"
    path.write_text(TEXT, "utf-8-sig")
    assert read_sweep(path).seeds == [0, 4]


@pytest.mark.parametrize(
    ("field", "line"),
    [
        ("seeds", 1),
        ("run.probes.count", 5),
        ("run.distortion.strength", 6),
        ("product.family", 9),
        ("product.familie", 8),
        ("zip.0.epochs", 12),
        ("zip.1", 13),
        ("zip.1.sampler.padding", 14),
        ("zip.1.sampler.supersampling", 15),
        ("nothing", None),
    ],
)
def test_line_of_a_field(field: str, line: int | None) -> None:
    assert find_line(TEXT, field) == line


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seeds = 0", "line 1: seeds must be a number of seeds from 1 to 500"),
        (
            "\nseed = 1",
            "line 2: There is no field seed; there are name, table, run, product, zip, seeds",
        ),
        ("zip = 1", "line 1: zip must be a list"),
        ("seeds = = 1", "line 1, column"),
        ("name = 2026-11-29", "line 1: name must be text, not a date or time"),
        (f"seeds = {'9' * 5000}", "is not TOML: Exceeds the limit"),
        (f"product.epochs = {'[' * 3000}{']' * 3000}", "is nested too deeply"),
    ],
)
def test_what_is_no_sweep_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "sweep.toml"
    path.write_text(text)
    with pytest.raises(InvalidInput, match=r"sweep\.toml") as refused:
        read_sweep(path)
    assert message in str(refused.value)


def test_file_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="There is no file"):
        read_sweep(tmp_path / "none.toml")
    path = tmp_path / "binary.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidInput, match="is not TOML"):
        read_sweep(path)


def test_errors_of_what_is_not_in_the_file_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "sweep.toml"
    path.write_text(TEXT)
    with pytest.raises(InvalidInput) as refused, naming_line(path):
        raise InvalidInput("There is no such data set.", "run.dataset")
    assert str(refused.value).endswith("sweep.toml, line 4: There is no such data set.")
