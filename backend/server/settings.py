"""What a server is started with; made by the command line or by a test, never from thin air."""

from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path

from stnscope.access.policy import LOOPBACK, Access, own_hosts
from stnscope.backend.experiment.recording.quota import Quota


@dataclass(frozen=True)
class Settings:
    """How one server runs.

    Attributes:
        home: the folder that holds recordings and everything else that is kept.
        data: the folder that data sets are read from; `datasets` in the home unless given.
        mirror: an address to fetch data sets from, instead of from where they are at home.
        host: the address to listen on.
        port: the port to listen on.
        demonstration: whether an empty home starts a demonstration run.
        token: what everyone must present; required anywhere but on loopback.
        allowed_hosts: further `Host` values that are answered, exact.
        allowed_origins: further `Origin` values that are answered, exact.
        proxies: addresses, or networks, of the proxies whose `X-Forwarded-For` and
            `X-Forwarded-Proto` count; nobody else's do.
        standby: whether a trainer and an inference process, torch imported, wait to be needed: a
            start and a first picture take no import, for some 400 MB of memory.
        trainers: how many trainer processes may be at work at once.
        viewers: how many streams of runs, and as many of pictures, may be open at once.
        bounds: the room for recordings.

    Raises:
        ValueError: a token is needed and there is none, or it or a proxy is not one.
    """

    home: Path
    data: Path | None = None
    mirror: str | None = None
    host: str = "127.0.0.1"
    port: int = 8501
    demonstration: bool = True
    token: str | None = None
    allowed_hosts: frozenset[str] = field(default_factory=frozenset)
    allowed_origins: frozenset[str] = field(default_factory=frozenset)
    proxies: frozenset[str] = field(default_factory=frozenset)
    standby: bool = True
    trainers: int = 2
    viewers: int = 64
    bounds: Quota = field(default_factory=Quota)

    def __post_init__(self) -> None:
        _ = self.access
        for proxy in self.proxies:
            ip_network(proxy, strict=False)

    @property
    def recordings(self) -> Path:
        return self.home / "recordings"

    @property
    def access(self) -> Access:
        """Who is let in.

        Raises:
            ValueError: a token is needed and there is none, or it is not one.
        """
        own = own_hosts(self.host, self.port)
        return Access(
            hosts=own | self.allowed_hosts,
            origins=frozenset(f"http://{host}" for host in own) | self.allowed_origins,
            token=self.token,
            here_only=self.host in LOOPBACK,
        )
