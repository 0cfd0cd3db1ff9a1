"""The page's HTTP client against a real server, and without one."""

import pytest

from stnscope.dashboard.client import ApiError, Client
from tests.live_server import Server, free_port


@pytest.fixture
def client(server: Server) -> Client:
    return Client(f"http://127.0.0.1:{server.port}")


def test_catalog_is_requested(client: Client) -> None:
    catalog = client.catalog()
    assert {"datasets", "weights", "defaults"} <= set(catalog)


def test_error_has_the_servers_message(client: Client) -> None:
    with pytest.raises(ApiError, match="nowhere"):
        client.start_run({"dataset": "nowhere"})


def test_unreachable_server_is_reported() -> None:
    with pytest.raises(ApiError, match="does not respond"):
        Client(f"http://127.0.0.1:{free_port()}").catalog()


def test_proxies_of_the_environment_are_not_used(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    assert client.catalog()


def test_missing_address_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STNSCOPE_API_URL", raising=False)
    with pytest.raises(ApiError, match="STNSCOPE_API_URL"):
        Client.from_environment()


def test_environment_sets_the_address_and_never_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STNSCOPE_API_URL", "http://backend:9000/")
    monkeypatch.setenv("STNSCOPE_TOKEN", "secret")
    assert Client.from_environment() == Client("http://backend:9000", None)
    assert Client.from_environment("visitor") == Client("http://backend:9000", "visitor")
