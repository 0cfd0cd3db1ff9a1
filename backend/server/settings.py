"""What a server is started with; made by the command line or by a test, never from thin air."""

from dataclasses import dataclass, field
from pathlib import Path

from backend.experiment.bounds import Bounds

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True)
class Settings:
    """How one server runs.

    Attributes:
        home: the folder that holds recordings and everything else that is kept.
        host: the address to listen on.
        port: the port to listen on.
        demonstration: whether an empty home starts a demonstration run.
        token: what everyone must present; required anywhere but on loopback.
        allowed_hosts: further `Host` values that are answered, exact.
        allowed_origins: further `Origin` values that are answered, exact.
        trainers: how many trainer processes may be at work at once.
        viewers: how many streams may be open at once.
        bounds: the room for recordings.
    """

    home: Path
    host: str = "127.0.0.1"
    port: int = 8501
    demonstration: bool = True
    token: str | None = None
    allowed_hosts: frozenset[str] = field(default_factory=frozenset)
    allowed_origins: frozenset[str] = field(default_factory=frozenset)
    trainers: int = 2
    viewers: int = 64
    bounds: Bounds = field(default_factory=Bounds)

    def __post_init__(self) -> None:
        if self.host not in LOOPBACK and not self.token:
            raise ValueError("Listening beyond this machine needs a token.")

    @property
    def recordings(self) -> Path:
        return self.home / "recordings"

    @property
    def own_hosts(self) -> frozenset[str]:
        """The `Host` values under which this server is reached without being told more."""
        names = {"127.0.0.1", "localhost", "[::1]"}
        if self.host not in LOOPBACK | {"0.0.0.0", "::"}:
            names.add(f"[{self.host}]" if ":" in self.host else self.host)
        with_port = {f"{name}:{self.port}" for name in names}
        return frozenset(with_port | (names if self.port == 80 else set()))

    @property
    def hosts(self) -> frozenset[str]:
        return self.own_hosts | self.allowed_hosts

    @property
    def origins(self) -> frozenset[str]:
        return frozenset(f"http://{host}" for host in self.own_hosts) | self.allowed_origins
