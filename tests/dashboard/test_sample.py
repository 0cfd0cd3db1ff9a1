"""What is seen before there is a run: the recording that ships, until the first live frame."""

from tests.dashboard.conftest import Open
from tests.dashboard.looking import await_said, await_shown, painted
from tests.live_server import Server


def test_recording_that_ships_plays_until_there_is_a_live_frame(
    own_server: Server, visit: Open
) -> None:
    page = visit(own_server)
    painted(page)
    await_said(page, "Recorded earlier; no run yet")
    assert page.locator(".stn-viewer").get_attribute("data-run") == "sample"
    moved = len(page.evaluate("window.paints"))
    page.wait_for_function(f"window.paints.length > {moved} + 5")
    assert page.locator(".stn-training button:enabled").count() == 0

    run_id = own_server.start_run(epochs=1000)
    page.locator(f".stn-viewer[data-run='{run_id}']").wait_for()
    await_said(page, "Live; training")
    await_shown(page, "step > 3")
