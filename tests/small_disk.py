"""A disk of a few megabytes that a test can fill, if this user may mount one."""

import errno
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CHUNK_SIZE = 4096


@dataclass(frozen=True)
class SmallDisk:
    """A mounted disk, and a file that fills it."""

    path: Path

    @property
    def filler(self) -> Path:
        return self.path / "filler"

    def fill(self) -> None:
        """Write the filler until the disk has no free space."""
        with self.filler.open("ab", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(CHUNK_SIZE))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def clear(self) -> None:
        self.filler.unlink()


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[SmallDisk | None]:
    """Mount a disk of `size`, such as `4m`, at `folder`; yield None if that is not permitted."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    try:
        yield SmallDisk(folder) if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", folder], check=True)
