"""Runs the page's JavaScript modules with deno."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from stnscope.backend.experiment.frames.frame import Frame

ROOT = Path(__file__).parents[2]
ASSETS = ROOT / "dashboard" / "assets"
DENO = Path(sys.executable).with_name("deno")


def deno(*arguments: str | Path, script: str | None = None) -> str:
    """Return what deno prints; a failure fails the test with all of its output."""
    done = subprocess.run(
        [DENO, *arguments],
        cwd=ROOT,
        input=script,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def run_script(script: str) -> Any:
    """Return what a script that imports our modules prints, read as JSON."""
    return json.loads(deno("run", "--no-check", "--allow-read", "-", script=script))


def region_sentence(frame: Frame, transformer: str = "st", probe: int = 0) -> str:
    """Return the sentence by which the page describes a region of a frame."""
    lattice = frame.tensors[f"grid.{transformer}"][probe].ravel().tolist()
    size = frame.tensors["input"].shape[1:3]
    sentence: str = run_script(f"""
      import {{ regionSentence }} from "{(ASSETS / "stage" / "theta-text.js").as_uri()}";
      console.log(JSON.stringify(regionSentence({json.dumps(lattice)}, {json.dumps(size)})));
    """)
    return sentence
