"""How the parts may lean on each other, and that what is written about them is so."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("models", "access", "backend", "dashboard")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS: dict[str, list[str]] = PYPROJECT["project"]["optional-dependencies"]
SOURCES = [f"{package}/*.py" for package in FOLDERS] + ["stnscope/*.py"]
README = (ROOT / "README.md").read_text()
# Their mains are processes of their own, which load torch or draw.
MAINS = ("trainer_main", "inference_main", "export_main", "import_main", "committee_main")
PROCESSES = {f"stnscope.backend.server.processes.{name}" for name in MAINS}
# Never imported by name: uvicorn looks for it.
FOUND_BY_OTHERS = {"websockets"}


def tracked(*patterns: str) -> list[Path]:
    """The files that git knows, relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "--", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [Path(line) for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def modules(folder: str) -> list[str]:
    """The dotted names of a package's modules."""
    files = (file.relative_to(ROOT).with_suffix("") for file in (ROOT / folder).rglob("*.py"))
    dotted = (".".join(file.parts).removesuffix(".__init__") for file in files)
    return sorted(f"stnscope.{name}" for name in dotted)


def imported(file: Path) -> set[str]:
    """The top-level names of all that a file imports, wherever in it."""
    return imports_in(ast.parse((ROOT / file).read_text()))


def imports_in(tree: ast.AST) -> set[str]:
    names = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module, "imports name a package"
            assert node.level == 0, "imports name a package"
            names.add(node.module.split(".")[0])
    return names


def distribution(requirement: str) -> str:
    """The normalised name of what a requirement asks for."""
    return re.split(r"[^A-Za-z0-9_.-]", requirement)[0].lower().replace("_", "-")


def test_imports_run_one_way() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "names",
    [
        [name for name in modules("backend/server") if name not in PROCESSES]
        + ["stnscope.backend.commands.main"],
        [
            name
            for folder in ("catalog", "export", "frames", "pictures", "recording")
            for name in modules(f"backend/experiment/{folder}")
        ],
        modules("access") + modules("dashboard"),
    ],
    ids=["server", "recording", "dashboard"],
)
def test_runs_without_torch(names: list[str]) -> None:
    """What the contracts promise of the source, seen in a process that has loaded it."""
    # Running them is not importing them.
    scripts = {"stnscope.dashboard.app", "stnscope.dashboard.service"}
    code = "import importlib, sys\n"
    code += f"for name in {[name for name in names if name not in scripts]}:\n"
    code += "    importlib.import_module(name)\n"
    code += "sys.exit('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr or "torch is loaded"


def test_the_interface_alone_runs_without_streamlit() -> None:
    code = "import sys; sys.modules['streamlit'] = None; import stnscope.backend.commands.main"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_a_frame_imports_nothing_of_ours() -> None:
    assert "stnscope" not in imported(Path("backend/experiment/frames/frame.py"))


def test_no_import_of_ours_is_deferred() -> None:
    for file in tracked(*SOURCES):
        tree = ast.parse((ROOT / file).read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert "stnscope" not in imports_in(node), f"{file}: {node.name}"


def test_the_science_reads_no_environment() -> None:
    for file in tracked("models/*.py", "backend/experiment/*.py"):
        source = (ROOT / file).read_text()
        assert not re.search(r"\b(environ|getenv)\b", source), file


@pytest.mark.parametrize(
    ("folder", "extra"),
    [
        ("models", "backend"),
        ("backend", "backend"),
        ("dashboard", "dashboard"),
        ("access", "backend"),
        ("access", "dashboard"),
    ],
)
def test_each_half_imports_only_what_its_extra_brings(folder: str, extra: str) -> None:
    brought = {distribution(requirement) for requirement in EXTRAS[extra]}
    known = packages_distributions()
    for file in tracked(f"{folder}/*.py"):
        third_party = imported(file) - set(sys.stdlib_module_names) - {"stnscope"}
        if file == Path("backend/server/http/page.py"):
            third_party.remove("streamlit")  # only where the page is served from this process
        third_party -= {"starlette"}  # FastAPI and Streamlit are both made of it
        for name in third_party:
            assert brought & {found.lower() for found in known[name]}, f"{file} imports {name}"


@pytest.mark.parametrize("extra", ["backend", "dashboard"])
def test_every_dependency_is_used(extra: str) -> None:
    known = packages_distributions()
    used = {
        found.lower()
        for file in tracked(*SOURCES)
        for name in imported(file)
        for found in known.get(name, [])
    }
    asked = {distribution(requirement) for requirement in EXTRAS[extra]}
    assert asked - used <= FOUND_BY_OTHERS


def test_every_dependency_has_its_reason() -> None:
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    for requirement in (entry for entries in EXTRAS.values() for entry in entries):
        if requirement.startswith("stnscope["):
            continue
        at = next(i for i, line in enumerate(lines) if f'"{requirement}"' in line)
        assert lines[at - 1].strip().startswith("#"), f"{requirement} has no reason above it"


def test_every_dependency_is_pinned() -> None:
    pins = (ROOT / "constraints.txt").read_text()
    pinned = set(re.findall(r"^([a-z0-9-]+)==[0-9a-z.]+$", pins, re.MULTILINE))
    asked = {distribution(entry) for entries in EXTRAS.values() for entry in entries}
    assert asked - pinned == {"stnscope"}


def test_an_installed_package_carries_all_that_ours_do(tmp_path: Path) -> None:
    ours = tracked(*FOLDERS)
    links = [Path("stnscope") / folder for folder in FOLDERS]
    about = tracked("stnscope/*.py", "pyproject.toml", "README.md", "LICENSE")
    for file in [*ours, *about, *links]:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file, follow_symlinks=False)
    code = "from setuptools.build_meta import build_wheel; build_wheel('.')"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=True)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as built:
        names = set(built.namelist())
    assert not {f"stnscope/{file.as_posix()}" for file in ours} - names
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"stnscope"}


def test_nothing_names_a_registry_or_a_place_on_one_machine() -> None:
    hosts = r"pypi\.o[r]g|pythonhosted\.|registry\.np[m]js|deb\.debia[n]|download\.pytorch"
    places = r"(?<![\w.])/(work|root|opt/wheels)/"
    for file in tracked():
        content = (ROOT / file).read_bytes()
        if b"\0" not in content and "vendor" not in file.parts:
            assert not re.search(f"{hosts}|{places}", content.decode()), file


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def documents() -> list[Path]:
    return tracked("README.md", "docs/*.md")


def commands() -> Iterator[tuple[Path, str]]:
    """Each command line in the documents' blocks of shell, without its comment."""
    for document in documents():
        for block in re.findall(r"```sh\n(.*?)```", (ROOT / document).read_text(), re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                if command := line.split(" #")[0].strip():
                    yield document, command


def test_documented_make_targets_exist() -> None:
    written = {name for _, line in commands() for name in re.findall(r"\bmake ([a-z]+)", line)}
    written |= set(re.findall(r"`make ([a-z]+)", README))
    assert {"run", "test"} <= written <= targets()


def test_documented_commands_exist() -> None:
    """Every `stnscope` line in the documents names a command and options that there are."""
    lines = [line for _, line in commands() if re.search(r"\bstnscope [a-z]", line)]
    assert lines
    for line in lines:
        command, *rest = line[line.index("stnscope ") :].split()[1:]
        helped = subprocess.run(
            [sys.executable, "-m", "stnscope", command, "--help"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert helped.returncode == 0, line
        options = {word.split("=")[0] for word in rest if word.startswith("-")}
        missing = {option for option in options if f"{option} " not in f"{helped.stdout} "}
        assert not missing, f"{line}: no {missing}"


def test_links_and_pictures_in_documents_exist() -> None:
    for document in documents():
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", (ROOT / document).read_text()):
            if "://" not in link:
                assert (ROOT / document.parent / link).exists(), f"{document}: {link}"


def test_settings_that_are_written_about_are_read() -> None:
    read = " ".join((ROOT / file).read_text() for file in tracked("backend/*.py", "dashboard/*.py"))
    for file in [*documents(), *tracked("docker-compose.yml", "Dockerfile", "docker/*")]:
        for name in set(re.findall(r"\bSTNSCOPE_[A-Z_]+", (ROOT / file).read_text())):
            assert name in read, f"{file}: {name}"
