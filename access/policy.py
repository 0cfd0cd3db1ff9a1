"""Who is let in: the names that are answered, the pages that may speak, and the token."""

import re
from dataclasses import dataclass

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
EVERYWHERE = frozenset({"0.0.0.0", "::"})

# What a cookie carries as it is (RFC 6265), so that link, cookie and header agree on it.
TOKEN = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+")


@dataclass(frozen=True)
class Access:
    """Who is let in.

    Attributes:
        hosts: the `Host` values that are answered, in lower case.
        origins: the `Origin` values that are welcome.
        token: what everyone must present; None where nothing need be.
        here_only: whether only this machine can reach the server.
        host_option: the option that adds to `hosts`, for the refusal to name.

    Raises:
        ValueError: the token cannot be a cookie's value, or one is needed and there is none.
    """

    hosts: frozenset[str]
    origins: frozenset[str]
    token: str | None
    here_only: bool
    host_option: str = "--allow-host"

    def __post_init__(self) -> None:
        if not self.here_only and not self.token:
            raise ValueError("Listening beyond this machine needs a token.")
        if self.token is not None and not TOKEN.fullmatch(self.token):
            raise ValueError(
                "A token is made of letters, digits and signs of ASCII, without spaces, quotes, "
                "commas, semicolons or backslashes."
            )


def own_hosts(address: str, port: int) -> frozenset[str]:
    """The `Host` values under which a server is reached without being told more.

    Args:
        address: what it listens on.
        port: the port that browsers name; 80 may be left out.
    """
    names = {"127.0.0.1", "localhost", "[::1]"}
    if address not in LOOPBACK | EVERYWHERE:
        names.add(f"[{address}]" if ":" in address else address.lower())
    with_port = {f"{name}:{port}" for name in names}
    return frozenset(with_port | (names if port == 80 else set()))
