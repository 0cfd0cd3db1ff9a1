"""The documents: every command runs or parses, every link resolves, every path exists."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.routing import WebSocketRoute

from stnscope.backend.commands.main import build_parser
from stnscope.backend.experiment import run_status
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.recording import schema
from stnscope.backend.experiment.run_status import ALLOWED_IN, DELETED, FAULTS, STATUSES
from stnscope.backend.server.app import ROUTERS, create_app
from stnscope.backend.server.settings import Settings
from stnscope.backend.server.streams import messages
from tests.compose import stages
from tests.source_files import ROOT, tracked_files
from tools import docs

PAGES = sorted(file.relative_to(ROOT) for file in (ROOT / "docs").glob("*.md"))
DOCUMENTS = [Path("README.md"), Path("CHANGELOG.md"), *PAGES]
INTERFACE = (ROOT / "docs" / "interface.md").read_text()
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
CONTRIBUTING = (ROOT / "docs" / "contributing.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
CHANGES = (
    "a transformer family",
    "a distortion",
    "a data set",
    "a layout of the user's data sets",
    "how dots are drawn on the stage",
    "a field of Frame",
    "an export format",
    "a route",
    "a transition of a run's state",
    "a chart",
    "a subcommand",
    "a limit",
    "a learning rate schedule",
    "a figure in the table of a sweep",
    "a published table",
    "a keyboard shortcut",
    "a step of the walkthrough",
    "the HTTP status of an error",
)


def read(document: Path) -> str:
    return (ROOT / document).read_text()


def blocks(text: str, language: str) -> list[str]:
    """Return the fenced blocks of a language in a document."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def commands(document: Path) -> Iterator[list[str]]:
    """Yield each command line in a document's blocks of shell, split into words."""
    for block in blocks(read(document), "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            if words := shlex.split(line, comments=True):
                yield words


def table_rows(text: str, header: str) -> list[list[str]]:
    """Return the cells of the rows below a table's header."""
    below = text.partition(f"{header}\n")[2].splitlines()[1:]
    table = below[: next((i for i, line in enumerate(below) if not line.startswith("|")), None)]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in table]


def check_command(words: list[str]) -> None:
    """Check that a documented command exists, with its options and files.

    Raises:
        AssertionError: it does not, or it is of a program that is not known here.
    """
    while re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words = words[1:]
    program, *rest = words
    match program.removeprefix(".venv/bin/"):
        case "stnscope":
            build_parser().parse_args(rest)
        case "make":
            targets = [word for word in rest if "=" not in word]
            settings = [word.partition("=")[0] for word in rest if "=" in word]
            assert all(re.search(rf"^{name}:", MAKEFILE, re.MULTILINE) for name in targets)
            assert all(re.search(rf"^{name} \?=", MAKEFILE, re.MULTILINE) for name in settings)
        case "python" if rest[:2] == ["-m", "pytest"]:
            assert (ROOT / rest[2]).exists()
        case "python" if rest == ["-m", "stnscope"]:
            assert (ROOT / "stnscope" / "__main__.py").exists()
        case "python" if rest[:2] == ["-m", "http.server"]:
            pass  # the standard library's
        case "python" if rest[0] == "-m":
            assert (ROOT / f"{rest[1].replace('.', '/')}.py").exists()
        case "deno":
            assert f"deno {rest[0]}" in MAKEFILE
        case "docker" if rest[0] == "compose":
            assert rest == ["compose", "up"]
        case "docker":
            assert rest[:2] == ["build", "--target"]
            assert rest[2] in stages()
        case "git":
            assert rest[0] == "clone"
        case "ray":
            assert rest[0] == "start"
        case "streamlit":
            assert rest[0] == "run"
            assert (ROOT / rest[1]).exists()
        case "cd" | "export" | "curl":
            pass  # tests/test_docs_examples.py runs those of curl
        case _:
            raise AssertionError(f"unknown program {program}")


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_commands_exist(document: Path) -> None:
    for words in commands(document):
        try:
            check_command(words)
        except (AssertionError, SystemExit) as error:
            pytest.fail(f"{shlex.join(words)}: {error}")


def test_commands_in_text_exist() -> None:
    """Those within a sentence, as `make run PORT=9000` or `stnscope download mnist`."""
    for document in DOCUMENTS:
        programs = "make|stnscope|python|streamlit|docker|deno|git"
        for command in re.findall(rf"`((?:{programs}) [a-z-][^`]*)`", read(document)):
            words = shlex.split(command)
            if words[0] == "stnscope":
                # A sentence may name a command without its arguments, or an option without a value.
                assert words[1] in docs.commands(), f"{document}: {command}"
                known = docs.help_text(words[1])
                options = [word for word in words if word.startswith("--")]
                assert all(option in known for option in options), f"{document}: {command}"
            else:
                check_command(words)


def test_examples_in_help_parse() -> None:
    for block in blocks(docs.command_line(), "text"):
        for line in block.replace("\\\n", " ").splitlines():
            if re.match(r" *stnscope \w+ [^\[]", line):
                example = re.split(r"(?<! ) {2,}(?! *--)|\|", line.strip())[0]
                build_parser().parse_args(shlex.split(example)[1:])


def slugs(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", read(document), flags=re.DOTALL | re.MULTILINE)
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_links_resolve(document: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", read(document)):
        if re.match(r"https?://", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path) if path else document
        target = (ROOT / target).resolve().relative_to(ROOT)
        assert (ROOT / target).exists(), link
        if anchor:
            assert anchor in slugs(target), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_labels_are_on_the_page(document: Path) -> None:
    """A label of the page is written in italics, as in *New run*."""
    source = "".join(
        read(file) for file in tracked_files("dashboard/*.py", "dashboard/assets/*.js")
    )
    for label in re.findall(r"(?<!\*)\*([A-Z][^*\n]+)\*(?!\*)", read(document)):
        assert f'"{label}"' in source, label


def test_readme_leads_to_every_document() -> None:
    linked = set(re.findall(r"\]\((docs/[\w-]+\.md)", read(Path("README.md"))))
    assert linked == {page.as_posix() for page in PAGES}


def test_documented_environment_variables_are_read() -> None:
    files = tracked_files("access/*.py", "backend/*.py", "dashboard/*.py")
    source = " ".join(read(file) for file in files)
    for file in [*DOCUMENTS, Path("docker-compose.yml"), Path("Dockerfile")]:
        for name in set(re.findall(r"\bSTNSCOPE_[A-Z_]+", read(file))):
            assert name in source, f"{file}: {name}"


def test_generated_pages_are_current() -> None:
    """If this fails, `make docs` renews them."""
    assert docs.command_line() == read(Path("docs/command-line.md"))
    assert docs.results() == read(Path("docs/results.md"))
    assert docs.with_layers(ARCHITECTURE) == ARCHITECTURE
    assert docs.with_messages(INTERFACE) == INTERFACE
    on_scaling = read(Path("docs/scaling.md"))
    assert docs.with_scaling(on_scaling) == on_scaling


def paths_in(text: str) -> set[str]:
    """Return the paths of this repository that a text names in backticks."""
    tops = "models|backend|access|dashboard|stnscope|tests|docs|tools|benchmarks"
    return set(re.findall(rf"`((?:{tops})/[\w./-]*)`", text))


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_paths_exist(document: Path) -> None:
    for path in paths_in(read(document)):
        assert (ROOT / path).exists(), path


def folders_in(parent: str) -> set[str]:
    """Return the names of the folders with tracked files below a folder, `.` being the root."""
    parts = [file.relative_to(parent).parts for file in tracked_files(f"{parent}/**")]
    return {each[0] for each in parts if len(each) > 1 and not each[0].startswith(".")}


@pytest.mark.parametrize(
    ("parent", "header"),
    [
        ("backend/experiment", "| folder in `backend/experiment/` | holds |"),
        ("backend/server", "| folder in `backend/server/` | holds |"),
        ("dashboard/assets", "| folder in `dashboard/assets/` | holds |"),
    ],
)
def test_architecture_page_lists_every_folder(parent: str, header: str) -> None:
    cells = " ".join(row[0] for row in table_rows(ARCHITECTURE, header))
    assert set(re.findall(r"`([\w-]+)/`", cells)) == folders_in(parent)


def test_architecture_page_lists_every_process() -> None:
    for process in tracked_files("backend/server/processes/*_main.py"):
        assert process.as_posix() in ARCHITECTURE


def test_architecture_page_lists_the_tables_of_a_recording() -> None:
    listed = [row[0].strip("`") for row in table_rows(ARCHITECTURE, "| table | holds |")]
    assert set(listed) == set(re.findall(r"CREATE TABLE (\w+)", schema.SCHEMA))
    assert f"version {schema.SCHEMA_VERSION}" in ARCHITECTURE


def test_architecture_page_lists_the_tensors_of_a_frame() -> None:
    frame = Frame.decode((ROOT / "tests/experiment/frames/golden.frame").read_bytes())
    rows = table_rows(ARCHITECTURE, "| tensor | type and shape | content |")
    listed = {row[0].strip("`").partition(".")[0] for row in rows}
    assert listed == {name.partition(".")[0] for name in frame.tensors}
    about = ARCHITECTURE.partition("\n`info` has ")[2].partition("\n\n")[0]
    assert set(frame.info) <= set(re.findall(r"`(\w+)`", about))


CHANGE_ROWS = table_rows(CONTRIBUTING, "| change | home | also | tests | documents |")
# For some changes, one that exists: its name is in no other file than those of the row.
EXAMPLES = {
    "a transformer family": "rotation-scale",
    "a distortion": "occlusion",
    "a data set": "cluttered-40",
}


def test_table_of_changes_names_one_home_and_at_most_two_more_files() -> None:
    assert tuple(row[0] for row in CHANGE_ROWS) == CHANGES
    for change, home, also, tests, documents in CHANGE_ROWS:
        [place] = re.findall(r"`([^`]+)`", home)  # a file, or a folder that a file is added to
        assert (ROOT / place).is_file() or re.search(r"\ba file (in|of) `", home), change
        others = re.findall(r"`([^`]+)`", also)
        assert 1 <= len(others) <= 2, change
        assert all((ROOT / path).is_file() for path in others), change
        assert paths_in(tests), change
        assert all(path.startswith("tests/") for path in paths_in(tests)), change
        assert documents == "none" or all(path.startswith("docs/") for path in paths_in(documents))
        for path in paths_in(home + tests + documents):
            assert (ROOT / path).exists(), path


@pytest.mark.parametrize(("change", "name"), EXAMPLES.items())
def test_table_of_changes_is_complete(change: str, name: str) -> None:
    [row] = [row for row in CHANGE_ROWS if row[0] == change]
    listed = paths_in(row[1] + row[2])
    folders = ("models", "backend", "dashboard")
    files = tracked_files(
        *(f"{folder}/*{suffix}" for folder in folders for suffix in (".py", ".js"))
    )
    named = [file for file in files if f'"{name}"' in read(file)]
    assert named
    for file in named:
        assert {file.as_posix(), f"{file.parent.as_posix()}/"} & listed, file


def test_interface_page_lists_every_route_and_no_other(tmp_path: Path) -> None:
    paths = create_app(Settings(home=tmp_path)).openapi()["paths"]
    routes = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    for router in ROUTERS:
        for route in router.routes:
            if isinstance(route, WebSocketRoute) or type(route).__name__ == "APIWebSocketRoute":
                routes.add(f"WS /api{route.path}")
    listed = re.findall(r"^\| `((?:GET|POST|PATCH|DELETE|WS) [^`]+)` \|", INTERFACE, re.MULTILINE)
    assert sorted(listed) == sorted(routes)


def test_interface_page_lists_every_status_and_operation() -> None:
    about = INTERFACE.partition("A run has an `id` and a `status`")[2].partition("\n\n")[0]
    statuses, _, rest = about.partition("Flags ")
    flags, _, rest = rest.partition("`can` lists ")
    operations = rest.partition("`picture_refusal`")[0]
    assert re.findall(r"`(\w+)`", statuses) == [*STATUSES, DELETED]
    faults = INTERFACE.partition("A recording that cannot be read is listed too")[2]
    assert set(FAULTS) <= set(re.findall(r"`(\w+)`", faults.partition("\n\n")[0]))
    assert re.findall(r"`(\w+)`", flags) == list(run_status.flags(DELETED))
    assert re.findall(r"`(\w+)`", operations) == list(ALLOWED_IN)


def documented_messages(title: str, sender: str) -> list[str]:
    """Return the messages in a table of one section of the interface page."""
    section = re.split(r"^## ", INTERFACE.partition(f"## {title}\n")[2], flags=re.MULTILINE)[0]
    rows = table_rows(section, f"| {sender} message | meaning |")
    return [row[0].strip("`") for row in rows]


def test_interface_page_lists_every_message_and_no_other() -> None:
    source = read(Path("backend/server/streams/messages.py"))
    source += read(Path("backend/server/streams/client_socket.py"))
    received = set(re.findall(r'type: Literal\["(\w+)"\]', source))
    sent = set(re.findall(r'"type": "(\w+)"', source))
    run = documented_messages("Run stream", "client")
    transform = documented_messages("Transform stream", "client")
    types = [type(messages.parse_run_message(each)).__name__.lower() for each in run]
    types += [type(messages.parse_transform_message(each)).__name__.lower() for each in transform]
    assert set(types) == received
    listed = documented_messages("Run stream", "server")
    listed += documented_messages("Transform stream", "server")
    assert {json.loads(each.replace(", ...", ""))["type"] for each in listed} == sent
