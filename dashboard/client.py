"""The requests that the page's script sends to the server; the browser sends the others itself."""

import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

NO_RESPONSE = "The server does not respond. It may have been stopped."
TIMEOUT = httpx.Timeout(30.0, connect=3.0)


class ApiError(Exception):
    """The server refused a request or did not respond; the message is a sentence to show."""


@dataclass(frozen=True)
class Client:
    """A client of the server at `url`, with a `token` if it needs one."""

    url: str
    token: str | None = None

    @classmethod
    def from_environment(cls, token: str | None = None) -> "Client":
        """Create a client for `STNSCOPE_API_URL`.

        Args:
            token: that of the page's visitor, so that the page does no more than they may.

        Raises:
            ApiError: there is no address.
        """
        url = os.environ.get("STNSCOPE_API_URL", "")
        if not url:
            raise ApiError("Set STNSCOPE_API_URL to the address of the server, then start again.")
        return cls(url.rstrip("/"), token)

    def access(self) -> dict[str, Any]:
        """Return what the token permits.

        Raises:
            ApiError: the server refuses or does not respond.
        """
        access: dict[str, Any] = self._request("GET", "/api/access").json()
        return access

    def catalog(self) -> dict[str, Any]:
        """Return what runs can be made of, and the trained networks.

        Raises:
            ApiError: the server refuses or does not respond.
        """
        catalog: dict[str, Any] = self._request("GET", "/api/catalog").json()
        return catalog

    def dataset(self, name: str) -> dict[str, Any]:
        """Return a data set's catalog entry, with the progress of its download.

        Raises:
            ApiError: it does not exist, or the server does not respond.
        """
        dataset: dict[str, Any] = self._request("GET", f"/api/datasets/{quote(name)}").json()
        return dataset

    def download(self, name: str) -> None:
        """Start the download of a data set on the server.

        Raises:
            ApiError: the server refuses or does not respond.
        """
        self._request("POST", f"/api/datasets/{quote(name)}/download")

    def start_run(self, config: dict[str, Any]) -> dict[str, Any]:
        """Start a run and return it.

        Raises:
            ApiError: the configuration is refused, or the server does not respond.
        """
        run: dict[str, Any] = self._request("POST", "/api/runs", json=config).json()
        return run

    def start_sweep(self, sweep: dict[str, Any]) -> dict[str, Any]:
        """Start a sweep and return it.

        Raises:
            ApiError: the configuration is refused, or the server does not respond.
        """
        started: dict[str, Any] = self._request("POST", "/api/sweeps", json=sweep).json()
        return started

    def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            # The server is reached directly, whatever proxies the environment names.
            with httpx.Client(headers=headers, timeout=TIMEOUT, trust_env=False) as client:
                response = client.request(method, self.url + path, **options)
        except httpx.TransportError as error:
            raise ApiError(NO_RESPONSE) from error
        if response.is_error:
            raise ApiError(_detail(response))
        return response


def _detail(response: httpx.Response) -> str:
    try:
        detail = response.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = None
    return (
        detail if isinstance(detail, str) else f"The server responded with {response.status_code}."
    )
