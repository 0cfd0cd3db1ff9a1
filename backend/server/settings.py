"""The settings of a server, made by the command line or a test."""

from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path

from stnscope.access.policy import (
    EVERYWHERE,
    LOOPBACK,
    Access,
    bracketed,
    own_addresses,
    own_hosts,
)
from stnscope.backend.experiment.config import CPU
from stnscope.backend.experiment.devices.cores import TRAINERS
from stnscope.backend.experiment.home import recordings_folder
from stnscope.backend.experiment.recording.quota import Quota
from stnscope.backend.server.deadlines import Deadlines


@dataclass(frozen=True)
class Settings:
    """The settings of one server.

    Attributes:
        home: the folder with recordings and everything else that is kept.
        data: the folder that data sets are read from; `datasets` in the home unless given.
        mirror: an address to download data sets from, instead of from their own servers.
        host: the address to listen on.
        port: the port to listen on.
        demonstration: whether to start a demonstration run in an empty home.
        token: what every request must present; required on any address but loopback.
        viewer_token: what suffices to view: for requests that change nothing.
        view_only: whether all access is for viewing only, and nothing is written to the home, which
            any number of such servers may share with one that trains.
        allowed_hosts: further values of `Host` that are accepted, compared exactly.
        allowed_origins: further values of `Origin` that are accepted, compared exactly.
        allowed_frames: origins of pages that may embed this one, such as a notebook's.
        proxies: addresses, or networks, of the proxies whose `X-Forwarded-For` and
            `X-Forwarded-Proto` are trusted; those of other addresses are not.
        standby: whether to keep a trainer and an inference process, with torch imported, ready: a
            start and a first picture need no import, for some 400 MB of memory.
        trainers: how many trainer processes may train at once.
        cluster: the address of a Ray cluster that trains the runs; None to train them here.
        retries: how often a run is trained again when its node of the cluster is lost.
        device: name of the one that pictures are transformed on.
        control_timeout: seconds in which a trainer must apply a request.
        deadlines: how long the server waits for processes and clients.
        viewers: how many streams of runs, and as many of pictures, may be open at once.
        quota: the disk space for recordings.

    Raises:
        ValueError: a token is needed and missing, or a token or a proxy is malformed.
    """

    home: Path
    data: Path | None = None
    mirror: str | None = None
    host: str = "127.0.0.1"
    port: int = 8501
    demonstration: bool = True
    token: str | None = None
    viewer_token: str | None = None
    view_only: bool = False
    allowed_hosts: frozenset[str] = field(default_factory=frozenset)
    allowed_origins: frozenset[str] = field(default_factory=frozenset)
    allowed_frames: frozenset[str] = field(default_factory=frozenset)
    proxies: frozenset[str] = field(default_factory=frozenset)
    standby: bool = True
    trainers: int = TRAINERS
    cluster: str | None = None
    retries: int = 0
    device: str = CPU
    control_timeout: float = 10.0
    deadlines: Deadlines = field(default_factory=Deadlines)
    viewers: int = 512
    quota: Quota = field(default_factory=Quota)

    def __post_init__(self) -> None:
        _ = self.access
        for proxy in self.proxies:
            ip_network(proxy, strict=False)

    @property
    def recordings(self) -> Path:
        """The folder of recordings."""
        return recordings_folder(self.home)

    @property
    def is_shared(self) -> bool:
        """Whether other machines reach the server."""
        return self.host not in LOOPBACK

    @property
    def address(self) -> str:
        """The address of the page, for other machines if they reach it."""
        host = self.host if self.is_shared else "localhost"
        if host in EVERYWHERE:
            host = next(iter(own_addresses()), "localhost")
        return f"http://{bracketed(host)}:{self.port}/"

    @property
    def results(self) -> Path:
        """The folder of the user's own result files."""
        return self.home / "results"

    @property
    def access(self) -> Access:
        """The rules of access.

        Raises:
            ValueError: a token is needed and missing, or malformed.
        """
        hosts = own_hosts(self.host, self.port)
        return Access(
            hosts=hosts | self.allowed_hosts,
            origins=self.allowed_origins
            | {f"http://{host}" for host in hosts}
            # A tunnel or proxy may add TLS.
            | {f"{scheme}://{host}" for scheme in ("http", "https") for host in self.allowed_hosts},
            token=self.token,
            viewer_token=self.viewer_token,
            loopback_only=not self.is_shared,
            view_only=self.view_only,
        )
