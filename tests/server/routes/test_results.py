"""The results over HTTP: sent again only after a change, whatever is in the home's folder."""

from stnscope.backend.experiment.reproduction.paper_tables import ROWS
from tests.experiment.result_files import write_invariance, write_seed
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


def test_pictures_of_an_invariance_are_sent_apart(server: Server) -> None:
    path = write_invariance(server.home / "results", "mine", "digits", {"R": (0, 0, 0, 0, 0, 9)})
    try:
        tables = server.http.get("/results").json()["invariances"]
        networks = {network["file"]: network for table in tables for network in table["networks"]}
        assert networks[path.name]["origin"] == "home"
        assert networks[path.name]["result"]["pictures"]["content"] == ""
        pictures = server.http.get(f"/results/home/{path.name}/pictures")
        assert pictures.headers["content-type"] == "image/webp"
        assert pictures.content[8:12] == b"WEBP"
        kept = server.http.get("/results/stnscope/invariance-digits-digits.json/pictures")
        assert kept.status_code == 200
        assert kept.content != pictures.content
        for address, status in (
            ("stnscope/invariance-mine-digits.json", 404),
            ("home/..%2Fresults%2Finvariance-mine-digits", 404),
            ("elsewhere/invariance-mine-digits", 422),
        ):
            assert server.http.get(f"/results/{address}/pictures").status_code == status
    finally:
        path.unlink()
