"""The results over HTTP: sent again only after a change, whatever is in the home's folder."""

from stnscope.backend.experiment.reproduction.rows import ROWS
from tests.experiment.result_files import write_seed
from tests.live_server import Server

ROW = "mnist-rts-st-cnn-affine"


def test_results_of_the_home_are_beside_the_published_ones(server: Server) -> None:
    folder = server.home / "results"
    first = server.http.get("/results")
    assert first.json()["folder"] == str(folder)
    same = server.http.get("/results", headers={"If-None-Match": first.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    path = write_seed(folder, ROW, 40, epochs=12)
    damaged = folder / "damaged.json"
    damaged.write_text("{")
    try:
        changed = server.http.get("/results", headers={"If-None-Match": first.headers["etag"]})
        assert changed.status_code == 200
        results = changed.json()
        rows = {row["name"]: row for table in results["tables"] for row in table["rows"]}
        figure = rows[ROW]["figures"][-1]
        assert (rows[ROW]["published"], figure["origin"], figure["value"]) == ("0.5", "home", 0.4)
        assert figure["notes"] == [f"cut short after 12 of {ROWS[ROW].config.epochs} epochs"]
        assert figure["result"]["runs"][0]["machine"]["processor"] == "A processor"
        [unreadable] = results["unreadable"]
        assert (unreadable["origin"], unreadable["name"]) == ("home", "damaged.json")
    finally:
        path.unlink()
        damaged.unlink()
