"""Which parts import which: the layers in pyproject.toml, and what they cannot express."""

import ast
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.source_files import (
    DEPENDENCIES,
    FOLDERS,
    PYPROJECT,
    ROOT,
    distribution,
    imported_packages,
    modules,
    parse,
    tracked_files,
)

PATTERNS = [*(f"{folder}/*.py" for folder in FOLDERS), "stnscope/*.py"]
CONTRACTS = PYPROJECT["tool"]["importlinter"]["contracts"]
# Processes of their own, which load torch or decode pictures.
[ENTRY_POINTS] = [
    contract["protected_modules"] for contract in CONTRACTS if contract["type"] == "protected"
]
# Run by Streamlit; importing them runs them.
SCRIPTS = {"stnscope.dashboard.app", "stnscope.dashboard.service"}


def test_imports_follow_the_contracts() -> None:
    """The contracts in pyproject.toml name the layers; import-linter checks them."""
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_each_package_has_a_contract_that_names_all_its_layers() -> None:
    exhaustive = {contract["containers"][0] for contract in CONTRACTS if contract.get("exhaustive")}
    layered = ("models", "access", "backend", "backend.experiment", "backend.server", "dashboard")
    assert exhaustive == {"stnscope", *(f"stnscope.{name}" for name in layered)}


@pytest.mark.parametrize(
    "names",
    [
        [name for name in modules("backend/server") if name not in ENTRY_POINTS]
        + ["stnscope.backend.commands.main"],
        [
            name
            for folder in ("catalog", "export", "frames", "pictures", "recording")
            for name in modules(f"backend/experiment/{folder}")
        ],
        [*modules("access"), *(name for name in modules("dashboard") if name not in SCRIPTS)],
    ],
    ids=["server", "recording", "dashboard"],
)
def test_modules_load_without_torch(names: list[str]) -> None:
    """What the contracts state of the source holds in a process that has imported it."""
    code = "import importlib, sys\n"
    code += f"for name in {names}:\n"
    code += "    importlib.import_module(name)\n"
    code += "sys.exit('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr or "torch is loaded"


def test_command_line_loads_without_streamlit() -> None:
    code = "import sys; sys.modules['streamlit'] = None; import stnscope.backend.commands.main"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_frame_module_imports_none_of_our_modules() -> None:
    tree = parse(Path("backend/experiment/frames/frame.py"))
    assert "stnscope" not in imported_packages(tree)


def test_no_function_imports_our_modules() -> None:
    for file in tracked_files(*PATTERNS):
        for node in ast.walk(parse(file)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert "stnscope" not in imported_packages(node), f"{file}: {node.name}"


def test_experiment_reads_no_environment_variable() -> None:
    for file in tracked_files("models/*.py", "backend/experiment/*.py"):
        source = (ROOT / file).read_text()
        assert not re.search(r"\b(environ|getenv)\b", source), file


@pytest.mark.parametrize(
    ("folder", "extras"),
    [
        ("models", ["required"]),
        ("backend/experiment/watching", ["required"]),
        ("backend", ["required", "backend", "data", "video", "cluster"]),
        # The image of the page has no torch.
        ("dashboard", ["dashboard"]),
        ("access", ["required", "backend"]),
        ("access", ["dashboard"]),
    ],
)
def test_folder_imports_only_dependencies_of_its_extras(folder: str, extras: list[str]) -> None:
    dependencies = {
        distribution(requirement) for extra in extras for requirement in DEPENDENCIES[extra]
    }
    known = packages_distributions()
    for file in tracked_files(f"{folder}/*.py"):
        third_party = imported_packages(parse(file)) - sys.stdlib_module_names - {"stnscope"}
        if file == Path("backend/server/http/page.py"):
            third_party.remove("streamlit")  # only where the page is served from this process
        # Parts of FastAPI and Streamlit, and of pydantic, under names of their own.
        third_party -= {"starlette", "pydantic_core"}
        for name in third_party:
            found = {each.lower() for each in known[name]}
            assert dependencies & found, f"{file} imports {name}"


@pytest.mark.parametrize("extra", ["required", "backend", "dashboard", "data", "video", "cluster"])
def test_every_dependency_is_imported(extra: str) -> None:
    known = packages_distributions()
    used = {
        found.lower()
        for file in tracked_files(*PATTERNS)
        for name in imported_packages(parse(file))
        for found in known.get(name, [])
    }
    required = {distribution(requirement) for requirement in DEPENDENCIES[extra]}
    assert required - used <= {"websockets"}, "uvicorn imports that one by itself"
