"""Run the page's JavaScript modules with deno, and read their imports."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from stnscope.backend.experiment.frames.frame import Frame

ROOT = Path(__file__).parents[2]
ASSETS = ROOT / "dashboard" / "assets"
DENO = Path(sys.executable).with_name("deno")


def deno(*arguments: str | Path, script: str | None = None) -> str:
    """Return deno's output; an exit status other than 0 fails the test with that output."""
    result = subprocess.run(
        [DENO, *arguments],
        cwd=ROOT,
        input=script,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def run_script(script: str) -> Any:
    """Run a script that may import the page's modules; return its output, parsed as JSON."""
    return json.loads(deno("run", "--no-check", "--allow-read", "-", script=script))


def region_sentence(frame: Frame, transformer: str = "st", probe: int = 0) -> str:
    """Return the page's sentence that describes a region of a frame."""
    lattice = frame.tensors[f"grid.{transformer}"][probe].ravel().tolist()
    size = frame.tensors["input"].shape[1:3]
    sentence: str = run_script(f"""
      import {{ regionSentence }} from "{(ASSETS / "stage" / "theta-text.js").as_uri()}";
      console.log(JSON.stringify(regionSentence({json.dumps(lattice)}, {json.dumps(size)})));
    """)
    return sentence


class Import(NamedTuple):
    """One import of a module: the file, and the names used from it; None for all names."""

    path: Path
    names: set[str] | None


def module_files() -> list[Path]:
    """Return the page's modules, without vendored ones."""
    return sorted(file for file in ASSETS.rglob("*.js") if "vendor" not in file.parts)


def imports(file: Path) -> list[Import]:
    """Return the imports of a module, including those of types in JSDoc and those when needed."""
    source = file.read_text()
    found = []
    pattern = r"""(?:\bimport\b|@import|\bexport\b)\s+([^;"'()]*?)\s*from\s+["'](\.[^"']+)["']"""
    awaited = r"""const (\{[^}]*\}) = await import\("(\.[^"]+)"\)"""
    for clause, target in re.findall(pattern, source) + re.findall(awaited, source):
        namespace = re.fullmatch(r"\*\s+as\s+(\w+)", clause)
        if namespace:
            names = set(re.findall(rf"\b{namespace[1]}\.(\w+)", source))
        else:
            names = {name.split(" as ")[0].strip() for name in clause.strip("{} \n").split(",")}
        found.append(Import((file.parent / target).resolve(), names - {""}))
    return found
