"""Fixtures of the tests of the experiment."""

from pathlib import Path

import pytest
from filelock import FileLock

from tests.experiment.sample_data import REAL_DATA


@pytest.fixture(scope="session")
def real_data(shared_folder: Path) -> Path:
    """The real data sets, where they are available, in a folder that keeps what is decoded.

    Theirs may be read-only, and to decode the signs takes 5 s of a core.
    """
    folder = shared_folder / "data"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            for path in REAL_DATA.rglob("*"):
                link = folder / path.relative_to(REAL_DATA)
                if path.is_file():
                    link.parent.mkdir(parents=True, exist_ok=True)
                    link.symlink_to(path)
    return folder
