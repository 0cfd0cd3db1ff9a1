"""Downloads: complete or not at all, and resumed after an interruption."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from stnscope.backend.experiment.data.download import (
    OLD_SUFFIX,
    download,
    with_mirror,
)
from stnscope.backend.experiment.data.registry import DOWNLOADS
from stnscope.backend.experiment.data.source import PART_SUFFIX, RemoteFile
from stnscope.backend.experiment.errors import Conflict, DatasetError, Unavailable
from tests.experiment import sample_data
from tests.file_server import FileServer, serve_files

CONTENT = bytes(range(256)) * 4000
"""A megabyte: several chunks."""
NAMES = ("set/one.bin", "set/two.bin")


def damage_stream(files: dict[str, bytes]) -> bytes:
    """Return a zip of files, with one whose compressed stream is invalid."""
    data = bytearray(sample_data.make_zip(files, deflated=True))
    name = max(files, key=lambda name: len(files[name])).encode()
    at = data.index(name) + len(name)
    data[at : at + 20] = bytes(byte ^ 0xFF for byte in data[at : at + 20])
    return bytes(data)


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serve_files({NAMES[0]: CONTENT, NAMES[1]: b"two"}) as server:
        yield server


def remote_file(server: FileServer, name: str, content: bytes) -> RemoteFile:
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return RemoteFile(f"{server.address}/{name}", name, len(content), digest)


def remote_files(server: FileServer) -> list[RemoteFile]:
    return [remote_file(server, NAMES[0], CONTENT), remote_file(server, NAMES[1], b"two")]


def test_download_writes_files_and_reports_progress(server: FileServer, tmp_path: Path) -> None:
    reported: list[tuple[int, int]] = []
    download(remote_files(server), tmp_path, lambda done, total: reported.append((done, total)))
    assert (tmp_path / NAMES[0]).read_bytes() == CONTENT
    assert (tmp_path / NAMES[1]).read_bytes() == b"two"
    assert {path.name for path in (tmp_path / "set").iterdir()} == {"one.bin", "two.bin"}
    assert [done for done, _ in reported] == sorted(done for done, _ in reported)
    assert reported[-1] == (len(CONTENT) + 3, len(CONTENT) + 3)
    assert len(reported) > 4


def test_valid_files_are_not_downloaded_again(server: FileServer, tmp_path: Path) -> None:
    download(remote_files(server), tmp_path)
    download(remote_files(server), tmp_path)
    assert len(server.requests) == 2


def test_interrupted_download_is_resumed(server: FileServer, tmp_path: Path) -> None:
    server.close_after = 300_000
    with pytest.raises(Unavailable, match="broke"):
        download(remote_files(server), tmp_path)
    part = tmp_path / (NAMES[0] + PART_SUFFIX)
    assert part.read_bytes() == CONTENT[:300_000]
    assert not (tmp_path / NAMES[0]).exists()
    server.close_after = None
    download(remote_files(server), tmp_path)
    assert server.requests[1] == (f"/{NAMES[0]}", "bytes=300000-")
    assert (tmp_path / NAMES[0]).read_bytes() == CONTENT
    assert not part.exists()


def test_server_without_ranges_sends_the_whole_file(server: FileServer, tmp_path: Path) -> None:
    server.close_after = 300_000
    with pytest.raises(Unavailable):
        download(remote_files(server), tmp_path)
    server.close_after, server.supports_ranges = None, False
    download(remote_files(server), tmp_path)
    assert (tmp_path / NAMES[0]).read_bytes() == CONTENT


def test_complete_partial_file_is_used(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / (NAMES[0] + PART_SUFFIX)).write_bytes(CONTENT)
    download(remote_files(server), tmp_path)
    assert (tmp_path / NAMES[0]).read_bytes() == CONTENT


@pytest.mark.parametrize("content", [b"x" * len(CONTENT), CONTENT + b"more", CONTENT[:-1]])
def test_wrong_file_is_deleted(server: FileServer, tmp_path: Path, content: bytes) -> None:
    files = remote_files(server)
    server.files[NAMES[0]] = content
    with pytest.raises(DatasetError, match="its checksum differs"):
        download(files, tmp_path)
    assert not (tmp_path / "set").exists(), "no empty folder is left"
    server.files[NAMES[0]] = CONTENT
    download(files, tmp_path)
    assert (tmp_path / NAMES[0]).read_bytes() == CONTENT


def test_missing_file_and_unreachable_server_are_reported(
    server: FileServer, tmp_path: Path
) -> None:
    missing = RemoteFile(f"{server.address}/set/none.bin", "set/none.bin", 1, "0")
    with pytest.raises(Unavailable, match=r"none\.bin cannot be downloaded: Not Found"):
        download([missing], tmp_path)
    unreachable = RemoteFile("http://127.0.0.1:9/x", "x", 1, "0")
    with pytest.raises(Unavailable, match="Connection refused"):
        download([unreachable], tmp_path)


def test_failed_download_leaves_no_new_folder(tmp_path: Path) -> None:
    unreachable = RemoteFile("http://127.0.0.1:9/x", "set/x", 1, "0")
    for data in (tmp_path, tmp_path / "data"):
        with pytest.raises(Unavailable):
            download([unreachable], data)
        assert list(tmp_path.iterdir()) == []
    (tmp_path / "set").mkdir()
    with pytest.raises(Unavailable):
        download([unreachable], tmp_path)
    assert (tmp_path / "set").exists(), "a folder that existed before is kept"


def test_exception_in_progress_ends_the_download_and_keeps_the_partial_file(
    server: FileServer, tmp_path: Path
) -> None:
    def interrupt(done: int, total: int) -> None:
        if done > 400_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(remote_files(server), tmp_path, interrupt)
    assert (tmp_path / (NAMES[0] + PART_SUFFIX)).stat().st_size > 400_000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[:-300], "not a zip file"),
        (lambda data: data[:900] + b"?" * 9 + data[909:], "is damaged|Bad CRC|incorrect"),
        (lambda _: damage_stream(sample_data.make_gtsrb("official")), "damaged"),
        (lambda data: sample_data.make_zip({"readme.txt": b"none"}), "no training images"),
    ],
)
def test_downloaded_zip_is_checked(tmp_path: Path, change: object, message: str) -> None:
    (file,) = DOWNLOADS["gtsrb"]
    valid = sample_data.make_zip(sample_data.make_gtsrb("official"))
    assert callable(change)
    with serve_files({file.path: change(valid)}) as server:
        with pytest.raises(DatasetError, match=message):
            download(with_mirror([file], server.address), tmp_path)
        assert not (tmp_path / file.path).exists()
        assert not list(tmp_path.rglob(f"*{PART_SUFFIX}")), "another try begins afresh"
        server.files[file.path] = valid
        download(with_mirror([file], server.address), tmp_path)
    assert (tmp_path / file.path).read_bytes() == valid


@pytest.mark.skipif(not sample_data.REAL_DATA.exists(), reason="the real files are not available")
def test_checksums_match_the_real_files(tmp_path: Path) -> None:
    """Except the training images, whose local copy was compressed again."""
    real = [file for file in DOWNLOADS["mnist"] if "train-images" not in file.path]
    contents = {file.path: (sample_data.REAL_DATA / file.path).read_bytes() for file in real}
    with serve_files(contents) as server:
        download(with_mirror(real, f"{server.address}/"), tmp_path)
    assert all((tmp_path / file.path).stat().st_size == file.size for file in real)


def test_damaged_file_is_replaced_and_kept_under_another_name(
    server: FileServer, tmp_path: Path
) -> None:
    download(remote_files(server), tmp_path)
    (tmp_path / NAMES[0]).write_bytes(b"<html>not found</html>")
    download(remote_files(server), tmp_path)
    assert (tmp_path / NAMES[0]).read_bytes() == CONTENT
    assert (tmp_path / (NAMES[0] + OLD_SUFFIX)).read_bytes() == b"<html>not found</html>"


def test_concurrent_downloads_into_one_folder_are_refused(
    server: FileServer, tmp_path: Path
) -> None:
    refused: list[str] = []

    def start_second(done: int, total: int) -> None:
        with pytest.raises(Unavailable, match="Another process is downloading into") as caught:
            download(remote_files(server), tmp_path)
        refused.append(str(caught.value))

    download(remote_files(server), tmp_path, start_second)
    assert refused
    assert (tmp_path / NAMES[0]).read_bytes() == CONTENT


def test_unwritable_folder_is_named(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Conflict, match=r"file cannot be used: File exists"):
        download(remote_files(server), tmp_path / "file")
