"""The idx format of MNIST's files (yann.lecun.com/exdb/mnist). Without torch."""

from typing import BinaryIO

from stnscope.backend.experiment.errors import DatasetError

Shape = tuple[int, ...]

ITEM_BYTES = {8: 1, 12: 4}
"""Bytes of an item of the types that are read, by the third byte of a file: uint8 and int32."""
MAX_DIMENSIONS = 4


def read_header(name: str, file: BinaryIO) -> tuple[int, Shape]:
    """Read a file's header; return an item's bytes, and the shape that it declares.

    Raises:
        DatasetError: it is not that of an idx file.
    """
    magic = file.read(4)
    is_idx = len(magic) == 4 and magic[:2] == b"\0\0" and 1 <= magic[3] <= MAX_DIMENSIONS
    if not is_idx or magic[2] not in ITEM_BYTES:
        raise DatasetError(f"{name} is not an idx file of bytes.")
    sizes = file.read(4 * magic[3])
    shape = tuple(int.from_bytes(sizes[at : at + 4], "big") for at in range(0, len(sizes), 4))
    return ITEM_BYTES[magic[2]], shape
