"""The page's script, run by Streamlit without a browser."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from stnscope.dashboard.new_run import OWN_SETTINGS
from tests.live_server import Server, free_port
from tests.timeouts import TIMEOUT_SECONDS

SCRIPT = Path(__file__).parents[2] / "dashboard" / "app.py"


def run_script(monkeypatch: pytest.MonkeyPatch, port: int) -> AppTest:
    monkeypatch.setenv("STNSCOPE_API_URL", f"http://127.0.0.1:{port}")
    return AppTest.from_file(str(SCRIPT), default_timeout=TIMEOUT_SECONDS).run()


def test_script_shows_the_form_and_the_runs(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = run_script(monkeypatch, server.port)
    assert not app.exception
    assert not app.error
    assert [each.value for each in app.header] == ["Runs", "New run"]


def test_form_offers_sampling_options_only_for_networks_with_a_transformer(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = run_script(monkeypatch, server.port)
    app.button_group[0].set_value(OWN_SETTINGS).run()
    assert "Padding" in [each.label for each in app.selectbox]
    assert "Tone" not in [each.label for each in app.number_input]
    app.selectbox(key="network for digits").select("digits-cnn").run()
    assert not app.exception
    labels = [each.label for each in app.selectbox]
    assert "Optimiser" in labels
    assert "Padding" not in labels


def test_script_without_a_server_shows_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    app = run_script(monkeypatch, free_port())
    assert not app.exception
    assert [each.value for each in app.error] == [
        "The server does not respond. It may have been stopped."
    ]


def test_start_button_without_a_server_shows_an_error(
    own_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = run_script(monkeypatch, own_server.port)
    own_server.stop()
    app.button[0].click().run()
    assert not app.exception
    assert "The server does not respond. It may have been stopped." in [
        each.value for each in app.error
    ]


def test_visitor_without_the_token_sees_only_the_sign_in_link(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STNSCOPE_TOKEN", "open-sesame")
    monkeypatch.setenv("STNSCOPE_PUBLIC_URL", "http://localhost:8502")
    app = run_script(monkeypatch, server.port)
    assert not app.exception
    assert "[Sign in](http://localhost:8502/docs)" in app.warning[0].value
    assert not app.button
    assert not app.header
