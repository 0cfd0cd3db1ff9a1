"""The project's own files, as git tracks them, and the packages that they import."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("models", "access", "backend", "dashboard")
"""The linked folders, each of which is a package below `stnscope`."""

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
REQUIRED: list[str] = PYPROJECT["project"]["dependencies"]
"""What recording a training loop needs, and every installation has."""
EXTRAS: dict[str, list[str]] = PYPROJECT["project"]["optional-dependencies"]
DEPENDENCIES = {"required": REQUIRED, **EXTRAS}
"""The requirements by extra, and those without one."""


def tracked_files(*patterns: str) -> list[Path]:
    """Return the files that git tracks, relative to the root; all of them without a pattern."""
    listed = subprocess.run(
        ["git", "ls-files", "--", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [Path(line) for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def modules(folder: str) -> list[str]:
    """Return the dotted names of the modules in a folder."""
    files = (file.relative_to(ROOT).with_suffix("") for file in (ROOT / folder).rglob("*.py"))
    dotted = (".".join(file.parts).removesuffix(".__init__") for file in files)
    return sorted(f"stnscope.{name}" for name in dotted)


def imported_packages(tree: ast.AST) -> set[str]:
    """Return the top-level names of every import in a syntax tree, wherever it is."""
    names = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module, "an import names a package"
            assert node.level == 0, "an import is absolute"
            names.add(node.module.split(".")[0])
    return names


def parse(file: Path) -> ast.Module:
    """Return the syntax tree of a file that is given relative to the root."""
    return ast.parse((ROOT / file).read_text())


def distribution(requirement: str) -> str:
    """Return the normalised name of the distribution that a requirement names."""
    return re.split(r"[^A-Za-z0-9_.-]", requirement)[0].lower().replace("_", "-")
