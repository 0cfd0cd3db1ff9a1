"""The parser of the command line: its errors suggest what was meant, and types check values."""

import argparse
import math
import re
from collections.abc import Iterable
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Never

from stnscope.access.security_headers import NOTEBOOK
from stnscope.backend.experiment.config import AUTO


class Parser(argparse.ArgumentParser):
    """A parser whose error messages suggest the nearest command, option or name."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._names: list[str] = []
        super().__init__(*arguments, **options)

    def add_argument(self, *names: str, **options: Any) -> Any:
        """Add an argument, and store the names of an option."""
        self._names += [name for name in names if name.startswith("--")]
        return super().add_argument(*names, **options)

    def error(self, message: str) -> Never:
        """Print the usage and the message, and exit with status 2."""
        choice = re.search(r"invalid choice: '(.*)' \(choose from (.*)\)", message)
        if choice:
            message += suggestion(choice[1], re.findall(r"[^\s',]+", choice[2]))
        super().error(message)

    def refuse(self, words: list[str]) -> Never:
        """Report words that no option takes, with this command's usage."""
        options = [word.partition("=")[0] for word in words if word.startswith("-")]
        hint = suggestion(options[0], self._names) if options else ""
        self.error(f"unrecognized arguments: {' '.join(words)}{hint}")


def suggestion(word: str, names: Iterable[str]) -> str:
    """Return `. Did you mean ...?` with the nearest of some names; nothing if none is near."""
    near = get_close_matches(word, list(names), n=1)
    return f". Did you mean {near[0]}?" if near else ""


def folder(text: str) -> Path:
    """Parse the path of a folder; `~` is the home directory of the user."""
    if not text:
        raise argparse.ArgumentTypeError("the path is empty")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise argparse.ArgumentTypeError(
            f"{text!r} begins with a home directory that is not known here; give the whole path"
        ) from None


def port(text: str) -> int:
    """Parse a TCP port."""
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; it must be 1 to 65535")
    return int(text)


def seconds(text: str) -> float:
    """Parse a duration in seconds."""
    return _duration(text, "seconds")


def minutes(text: str) -> float:
    """Parse a duration in minutes."""
    return _duration(text, "minutes")


def _duration(text: str, unit: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration in {unit}, greater than 0")
    return value


def count(text: str) -> int:
    """Parse a number of things, 1 or more."""
    if not (text.isascii() and text.isdecimal()) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of 1 or more")
    return int(text)


def threads(text: str) -> int | str:
    """Parse a number of threads, or `auto`; its limit is checked with the configuration."""
    return text if text == AUTO else count(text)


def retries(text: str) -> int:
    """Parse how often something is tried again."""
    if not text.isdecimal() or len(text) > 3:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to 999")
    return int(text)


def cluster(text: str) -> str:
    """Parse the address of a Ray cluster."""
    host, separator, number = text.rpartition(":")
    is_port = number.isdecimal() and 0 < int(number) < 65536
    if text != AUTO and not (host and separator and is_port and "/" not in host):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not the address of a cluster; it is HOST:PORT, or {AUTO}"
        )
    if find_spec("ray") is None:
        raise argparse.ArgumentTypeError(
            "Ray is not installed; install it with pip install 'stnscope[cluster]'"
        )
    return text


def size(text: str) -> int:
    """Parse a number of bytes: `800000`, `500MB`, `1.5 GB`."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)b?", text.strip().lower())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; write it as 500MB or 2GB")
    number, unit = found.groups()
    value = int(float(number) * 1000 ** " kmgt".index(unit or " "))
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} leaves no space for a recording")
    return value


def address(text: str) -> str:
    """Parse the address of a mirror."""
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not an address; it must start with http:// or https://"
        )
    return text


def origin(text: str) -> str:
    """Parse an origin, as browsers send it."""
    lower = text.lower().rstrip("/")
    if not re.fullmatch(r"https?://[^/?#@\s]+", lower):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not an origin; write it as http://lab.example:8501"
        )
    return lower


def frame(text: str) -> str:
    """Parse the origin of a page that may embed this one, or `notebook`."""
    return text if text == NOTEBOOK else origin(text)


def host(text: str) -> str:
    """Parse a value of `Host`: a name or address, with the port unless it is the default one."""
    lower = text.lower()
    if not re.fullmatch(r"(\[[0-9a-f:.]+\]|[^/?#@:\s]+)(:\d{1,5})?", lower):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a host; write it as lab.example:8501, without http://"
        )
    return lower
