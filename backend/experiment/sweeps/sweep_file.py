"""Read a sweep from a TOML file, and name the line of what is wrong in it."""

import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from stnscope.backend.experiment.error_messages import format_error
from stnscope.backend.experiment.errors import InvalidInput, NotFound
from stnscope.backend.experiment.os_errors import display_name, translating_os_errors
from stnscope.backend.experiment.sweeps.sweep_config import SweepConfig

MAX_FILE_BYTES = 1_000_000

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]")
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")


def read_sweep(path: Path) -> SweepConfig:
    """Read a sweep; one without a name has that of the file.

    Raises:
        NotFound: there is no such file.
        InvalidInput: it is not TOML, or no sweep; the text names the line.
    """
    if not path.is_file():
        raise NotFound(f"There is no file {display_name(path)}.")
    with translating_os_errors(path):
        data = path.read_bytes()
    if len(data) > MAX_FILE_BYTES:
        raise InvalidInput(f"{display_name(path)} is too large for the description of a sweep.")
    try:
        # Editors on Windows put a byte order mark before the text.
        values = tomllib.loads(data.decode("utf-8-sig"))
    except RecursionError:
        raise InvalidInput(f"{display_name(path)} is nested too deeply.") from None
    except ValueError as error:  # also of a number with thousands of digits
        raise InvalidInput(f"{display_name(path)} is not TOML: {error}.") from None
    with naming_line(path):
        try:
            return SweepConfig.model_validate({"name": path.stem, **values})
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = ".".join(map(str, first["loc"]))
            raise InvalidInput(format_error(first, first["loc"], SweepConfig), field) from None


@contextmanager
def naming_line(path: Path) -> Iterator[None]:
    """Let errors name the file, and the line that sets what is wrong.

    Raises:
        InvalidInput: the body does.
    """
    try:
        yield
    except InvalidInput as error:
        line = error.field and find_line(path.read_text("utf-8-sig"), error.field)
        location = f"{display_name(path)}, line {line}" if line else display_name(path)
        raise InvalidInput(f"{location}: {error}", error.field) from error


def find_line(text: str, field: str) -> int | None:
    """Return the line of a TOML text that sets a field, or the table or list that it is in.

    Args:
        text: of the file.
        field: its path, such as `product.family` or `zip.1.epochs`.
    """
    found, length = None, 0
    for number, path in _set_paths(text):
        if f"{field}.".startswith(f"{path}.") and len(path) > length:
            found, length = number, len(path)
    return found


def _set_paths(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that begin a table or set a value, each with the path that it sets."""
    table, counts = "", dict[str, int]()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _path(header[2])
            if header[1] == "[[":
                index = counts.get(table, 0)
                counts[table] = index + 1
                table = f"{table}.{index}"
            yield number, table
        elif key := _KEY.match(line):
            yield number, f"{table}.{_path(key[1])}".lstrip(".")


def _path(key: str) -> str:
    """Return a key of TOML as a path, without quotes."""
    return ".".join(
        part.strip().strip("\"'") for part in re.findall(r"\"[^\"]*\"|'[^']*'|[^.]+", key)
    )
