"""The documented configuration of nginx: servers that only show, behind a balancer with a cache."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from stnscope.backend.experiment.frames.frame import Frame
from tests.conftest import ROOT, TrainedRun
from tests.live_server import Server, free_port, receive, send, serve, wait_until
from tests.server.conftest import MINIMAL_SERVER

pytestmark = pytest.mark.slow

DOCUMENT = ROOT / "docs" / "deploying.md"
VIEWERS = 50


@contextmanager
def nginx(folder: Path, ports: dict[str, int]) -> Iterator[Path]:
    """Run nginx with the configuration in `docs/deploying.md`; yield its log.

    Args:
        folder: where it keeps everything.
        ports: this test's, by those of the document.
    """
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
    if program is None:
        pytest.fail("nginx is missing: `apt-get install nginx-light`", pytrace=False)
    (block,) = (
        block
        for block in re.findall(r"```nginx\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
        if "proxy_cache_path" in block
    )
    block = block.replace("/var/cache/nginx", str(folder))
    block = re.sub("|".join(ports), lambda port: str(ports[port[0]]), block)
    log = folder / "access.log"
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = folder / "nginx.conf"
    # As root it would give its files to another user.
    user = "user root;" if os.geteuid() == 0 else ""
    configuration.write_text(
        f"{user} daemon off; pid {folder}/pid; error_log {folder}/error.log;\nevents {{}}\n"
        "http {\n"
        f"log_format cache '$status $upstream_cache_status $upstream_addr $request_uri';\n"
        f"access_log {log} cache;\n{temporary}{block}}}\n"
    )
    with subprocess.Popen([program, "-p", folder, "-c", configuration]) as process:
        try:
            yield log
        finally:
            process.terminate()


def test_two_servers_behind_a_cache_serve_many_viewers(
    tmp_path: Path, trained_run: TrainedRun
) -> None:
    home, folder = tmp_path / "home", tmp_path / "nginx"
    run_id = trained_run.copy_into(home)
    folder.mkdir()
    front = Server(home, free_port())
    options = (*MINIMAL_SERVER, "--view-only", "--allow-host", f"127.0.0.1:{front.port}")
    with ExitStack() as stack:
        servers = [stack.enter_context(serve(home, *options)) for _ in range(2)]
        ports = {"8502": servers[0].port, "8503": servers[1].port, "8080": front.port}
        log = stack.enter_context(nginx(folder, ports))
        stack.enter_context(front.connected())
        wait_until(lambda: log.exists() and _responds(front))
        steps = front.recorded_steps(run_id)
        attempt = front.get_run(run_id)["attempt"]
        path = f"/runs/{run_id}/frames/{steps[1]}?attempt={attempt}"

        def get(_: int) -> bytes:
            return front.http.get(path).raise_for_status().content

        with ThreadPoolExecutor(VIEWERS) as viewers:
            frames = [*viewers.map(get, range(VIEWERS))]
        assert len(set(frames)) == 1
        assert Frame.decode(frames[0]).info["step"] == steps[1]
        wait_until(lambda: len(_cache_statuses(log, path)) == VIEWERS)
        statuses = _cache_statuses(log, path)
        assert statuses.count("MISS") == 1, "the servers get one request for all viewers"
        assert statuses.count("HIT") == VIEWERS - 1

        with front.open_stream(run_id) as viewer:
            assert receive(viewer, "run")["status"] == "finished"
            send(viewer, type="hello", last_step=None)
            assert len(receive(viewer, "metrics")["step"]) == trained_steps(front, run_id)

        # One of them ends: what is cached stays, and what is not comes from the other.
        servers[0].stop()
        assert get(0) == frames[0]
        other = front.http.get(f"/runs/{run_id}/frames/{steps[2]}?attempt={attempt}")
        assert Frame.decode(other.raise_for_status().content).info["step"] == steps[2]
        refused = front.http.post("/runs", json={})
        assert refused.status_code == 403


def trained_steps(server: Server, run_id: str) -> int:
    """Return how many steps of a run have metrics: all, with step 0."""
    return int(server.get_run(run_id)["steps"]) + 1


def _responds(server: Server) -> bool:
    try:
        return server.http.get("/health").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _cache_statuses(log: Path, path: str) -> list[str]:
    """Return whether each request for a path was a hit of the cache, in the order of the log."""
    rows = [line.split() for line in log.read_text().splitlines()]
    return [row[1] for row in rows if row[-1] == f"/api{path}"]
