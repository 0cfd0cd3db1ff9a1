"""A quota gives the reason when there is no space; errors of a full disk are recognised."""

import errno
import sqlite3
from pathlib import Path

import pytest

from stnscope.backend.experiment.errors import InsufficientStorage
from stnscope.backend.experiment.recording import quota
from stnscope.backend.experiment.recording.quota import (
    Quota,
    format_bytes,
    is_full_disk,
    raising_insufficient_storage,
)


def test_shortage_counts_all_files_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "a.stnscope").write_bytes(bytes(600))
    assert Quota(home=1000, reserve=0).shortage(tmp_path) is None
    (tmp_path / "a.stnscope-wal").write_bytes(bytes(400))
    shortage = Quota(home=1000, reserve=0).shortage(tmp_path)
    assert shortage is not None
    assert "1 kB" in shortage
    assert "Delete runs" in shortage


def test_shortage_leaves_a_reserve_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota, "free_bytes", lambda _: 64_000_000)
    assert Quota().shortage(tmp_path) is None
    monkeypatch.setattr(quota, "free_bytes", lambda _: 63_999_999)
    shortage = Quota().shortage(tmp_path)
    assert shortage is not None
    assert "64 MB" in shortage
    assert "Free some space" in shortage


@pytest.mark.parametrize(
    ("size", "text"),
    [(10_000_000_000, "10 GB"), (1_500_000_000, "1.5 GB"), (64_000_000, "64 MB"), (12, "12 bytes")],
)
def test_format_bytes_uses_decimal_units(size: int, text: str) -> None:
    assert format_bytes(size) == text


def sqlite_error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(errno.ENOSPC, "no space"), True),
        (OSError(errno.EDQUOT, "quota"), True),
        (OSError(errno.EACCES, "no access"), False),
        (sqlite_error(sqlite3.SQLITE_FULL), True),
        (sqlite_error(sqlite3.SQLITE_BUSY), False),
        (sqlite3.OperationalError("raised by the module itself"), False),
        (None, False),
    ],
)
def test_is_full_disk_recognises_errors_of_a_full_disk(
    error: Exception | None, expected: bool
) -> None:
    assert is_full_disk(error) is expected


def test_only_errors_of_a_full_disk_are_converted() -> None:
    with pytest.raises(InsufficientStorage, match="disk is full"), raising_insufficient_storage():
        raise OSError(errno.ENOSPC, "no space")
    with pytest.raises(PermissionError), raising_insufficient_storage():
        raise PermissionError(errno.EACCES, "no access")
