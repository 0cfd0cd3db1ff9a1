"""Parquet and arrow files as Hugging Face stores them."""

import json
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import torch
from pyarrow import parquet

from stnscope.backend.experiment.data import availability
from stnscope.backend.experiment.data.images import Images
from stnscope.backend.experiment.data.layouts import features, tables
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.errors import DatasetError, InvalidInput
from tests.experiment.stored_data import (
    encode_image,
    found,
    labels_of,
    make_table,
    reasons,
    save_to_disk,
    write_arrow,
    write_parquet,
)

CARD = """---
license: mit
dataset_info:
- config_name: other
  features:
  - {{name: picture, dtype: image}}
- config_name: {configuration}
  features:
  - name: picture
    dtype: image
  - name: kind
    dtype:
      class_label:
        names:
          '1': pear
          '0': apple
---
# Fruit
"""


def assert_colours(images: Images) -> None:
    """Check that each image has the colour of its class."""
    pixels = images.take(torch.arange(len(images)))
    assert ((pixels[:, 1, 24, 24] > 0.9) == (images.labels == 1)).all()
    assert ((pixels[:, 0, 24, 24] > 0.9) == (images.labels == 0)).all()


def write_layout(data: Path, layout: str) -> None:
    """Write 24 training images and 6 held-out ones."""
    train, test = make_table(labels_of(24)), make_table(labels_of(6))
    folder = data / "fruit"
    match layout:
        case "clone":
            write_parquet(folder / "data" / "train-00000-of-00002.parquet", train.slice(0, 10))
            write_parquet(folder / "data" / "train-00001-of-00002.parquet", train.slice(10))
            write_parquet(folder / "data" / "test-00000-of-00001.parquet", test)
            write_parquet(folder / "data" / "unsupervised-00000-of-00001.parquet", test)
        case "converted by the hub":
            write_parquet(folder / "default" / "train" / "0000.parquet", train)
            write_parquet(folder / "default" / "validation" / "0000.parquet", test)
        case "cache of the hub":
            store = folder / "datasets--me--fruit"
            for number, (part, table) in enumerate((("train", train), ("valid", test))):
                blob = write_parquet(store / "blobs" / f"{number}", table)
                name = store / "snapshots" / "9a3f" / "data" / f"{part}-00000-of-00001.parquet"
                name.parent.mkdir(parents=True, exist_ok=True)
                name.symlink_to(os.path.relpath(blob, name.parent))
            (store / "refs").mkdir()
        case "save_to_disk":
            save_to_disk(folder / "train", train)
            save_to_disk(folder / "test", test)
            save_to_disk(folder / "extra", test)
            (folder / "dataset_dict.json").write_text('{"splits": ["train", "test", "extra"]}')
        case "cache of datasets":
            place = folder / "me___fruit" / "default" / "0.0.0" / "9a3f"
            write_arrow(place / "fruit-train.arrow", train)
            write_arrow(place / "fruit-test.arrow", test)
            (place / "dataset_info.json").write_text("{}")


@pytest.mark.parametrize(
    "layout",
    ["clone", "converted by the hub", "cache of the hub", "save_to_disk", "cache of datasets"],
)
def test_layouts_are_read(tmp_path: Path, layout: str) -> None:
    write_layout(tmp_path, layout)
    assert found(tmp_path) == {"fruit": (24, 6)}, reasons(tmp_path)
    dataset = load("fruit", tmp_path)
    assert dataset.entry == availability.list_datasets(tmp_path)["fruit"]
    assert dataset.entry.classes == ("apple", "pear")
    assert "columns picture and kind" in dataset.entry.description
    for images, count in ((dataset.train, 24), (dataset.held_out, 6)):
        assert images.labels.tolist() == labels_of(count)
        assert_colours(images)
    assert reasons(tmp_path) == {}


def test_without_a_given_split_every_fifth_is_held_out(tmp_path: Path) -> None:
    save_to_disk(tmp_path / "one part", make_table(labels_of(30)))
    write_parquet(tmp_path / "one file" / "fruit.parquet", make_table(labels_of(25)))
    write_parquet(tmp_path / "tested" / "test.parquet", make_table(labels_of(25)))
    assert found(tmp_path) == {"one part": (24, 6), "one file": (20, 5), "tested": (20, 5)}
    assert load("one part", tmp_path).held_out.labels.tolist() == labels_of(30)[4::5]


def test_configurations_are_data_sets(tmp_path: Path) -> None:
    for configuration in ("small", "large"):
        table = make_table(labels_of(30 if configuration == "large" else 20))
        write_parquet(tmp_path / "fruit" / configuration / "train-00000.parquet", table)
    assert found(tmp_path) == {"fruit-large": (24, 6), "fruit-small": (16, 4)}
    assert len(load("fruit-small", tmp_path).train) == 16
    with pytest.raises(InvalidInput, match="fruit-large, fruit-small"):
        load("fruit", tmp_path)


@pytest.mark.parametrize("configuration", ["", "large"])
def test_names_of_classes_are_in_the_card(tmp_path: Path, configuration: str) -> None:
    folder = tmp_path / "fruit"
    table = make_table(labels_of(20), metadata=False, others=False)
    write_parquet(folder / configuration / "train.parquet", table)
    (folder / "README.md").write_text(CARD.format(configuration=configuration or "default"))
    assert availability.list_datasets(tmp_path)["fruit"].classes == ("apple", "pear")
    (folder / "README.md").write_text("---\na: &a [1]\nb: [*a, *a]\n---\n")
    assert "README.md cannot be read: it has references" in reasons(tmp_path)["fruit"]
    (folder / "README.md").write_text("---\na: [1\n---\n")
    assert "README.md cannot be read" in reasons(tmp_path)["fruit"]
    (folder / "README.md").unlink()
    assert "no column with classes" in reasons(tmp_path)["fruit"]


def test_names_of_classes_are_beside_the_files(tmp_path: Path) -> None:
    folder = save_to_disk(tmp_path / "fruit", make_table(labels_of(20), metadata=False))
    info = {"features": {"kind": {"names": ["fig", "pear"], "_type": "ClassLabel"}}}
    (folder / "dataset_info.json").write_text(json.dumps(info))
    assert availability.list_datasets(tmp_path)["fruit"].classes == ("fig", "pear")
    (folder / "dataset_info.json").write_text("[]")
    assert "dataset_info.json cannot be read: it is not" in reasons(tmp_path)["fruit"]


@pytest.mark.parametrize(
    ("labels", "classes"),
    [(labels_of(20), ("0", "1")), (["pear", "fig"] * 10, ("fig", "pear"))],
)
def test_column_called_label_has_the_classes_if_no_feature_says_so(
    tmp_path: Path, labels: list[Any], classes: tuple[str, ...]
) -> None:
    table = make_table(labels, label="label", metadata=False, others=False)
    write_parquet(tmp_path / "fruit" / "train.parquet", table)
    assert availability.list_datasets(tmp_path)["fruit"].classes == classes
    assert len(load("fruit", tmp_path).train) == 16


def test_images_may_be_bytes_or_lie_in_the_folder(tmp_path: Path) -> None:
    encoded = [encode_image(label) for label in labels_of(20)]
    write_parquet(tmp_path / "bytes" / "a.parquet", make_table(labels_of(20), cells=encoded))
    folder = tmp_path / "paths"
    (folder / "images").mkdir(parents=True)
    cells = []
    for number, data in enumerate(encoded):
        (folder / "images" / f"{number}.png").write_bytes(data)
        cells.append({"bytes": None, "path": f"../images/{number}.png"})
    write_parquet(folder / "data" / "train.parquet", make_table(labels_of(20), cells=cells))
    for name in ("bytes", "paths"):
        assert_colours(load(name, tmp_path).train)


def with_cell(cell: Any) -> pa.Table:
    cells = [{"bytes": encode_image(label), "path": None} for label in labels_of(20)]
    cells[13] = cell
    return make_table(labels_of(20), cells=cells)


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ({"bytes": None, "path": "/etc/passwd"}, "/etc/passwd, which does not lie in the data set"),
        ({"bytes": None, "path": "../secret.png"}, "which does not lie in the data set's folder"),
        ({"bytes": None, "path": "none.png"}, "none.png, which is missing"),
        ({"bytes": None, "path": "link.png"}, "which does not lie in the data set's folder"),
        ({"bytes": None, "path": "a\0b"}, "embedded null byte"),
        ({"bytes": None, "path": None}, "It is missing"),
        ({"bytes": b"none", "path": None}, "not a picture in a known format"),
        ({"bytes": b"", "path": None}, "The file is empty"),
        ({"bytes": encode_image(0)[:60], "path": None}, "The file ends before"),
        ({"bytes": bytes(10_000_001), "path": None}, "at most 10 MB"),
        (
            {"bytes": encode_image(0)[:16] + struct.pack(">II", 90_000, 90_000) + bytes(99)},
            "declares 90000 x 90000 pixels|ends before",
        ),
        (None, "It is missing"),
    ],
)
def test_image_that_cannot_be_used_is_named(tmp_path: Path, cell: Any, reason: str) -> None:
    path = write_parquet(tmp_path / "fruit" / "train.parquet", with_cell(cell))
    (tmp_path / "secret.png").write_bytes(encode_image(0))
    path.with_name("link.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(DatasetError, match=rf"train\.parquet: image 13 cannot be.*({reason})"):
        load("fruit", tmp_path)


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (make_table([0, 1, 2, 7, *labels_of(20)]), "kind 2 is 2, and there are 2 classes"),
        (make_table([-1, *labels_of(20)]), "kind 0 is -1"),
        (make_table([None, *labels_of(20)]), "has rows without kind"),
        (make_table(labels_of(20), names=["apple"]), "has 1 classes|kind 1 is 1"),
        (make_table(labels_of(20), names=["a", "\ud800"]), "a name has from 1 to 200"),
        (make_table(labels_of(20), names=["a", "b" * 201]), "a name has from 1 to 200"),
        (make_table(labels_of(4)), "has 4 images; at least 20 are"),
        (make_table(labels_of(20)).drop_columns("picture"), "no column with images; it has label"),
        (make_table(labels_of(20)).drop_columns("kind"), "no column with classes"),
        (make_table(labels_of(20), cells=[1.5] * 20), "column picture whose values are not images"),
        (make_table(labels_of(20)).replace_schema_metadata({"huggingface": "{"}), "cannot be read"),
        (make_table([0]).slice(0, 0), "has no rows"),
    ],
)  # fmt: skip
def test_odd_columns_have_a_reason(tmp_path: Path, table: pa.Table, reason: str) -> None:
    write_parquet(tmp_path / "odd" / "train.parquet", table)
    save_to_disk(tmp_path / "odd disk", table)
    write_parquet(tmp_path / "whole" / "train.parquet", make_table(labels_of(20)))
    assert found(tmp_path) == {"whole": (16, 4)}
    texts = reasons(tmp_path)
    assert texts.keys() == {"odd", "odd disk"}
    for text in texts.values():
        assert any(each in text for each in reason.split("|")), text


def rewrite(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: data[: len(data) // 2], "train.parquet cannot be read"),
        (lambda data: b"", "train.parquet cannot be read"),
        (lambda data: data[:-200] + bytes(60) + data[-140:], "train.parquet cannot be read"),
        (lambda _: b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull"),
    ],
)
def test_damaged_parquet_is_named(
    tmp_path: Path, change: Callable[[bytes], bytes], reason: str
) -> None:
    path = write_parquet(tmp_path / "fruit" / "train.parquet", make_table(labels_of(20)))
    whole = path.read_bytes()
    rewrite(path, change)
    assert found(tmp_path) == {}
    assert reason in reasons(tmp_path)["fruit"]
    path.write_bytes(whole)
    assert found(tmp_path) == {"fruit": (16, 4)}, "a repaired file is detected"


@pytest.mark.parametrize("column", ["kind", "picture.bytes"])
def test_page_that_declares_gigabytes_takes_no_memory(tmp_path: Path, column: str) -> None:
    path = write_parquet(tmp_path / "fruit" / "train.parquet", make_table(labels_of(20)))
    group = parquet.read_metadata(path).row_group(0)
    chunks = [group.column(index) for index in range(group.num_columns)]
    chunk = next(each for each in chunks if each.path_in_schema == column)
    data = bytearray(path.read_bytes())
    # A page's header: its type, its size, and its size compressed, as fields of one type (0x15).
    start = end = chunk.dictionary_page_offset or chunk.data_page_offset
    for _ in range(3):
        assert data[end] == 0x15
        start = end + 1
        end = next(at for at in range(start, start + 9) if data[at] < 0x80) + 1
    data[start:end] = b"\xfe\xff\xff\xff\x0f"  # 2 GB
    path.write_bytes(data)
    with pytest.raises(DatasetError, match=r"train\.parquet cannot be read"):
        load("fruit", tmp_path)
    # The maximum over all tests of the process.
    assert pa.default_memory_pool().max_memory() < 500_000_000


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: data[: len(data) // 2], "cannot be read"),
        (lambda data: data[:-8], "cannot be read: it is damaged"),
        (lambda data: b"", "cannot be read"),
        # 37 rows in one batch declare to be a thousand million.
        (
            lambda data: data.replace(struct.pack("<q", 37), struct.pack("<q", 10**9)),
            "cannot be read",
        ),
    ],
)
def test_damaged_arrow_file_is_named(
    tmp_path: Path, change: Callable[[bytes], bytes], reason: str
) -> None:
    folder = save_to_disk(tmp_path / "fruit", make_table(labels_of(37)))
    rewrite(folder / "data-00000-of-00001.arrow", change)
    assert found(tmp_path) == {}
    text = reasons(tmp_path)["fruit"]
    assert text.startswith("data-00000-of-00001.arrow")
    assert reason in text


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ('{"_data_files": [{"filename": "../../secret.arrow"}]}', "which is not in the folder"),
        ('{"_data_files": [{"filename": "/etc/passwd"}]}', "which is not in the folder"),
        ('{"_data_files": []}', "names no files"),
        ("{}", "state.json cannot be read"),
        ("[" * 100_000, "state.json cannot be read: it is too large"),
    ],
)
def test_files_outside_the_folder_are_not_opened(tmp_path: Path, state: str, reason: str) -> None:
    folder = save_to_disk(tmp_path / "data" / "fruit", make_table(labels_of(20)))
    write_arrow(tmp_path / "secret.arrow", make_table(labels_of(20)))
    (folder / "state.json").write_text(state)
    assert found(tmp_path / "data") == {}
    assert reason in reasons(tmp_path / "data")["fruit"]


def test_rows_beyond_the_limit_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MAX_ROWS", 100)
    # In a parquet file, as many equal labels as one likes take a few bytes.
    table = make_table([0], label="label", others=False, cells=[b""])
    many = pa.table({"picture": pa.nulls(1000, pa.binary()), "label": pa.array([0] * 1000)})
    write_parquet(tmp_path / "parquet" / "a.parquet", many.cast(table.schema))
    save_to_disk(tmp_path / "arrow", many.cast(table.schema))
    texts = reasons(tmp_path)
    assert "declares 1,000 rows" in texts["parquet"]
    assert "more rows than the 100 that are read" in texts["arrow"]


@pytest.mark.parametrize("module", ["pyarrow", "yaml"])
def test_what_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    table = make_table(labels_of(21), metadata=False)
    write_parquet(tmp_path / "fruit" / "train.parquet", table)
    (tmp_path / "fruit" / "README.md").write_text(CARD.format(configuration="default"))
    monkeypatch.setitem(sys.modules, module, None)
    assert found(tmp_path) == {}
    assert 'Run: pip install "stnscope[data]"' in reasons(tmp_path)["fruit"]
    monkeypatch.undo()
    assert found(tmp_path) == {"fruit": (17, 4)}


def test_listing_again_reads_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_parquet(tmp_path / "fruit" / "train.parquet", make_table(labels_of(20)))
    assert found(tmp_path) == {"fruit": (16, 4)}
    with monkeypatch.context() as patch:
        patch.setattr(tables, "_open", lambda *_, **__: pytest.fail("it was opened"))
        assert found(tmp_path) == {"fruit": (16, 4)}
    write_parquet(path, make_table(labels_of(30)))
    assert found(tmp_path) == {"fruit": (24, 6)}


def test_features_of_odd_forms_are_none() -> None:
    forms: list[object] = [None, 3, [], {"info": 3}, {"info": {"features": [1]}}]
    for odd in forms:
        assert features.parse_features(odd) == {}
    parsed = features.parse_features(
        json.loads('{"info": {"features": {"a": 3, "b": {"_type": "ClassLabel", "names": 3}}}}')
    )
    assert parsed == {"a": features.Feature("other"), "b": features.Feature("class")}
