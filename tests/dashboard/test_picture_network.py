"""The networks that a published walkthrough computes in the browser equal those in torch."""

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load

from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.inference.transform import transform, transform_cached
from stnscope.backend.experiment.weights.trained_weights import shipped
from stnscope.models.cards import FOLDER, cards
from stnscope.models.catalog import FAMILIES
from tests.dashboard.javascript import ASSETS, run_script
from tools.make_walkthrough_example import (
    PICTURE,
    PICTURES,
    VARIATION,
    WEIGHTS,
    digest,
    make_pictures,
)

WITHOUT = "digits-cnn-centred"
THETA = [0.8, 0.1, 0.2, -0.1, 0.7, 0.1]
REQUESTS: list[dict[str, Any]] = [
    {"weights": WEIGHTS},
    {"weights": WEIGHTS, "variation": VARIATION, "maps": True},
    {"weights": WITHOUT, "variation": {"rotation": -35, "shift_x": 0.25}},
    {"weights": WEIGHTS, "theta": {"st": THETA}, "gradient": {"class": 3}},
    {
        "weights": WEIGHTS,
        "theta": {"st": THETA},
        "steps": {"class": 2, "count": 3, "rate": 0.005},
        "variation": VARIATION,
    },
]
SCRIPT = f"""
import {{ PictureNetwork }} from "{(ASSETS / "offline" / "picture-network.js").as_uri()}";
import {{ setCatalog }} from "{(ASSETS / "protocol" / "catalog.js").as_uri()}";
setCatalog({{ families: FAMILIES }});
const network = new PictureNetwork((name) => new URL(`${{name}}.safetensors`, "FOLDER/"));
const frames = [];
for (const request of REQUESTS) frames.push(await network.compute(request));
console.log(JSON.stringify(frames.map(({{ info, tensors }}) => ({{ info, tensors:
  Object.fromEntries(Object.entries(tensors).map(([name, {{ shape, data }}]) =>
    [name, [shape, [...data]]])) }}))));
"""


def frames_of_the_page() -> list[Frame]:
    """Return the frames that the page computes for `REQUESTS`."""
    picture = digest(PICTURE.read_bytes())
    requests = json.dumps([request | {"picture": picture} for request in REQUESTS])
    script = SCRIPT.replace("FOLDER", FOLDER.as_uri()).replace("REQUESTS", requests)
    families = json.dumps([asdict(family) for family in FAMILIES.values()])
    script = script.replace("FAMILIES", families)
    return [
        Frame(
            written["info"],
            {name: np.reshape(data, shape) for name, (shape, data) in written["tensors"].items()},
        )
        for written in run_script(script)
    ]


def frame_of_torch(request: dict[str, Any]) -> Frame:
    fields = dict(request)
    weights = shipped(cards()[fields.pop("weights")])
    picture = transform(PICTURE.read_bytes(), weights).info["picture"]
    return transform_cached(picture, weights, **fields)


def test_the_page_computes_what_torch_computes() -> None:
    for request, frame in zip(REQUESTS, frames_of_the_page(), strict=True):
        expected = frame_of_torch(request)
        # The steps' corners are drawn from theta.
        names = expected.tensors.keys() - {"steps.corners.st"}
        assert names == frame.tensors.keys()
        for name in names:
            found, target = frame.tensors[name], expected.tensors[name].astype(float)
            assert found.shape == target.shape, name
            is_levels = name.startswith(("input", "output", "maps"))
            tolerance = 1.01 if is_levels else 1e-3 * np.abs(target).max()
            assert np.abs(found - target).max() <= tolerance, name
        for field in ("classes", "predicted", "labels", "transformers", "maps"):
            assert frame.info.get(field) == expected.info.get(field), field
        if "gradient" in request:
            loss = expected.info["gradient"]["loss"]
            assert frame.info["gradient"]["loss"] == pytest.approx(loss, rel=1e-3)


def test_shipped_pictures_are_those_of_their_files() -> None:
    shipped_pictures = load(PICTURES.read_bytes())
    made = make_pictures()
    assert shipped_pictures.keys() == made.keys()
    for name, image in made.items():
        np.testing.assert_allclose(shipped_pictures[name], image, atol=1e-3)
