"""Put the page without a server into one HTML file: its modules, its styles and its data.

Modules import one another by names that the file maps to their text (an import map), because they
have no addresses; they are compressed together, and unpacked by the script that starts the page.
Nothing is loaded from elsewhere.
"""

import html
import json
import re
import zlib
from base64 import b64encode, b85encode
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from stnscope.backend.experiment.errors import NotFound

PAGE = "standalone.html"
START = "offline/one-file.js"
LIBRARY = "vendor/plotly-basic-4.1.1.min.js"
"""The charts' library, which is unpacked when the first chart is drawn."""
LEVEL = 9
PACKAGE = "stnscope/"
"""Begins the names of modules."""
NO_MARKUP = bytes.maketrans(b"<", b",")
"""Replaces the only character of base85 that could begin markup."""

_IMPORT = re.compile(r'^(import\b[^;"]*)"(\.{1,2}/[^"]+)"', re.MULTILINE)
_SHEET = re.compile(r'^ *<link rel="stylesheet" href="([^"]+)">\n', re.MULTILINE)
_ENTRY = re.compile(r'^ *<script type="module" src="([^"]+)"></script>\n', re.MULTILINE)


def page_folder() -> Path:
    """Return the folder of the page's files, which are read and not imported.

    Raises:
        NotFound: the page is not installed.
    """
    found = find_spec("stnscope.dashboard")
    if found is None or not found.submodule_search_locations:
        raise NotFound('The page is not installed. Install it with: pip install "stnscope[serve]"')
    return Path(found.submodule_search_locations[0]) / "assets"


def one_file_page(
    title: str, files: Mapping[str, bytes], provenance: Mapping[str, str] | None = None
) -> bytes:
    """Return the page as one HTML file.

    Args:
        title: of the page.
        files: what it reads, by path; JSON is compressed, other files are already.
        provenance: its description, by name.
    """
    shell, modules = _shell()
    embedded = [_script("data-modules", b64encode(modules))]
    embedded += [
        _file(path, _compress(data) if is_json(path) else data) for path, data in files.items()
    ]
    embedded.append(_file(LIBRARY, _library()))
    head = f"<title>{html.escape(title)}</title>\n" + "".join(
        f'<meta name="{html.escape(name.lower())}" content="{html.escape(text)}">\n'
        for name, text in (provenance or {}).items()
    )
    text = shell.replace("<title>stnscope</title>\n", head)
    return text.replace("<!-- data -->\n", "".join(embedded)).encode()


def is_json(path: str) -> bool:
    """Whether a file of a page is JSON."""
    return path.endswith(".json")


def encoded_length(length: int) -> int:
    """Return how long a number of bytes is as text in the page."""
    return -(-length * 5 // 4)


def _file(path: str, data: bytes) -> str:
    return _script(f'data-file="{html.escape(path)}"', b85encode(data).translate(NO_MARKUP))


def _script(attribute: str, text: bytes) -> str:
    return f'<script type="text/plain" {attribute}>{text.decode()}</script>\n'


def _compress(data: bytes) -> bytes:
    return zlib.compress(data, LEVEL)


@cache
def _library() -> bytes:
    return _compress((page_folder() / LIBRARY).read_bytes())


@cache
def _shell() -> tuple[str, bytes]:
    """Return the HTML with its styles, and the compressed modules."""
    folder = page_folder()
    page = (folder / PAGE).read_text(encoding="utf-8")
    (entry,) = _ENTRY.findall(page)
    sheets = "".join((folder / name).read_text(encoding="utf-8") for name in _SHEET.findall(page))
    page = _SHEET.sub("", page).replace("</head>", f"<style>\n{sheets}</style>\n</head>")
    start = (folder / START).read_text(encoding="utf-8")
    page = page.replace("<html ", "<html data-one-file ")
    # A function, since a text would be searched for references to groups.
    page = _ENTRY.sub(lambda _: f"<!-- data -->\n<script>\n{start}</script>\n", page)
    modules = json.dumps(bundle(folder, entry), ensure_ascii=False)
    return page, _compress(modules.encode())


def bundle(folder: Path, entry: str) -> dict[str, str]:
    """Return the modules that an entry point imports, by name, each importing others by name.

    Args:
        folder: of the modules.
        entry: the path of the entry point in it.
    """
    modules: dict[str, str] = {}
    pending = [(folder / entry).resolve()]
    while pending:
        path = pending.pop()
        name = _name(path, folder)
        if name in modules:
            continue
        source = path.read_text(encoding="utf-8")
        pending += [(path.parent / target).resolve() for _, target in _IMPORT.findall(source)]
        modules[name] = _import_by_name(source, path.parent, folder)
    return modules


def _import_by_name(source: str, parent: Path, folder: Path) -> str:
    """Return a module's source with names in place of relative addresses."""

    def by_name(found: re.Match[str]) -> str:
        return f'{found[1]}"{_name((parent / found[2]).resolve(), folder)}"'

    return _IMPORT.sub(by_name, source)


def _name(path: Path, folder: Path) -> str:
    return PACKAGE + path.relative_to(folder.resolve()).as_posix()
