"""The display of a watched run, in a notebook, in Colab and elsewhere."""

import sys
import threading
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from stnscope.backend.experiment.errors import Unavailable
from stnscope.backend.experiment.watching import display, page_server
from stnscope.backend.experiment.watching.display import ShownRun, show
from tests.file_server import FileServer, serve_files
from tests.live_server import wait_until

UNUSED_ADDRESS = "http://127.0.0.1:9/"
"""Nothing listens there."""


class Notebook:
    """Replaces IPython with a kernel; keeps what is displayed."""

    def __init__(self) -> None:
        self.shown: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.display = SimpleNamespace(display=self._display)

    def get_ipython(self) -> Any:
        return SimpleNamespace(kernel=None)

    def _display(self, data: dict[str, str], **options: Any) -> None:
        self.shown.append((data, options))


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Notebook:
    notebook = Notebook()
    monkeypatch.setitem(sys.modules, "IPython", notebook)
    return notebook


@pytest.fixture
def pictures() -> Iterator[FileServer]:
    with serve_files({f"api/runs/a/frames/{2**53 - 1}/picture": b"first"}) as server:
        yield server


def test_outside_of_a_notebook_the_page_is_opened_in_a_browser(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    show(ShownRun("a", "LeNet, run a", UNUSED_ADDRESS, lambda: True), 500)
    assert opened == [f"{UNUSED_ADDRESS}?run=a"]
    assert capsys.readouterr().out == f"LeNet, run a: {UNUSED_ADDRESS}?run=a\n"


def test_names_cannot_become_a_part_of_the_notebook(
    notebook: Notebook, pictures: FileServer
) -> None:
    title = '"</script><script>alert(1)</script>'
    show(ShownRun("a", title, f"{pictures.address}/", lambda: True), 500)
    ((data, _),) = notebook.shown
    assert data["text/html"].count("<script>") == data["text/html"].count("</script>") == 1
    assert "height: 500px" in data["text/html"]


def test_in_colab_pictures_are_renewed_until_the_run_ends(
    notebook: Notebook, pictures: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    monkeypatch.setattr(display, "PICTURE_INTERVAL", 0.01)
    is_over = threading.Event()
    show(ShownRun("a", "A", f"{pictures.address}/", lambda: not is_over.is_set()), 500)
    wait_until(lambda: len(notebook.shown) == 1)
    pictures.files |= dict.fromkeys(pictures.files, b"second")
    wait_until(lambda: len(notebook.shown) == 2)
    pictures.files |= dict.fromkeys(pictures.files, b"last")
    is_over.set()
    wait_until(lambda: len(notebook.shown) == 3)
    assert all("<script>" not in data["text/html"] for data, _ in notebook.shown)
    assert [options["update"] for _, options in notebook.shown] == [False, True, True]
    assert len({options["display_id"] for _, options in notebook.shown}) == 1


@pytest.mark.seconds
def test_server_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_server, "DEFAULT_ADDRESS", UNUSED_ADDRESS)
    home = tmp_path / "file"
    home.write_text("")
    with pytest.raises(Unavailable, match=r"The page cannot be served: .*file"):
        page_server.find_or_start("a", home)
