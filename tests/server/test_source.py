"""The source of the networks' modules."""

from pathlib import Path

import pytest

from tests.live_server import Server


def test_module_is_served_as_text(server: Server) -> None:
    response = server.http.get("/source/models/grid.py")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.content == Path("models/grid.py").read_bytes()
    assert server.http.get("/source/models/architectures/compact.py").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["models/none.py", "models/weights/digits.json", "access/token.py", "models/%2e%2e/x.py"],
)
def test_nothing_else_is_served(server: Server, path: str) -> None:
    response = server.http.get(f"/source/{path}")
    assert response.status_code == 404
