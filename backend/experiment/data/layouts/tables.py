"""Columns of parquet and arrow files, read by pyarrow a few rows at a time. Without torch.

What a file declares is never trusted: arrays are validated before they are used, and no more rows
are read than a data set may have.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stnscope.backend.experiment.data.data_errors import raising_dataset_errors, requiring
from stnscope.backend.experiment.data.layouts.features import ColumnType
from stnscope.backend.experiment.errors import DatasetError
from stnscope.backend.experiment.limits import MAX_DATASET_BYTES
from stnscope.backend.experiment.os_errors import display_name

IMAGE_ROWS = 1
"""Images that are read at a time, so that memory is bounded by the largest one in a file."""
LABEL_ROWS = 65_536
MAX_ROWS = MAX_DATASET_BYTES // 28**2
"""More than the images of any data set that is read."""
MAX_GROUP_BYTES = 256 * 1024**2
"""Maximum of a row group whose images are read as a whole."""
BUFFER_BYTES = 1 << 20
MAX_STREAMED_BYTES = 200_000_000
"""Maximum of an arrow file whose labels are read with the bytes between. A larger one is mapped
into memory for it: a process ends if such a file is truncated meanwhile, hence not every one."""
ARROW_FILE = b"ARROW1"
ARROW_END = b"\xff\xff\xff\xff\0\0\0\0"
"""Last bytes of a stream that was closed (arrow.apache.org/docs/format/Columnar.html)."""
LFS_POINTER = b"version https://git-lfs"
SCHEMA_KEY = b"huggingface"

Values = NDArray[Any]
"""Labels: numbers, or objects that are texts."""


@dataclass(frozen=True)
class TableSchema:
    """The columns of a file."""

    types: Mapping[str, ColumnType]
    metadata: object
    """What Hugging Face has stored; None if it has not."""


class Cell(NamedTuple):
    """An image: the content of its file, or else its path."""

    data: bytes | None
    path: str | None


def require_pyarrow(name: str) -> None:
    """Check that pyarrow is installed.

    Raises:
        DatasetError: it is not; with instructions to install it.
    """
    with requiring("pyarrow", f"{name} has parquet or arrow files"):
        import pyarrow  # noqa: F401


def read_schema(path: Path) -> TableSchema:
    """Return the columns of a file."""
    with _open(path) as file:
        schema = file.schema
    metadata = (schema.metadata or {}).get(SCHEMA_KEY)
    types = {field.name: _column_type(field.type) for field in schema}
    return TableSchema(types, json.loads(metadata) if metadata else None)


def _column_type(kind: Any) -> ColumnType:
    types = _pyarrow().types
    if types.is_struct(kind):
        index = kind.get_field_index("bytes")
        return "image" if index >= 0 and _is_binary(kind.field(index).type) else "other"
    if _is_binary(kind):
        return "image"
    if types.is_integer(kind):
        return "integer"
    return "text" if types.is_string(kind) or types.is_large_string(kind) else "other"


def _is_binary(kind: Any) -> bool:
    types = _pyarrow().types
    return bool(types.is_binary(kind) or types.is_large_binary(kind))


def read_labels(paths: Sequence[Path], column: str) -> Values:
    """Return a column of numbers or texts of several files.

    Raises:
        DatasetError: it is missing, damaged or incomplete, or there are too many rows.
    """
    arrays, count = [], 0
    for path in paths:
        with raising_dataset_errors(path.name):
            mapped = path.suffix == ".arrow" and path.stat().st_size > MAX_STREAMED_BYTES
            for array in _read(path, column, LABEL_ROWS, mapped=mapped):
                count += len(array)
                if count > MAX_ROWS:
                    raise DatasetError(
                        f"{path.name} has more rows than the {MAX_ROWS:,} that are read. Use a "
                        "part of them."
                    )
                if array.null_count:
                    raise DatasetError(f"{path.name} has rows without {display_name(column)}.")
                is_integer = _pyarrow().types.is_integer(array.type)
                kind = _pyarrow().int64() if is_integer else _pyarrow().string()
                values = array.cast(kind)
                arrays.append(np.asarray(values.to_numpy(zero_copy_only=False)))
    if not count:
        raise DatasetError(f"{paths[0].name} has no rows.")
    return np.concatenate(arrays)


def read_images(path: Path, column: str) -> Iterator[Cell]:
    """Yield the images of a file.

    Raises:
        DatasetError: the column is missing or damaged.
    """
    with raising_dataset_errors(path.name):
        for array in _read(path, column, IMAGE_ROWS):
            for value in array.to_pylist():
                if isinstance(value, dict):
                    yield Cell(value.get("bytes"), value.get("path"))
                elif isinstance(value, str):
                    yield Cell(None, value)
                else:
                    yield Cell(value, None)


def _read(path: Path, column: str, rows: int, *, mapped: bool = False) -> Iterator[Any]:
    """Yield a column in arrays of some rows, each validated."""
    with _open(path, mapped=mapped) as file:
        if column not in file.schema.names:
            raise DatasetError(f"{path.name} has no column {display_name(column)}.")
        for batch in file.batches(column, rows):
            array = batch.column(batch.schema.get_field_index(column))
            array.validate()
            for start in range(0, len(array), rows):
                part = array.slice(start, rows)
                part.validate(full=True)
                yield part


class _Parquet:
    """A parquet file."""

    def __init__(self, source: Any) -> None:
        from pyarrow import parquet

        self._source = source
        self.schema = parquet.ParquetFile(source).schema_arrow

    def batches(self, column: str, rows: int) -> Iterator[Any]:
        """Yield the rows of a column, some at a time."""
        from pyarrow import parquet

        metadata = parquet.ParquetFile(self._source).metadata
        count, groups = metadata.num_rows, range(metadata.num_row_groups)
        if count > MAX_ROWS:
            raise ValueError(f"it declares {count:,} rows, and at most {MAX_ROWS:,} are read")
        largest = max((metadata.row_group(each).total_byte_size for each in groups), default=0)
        # A column of a row group is read as a whole, so that its pages take no more memory than
        # the file has, whatever they declare; page by page only where it is too large for that.
        is_large = rows == IMAGE_ROWS and largest > MAX_GROUP_BYTES
        buffer_bytes = BUFFER_BYTES if is_large else 0
        file = parquet.ParquetFile(self._source, buffer_size=buffer_bytes, pre_buffer=False)
        yield from file.iter_batches(rows, columns=[column], use_threads=False)


class _Arrow:
    """An arrow file of either format: a stream, as Hugging Face writes it, or a file."""

    def __init__(self, source: Any) -> None:
        from pyarrow import ipc

        self._is_file = source.read(len(ARROW_FILE)) == ARROW_FILE
        size = source.size()
        source.seek(max(0, size - len(ARROW_END)))
        if not self._is_file and source.read() != ARROW_END:
            raise EOFError("it ends before its end")
        source.seek(0)
        self._source = source
        reader = ipc.open_file(source) if self._is_file else ipc.open_stream(source)
        self.schema = reader.schema

    def batches(self, column: str, rows: int) -> Iterator[Any]:
        """Yield a column in the file's batches, of whatever number of rows."""
        from pyarrow import ipc

        # Other columns are not decompressed.
        fields = [self.schema.get_field_index(column)]
        options = ipc.IpcReadOptions(included_fields=fields, use_threads=False)
        self._source.seek(0)
        if self._is_file:
            reader = ipc.open_file(self._source, options=options)
            yield from (reader.get_batch(index) for index in range(reader.num_record_batches))
        else:
            yield from ipc.open_stream(self._source, options=options)


@contextmanager
def _open(path: Path, *, mapped: bool = False) -> Iterator[_Parquet | _Arrow]:
    pyarrow = _pyarrow()
    with path.open("rb") as file:
        if file.read(len(LFS_POINTER)) == LFS_POINTER:
            raise DatasetError(
                f"{path.name} is a pointer of Git LFS, and not the file. Run `git lfs pull` in "
                "its folder."
            )
    with pyarrow.memory_map(str(path)) if mapped else pyarrow.OSFile(str(path), "rb") as source:
        yield _Parquet(source) if path.suffix == ".parquet" else _Arrow(source)


def _pyarrow() -> Any:
    import pyarrow

    return pyarrow
