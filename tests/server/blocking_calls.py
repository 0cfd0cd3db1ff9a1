"""Find calls in coroutines that block the event loop: files, databases, locks, archives, sleep.

A call is resolved through imports and `self`; on other objects, by the name of the method.
"""

import ast
import asyncio
import sqlite3
import tarfile
import zipfile
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePath

from filelock import FileLock
from PIL import Image

MODULES = (
    *("os", "shutil", "glob", "tempfile", "fileinput", "zipfile", "tarfile", "gzip", "bz2", "lzma"),
    *("sqlite3", "PIL", "filelock", "subprocess", "urllib.request", "httpx", "time.sleep"),
    *("pathlib.Path.cwd", "pathlib.Path.home", "open", "input"),
)
"""Modules and functions that read or write files, or wait."""
PURE = frozenset(
    {
        "os.environ",
        "os.getpid",
        "os.getppid",
        "os.fspath",
        "os.fsdecode",
        "os.fsencode",
        "os.cpu_count",
        "os.urandom",
    }
    | {"os.path.join", "os.path.basename", "os.path.dirname", "os.path.splitext"}
)
"""What these modules have that only computes."""


def _methods(*kinds: type) -> set[str]:
    return {name for kind in kinds for name in dir(kind) if callable(getattr(kind, name))}


IN_MEMORY = _methods(dict, list, set, str, bytes, bytearray, deque) | _methods(
    asyncio.Task, asyncio.Event, asyncio.Semaphore, asyncio.Queue, asyncio.StreamWriter
)
"""Methods of objects in memory: nothing follows from such a name if the object is unknown."""
METHODS = (_methods(Path) - _methods(PurePath)) | _methods(
    *(sqlite3.Connection, sqlite3.Cursor, zipfile.ZipFile, tarfile.TarFile),
    *(FileLock, Image.Image),
)
"""Methods that read or write files, or wait, whatever the object is."""

CREATED = ("__init__", "__post_init__", "__enter__", "__exit__")
"""Methods of a class that run when it is called, or may if that is done in a `with`."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
Scope = tuple[str, Function]
"""A function and the name of its module or class: `package.module` or `package.module.Class`."""


def _uses(function: Function) -> Iterator[tuple[str, int]]:
    """Yield the dotted name and line of each call that is not awaited, and of each attribute.

    A call's name ends with `()`, an attribute's does not: it may be a property, or a function that
    is called later, perhaps in a thread. Nested functions are left out for the same reason.
    """
    pending: list[ast.AST] = list(function.body)
    while pending:
        node = pending.pop()
        if isinstance(node, Function | ast.Lambda):
            continue
        if isinstance(node, ast.Await) and isinstance(node.value, ast.Call):
            node = node.value
        elif isinstance(node, ast.Call):
            yield f"{_dotted(node.func)}()", node.lineno
        elif isinstance(node, ast.Attribute):
            yield _dotted(node), node.lineno
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            pending += [node.func.value, *node.args, *node.keywords]
        else:
            pending += ast.iter_child_nodes(node)


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _scopes(node: ast.AST, owner: str) -> Iterator[Scope]:
    """Yield all functions below a node, nested ones too."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function):
            yield owner, child
        yield from _scopes(
            child, f"{owner}.{child.name}" if isinstance(child, ast.ClassDef) else owner
        )


def _imports(tree: ast.Module) -> dict[str, str]:
    """Return the full name of each imported name of a module."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            names |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
    return names


class Program:
    """The functions of some modules, and which of them block.

    Args:
        sources: the text of each module by its dotted name.
    """

    def __init__(self, sources: Mapping[str, str]) -> None:
        trees = {module: ast.parse(source) for module, source in sources.items()}
        self._imports = {module: _imports(tree) for module, tree in trees.items()}
        self._scopes = [
            (module, *scope) for module, tree in trees.items() for scope in _scopes(tree, module)
        ]
        self._known = {f"{owner}.{node.name}" for _, owner, node in self._scopes}
        self._properties = {
            f"{owner}.{node.name}"
            for _, owner, node in self._scopes
            if any("property" in ast.unparse(each) for each in node.decorator_list)
        }
        self._methods: defaultdict[str, list[str]] = defaultdict(list)
        for each in self._known:
            owner, _, method = each.rpartition(".")
            if owner.rpartition(".")[2][:1].isupper():
                self._methods[method].append(each)
        # Resolved once: each further caller that is found needs another pass over all functions.
        uses = [
            (
                f"{owner}.{node.name}",
                {each for *_, found in self._uses(module, owner, node) for each in found},
            )
            for module, owner, node in self._scopes
            if isinstance(node, ast.FunctionDef)
        ]
        self.blocking_functions: set[str] = set()
        while callers := {
            function
            for function, found in uses
            if function not in self.blocking_functions and any(map(self._is_blocking, found))
        }:
            self.blocking_functions |= callers

    def blocking_calls(self) -> list[str]:
        """Return each blocking call that a coroutine makes, as `module:line name`."""
        return sorted(
            f"{module}:{line} {name.removesuffix('()').rpartition('.')[2]}"
            for module, owner, node in self._scopes
            if isinstance(node, ast.AsyncFunctionDef)
            for name, line, found in self._uses(module, owner, node)
            if any(map(self._is_blocking, found))
        )

    def _uses(
        self, module: str, owner: str, function: Function
    ) -> Iterator[tuple[str, int, set[str]]]:
        """Yield the name and line of each use in a function, and what may run by it."""
        for name, line in _uses(function):
            found = set(self._resolve(module, owner, name.removesuffix("()")))
            if not name.endswith("()"):
                found &= self._properties
            yield name, line, found

    def _is_blocking(self, name: str) -> bool:
        if name in PURE or name.startswith("os.environ."):
            return False
        if name.startswith("."):
            return name[1:] in METHODS and name[1:] not in IN_MEMORY
        return name in self.blocking_functions or any(
            f"{name}.".startswith(f"{m}.") for m in MODULES
        )

    def _resolve(self, module: str, owner: str, name: str) -> Iterable[str]:
        """Return the full names of the functions that a name may refer to."""
        first, _, rest = name.partition(".")
        if not rest:
            found = self._imports[module].get(first, f"{module}.{first}")
            # A nested function has the owner of the one around it; `with` enters what is created.
            names = [found, f"{owner}.{first}", *(f"{found}.{each}" for each in CREATED)]
            if known := [each for each in names if each in self._known]:
                return known
            return [first if found == f"{module}.{first}" else found]
        if first in ("self", "cls") and f"{owner}.{rest}" in self._known:
            return [f"{owner}.{rest}"]
        if first in self._imports[module]:
            return [f"{self._imports[module][first]}.{rest}"]
        if f"{module}.{name}" in self._known:
            return [f"{module}.{name}"]
        method = name.rpartition(".")[2]
        if method in IN_MEMORY:
            return []
        return [f".{method}", *self._methods[method]]
