"""Limits on uploads and requests, each defined once.

`GET /api/catalog` serves `LIMITS` as `limits`; the page takes its numbers from there:

    picture_bytes    bytes of a picture's file
    picture_pixels   pixels of a picture
    probes           probes of a run, including added pictures
    epochs           epochs of a run
    supersampling    samples along each side of an output pixel
    export_frames    frames of an exported animation
    export_fps       frames per second of an exported animation
    export_scale     scale of an exported animation
"""

from collections.abc import Mapping

MAX_PICTURE_BYTES = 10_000_000
MAX_PICTURE_PIXELS = 16_000_000
MAX_PROBES = 64
MAX_EPOCHS = 1000
MAX_SUPERSAMPLING = 4
MAX_EXPORT_FRAMES = 300
MAX_EXPORT_FPS = 50
MAX_EXPORT_SCALE = 4

LIMITS: Mapping[str, int] = {
    "picture_bytes": MAX_PICTURE_BYTES,
    "picture_pixels": MAX_PICTURE_PIXELS,
    "probes": MAX_PROBES,
    "epochs": MAX_EPOCHS,
    "supersampling": MAX_SUPERSAMPLING,
    "export_frames": MAX_EXPORT_FRAMES,
    "export_fps": MAX_EXPORT_FPS,
    "export_scale": MAX_EXPORT_SCALE,
}
"""The largest accepted values, by the names under which the catalog serves them."""
