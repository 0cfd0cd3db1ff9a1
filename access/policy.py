"""The rules of access: which hosts and origins are accepted, and the tokens."""

import re
import socket
from contextlib import suppress
from dataclasses import dataclass

from stnscope.access.rights import VIEW_ONLY_REFUSAL, VIEWER_REFUSAL

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
EVERYWHERE = frozenset({"0.0.0.0", "::"})

TOKEN_PATTERN = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+")
"""The characters of a cookie's value (RFC 6265), so that link, cookie and header agree."""


@dataclass(frozen=True)
class Access:
    """The rules of access of one server.

    Attributes:
        hosts: the values of `Host` that are accepted, in lower case.
        origins: the values of `Origin` that are accepted.
        token: what every request must present; None if nothing is needed.
        viewer_token: what suffices for requests that change nothing; None for no such token.
        view_only: whether all access is for viewing only.
        loopback_only: whether only this machine can reach the server.
        host_option: the option that adds to `hosts`; a refusal names it.

    Raises:
        ValueError: a token cannot be a cookie's value, or is needed and missing.
    """

    hosts: frozenset[str]
    origins: frozenset[str]
    token: str | None
    loopback_only: bool
    host_option: str = "--allow-host"
    viewer_token: str | None = None
    view_only: bool = False

    def __post_init__(self) -> None:
        if not self.loopback_only and not self.token:
            raise ValueError("A server that listens beyond this machine needs a token.")
        for token in (self.token, self.viewer_token):
            if token is not None and not TOKEN_PATTERN.fullmatch(token):
                raise ValueError(
                    "A token consists of printable ASCII characters, without spaces, quotes, "
                    "commas, semicolons or backslashes."
                )
        if self.viewer_token is not None and self.token in (None, self.viewer_token):
            raise ValueError("Beside a token for viewing another one is needed, for acting.")

    @property
    def refusal(self) -> str:
        """Why a request that may only view is refused."""
        return VIEW_ONLY_REFUSAL if self.view_only else VIEWER_REFUSAL


def own_addresses() -> list[str]:
    """Return the addresses with which this machine reaches others; no packet is sent."""
    addresses = []
    for family, remote in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((remote, 9))
            addresses.append(str(probe.getsockname()[0]))
    return addresses


def bracketed(name: str) -> str:
    """Return a host as it is in an address: an IPv6 address has brackets."""
    return f"[{name}]" if ":" in name else name


def own_hosts(address: str, port: int) -> frozenset[str]:
    """Return the values of `Host` by which a server is reached by default.

    Args:
        address: the address that it listens on; for one of `EVERYWHERE`, also this machine's name
            and addresses.
        port: the port in its address; 80 may be left out there.
    """
    names = {"127.0.0.1", "localhost", "[::1]"}
    if address in EVERYWHERE:
        names |= {bracketed(name) for name in (*own_addresses(), socket.gethostname().lower())}
    elif address not in LOOPBACK:
        names.add(bracketed(address.lower()))
    with_port = {f"{name}:{port}" for name in names}
    return frozenset(with_port | (names if port == 80 else set()))
