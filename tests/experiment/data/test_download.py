"""Files are fetched whole or not at all, and from where they broke off."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from stnscope.backend.experiment.data.download import (
    FILES,
    MNIST_FILES,
    OLD,
    PART,
    RemoteFile,
    fetch,
    mirrored,
)
from stnscope.backend.experiment.errors import DatasetError, Unavailable
from tests.experiment import made_data
from tests.file_server import FileServer, serve_files

CONTENT = bytes(range(256)) * 4000
"""A megabyte: several pieces."""
NAMES = ("set/one.bin", "set/two.bin")


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serve_files({NAMES[0]: CONTENT, NAMES[1]: b"two"}) as server:
        yield server


def remote(server: FileServer, name: str, content: bytes) -> RemoteFile:
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return RemoteFile(f"{server.address}/{name}", name, len(content), digest)


def both(server: FileServer) -> list[RemoteFile]:
    return [remote(server, NAMES[0], CONTENT), remote(server, NAMES[1], b"two")]


def test_files_come_into_their_places_and_progress_is_told(
    server: FileServer, tmp_path: Path
) -> None:
    told: list[tuple[int, int]] = []
    fetch(both(server), tmp_path, lambda done, total: told.append((done, total)))
    assert (tmp_path / NAMES[0]).read_bytes() == CONTENT
    assert (tmp_path / NAMES[1]).read_bytes() == b"two"
    assert {path.name for path in (tmp_path / "set").iterdir()} == {"one.bin", "two.bin"}
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (len(CONTENT) + 3, len(CONTENT) + 3)
    assert len(told) > 4


def test_what_is_there_is_not_fetched_again(server: FileServer, tmp_path: Path) -> None:
    fetch(both(server), tmp_path)
    fetch(both(server), tmp_path)
    assert len(server.requests) == 2


def test_what_broke_off_goes_on_from_there(server: FileServer, tmp_path: Path) -> None:
    server.close_after = 300_000
    with pytest.raises(Unavailable, match="broke"):
        fetch(both(server), tmp_path)
    part = tmp_path / (NAMES[0] + PART)
    assert part.read_bytes() == CONTENT[:300_000]
    assert not (tmp_path / NAMES[0]).exists()
    server.close_after = None
    fetch(both(server), tmp_path)
    assert server.requests[1] == (f"/{NAMES[0]}", "bytes=300000-")
    assert (tmp_path / NAMES[0]).read_bytes() == CONTENT
    assert not part.exists()


def test_a_server_without_ranges_sends_it_anew(server: FileServer, tmp_path: Path) -> None:
    server.close_after = 300_000
    with pytest.raises(Unavailable):
        fetch(both(server), tmp_path)
    server.close_after, server.supports_ranges = None, False
    fetch(both(server), tmp_path)
    assert (tmp_path / NAMES[0]).read_bytes() == CONTENT


def test_a_complete_part_needs_no_more(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / (NAMES[0] + PART)).write_bytes(CONTENT)
    fetch(both(server), tmp_path)
    assert (tmp_path / NAMES[0]).read_bytes() == CONTENT


@pytest.mark.parametrize("content", [b"x" * len(CONTENT), CONTENT + b"more", CONTENT[:-1]])
def test_a_wrong_file_is_thrown_away(server: FileServer, tmp_path: Path, content: bytes) -> None:
    files = both(server)
    server.files[NAMES[0]] = content
    with pytest.raises(DatasetError, match="its checksum differs"):
        fetch(files, tmp_path)
    assert not (tmp_path / "set").exists(), "nor is an empty folder left"
    server.files[NAMES[0]] = CONTENT
    fetch(files, tmp_path)
    assert (tmp_path / NAMES[0]).read_bytes() == CONTENT


def test_a_file_that_is_not_there_and_a_server_that_is_none_are_told(
    server: FileServer, tmp_path: Path
) -> None:
    missing = RemoteFile(f"{server.address}/set/none.bin", "set/none.bin", 1, "0")
    with pytest.raises(Unavailable, match=r"none\.bin cannot be fetched: Not Found"):
        fetch([missing], tmp_path)
    nobody = RemoteFile("http://127.0.0.1:9/x", "x", 1, "0")
    with pytest.raises(Unavailable, match="Connection refused"):
        fetch([nobody], tmp_path)


def test_what_fails_at_once_leaves_no_folder(tmp_path: Path) -> None:
    nobody = RemoteFile("http://127.0.0.1:9/x", "set/x", 1, "0")
    for data in (tmp_path, tmp_path / "data"):
        with pytest.raises(Unavailable):
            fetch([nobody], data)
        assert list(tmp_path.iterdir()) == []
    (tmp_path / "set").mkdir()
    with pytest.raises(Unavailable):
        fetch([nobody], tmp_path)
    assert (tmp_path / "set").exists(), "one that was there before stays"


def test_what_progress_raises_ends_it_and_keeps_what_came(
    server: FileServer, tmp_path: Path
) -> None:
    def enough(done: int, total: int) -> None:
        if done > 400_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(both(server), tmp_path, enough)
    assert (tmp_path / (NAMES[0] + PART)).stat().st_size > 400_000


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda data: data[:-300], "not a zip file"),
        (lambda data: data[:900] + b"?" * 9 + data[909:], "is damaged|Bad CRC|incorrect"),
        (lambda data: made_data.archive({"readme.txt": b"none"}), "no training images"),
    ],
)
def test_an_archive_is_looked_into(tmp_path: Path, change: object, told: str) -> None:
    (file,) = FILES["gtsrb"]
    good = made_data.archive(made_data.gtsrb("official"))
    assert callable(change)
    with serve_files({file.path: change(good)}) as server:
        with pytest.raises(DatasetError, match=told):
            fetch(mirrored([file], server.address), tmp_path)
        assert not (tmp_path / file.path).exists()
        server.files[file.path] = good
        fetch(mirrored([file], server.address), tmp_path)
    assert (tmp_path / file.path).read_bytes() == good


@pytest.mark.skipif(not made_data.SHARED.exists(), reason="the real files are not at hand")
def test_checksums_are_those_of_the_real_files(tmp_path: Path) -> None:
    """All but the images to train on, which were packed anew here."""
    real = [file for file in MNIST_FILES if "train-images" not in file.path]
    content = {file.path: (made_data.SHARED / file.path).read_bytes() for file in real}
    with serve_files(content) as server:
        fetch(mirrored(real, f"{server.address}/"), tmp_path)
    assert all((tmp_path / file.path).stat().st_size == file.size for file in real)


def test_a_damaged_file_is_fetched_anew_and_kept_aside(server: FileServer, tmp_path: Path) -> None:
    fetch(both(server), tmp_path)
    (tmp_path / NAMES[0]).write_bytes(b"<html>not found</html>")
    fetch(both(server), tmp_path)
    assert (tmp_path / NAMES[0]).read_bytes() == CONTENT
    assert (tmp_path / (NAMES[0] + OLD)).read_bytes() == b"<html>not found</html>"


def test_two_do_not_fetch_into_one_folder_at_once(server: FileServer, tmp_path: Path) -> None:
    refused: list[str] = []

    def at_the_same_time(done: int, total: int) -> None:
        with pytest.raises(Unavailable, match="Another process is fetching into") as told:
            fetch(both(server), tmp_path)
        refused.append(str(told.value))

    fetch(both(server), tmp_path, at_the_same_time)
    assert refused
    assert (tmp_path / NAMES[0]).read_bytes() == CONTENT


def test_a_folder_that_cannot_be_written_is_named(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"Nothing can be written into .*file"):
        fetch(both(server), tmp_path / "file")
