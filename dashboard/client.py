"""The server's calls that the page itself makes; those of the stage are made in the browser."""

import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

TIMEOUT = httpx.Timeout(30.0, connect=3.0)


class ApiError(Exception):
    """What the server refused, or that it does not answer, as a sentence to show."""


@dataclass(frozen=True)
class Client:
    """A server of the interface at `url`; `token` where it asks for one."""

    url: str
    token: str | None = None

    @classmethod
    def from_environment(cls) -> "Client":
        """The server that `STNSCOPE_API_URL` names, with `STNSCOPE_TOKEN` where it is set."""
        url = os.environ.get("STNSCOPE_API_URL", "http://127.0.0.1:8000")
        return cls(url.rstrip("/"), os.environ.get("STNSCOPE_TOKEN"))

    def catalog(self) -> dict[str, Any]:
        """What a run can be made of, and which trained networks there are.

        Raises:
            ApiError: the server refuses or does not answer.
        """
        found: dict[str, Any] = self._call("GET", "/api/catalog").json()
        return found

    def dataset(self, name: str) -> dict[str, Any]:
        """A data set as the catalog has it, and how far it is if it is being fetched.

        Raises:
            ApiError: there is none, or the server does not answer.
        """
        found: dict[str, Any] = self._call("GET", f"/api/datasets/{quote(name)}").json()
        return found

    def fetch(self, name: str) -> None:
        """Has the server fetch a data set.

        Raises:
            ApiError: the server refuses or does not answer.
        """
        self._call("POST", f"/api/datasets/{quote(name)}/fetch")

    def start(self, config: dict[str, Any]) -> dict[str, Any]:
        """Starts a run and answers with it.

        Raises:
            ApiError: the configuration is refused, or the server does not answer.
        """
        run: dict[str, Any] = self._call("POST", "/api/runs", json=config).json()
        return run

    def transform(self, name: str, picture: bytes, weights: str) -> bytes:
        """Puts a picture through a trained network; the answer is a Frame's bytes.

        Raises:
            ApiError: the picture is refused, or the server does not answer.
        """
        files = {"image": (name, picture)}
        return self._call("POST", "/api/transform", files=files, data={"weights": weights}).content

    def _call(self, method: str, path: str, **rest: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            answer = httpx.request(
                method, self.url + path, headers=headers, timeout=TIMEOUT, **rest
            )
        except httpx.TransportError as error:
            raise ApiError("The server does not answer. It may have been stopped.") from error
        if answer.is_error:
            raise ApiError(_detail(answer))
        return answer


def _detail(answer: httpx.Response) -> str:
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = None
    return detail if isinstance(detail, str) else f"The server answered {answer.status_code}."
