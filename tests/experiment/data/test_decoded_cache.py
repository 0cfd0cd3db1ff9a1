"""The cache of decoded images is used only for the files that it was made from."""

import os
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.errors import DatasetError
from tests.experiment import sample_data


@pytest.mark.parametrize("zipped", [True, False])
def test_cache_is_used_until_the_files_change(tmp_path: Path, zipped: bool) -> None:
    files = sample_data.make_gtsrb("official")
    folder = sample_data.write_files(files, tmp_path / "gtsrb", zipped=zipped)
    first = load("gtsrb", tmp_path)
    load("gtsrb-regions", tmp_path)
    cache = folder / ".decoded-whole-48"
    assert len(list(folder.glob(".decoded-*"))) == 2
    # Other pixels, written under the same fingerprint, show that the cache is read.
    with safe_open(cache, framework="pt") as file:
        metadata, pixels = file.metadata(), file.get_tensor("pixels")
    save_file({"pixels": 255 - pixels}, cache, metadata)
    assert torch.equal(load("gtsrb", tmp_path).train.pixels, 255 - first.train.pixels)
    for damage in (b"", cache.read_bytes()[:-1], b"no safetensors at all"):
        cache.write_bytes(damage)
        assert torch.equal(load("gtsrb", tmp_path).train.pixels, first.train.pixels)
        with safe_open(cache, framework="pt") as file:
            assert torch.equal(file.get_tensor("pixels"), pixels), "written again"
    image = "GTSRB/Final_Training/Images/00000/00000_00001.ppm"
    changed = {image: sample_data.draw_sign_photo(1, 0, "PPM", (40, 50))}
    sample_data.write_files(files | changed, folder, zipped=zipped)
    os.utime(folder / ("archive.zip" if zipped else image), (1, 1))
    second = load("gtsrb", tmp_path)
    assert not all(
        torch.equal(before.pixels, after.pixels)
        for before, after in ((first.train, second.train), (first.held_out, second.held_out))
    )


def test_failed_decoding_or_writing_leaves_no_files(tmp_path: Path) -> None:
    files = sample_data.make_gtsrb("kaggle")
    image = "Train/0/00000_00001_00000.png"
    folder = sample_data.write_files(files | {image: b"none"}, tmp_path / "gtsrb")
    with pytest.raises(DatasetError, match="cannot be read"):
        load("gtsrb", tmp_path)
    assert not list(folder.glob(".*"))
    (folder / image).write_bytes(files[image])
    folder.chmod(0o555)
    try:
        load("gtsrb", tmp_path)
        assert not list(folder.glob(".*")), "the folder is read-only"
    finally:
        folder.chmod(0o755)
    (folder / ".decoded-whole-48.1.part").write_bytes(b"left by a killed process")
    load("gtsrb", tmp_path)
    assert [path.name for path in folder.glob(".*")] == [".decoded-whole-48"]
