"""docker-compose.yml and Dockerfile describe two separate services that need a token."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.compose import ROOT, compose, image_command, image_environment, services, stages


def test_compose_file_describes_two_services() -> None:
    assert set(compose()) == {"services", "volumes"}
    assert set(services()) == {"backend", "dashboard"}
    for service in services().values():
        assert service["build"]["target"] in stages()
        assert service["healthcheck"]["test"][:3] == ["CMD", "python", "-c"]
        compile(service["healthcheck"]["test"][3], "healthcheck", "exec")
    assert services()["dashboard"]["depends_on"] == {"backend": {"condition": "service_healthy"}}


def test_only_the_backend_mounts_home() -> None:
    assert services()["backend"]["volumes"] == ["home:/data"]
    assert image_environment("backend")["STNSCOPE_HOME"] == "/data"
    assert "volumes" not in services()["dashboard"]
    assert list(compose()["volumes"]) == ["home"]


def test_both_services_are_published_on_loopback_and_need_the_token() -> None:
    for service in services().values():
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        assert service["environment"]["STNSCOPE_TOKEN"].startswith("${STNSCOPE_TOKEN:?")


def test_names_and_ports_match() -> None:
    backend, dashboard = services()["backend"], services()["dashboard"]
    ports = {name: service["ports"][0].split(":") for name, service in services().items()}
    container_port, host_port = ports["backend"][2], ports["backend"][1]
    assert f"--port={container_port}" in backend["command"]
    assert dashboard["environment"]["STNSCOPE_API_URL"] == f"http://backend:{container_port}"
    assert f"--allow-host=backend:{container_port}" in backend["command"]
    assert dashboard["environment"]["STNSCOPE_PUBLIC_URL"] == f"http://localhost:{host_port}"
    assert f"--allow-origin=http://localhost:{ports['dashboard'][1]}" in backend["command"]
    assert f"--server.port={ports['dashboard'][2]}" in image_command("dashboard")


def test_page_image_has_neither_torch_nor_the_backend() -> None:
    instructions = " ".join(rest for _, rest in stages()["dashboard"])
    assert "['dashboard']" in instructions
    assert "pip install --no-deps" in instructions
    assert ".[" not in instructions
    assert not re.search(r"\b(models|backend)\b", instructions)


def test_copied_files_exist_and_are_in_the_build_context() -> None:
    build_context = (ROOT / ".dockerignore").read_text().splitlines()
    for stage in stages().values():
        for sources in (rest for name, rest in stage if name == "COPY"):
            for source in sources.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert f"!{source}" in build_context, source


def test_docker_accepts_the_compose_file(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    plugin = docker and subprocess.run([docker, "compose", "version"], capture_output=True)
    if not plugin or plugin.returncode:
        pytest.skip("no docker with compose is installed")
    command = [str(docker), "compose", "-f", str(ROOT / "docker-compose.yml"), "config", "-q"]
    refused = subprocess.run(command, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True)
    assert "Set STNSCOPE_TOKEN" in refused.stderr
    environment = {"PATH": "/usr/bin:/bin", "STNSCOPE_TOKEN": "x"}
    subprocess.run(command, env=environment, check=True)
