"""The flows on the architecture page: every step of a way exists, in the order of the imports."""

import re
from pathlib import Path

import grimp
import pytest

from tests.dashboard.javascript import ASSETS, imports, module_files
from tests.source_files import FOLDERS, ROOT

ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
PICTURE = re.findall(r"^```text\n(.*?)^```", ARCHITECTURE, re.DOTALL | re.MULTILINE)[0]
FLOWS = re.findall(r"^- \*\*From .*?(?=^- |\n\n)", ARCHITECTURE, re.DOTALL | re.MULTILINE)
PROBE, BATCH, UPLOAD = FLOWS

Link = frozenset[str]
"""Two files, one of which imports the other."""


def parts(flow: str) -> list[list[str]]:
    """Return the paths of a flow, one list for each process that it passes through."""
    stages = re.split(r"→\s+\([^)]*\)\s+→", flow)
    return [re.findall(r"`([^`]+)`", stage) for stage in stages]


@pytest.fixture(scope="module")
def links() -> set[Link]:
    graph = grimp.build_graph("stnscope")
    files = {
        ".".join(("stnscope", *path.relative_to(ROOT).with_suffix("").parts)): path
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
    }
    found = {
        frozenset((str(path.relative_to(ROOT)), str(files[imported].relative_to(ROOT))))
        for module, path in files.items()
        if module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
        if imported in files
    }
    for file in module_files():
        for path, _ in imports(file):
            found.add(frozenset(str(each.relative_to(ROOT)) for each in (file, path)))
    return found


def unlinked_steps(stages: list[list[str]], links: set[Link]) -> list[str]:
    """Return the steps of a flow that no import leads to.

    Within a process a step is called by the one before it, or, once that has returned, by one of
    those that called it.
    """
    missing = []
    for stage in stages:
        callers = stage[:1]
        for step in stage[1:]:
            while callers and frozenset((callers[-1], step)) not in links:
                callers.pop()
            if not callers:
                missing.append(step)
            callers.append(step)
    return missing


@pytest.mark.parametrize("flow", FLOWS, ids=["probe", "batch", "upload"])
def test_flow_follows_the_imports(flow: str, links: set[Link]) -> None:
    stages = parts(flow)
    assert [path for stage in stages for path in stage if not (ROOT / path).is_file()] == []
    assert unlinked_steps(stages, links) == []


@pytest.mark.parametrize("flow", [PROBE, UPLOAD], ids=["probe", "upload"])
@pytest.mark.parametrize(
    "other", ["frames/frame_metrics.py", "frames/validation.py", "export/sheet.py"]
)
def test_another_file_in_a_flow_is_noticed(flow: str, other: str, links: set[Link]) -> None:
    experiment = "backend/experiment"
    changed = flow.replace(f"{experiment}/frames/build.py", f"{experiment}/{other}")
    assert changed != flow
    assert unlinked_steps(parts(changed), links)


@pytest.mark.parametrize("flow", FLOWS, ids=["probe", "batch", "upload"])
def test_flow_enters_each_folder_once(flow: str) -> None:
    folders = [Path(path).parent for stage in parts(flow) for path in stage]
    entered = [folder for number, folder in enumerate(folders) if folder != folders[number - 1]]
    assert len(entered) == len(set(entered))


def test_picture_shows_the_flows() -> None:
    """The left column is the way of a probe, the right one that of an uploaded picture."""
    middle = PICTURE.splitlines()[1].index("┐") + 1
    columns = (
        (line[:middle] for line in PICTURE.splitlines()),
        (line[middle:] for line in PICTURE.splitlines()),
    )
    for column, flow in zip(columns, (PROBE, UPLOAD), strict=True):
        shown = re.findall(r"[\w-]+/[\w-]+\.(?:py|js)\b", "\n".join(column))
        steps = [path for stage in parts(flow) for path in stage]
        assert shown == ["/".join(path.split("/")[-2:]) for path in steps]


def test_flows_end_in_the_page() -> None:
    for flow in (PROBE, UPLOAD):
        assert (ROOT / parts(flow)[-1][-1]).is_relative_to(ASSETS)
