"""The page's JavaScript modules: their own tests, run by deno, and who imports what."""

import json
import re
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from stnscope.models import catalog, grid
from stnscope.models.families import IMPLEMENTATIONS, Family
from tests.dashboard.javascript import ASSETS, deno, run_script

TESTS = sorted((Path(__file__).parent / "js").rglob("*.test.js"))

# From the bottom up: a folder imports only from those in lines above its own.
LAYERS = [
    {"protocol"},
    {"ui"},
    {"run", "geometry"},
    {"stage", "charts"},
    {"controls", "picture", "runs"},
    {"page"},
    {"main.js"},
]
# Loaded by main.js's caller, not by a module of ours.
ENTRY_POINT = ASSETS / "main.js"
# In the comment above an export that only tests import.
FOR_TESTS = "Exported for tests."


class Import(NamedTuple):
    """One import of a module: the file, and the names used of it; None for all of them."""

    path: Path
    names: set[str] | None


def test_all_module_tests_are_found() -> None:
    assert len(TESTS) >= 6


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name.partition(".")[0])
def test_module(path: Path) -> None:
    printed = deno("test", "--no-check", "--allow-read", path)
    assert re.search(r"ok \| [1-9]\d* passed .*\| 0 failed", printed), printed


def module_files() -> list[Path]:
    """Return every module of the page that is ours."""
    return sorted(file for file in ASSETS.rglob("*.js") if "vendor" not in file.parts)


def layer_of(file: Path) -> int:
    """Return the index of the layer that a module is in; an unlisted folder fails the test."""
    name = file.relative_to(ASSETS).parts[0]
    found = [index for index, names in enumerate(LAYERS) if name in names]
    assert found, f"{name} is in no layer: add it to LAYERS"
    return found[0]


def imports(file: Path) -> list[Import]:
    """Return the imports of a module, those of types in JSDoc too."""
    source = file.read_text()
    found = []
    pattern = r"""(?:\bimport\b|@import|\bexport\b)\s+([^;"'()]*?)\s*from\s+["'](\.[^"']+)["']"""
    for clause, target in re.findall(pattern, source):
        namespace = re.fullmatch(r"\*\s+as\s+(\w+)", clause)
        if namespace:
            names = set(re.findall(rf"\b{namespace[1]}\.(\w+)", source))
        else:
            names = {name.split(" as ")[0].strip() for name in clause.strip("{} \n").split(",")}
        found.append(Import((file.parent / target).resolve(), names - {""}))
    return found


def test_every_import_is_parsed() -> None:
    """`imports` finds what deno finds, in every module; each is reached from the entry point."""
    graph = json.loads(deno("info", "--json", ENTRY_POINT))["modules"]
    found = {
        Path(module["local"]): {
            Path(each["code"]["specifier"].removeprefix("file://"))
            for each in module.get("dependencies", [])
            if "code" in each
        }
        for module in graph
        if "vendor" not in Path(module["local"]).parts
    }
    for file, dependencies in found.items():
        assert dependencies <= {path for path, _ in imports(file)}, file
    assert set(module_files()) - set(found) <= {ASSETS / "protocol" / "types.js"}


def test_imports_run_from_upper_layers_to_lower_ones() -> None:
    for file in module_files():
        for path, _ in imports(file):
            same_folder = file.parent == path.parent
            upward = layer_of(path) >= layer_of(file) and not same_folder
            assert not upward, f"{file.relative_to(ASSETS)} imports {path.relative_to(ASSETS)}"


def test_modules_have_no_import_cycle() -> None:
    graph = {file: [path for path, _ in imports(file)] for file in module_files()}
    TopologicalSorter(graph).prepare()


def exports(file: Path) -> dict[str, str]:
    """Return the exported names of a module, each with the comment above it."""
    pattern = r"((?:^(?://| \*|/\*\*).*\n)*)^export (?:async )?(?:const|function\*?|class) (\w+)"
    return {name: comment for comment, name in re.findall(pattern, file.read_text(), re.MULTILINE)}


def test_every_export_is_imported() -> None:
    """Tests alone do not count, unless the comment above an export states that it is for them."""
    used: dict[Path, set[str]] = {}
    for file in module_files():
        for path, names in imports(file):
            used.setdefault(path, set()).update(names or ())
    unused = [
        f"{file.relative_to(ASSETS)}: {name}"
        for file in module_files()
        if file != ENTRY_POINT
        for name, comment in exports(file).items()
        if name not in used.get(file, ()) and FOR_TESTS not in comment
    ]
    assert unused == []


def test_style_sheets_name_only_what_modules_have() -> None:
    """Each class in the sheets has elements; each custom property is both set and used."""
    styles = "".join(file.read_text() for file in sorted((ASSETS / "styles").glob("*.css")))
    scripts = "".join(file.read_text() for file in module_files())
    classes = set(re.findall(r"\.(stn-[\w-]+)", styles))
    assert classes <= set(re.findall(r"\bstn-[\w-]*\w", scripts))
    set_by_scripts = set(re.findall(r"--stn-[\w-]+", scripts))
    defined = set(re.findall(r"(--stn-[\w-]+):", styles))
    used = set(re.findall(r"var\((--stn-[\w-]+)", styles))
    assert used <= defined | set_by_scripts
    assert set_by_scripts <= defined | used


@pytest.mark.parametrize("family", IMPLEMENTATIONS.values(), ids=lambda family: family.name)
def test_dragged_region_stays_in_its_family(family: Family) -> None:
    """The server finds a theta that puts the corners exactly where the page asks for them."""
    height, width = 40, 60
    freedoms = catalog.FAMILIES[family.name].drag
    generator = torch.Generator().manual_seed(4)
    theta = torch.tensor(family.identity).double()
    theta = theta + 0.1 * torch.randn(8, len(theta), generator=generator).double()
    if family.name.startswith("spline"):
        theta = torch.tensor(family.identity).double().expand(8, -1)
    aspect, corners = width / height, grid.corners().double()
    regions = grid.to_pixels(family.warp(theta, corners, aspect), height, width)
    script = f"""
      import {{ moveCorner }} from "{(ASSETS / "geometry" / "region-drag.js").as_uri()}";
      const moved = {json.dumps(regions.tolist())}.map((corners, index) =>
        moveCorner({json.dumps(freedoms)}, corners, index % 4, [1.5, -2]));
      console.log(JSON.stringify(moved));
    """
    wanted = torch.tensor(run_script(script), dtype=torch.float64)
    assert (wanted != regions).any()
    found = family.fit(grid.from_pixels(wanted, height, width), aspect)
    actual = grid.to_pixels(family.warp(found, corners, aspect), height, width)
    torch.testing.assert_close(actual, wanted)
