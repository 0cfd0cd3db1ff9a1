"""Numbers outside the backend's Python equal its constants: in documents, settings and modules."""

import re
import tomllib

import pytest

from stnscope.backend.experiment import limits
from stnscope.backend.experiment.catalog import OPTIMISERS
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.frames.frame import LATTICE_SIDE
from stnscope.backend.experiment.pictures.cache import MAX_PICTURES
from stnscope.backend.experiment.pictures.file_format import ACCEPTED_FORMATS
from stnscope.backend.experiment.probes.observe import LAP
from stnscope.backend.experiment.recording.quota import Quota, format_bytes
from stnscope.backend.experiment.recording.schema import SCHEMA_VERSION
from stnscope.backend.experiment.runs.pace import FRAME_INTERVAL
from stnscope.backend.experiment.runs.step_recorder import CHECKPOINT_INTERVAL
from stnscope.backend.server.deadlines import Deadlines
from stnscope.backend.server.processes.imports import (
    MAX_CONCURRENT_UPLOADS,
    SLOW_BYTES_PER_SECOND,
)
from stnscope.backend.server.routes.streams import TRY_AGAIN_LATER
from stnscope.backend.server.settings import Settings
from stnscope.backend.server.streams.client_socket import (
    HEARTBEAT_SECONDS,
    HELLO_SECONDS,
    POLICY_VIOLATION,
)
from stnscope.backend.server.streams.messages import INITIAL_CREDIT, MAX_CREDIT
from stnscope.backend.server.streams.run_stream import GOING_AWAY
from stnscope.backend.server.streams.tail import MAX_MESSAGE_ROWS
from tests.source_files import ROOT

WORDS = {1: "one", 2: "two", 3: "three", 4: "four"}

# For each document: a phrase with the number as its group, and the number.
DOCUMENTED: dict[str, list[tuple[str, object]]] = {
    "README.md": [(r"serves port (\d+)", Settings.port)],
    "docs/contributing.md": [(r"on port (\d+)$", Settings.port)],
    "docs/networks-and-data.md": [
        (r"At most (\d+) classes and", limits.MAX_CLASSES),
        (r"classes and (\d+ GB) of decoded", format_bytes(limits.MAX_DATASET_BYTES)),
        (r"are read: ([\d,]+) in colour", f"{limits.MAX_DATASET_BYTES // (3 * 48 * 48):,}"),
    ],
    "docs/deploying.md": [
        (r"may have (\d+ MB) and", format_bytes(limits.MAX_PICTURE_BYTES)),
        (r"and (\d+) megapixels", limits.MAX_PICTURE_PIXELS // 10**6),
        (r"At most (\d+) viewers", Settings.viewers),
        (r"(\w+) runs train at a time", WORDS[Settings.trainers].capitalize()),
        (r"A recording may take (\d+ GB)", format_bytes(Quota.run)),
        (r"All recordings may take (\d+ GB)", format_bytes(Quota.home)),
        (r"less than (\d+ MB) of the disk", format_bytes(Quota.reserve)),
        (r"A client has (\d+) s to send", f"{Deadlines.header:g}"),
        (r"a body may be (\d+) s late", f"{Deadlines.body:g}"),
        (r"(\w+) recordings are received at a", WORDS[MAX_CONCURRENT_UPLOADS].capitalize()),
        (r"at less than (\d+ kB)/s", format_bytes(int(SLOW_BYTES_PER_SECOND))),
        (r"proxy_pass http://127\.0\.0\.1:(\d+)", Settings.port),
    ],
    "docs/interface.md": [
        (r"keeps the latest (\d+) pictures", MAX_PICTURES),
        (r"over steps, of ([\d,]+) steps at most", f"{limits.MAX_METRIC_ROWS:,}"),
        (r"client lacks, (\d+) at a time", MAX_MESSAGE_ROWS),
        (r"first, within (\d+) seconds", f"{HELLO_SECONDS:g}"),
        (r"after (\d+) seconds without another message", f"{HEARTBEAT_SECONDS:g}"),
        (r"A client starts with (\d+) and", INITIAL_CREDIT),
        (r"and has (\d+) at most", MAX_CREDIT),
        (r"has (\d+ kB) at most", format_bytes(limits.MAX_JSON_BYTES)),
        (r"http://localhost:(\d+)", Settings.port),
        (r"reported within (\d+) s", f"{Deadlines.silence + Deadlines.stall:g}"),
        (r"codes: (\d+) without a hello", POLICY_VIOLATION),
        (r"(\d+) when there are too many viewers", TRY_AGAIN_LATER),
        (r"(\d+) after the run was deleted", GOING_AWAY),
    ],
    "docs/using.md": [(r"end and back: (\d+) steps", LAP)],
    "docs/architecture.md": [
        (r"schema.py`; version (\d+)", SCHEMA_VERSION),
        (r"written every (\d+) s", f"{CHECKPOINT_INTERVAL:g}"),
        (r"for each run \((\w+) at a time\)", WORDS[Settings.trainers]),
        (r"and ends, within (\d+) s", f"{Deadlines.end:g}"),
        (r"and up to (\d+) a second", round(1 / FRAME_INTERVAL)),
        (r"F32 \(N, (\d+), \d+, 2\)", LATTICE_SIDE),
    ],
    "Makefile": [(r"^PORT \?= (\d+)", Settings.port)],
    "CHANGELOG.md": [(r"http://localhost:(\d+)", Settings.port)],
}


@pytest.mark.parametrize(
    ("document", "phrase", "number"),
    [(document, *row) for document, rows in DOCUMENTED.items() for row in rows],
)
def test_documents_have_the_numbers_of_the_constants(
    document: str, phrase: str, number: object
) -> None:
    text = (ROOT / document).read_text()
    assert set(re.findall(phrase, text, re.MULTILINE)) == {str(number)}


QUANTITY = re.compile(r"\b\d[\d,.]* (?:GB|MB|kB|megapixels|viewers|pictures|seconds|s|a second)\b")
MEASURED = {"docs/deploying.md": ("400 MB of memory",)}
"""Quantities that were measured, and are set nowhere."""


@pytest.mark.parametrize(
    "document", ["docs/architecture.md", "docs/deploying.md", "docs/interface.md"]
)
def test_every_quantity_in_a_document_is_compared(document: str) -> None:
    text = re.sub(r"^```.*?^```", "", (ROOT / document).read_text(), flags=re.S | re.M)
    phrases = [phrase for phrase, _ in DOCUMENTED[document]] + list(MEASURED.get(document, ()))
    spans = [match.span() for each in phrases for match in re.finditer(each, text, re.MULTILINE)]
    missing = [
        quantity[0]
        for quantity in QUANTITY.finditer(text)
        if not any(first <= quantity.start() < last for first, last in spans)
    ]
    assert missing == []


def test_documents_list_all_picture_formats() -> None:
    lists = [
        found
        for file in (ROOT / "docs").glob("*.md")
        for found in re.findall(
            r"PNG,(?:, | or | and |\(its first frame\)|\s|\w)+", file.read_text()
        )
    ]
    assert lists
    accepted = set(re.findall(r"\w{2,}", ACCEPTED_FORMATS)) - {"and"}
    for found in lists:
        assert set(re.findall(r"PNG|JPEG|WebP|GIF|BMP|TIFF|AVIF", found)) == accepted, found


def test_uploads_of_the_page_are_limited_as_those_of_the_interface() -> None:
    settings = tomllib.loads((ROOT / "dashboard/.streamlit/config.toml").read_text())
    assert settings["server"]["maxUploadSize"] * 10**6 == limits.MAX_PICTURE_BYTES


def test_the_page_waits_for_three_heartbeats() -> None:
    module = (ROOT / "dashboard/assets/protocol/reconnecting-socket.js").read_text()
    (milliseconds,) = re.findall(r"MAX_SILENCE_MILLISECONDS = (\d+);", module)
    assert int(milliseconds) == 3000 * HEARTBEAT_SECONDS


def test_default_weight_decay_is_that_of_the_default_optimiser() -> None:
    config = RunConfig()
    assert config.weight_decay == OPTIMISERS[config.optimiser].weight_decay
