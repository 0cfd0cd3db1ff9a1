"""The page's JavaScript modules: their tests, run by deno, and their imports and exports."""

import json
import re
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import numpy as np
import pytest
import torch

from stnscope.backend.experiment.config import PictureVariation
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.frames.stillness import WINDOW, Stillness
from stnscope.backend.experiment.limits import LIMITS
from stnscope.backend.experiment.recording.schema import METRICS
from stnscope.backend.experiment.run_status import DELETED, FAULTS, STATUSES
from stnscope.models import catalog, grid
from stnscope.models.families import IMPLEMENTATIONS, Family
from tests.dashboard.javascript import ASSETS, deno, imports, module_files, run_script
from tests.source_files import ROOT, tracked_files

TESTS = sorted((Path(__file__).parent / "js").rglob("*.test.js"))

# Lowest layer first: a folder imports only from layers that are listed before its own.
LAYERS = [
    {"protocol"},
    {"ui"},
    {"playback", "geometry"},
    {"stage", "charts", "offline", "sweeps"},
    {"controls", "picture", "results", "runs"},
    {"walkthrough"},
    {"page"},
    {"main.js", "standalone.js"},
]
# Loaded by Streamlit, and by pages without a server, not by another module.
ENTRY_POINTS = [ASSETS / name for name in ("main.js", "standalone.js", "offline/one-file.js")]
DEGREES_OF_FREEDOM = {
    name for family in catalog.FAMILIES.values() for name in family.degrees_of_freedom
}
"""What dragging can set: some families have the name of the only one that they have."""
PLAYBACK_MODE = re.compile(r"mode\s*(?:[!=]==|:)")
"""The player is in a mode, whose names include one of a run's statuses."""
# Text of the comment above an export that only tests import.
FOR_TESTS = "Exported for tests."


def test_all_module_tests_are_found() -> None:
    stems = {path.name.removesuffix(".test.js") for path in TESTS}
    tracked = tracked_files("tests/dashboard/js/*")
    assert {ROOT / file for file in tracked if file.name.endswith(".test.js")} == set(TESTS)
    assert not [file for file in tracked if "test" in file.suffixes and file.suffix != ".js"]
    assert stems <= {file.stem for file in module_files()}


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name.partition(".")[0])
def test_module(path: Path) -> None:
    printed = deno("test", "--no-check", "--allow-read", path)
    assert re.search(r"ok \| [1-9]\d* passed .*\| 0 failed", printed), printed


def layer_of(file: Path) -> int:
    """Return the index of a module's layer; a folder without a layer fails the test."""
    name = file.relative_to(ASSETS).parts[0]
    layers = [index for index, names in enumerate(LAYERS) if name in names]
    assert layers, f"{name} is in no layer: add it to LAYERS"
    return layers[0]


def test_every_import_is_parsed() -> None:
    """`imports` finds the same imports as deno, and the entry points reach every module."""
    graph = [
        module
        for entry in ENTRY_POINTS
        for module in json.loads(deno("info", "--json", entry))["modules"]
        if "local" in module
    ]
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


def test_modules_import_only_from_lower_layers() -> None:
    for file in module_files():
        for path, _ in imports(file):
            same_folder = file.parent == path.parent
            upward = layer_of(path) >= layer_of(file) and not same_folder
            assert not upward, f"{file.relative_to(ASSETS)} imports {path.relative_to(ASSETS)}"


def test_modules_have_no_import_cycle() -> None:
    graph = {file: [path for path, _ in imports(file)] for file in module_files()}
    TopologicalSorter(graph).prepare()


def exports(source: str) -> dict[str, str]:
    """Return the exported names of a module's source, each with the comment above it.

    Raises:
        AssertionError: an export has another form than `export const name = ...`, `function`,
            `class` or `default`; the page's modules use no other.
    """
    pattern = (
        r"((?:^(?://| \*|/\*\*).*\n)*)"
        r"^export (?:(?:async )?(?:const|function\*?|class) (?=\w)|(?=default ))(\w+)"
    )
    source = source.removesuffix("export {};\n")  # of a module that has types only
    found = re.findall(pattern, source, re.MULTILINE)
    assert len(found) == len(re.findall(r"^\s*export\b|;\s*export\b", source, re.MULTILINE))
    return {name: comment for comment, name in found}


@pytest.mark.parametrize(
    "line",
    [
        "export { dead };",
        "export { dead as other };",
        'export { dead } from "./other.js";',
        'export * from "./other.js";',
        "export let dead = 1;",
        "const dead = 1; export { dead };",
        "  export { dead };",
        "export const { dead } = object;",
    ],
)
def test_other_forms_of_export_are_found(line: str) -> None:
    with pytest.raises(AssertionError):
        exports(f"const dead = 1;\n{line}\n")


def test_every_export_is_imported() -> None:
    """Imports by tests do not count, unless the export's comment marks it as one for tests."""
    used: dict[Path, set[str]] = {}
    for file in module_files():
        for path, names in imports(file):
            used.setdefault(path, set()).update(names or ())
    unused = [
        f"{file.relative_to(ASSETS)}: {name}"
        for file in module_files()
        if file not in ENTRY_POINTS
        for name, comment in exports(file.read_text()).items()
        if name not in used.get(file, ()) and FOR_TESTS not in comment
    ]
    assert unused == []


def without_comments(source: str) -> str:
    """Return a module's source without comments that begin a line, and JSDoc."""
    source = re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)
    return re.sub(r"^\s*//.*|\s//\s.*", "", source, flags=re.MULTILINE)


def names_of_the_server(source: str) -> list[str]:
    """Return the literals, keys and properties of a source that name a status or a family."""
    source = without_comments(source)
    families = {name for name in catalog.FAMILIES if name not in {*DEGREES_OF_FREEDOM, *METRICS}}
    literals = re.findall(r"""((?:\b\w+)?\s*(?:[!=]==?|:)?\s*)(["'`])([\w-]+)\2""", source)
    found = [
        name
        for before, _, name in literals
        if name in {*STATUSES, *FAULTS, DELETED, *families}
        and not PLAYBACK_MODE.fullmatch(before.strip())
    ]
    return found + re.findall(rf"\b({'|'.join(families)})\s*:", source)


@pytest.mark.parametrize("file", module_files(), ids=lambda file: file.stem)
def test_modules_name_no_status_and_no_family(file: Path) -> None:
    """The server defines what a status allows, and the catalog what a family can do."""
    assert names_of_the_server(file.read_text()) == []


@pytest.mark.parametrize(
    "line",
    [
        'if (run.status === "paused") stop();',
        'const LIVE = ["queued", "running"];',
        "const live = new Set(['queued']);",
        'if (family === "affine") draw();',
        "switch (run.status) { case `failed`: break; }",
        "const COLOURS = { projective: 1 };",
        'const isDeleted = run.status === "deleted"; // once',
    ],
)
def test_names_of_statuses_and_families_are_found(line: str) -> None:
    assert names_of_the_server(line)


def test_style_sheets_name_no_status() -> None:
    """Rows carry what the server's flags say of a status."""
    styles = "".join(file.read_text() for file in (ASSETS / "styles").glob("*.css"))
    values = re.findall(r"""\[[\w-]+\W?=["']?([\w-]+)["']?\]""", styles)
    assert values
    assert set(values).isdisjoint({*STATUSES, *FAULTS, DELETED})


def test_limits_that_modules_ask_for_are_served() -> None:
    """The page takes a limit that it does not know for none."""
    sources = "".join(file.read_text() for file in module_files())
    asked_for = set(re.findall(r'limitOf\("(\w+)"\)', sources))
    assert asked_for
    assert asked_for <= set(LIMITS)


def test_modes_of_the_player_are_no_statuses() -> None:
    assert names_of_the_server('player.mode === "paused"; ({ mode: "paused" }); // "running"') == []


def test_style_sheets_use_only_classes_of_modules() -> None:
    """Each class in the sheets occurs in a module or page; each custom property is set and used."""
    styles = "".join(file.read_text() for file in sorted((ASSETS / "styles").glob("*.css")))
    scripts = "".join(file.read_text() for file in (*module_files(), *ASSETS.glob("*.html")))
    classes = set(re.findall(r"\.(stn-[\w-]+)", styles))
    named = Counter(re.findall(r"(?<![\w-])stn-[\w-]*\w", scripts))
    assert classes <= set(named)
    # One that is only set is read by a test or a tool, or by nothing.
    readers = tracked_files("tests/*.py", "tools/*.py", "benchmarks/*.py", "dashboard/*.py")
    read = "".join((ROOT / file).read_text() for file in readers)
    only_set = {name for name, count in named.items() if count == 1} - classes
    assert {name for name in only_set if name not in read} == set()
    set_by_scripts = set(re.findall(r"--stn-[\w-]+", scripts))
    defined = set(re.findall(r"(--stn-[\w-]+):", styles))
    used = set(re.findall(r"var\((--stn-[\w-]+)", styles))
    assert used <= defined | set_by_scripts
    assert set_by_scripts <= defined | used


@pytest.mark.parametrize("family", IMPLEMENTATIONS.values(), ids=lambda family: family.name)
def test_dragged_region_stays_in_its_family(family: Family) -> None:
    """The server's fit finds a theta with exactly the corners that the page computes."""
    height, width = 40, 60
    degrees = catalog.FAMILIES[family.name].degrees_of_freedom
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
        moveCorner({json.dumps(degrees)}, corners, index % 4, [1.5, -2]));
      console.log(JSON.stringify(moved));
    """
    dragged = torch.tensor(run_script(script), dtype=torch.float64)
    assert (dragged != regions).any()
    fitted = family.fit(grid.from_pixels(dragged, height, width), aspect)
    actual = grid.to_pixels(family.warp(fitted, corners, aspect), height, width)
    torch.testing.assert_close(actual, dragged)


def test_stillness_is_that_of_the_experiment() -> None:
    random = np.random.default_rng(5)
    inputs = random.integers(0, 256, (WINDOW, 1, 11, 12, 3), dtype=np.uint8)
    outputs = random.integers(90, 140, (WINDOW, 1, 7, 5, 3), dtype=np.uint8)
    expected = Stillness()
    for image, output in zip(inputs, outputs, strict=True):
        info = {"moving": True, "transformers": [{"name": "st"}], "collapsed": {"st": [None]}}
        frame = Frame({**info, "labels": [None]}, {"input": image, "output.st": output})
        value = expected.add(frame)
    script = f"""
      import {{ stillness }} from "{(ASSETS / "geometry" / "stillness.js").as_uri()}";
      const images = (data, shape) => data.map((each) => ({{ data: each.flat(3), shape }}));
      console.log(stillness(
        images({json.dumps(inputs[:, 0].tolist())}, [11, 12, 3]),
        images({json.dumps(outputs[:, 0].tolist())}, [7, 5, 3])));
    """
    assert run_script(script) == pytest.approx(value)


def test_sliders_of_variations_move_within_the_servers_limits() -> None:
    script = f"""
      import {{ VARIATIONS }} from "{(ASSETS / "picture" / "variations.js").as_uri()}";
      console.log(JSON.stringify(VARIATIONS));
    """
    variations = run_script(script)
    defaults = PictureVariation()
    assert {each["name"] for each in variations} | {"seed"} == set(PictureVariation.model_fields)
    for each in variations:
        assert getattr(defaults, each["name"]) == each["neutral"]
        for end in ("minimum", "maximum"):
            PictureVariation.model_validate({each["name"]: each[end]})
