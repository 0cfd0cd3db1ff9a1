"""Limits on uploads and requests, each defined once.

`GET /api/catalog` serves `LIMITS` as `limits`; clients may take theirs from there:

    json_bytes       bytes of a JSON body, of JSON in a form's field, and of a WebSocket message
    count            a step, an index or a number of things
    metric_rows      rows of metrics in one response
    picture_bytes    bytes of a picture's file
    picture_pixels   pixels of a picture
    probes           probes of a run, including added pictures
    epochs           epochs of a run
    seed             the seed of a run
    supersampling    samples along each side of an output pixel
    threads          CPU threads of a run
    export_frames    frames of an exported animation
    export_fps       frames per second of an exported animation
    export_scale     scale of an exported animation
    export_width     pixels of its width
    export_seconds   seconds of its duration
    classes          classes of a data set
    dataset_bytes    bytes of a data set's decoded images
    name_length      characters of the name of a data set, a network and so on
    scalars          further metrics of a watched run
    sweep_runs       runs of a sweep
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

MAX_JSON_BYTES = 64_000
MAX_COUNT = 2**53 - 1
"""The largest whole number that is exact in every JSON parser; SQLite's have 64 bits."""
MAX_METRIC_ROWS = 10_000
MAX_PICTURE_BYTES = 10_000_000
MAX_PICTURE_PIXELS = 16_000_000
MAX_PROBES = 64
MAX_TRANSFORMERS = 16
"""Transformers in a frame; of a watched network with more, the first ones are shown."""
MAX_STEPS = 10**12
"""The largest step, epoch or index that is read from a recording."""
MAX_EPOCHS = 1000
MAX_SEED = 2**31 - 1
MAX_SWEEP_RUNS = 500
MAX_SUPERSAMPLING = 4
MAX_THREADS = 64
MAX_EXPORT_FRAMES = 300
MIN_EXPORT_FPS = 0.01
"""A GIF's frame can be shown for 655 seconds at most."""
MAX_EXPORT_FPS = 50
MIN_EXPORT_SCALE = 0.5
MAX_EXPORT_SCALE = 4
MIN_EXPORT_WIDTH = 100
MAX_EXPORT_WIDTH = 3840
MAX_EXPORT_SECONDS = 3600
MAX_CLASSES = 1000
MAX_DATASET_BYTES = 2_000_000_000
"""Maximum of the decoded images of a user's data set, which training keeps in memory."""
MAX_NAME_LENGTH = 64
MAX_SCALARS = 32
"""Further metrics of a loop that is not ours."""
MAX_RATE_FACTORS = 16
"""Parameter groups of such a loop whose learning rate can be changed each for itself."""
MAX_RATE_FACTOR = 1000.0

Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]
"""A step, an index or a number of things."""
PositiveCount = Annotated[int, Field(ge=1, le=MAX_COUNT)]
"""The same, from 1 on."""

LIMITS: Mapping[str, int] = {
    "json_bytes": MAX_JSON_BYTES,
    "count": MAX_COUNT,
    "metric_rows": MAX_METRIC_ROWS,
    "picture_bytes": MAX_PICTURE_BYTES,
    "picture_pixels": MAX_PICTURE_PIXELS,
    "probes": MAX_PROBES,
    "epochs": MAX_EPOCHS,
    "seed": MAX_SEED,
    "supersampling": MAX_SUPERSAMPLING,
    "threads": MAX_THREADS,
    "export_frames": MAX_EXPORT_FRAMES,
    "export_fps": MAX_EXPORT_FPS,
    "export_scale": MAX_EXPORT_SCALE,
    "export_width": MAX_EXPORT_WIDTH,
    "export_seconds": MAX_EXPORT_SECONDS,
    "classes": MAX_CLASSES,
    "dataset_bytes": MAX_DATASET_BYTES,
    "name_length": MAX_NAME_LENGTH,
    "scalars": MAX_SCALARS,
    "sweep_runs": MAX_SWEEP_RUNS,
}
"""The largest accepted values, by the names under which the catalog serves them."""
