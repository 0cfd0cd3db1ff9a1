"""The numbers in the documents are those of the program."""

import re

import pytest

from stnscope.backend.experiment import limits
from stnscope.backend.experiment.pictures import cache
from stnscope.backend.experiment.recording import schema
from stnscope.backend.experiment.recording.quota import Quota
from stnscope.backend.experiment.runs import pace, step_recorder
from stnscope.backend.server.deadlines import Deadlines
from stnscope.backend.server.routes import streams
from stnscope.backend.server.settings import Settings
from stnscope.backend.server.streams import client_socket, messages, run_stream
from tests.source_files import ROOT

DOCUMENTS = {
    name: re.sub(
        r"^```.*?^```",
        "",
        (ROOT / "docs" / f"{name}.md").read_text(),
        flags=re.DOTALL | re.MULTILINE,
    )
    for name in ("architecture", "deploying", "interface")
}
WORDS = ("zero", "one", "two", "three", "four")
Q = Quota()

STATEMENTS: list[tuple[str, str, float]] = [
    ("architecture", r"for each run \((\w+) at a time\)", Settings.trainers),
    ("architecture", r"and ends, within (\d+) s", Deadlines.end),
    ("architecture", r"schema.py`; version (\d+)", schema.SCHEMA_VERSION),
    ("architecture", r"up to (\d+) a second", 1 / pace.FRAME_INTERVAL),
    ("architecture", r"written every (\d+) s", step_recorder.CHECKPOINT_INTERVAL),
    ("deploying", r"At most (\d+) viewers", Settings.viewers),
    ("deploying", r"A recording may take (\d+) GB", Q.run / 1e9),
    ("deploying", r"All recordings may take (\d+) GB", Q.home / 1e9),
    ("deploying", r"less than (\d+) MB of the disk", Q.reserve / 1e6),
    ("deploying", r"A picture may have (\d+) MB", limits.MAX_PICTURE_BYTES / 1e6),
    ("deploying", r"and (\d+) megapixels", limits.MAX_PICTURE_PIXELS / 1e6),
    ("interface", r"A body of JSON has (\d+) kB at most", limits.MAX_JSON_BYTES / 1e3),
    ("interface", r"client's message has (\d+) kB at most", limits.MAX_JSON_BYTES / 1e3),
    ("interface", r"keeps the latest (\d+) pictures", cache.MAX_PICTURES),
    ("interface", r"first, within (\d+) seconds", client_socket.HELLO_SECONDS),
    ("interface", r"after (\d+) seconds without", client_socket.HEARTBEAT_SECONDS),
    ("interface", r"A client starts with (\d+)", messages.INITIAL_CREDIT),
    ("interface", r"and has (\d+) at most", messages.MAX_CREDIT),
    ("interface", r"codes: (\d+) without a hello", client_socket.POLICY_VIOLATION),
    ("interface", r"(\d+) when there are too many viewers", streams.TRY_AGAIN_LATER),
    ("interface", r"(\d+) after the run was deleted", run_stream.GOING_AWAY),
]
"""A document, a pattern, and the program's value of the number in its group."""
MEASURED = ("400 MB of memory",)
"""What was measured, and is not set anywhere."""
QUANTITY = re.compile(r"\b\d[\d,.]* (?:GB|MB|kB|megapixels|viewers|pictures|seconds|s|a second)\b")


@pytest.mark.parametrize(("document", "pattern", "value"), STATEMENTS)
def test_number_is_that_of_the_program(document: str, pattern: str, value: float) -> None:
    found = re.findall(pattern, DOCUMENTS[document])
    assert found
    for number in found:
        assert float(WORDS.index(number) if number in WORDS else number) == value


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_quantity_is_compared(document: str) -> None:
    text = DOCUMENTS[document]
    patterns = [pattern for name, pattern, _ in STATEMENTS if name == document]
    spans = [match.span() for each in (*patterns, *MEASURED) for match in re.finditer(each, text)]
    missing = [
        quantity[0]
        for quantity in QUANTITY.finditer(text)
        if not any(first <= quantity.start() < last for first, last in spans)
    ]
    assert missing == []
