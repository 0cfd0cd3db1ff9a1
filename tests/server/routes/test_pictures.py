"""Transforms of uploaded pictures, over HTTP."""

import json
import shutil
from io import BytesIO

import httpx
import pytest
from PIL import Image, ImageDraw

from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.recording.reader import Recording
from stnscope.models.cards import FOLDER
from tests.live_server import Server


def picture(kind: str = "PNG") -> bytes:
    """A dark 7 on light paper."""
    image = Image.new("L", (200, 140), 235)
    ImageDraw.Draw(image).line([(70, 30), (125, 30), (90, 110)], fill=20, width=12)
    file = BytesIO()
    image.save(file, kind)
    return file.getvalue()


def upload(server: Server, data: bytes, **form: str) -> httpx.Response:
    return server.http.post("/transform", files={"image": ("picture", data)}, data=form)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_transform_returns_a_frame(server: Server, kind: str) -> None:
    response = upload(server, picture(kind))
    assert response.status_code == 200, response.text
    frame = Frame.decode(response.content)
    assert frame.tensors["input"].shape == (1, 48, 48, 1)
    assert frame.tensors["output.st"].shape == (1, 28, 28, 1)
    assert frame.tensors["probabilities"].sum() == pytest.approx(1, abs=1e-5)
    assert frame.info["inverted"] is True
    assert frame.info["labels"] == [None]


def test_transform_applies_a_distortion(server: Server) -> None:
    plain = Frame.decode(upload(server, picture()).content)
    distortion = json.dumps({"name": "scattered", "strength": 1.0, "seed": 4})
    distorted = Frame.decode(upload(server, picture(), distortion=distortion).content)
    assert (plain.tensors["input"] != distorted.tensors["input"]).any()


@pytest.mark.parametrize(
    ("data", "form", "status", "message"),
    [
        (b"", {}, 422, ""),
        (b"GIF89a", {}, 422, ""),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", {}, 422, "PNG"),
        (picture()[:200], {}, 422, ""),
        (bytes(11 * 1024 * 1024), {}, 413, "10 MB"),
        (picture(), {"weights": "../digits"}, 404, "digits"),
        (picture(), {"weights": ""}, 422, "weights is empty; there are digits-cnn-centred, "),
        (picture(), {"distortion": "{"}, 422, "JSON"),
        (picture(), {"distortion": "[]"}, 422, "object"),
        (picture(), {"distortion": "[" * 60_000}, 422, "JSON"),
        (picture(), {"distortion": '{"name": "melted"}'}, 422, "melted"),
    ],
)
def test_unusable_picture_or_option_is_refused_with_a_reason(
    server: Server, data: bytes, form: dict[str, str], status: int, message: str
) -> None:
    response = upload(server, data, **form)
    assert response.status_code == status, response.text
    detail = response.json()["detail"]
    assert detail
    assert message in detail
    assert upload(server, picture()).status_code == 200


def test_transform_works_without_a_standby_process(own_server: Server) -> None:
    assert upload(own_server, picture()).status_code == 200


def test_missing_picture_names_its_field(server: Server) -> None:
    response = server.http.post("/transform", data={"weights": "digits"})
    assert response.status_code == 422
    assert response.json()["field"] == "image"


def test_checkpoints_of_runs_and_weights_of_ones_own_transform_pictures(
    server: Server, finished: str
) -> None:
    def named() -> dict[str, str]:
        return {card["name"]: card["subject"] for card in server.http.get("/weights").json()}

    name = f"run:{finished}"
    assert named()[name] == "digit"
    frame = Frame.decode(upload(server, picture(), weights=name).content)
    assert frame.info["weights"] == name
    assert frame.transformers == ["st"]
    with Recording.open(server.home / "recordings" / f"{finished}.stnscope") as recording:
        earlier, newest = recording.checkpoints()
    assert [each for each in named() if each.startswith(name)] == [name, f"{name}:{earlier.step}"]
    cards = {card["name"]: card["title"] for card in server.http.get("/weights").json()}
    assert f"step {newest.step}" in cards[name]
    folder = server.home / "weights"
    folder.mkdir()
    try:
        card = json.loads((FOLDER / "digits.json").read_text())
        (folder / "mine.json").write_text(json.dumps(card))
        (folder / "mine.safetensors").write_bytes((FOLDER / "digits.safetensors").read_bytes())
        (folder / "damaged.safetensors").write_bytes(b"")
        assert named().keys() >= {"digits", "signs", "mine"}
        own = Frame.decode(upload(server, picture(), weights="mine").content)
        shipped = Frame.decode(upload(server, picture()).content)
        assert own.tensors["theta.st"].tolist() == shipped.tensors["theta.st"].tolist()
        (folder / "mine.safetensors").write_bytes(b"no weights")
        refused = upload(server, picture(), weights="mine")
        assert (refused.status_code, "not a safetensors file" in refused.text) == (422, True)
        assert upload(server, picture()).status_code == 200
    finally:
        shutil.rmtree(folder)
    assert upload(server, picture(), weights="mine").status_code == 404
    assert upload(server, picture(), weights=f"{name}:999").status_code == 404
    assert upload(server, picture(), weights="run:none").status_code == 404
