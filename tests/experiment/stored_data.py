"""Small generated data sets, as torchvision and Hugging Face store them."""

import gzip
import json
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image
from pyarrow import parquet

from stnscope.backend.experiment.data import availability
from stnscope.backend.experiment.data.registry import DATASETS
from tests.experiment.sample_data import encode_idx

COLOURS = ("red", "lime", "blue")


def found(data: Path) -> dict[str, tuple[int, int]]:
    """Return the user's data sets, with their numbers of images."""
    entries = availability.list_datasets(data)
    return {
        name: (entry.images, entry.held_out)
        for name, entry in entries.items()
        if name not in DATASETS
    }


def reasons(data: Path) -> dict[str, str]:
    """Return what is skipped, and why."""
    return {each.name: each.reason for each in availability.list_all(data)[1]}


def encode_image(label: int, index: int = 0) -> bytes:
    """Encode a picture in its class's colour, each of another size."""
    file = BytesIO()
    Image.new("RGB", (20 + index, 24), COLOURS[label % len(COLOURS)]).save(file, "PNG")
    return file.getvalue()


def make_table(
    labels: Sequence[Any],
    *,
    names: Sequence[str] | None = ("apple", "pear"),
    image: str = "picture",
    label: str = "kind",
    cells: Sequence[Any] | None = None,
    metadata: bool = True,
    others: bool = True,
) -> pa.Table:
    """Make a table as `datasets` does: images, classes, a column with a misleading name."""
    if cells is None:
        cells = [
            {"bytes": encode_image(each if isinstance(each, int) else 0, index), "path": "x.png"}
            for index, each in enumerate(labels)
        ]
    kind = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    columns = {
        image: pa.array(cells, kind if isinstance(cells[0], dict) else None),
        label: pa.array(labels),
    }
    features: dict[str, Any] = {
        image: {"_type": "Image"},
        label: {"names": names, "_type": "ClassLabel"},
    }
    if others:
        columns = {"label": pa.array([7.5] * len(labels))} | columns
        features["label"] = {"dtype": "float64", "_type": "Value"}
    table = pa.table(columns)
    if metadata:
        info = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": info})
    return table


def labels_of(count: int, classes: int = 2) -> list[int]:
    return [index % classes for index in range(count)]


def write_parquet(path: Path, table: pa.Table) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table, path, row_group_size=8)
    return path


def write_arrow(path: Path, table: pa.Table) -> Path:
    """Write a stream, as `datasets` does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=37)
    return path


def save_to_disk(folder: Path, table: pa.Table, *, names: Sequence[str] = ()) -> Path:
    """Write one part as `Dataset.save_to_disk` does; `names` replaces those of its files."""
    write_arrow(folder / "data-00000-of-00001.arrow", table)
    write_arrow(folder / "cache-1f2e.arrow", table)  # what a filter leaves
    files = names or ["data-00000-of-00001.arrow"]
    state = {"_data_files": [{"filename": name} for name in files], "_split": folder.name}
    (folder / "state.json").write_text(json.dumps(state))
    (folder / "dataset_info.json").write_text("{}")
    return folder


def draw_stroke(label: int, side: int = 28) -> NDArray[np.uint8]:
    """Draw a light horizontal stroke whose row depends on the class."""
    image = np.zeros((side, side), np.uint8)
    image[2 + 2 * (label % 12), 4:20] = 255
    return image


def write_idx(
    folder: Path, prefix: str, labels: Sequence[int], *, gzipped: bool = False, columns: int = 0
) -> None:
    """Write a part's two files; QMNIST's labels have several columns of int32."""
    folder.mkdir(parents=True, exist_ok=True)
    suffix = ".gz" if gzipped else ""
    files = {
        f"{prefix}-images-idx3-ubyte{suffix}": encode_idx(np.stack([*map(draw_stroke, labels)])),
        f"{prefix}-labels-idx1-ubyte{suffix}": encode_idx(np.array(labels, np.uint8)),
    }
    if columns:
        values = np.zeros((len(labels), columns), ">i4")
        values[:, 0] = labels
        header = bytes([0, 0, 12, 2]) + np.array(values.shape, ">i4").tobytes()
        files.popitem()
        files[f"{prefix}-labels-idx2-int{suffix}"] = header + values.tobytes()
    for name, data in files.items():
        (folder / name).write_bytes(gzip.compress(data) if gzipped else data)


def write_cifar(folder: Path, count: int = 30) -> Path:
    """Write the binary version of CIFAR-10; a picture's red is its number in its file."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("data_batch_1.bin", "data_batch_2.bin", "test_batch.bin"):
        records = np.zeros((count, 3073), np.uint8)
        records[:, 0] = np.arange(count) % 10
        records[:, 1:1025] = np.arange(count)[:, None]
        (folder / name).write_bytes(records.tobytes())
    names = "\n".join(f"thing {number}" for number in range(10))
    (folder / "batches.meta.txt").write_text(f"{names}\n\n")
    return folder
