"""Errors of reading a data set: whatever its files do, it becomes a DatasetError. Without torch.

The only place that decides what an exception means for a data set. Readers name the file with
`raising_dataset_errors`; around each data set as a whole there is one more such context, so that
one with broken files never hides the others.
"""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from stnscope.backend.experiment.errors import DatasetError, StnscopeError, shorten_reason
from stnscope.backend.experiment.os_errors import display_name


@contextmanager
def raising_dataset_errors(name: str, verb: str = "read") -> Iterator[None]:
    """Convert what is raised inside this context while files of a data set are read.

    Args:
        name: what is read, for the message.
        verb: what is done with it.

    Raises:
        DatasetError: `name` cannot be read, and why.
    """
    try:
        yield
    except StnscopeError:
        raise
    except Exception as error:
        detail = f"{display_name(name)} cannot be {verb}: {explain(error)}."
        raise DatasetError(detail) from error


@contextmanager
def requiring(package: str, reason: str) -> Iterator[None]:
    """Convert the ImportError of a package that not every installation has.

    Args:
        package: what is imported inside this context.
        reason: what it is needed for, as the start of a sentence.

    Raises:
        DatasetError: it is not installed; with instructions to install it.
    """
    try:
        yield
    except ImportError as error:
        raise DatasetError(
            f"{reason}, and {package}, which reads them, is not installed. "
            'Run: pip install "stnscope[data]"'
        ) from error


def explain(error: Exception) -> str:
    """Return why something cannot be read, as the end of a sentence."""
    text = str(error)
    if isinstance(error, NotImplementedError):  # of zipfile, which supports four methods
        return "it is packed with a method that cannot be unpacked here. Pack it again as usual"
    if isinstance(error, RuntimeError) and "encrypted" in text:
        return "it is encrypted. Unpack it with its password"
    if isinstance(error, zlib.error | zipfile.BadZipFile | EOFError):
        return f"it is damaged ({shorten_reason(text)}). Get it again"
    if isinstance(error, MemoryError | RecursionError):
        return "it is too large"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return shorten_reason(text) or type(error).__name__
