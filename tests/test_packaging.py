"""The distributions: what they hold, what they depend on, and that they run once installed."""

import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path

import httpx
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from tests.experiment.sample_data import write_image_folder
from tests.live_server import Server, free_port
from tests.source_files import DEPENDENCIES, FOLDERS, ROOT, distribution, tracked_files
from tests.timeouts import TIMEOUT_SECONDS

# Names that a user's own project may have; importing the wrong one raises.
SAME_NAMED_PACKAGES = ("models", "backend", "dashboard", "access", "gate", "tests")
BUILD = "from setuptools.build_meta import build_sdist, build_wheel; build_{kind}(r'{target}')"


def build(kind: str, source: Path, target: Path) -> Path:
    """Build a distribution ("wheel" or "sdist") of the project in `source`."""
    target.mkdir()
    code = BUILD.format(kind=kind, target=target)
    subprocess.run([sys.executable, "-c", code], cwd=source, capture_output=True, check=True)
    [built] = target.iterdir()
    return built


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what git tracks, links as links."""
    folder = tmp_path_factory.mktemp("checkout")
    links = [Path("stnscope") / name for name in FOLDERS]
    files = tracked_files(*FOLDERS, "stnscope/*.py", "pyproject.toml", "README.md", "LICENSE")
    for file in [*files, *links]:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, folder / file, follow_symlinks=False)
    return folder


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", checkout, tmp_path_factory.mktemp("built") / "wheel")


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel in it, and a folder to work in."""

    bin: Path
    folder: Path

    def run(self, *command: str | Path) -> str:
        """Run a program of the environment in the folder; return what it prints."""
        done = subprocess.run(
            [self.bin / command[0], *command[1:]],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel in a fresh environment, in a folder whose packages raise when imported.

    The environment borrows this one's dependencies, but not its editable stnscope: a path in a
    `.pth` file is searched, and the `.pth` files in it are not read.
    """
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment, symlinks=True)
    python = environment / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    offline = ["install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, *offline, wheel], check=True)
    own = {"base": str(environment), "platbase": str(environment)}
    dependencies = {sysconfig.get_path(name) for name in ("purelib", "platlib")}
    packages = Path(sysconfig.get_path("purelib", vars=own))
    (packages / "dependencies.pth").write_text("\n".join(sorted(dependencies)))
    folder = tmp_path_factory.mktemp("project")
    for name in SAME_NAMED_PACKAGES:
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(f"raise RuntimeError('{name} was imported')\n")
    return Installed(environment / "bin", folder)


def test_wheel_holds_every_tracked_file_under_one_name(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
    assert not {f"stnscope/{path.as_posix()}" for path in tracked_files(*FOLDERS)} - names
    top_level = {name.partition("/")[0] for name in names}
    assert {name for name in top_level if not name.endswith(".dist-info")} == {"stnscope"}


def test_sdist_builds_the_same_wheel(checkout: Path, wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(build("sdist", checkout, tmp_path / "sdist")) as file:
        file.extractall(tmp_path / "unpacked", filter="data")
    [unpacked] = (tmp_path / "unpacked").iterdir()
    rebuilt = build("wheel", unpacked, tmp_path / "wheel")
    with zipfile.ZipFile(wheel) as first, zipfile.ZipFile(rebuilt) as second:
        assert first.namelist() == second.namelist()


def test_installed_package_is_imported_not_the_checkout(installed: Installed) -> None:
    code = "import stnscope; print(stnscope.__file__)"
    path = Path(installed.run("python", "-c", code).strip())
    assert path.is_relative_to(installed.bin.parent)


def test_module_and_script_are_the_same_command(installed: Installed) -> None:
    version = installed.run("stnscope", "--version")
    assert version.startswith("stnscope ")
    assert installed.run("python", "-m", "stnscope", "--version") == version
    help_text = installed.run("stnscope", "--help")
    assert installed.run("python", "-m", "stnscope", "--help") == help_text


def test_train_runs_beside_packages_of_the_same_names(installed: Installed, tmp_path: Path) -> None:
    # The command does not search the current folder; neither may its child processes.
    module = installed.folder / "torch.py"
    module.write_text("raise RuntimeError('torch of the current folder was imported')\n")
    fruit = write_image_folder(tmp_path / "datasets" / "fruit", {"apple": 30, "pear": 30})
    options = ["--home", str(tmp_path), "--epochs", "1", "--batch-size", "8", "--probes", "2"]
    output = installed.run("stnscope", "train", *options, "--dataset", fruit.name)
    module.unlink()
    assert output.endswith("Finished.\n")


@pytest.fixture
def server(installed: Installed, tmp_path: Path) -> Iterator[Server]:
    """The installed program, serving the page."""
    program = (str(installed.bin / "stnscope"),)
    options = ("--no-demonstration", "--no-standby")
    server = Server(tmp_path, free_port(), options, program=program, folder=installed.folder)
    server.start()
    yield server
    server.stop()


def page_modules(server: Server) -> str:
    """Return the address of the page's modules, which Streamlit sends once the page has run."""
    socket = connect(
        f"ws://127.0.0.1:{server.port}/_stcore/stream",
        origin=Origin(f"http://127.0.0.1:{server.port}"),
        subprotocols=[Subprotocol("streamlit")],
        max_size=None,
    )
    rerun = BackMsg()
    rerun.rerun_script.query_string = ""
    with socket:
        socket.send(rerun.SerializeToString())
        while True:
            message = socket.recv(timeout=TIMEOUT_SECONDS)
            assert isinstance(message, bytes)
            if found := re.search(rb"stnscope\.page-[0-9a-f]{12}", message):
                return f"/_stcore/bidi-components/{found[0].decode()}/"


def test_serve_runs_beside_packages_of_the_same_names(server: Server) -> None:
    assert server.http.get("/health").json()["status"] == "ok"
    address = f"http://127.0.0.1:{server.port}"
    assert "<title>" in httpx.get(address).text
    modules = page_modules(server)
    for file in tracked_files("dashboard/assets/*.js"):
        path = file.relative_to("dashboard/assets").as_posix()
        response = server.http.get(f"{address}{modules}{path}")
        assert response.status_code == 200, path
        assert response.content == (ROOT / file).read_bytes()


def test_page_script_folder_shadows_no_package() -> None:
    """Streamlit puts the folder of the page's script first on the path."""
    modules = {file.stem for file in tracked_files("dashboard/*.py")} - {"__init__"}
    assert not modules & (sys.stdlib_module_names | packages_distributions().keys())


def test_every_dependency_has_a_reason_above_it() -> None:
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    for requirement in (entry for entries in DEPENDENCIES.values() for entry in entries):
        if requirement.startswith("stnscope["):
            continue
        index = next(i for i, line in enumerate(lines) if f'"{requirement}"' in line)
        assert lines[index - 1].strip().startswith("#"), requirement


def test_every_dependency_is_pinned() -> None:
    constraints = (ROOT / "constraints.txt").read_text()
    pinned = set(re.findall(r"^([a-z0-9-]+)==[0-9a-z.]+$", constraints, re.MULTILINE))
    required = {distribution(entry) for entries in DEPENDENCIES.values() for entry in entries}
    assert required - pinned == {"stnscope"}


def test_no_file_names_a_package_index_or_a_folder_of_one_machine() -> None:
    hosts = r"pypi\.o[r]g|pythonhosted\.|registry\.np[m]js|deb\.debia[n]|download\.pytorch"
    places = r"(?<![\w.])/(work|root|opt/wheels)/"
    for file in tracked_files():
        content = (ROOT / file).read_bytes()
        if b"\0" not in content and "vendor" not in file.parts:
            assert not re.search(f"{hosts}|{places}", content.decode()), file


def test_links_are_tracked_as_links() -> None:
    """A checkout without symbolic links would install nothing but the interface."""
    listed = subprocess.run(
        ["git", "ls-files", "--stage", "stnscope"], cwd=ROOT, capture_output=True, text=True
    )
    links = {line.split()[-1] for line in listed.stdout.splitlines() if line.startswith("120000")}
    assert links == {f"stnscope/{name}" for name in FOLDERS}
