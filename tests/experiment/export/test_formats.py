"""Files of every form, each opened by a program other than the one that made it."""

import csv
import json
import re
import sqlite3
import struct
from base64 import b64decode
from io import BytesIO, StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args
from xml.etree import ElementTree

import av
import numpy as np
import pypdfium2
import pytest
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load

from stnscope.backend.experiment.errors import (
    Conflict,
    InsufficientStorage,
    InvalidInput,
    NotFound,
    NotInstalled,
    StnscopeError,
)
from stnscope.backend.experiment.export import sheet
from stnscope.backend.experiment.export.animation import draw_frames
from stnscope.backend.experiment.export.export import export
from stnscope.backend.experiment.export.figure import (
    CONTROL_COLOUR,
    Dot,
    FigureImage,
    Line,
    clip,
    compute_figure,
)
from stnscope.backend.experiment.export.formats import FORMATS
from stnscope.backend.experiment.export.options import ExportOptions, FormatName
from stnscope.backend.experiment.export.plan import plan
from stnscope.backend.experiment.export.preview import preview
from stnscope.backend.experiment.export.snapshot import Snapshot
from stnscope.backend.experiment.recording.reader import Recording
from stnscope.backend.experiment.recording.records import Checkpoint
from stnscope.backend.experiment.recording.writer import RecordingWriter
from stnscope.backend.experiment.watching.export_run import export_run
from stnscope.backend.server.runs import example_path
from tests.exports import PHOTO, Pixels, Record, exported, frame

CHECKPOINT = Checkpoint(
    4,
    0,
    {},
    {"model.fc.weight": np.ones((2, 3), np.float32), "optimiser.x": np.zeros(1, np.float32)},
)
COMMAND = "stnscope export run --format"


def turned(step: int, **options: Any) -> Any:
    """Return a frame whose region turns and whose output is a photo."""
    return frame(
        step,
        channels=3,
        corners=((4.0 + step, 2.0), (44.0, 4.0 + step), (44.0 - step, 46.0), (2.0, 44.0 - step)),
        output=PHOTO[:, :28, :28] // (1 + step),
        **options,
    )


def drawn(recording: Recording | Snapshot, options: ExportOptions) -> list[Pixels]:
    """Return the frames as they were before they were encoded."""
    cut = Snapshot(recording)
    return [layers.flatten() for layers in draw_frames(cut, plan(cut, options))]


def psnr(originals: list[Pixels], shown: list[Pixels]) -> float:
    difference = np.stack(originals).astype(float) - np.stack(shown)
    return float(10 * np.log10(255**2 / np.square(difference).mean()))


@pytest.mark.parametrize("name", get_args(FormatName))
def test_format_writes_a_file(record: Record, name: FormatName) -> None:
    written = record(frame(0), frame(4), checkpoint=CHECKPOINT)
    assert exported(written, ExportOptions(format=name))


@pytest.mark.parametrize("name", get_args(FormatName))
def test_preview_says_what_a_file_will_be(record: Record, name: FormatName) -> None:
    written = record(*(turned(step) for step in range(12)), checkpoint=CHECKPOINT)
    options = ExportOptions(format=name, first=0)
    data, shown = exported(written, options), preview(written, options)
    assert len(data) / 2 < shown.bytes < len(data) * 2
    assert (shown.image is not None) == (FORMATS[name].kind != "data")
    assert shown.rows == (len(rows(data)) if name == "csv" else None)
    assert (shown.width is not None) == (FORMATS[name].kind in ("animation", "still"))
    assert (shown.seconds is not None) == (FORMATS[name].kind == "animation")
    assert shown.frames == {"svg": 1, "pdf": 1, "safetensors": None}.get(name, 12)


@pytest.mark.parametrize("name", get_args(FormatName))
@pytest.mark.parametrize("change", ["goes on", "is stopped", "is thinned", "is deleted"])
@pytest.mark.seconds
def test_run_that_changes_meanwhile_is_exported_as_it_was_or_refused(
    record: Record, tmp_path: Path, name: FormatName, change: str
) -> None:
    """Until a row of the file is read, and after: the file is whole, or there is none."""
    written = record(*(frame(step) for step in range(6)), checkpoint=CHECKPOINT)
    target = tmp_path / "out" / "file"
    target.parent.mkdir()
    changed: list[str] = []

    def alter(*_: int) -> None:
        if changed:
            return
        changed.append(change)
        if change == "goes on":
            record(frame(6), frame(7))
        elif change == "is stopped":
            with RecordingWriter.open(written.path) as writer, writer.transaction():
                writer.add_frame(frame(6), attempt=0, kept=True)
                writer.add_step(6, 0, {"loss": 1.0})
                writer.update(status="stopped", step=6)
        elif change == "is thinned":
            with sqlite3.connect(written.path) as connection:
                connection.execute("DELETE FROM frames WHERE step IN (1, 3)")
        else:
            for suffix in ("", "-wal", "-shm"):
                Path(f"{written.path}{suffix}").unlink(missing_ok=True)

    options = ExportOptions(format=name, first=0)
    if change == "is deleted" and name == "stnscope":
        alter()
        with pytest.raises(StnscopeError):
            export(written, options, target)
        assert not list(target.parent.iterdir())
        return
    export(written, options, target, alter)
    assert changed
    assert [path.name for path in target.parent.iterdir()] == ["file"]
    data = target.read_bytes()
    count = 4 if change == "is thinned" else 6
    if name == "npz":
        with np.load(BytesIO(data)) as arrays:
            assert len(arrays["step"]) == count
    elif name == "csv":
        assert len(rows(data)) == 4 * count
    elif name in ("gif", "apng", "webp"):
        with Image.open(BytesIO(data)) as image:
            assert getattr(image, "n_frames", 1) == count


@pytest.mark.parametrize("name", ["gif", "apng", "webp"])
def test_animation_of_one_frame(record: Record, name: FormatName) -> None:
    written = record(turned(0), turned(4))
    options = ExportOptions(format=name, last=0, frames=1)
    with Image.open(BytesIO(exported(written, options))) as image:
        image.load()
        assert "run" in str(image.info)
        shown = np.array(image.convert("RGB"))
    (original,) = drawn(written, options)
    assert np.abs(shown.astype(int) - original).mean() < 40
    assert shown.shape == original.shape


def test_rows_name_options_that_exist() -> None:
    assert ExportOptions().format in FORMATS
    for row in FORMATS.values():
        assert set(row.options) <= ExportOptions.model_fields.keys() - {"format"}
        assert row.description.endswith(".")


@pytest.mark.parametrize("layout", ["evolution", "stage"])
def test_apng_is_exact(record: Record, layout: Any) -> None:
    written = record(*(turned(step) for step in (0, 2, 4)))
    options = ExportOptions(
        format="apng", layout=layout, fps=30, first=0, layers="dots,outline,mesh,trail"
    )
    with Image.open(BytesIO(exported(written, options))) as image:
        frames, delays = [], []
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            frames.append(np.array(image.convert("RGB")))
            delays.append(image.info["duration"])
        assert np.array_equal(np.stack(frames), np.stack(drawn(written, options)))
        assert delays == [30, 40, 30]
        texts = image.text  # type: ignore[attr-defined]
    assert texts["Title"] == "Run run, steps 0 to 4, seed 7."
    assert texts["Comment"].startswith(f"{COMMAND} apng")
    assert json.loads(texts["Configuration"])["seed"] == 7


def test_webp_states_its_error(record: Record) -> None:
    written = record(*(turned(step) for step in (0, 2, 4)))
    options = ExportOptions(format="webp", first=0, fps=10)
    with Image.open(BytesIO(exported(written, options))) as image:
        shown, total = [], 0
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            image.load()
            total += image.info["duration"]
            shown.append(np.array(image.convert("RGB")))
        xmp = image.info["xmp"].decode()
    assert total == 300
    stated = re.search(r"PSNR: ([\d.]+) dB", xmp)
    assert stated
    assert float(stated[1]) == pytest.approx(psnr(drawn(written, options), shown), abs=0.06)
    assert f"Command: {COMMAND} webp" in xmp


def boxes(data: bytes) -> list[bytes]:
    """Return the types of an MP4 file's boxes, in order."""
    types, start = [], 0
    while start < len(data):
        length, kind = struct.unpack_from(">I4s", data, start)
        types.append(kind)
        start += length
    return types


def test_mp4_plays_everywhere(record: Record) -> None:
    """H.264 in yuv420p of an even size, its index first, each frame repeated for its delay."""
    written = record(*(turned(step) for step in (0, 2, 4)))
    options = ExportOptions(format="mp4", width=219)
    data = exported(written, options)
    kinds = boxes(data)
    assert kinds.index(b"moov") < kinds.index(b"mdat")
    with av.open(BytesIO(data), "r") as file:
        stream = file.streams.video[0]
        context = stream.codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        assert context.width == 220
        assert context.height % 2 == 0
        comment = file.metadata["comment"]
        decoded: list[Any] = [each.to_ndarray(format="rgb24") for each in file.decode(video=0)]
    # Half a second each, the last for one and a half.
    assert len(decoded) / float(stream.average_rate or 0) == 2.5
    originals = drawn(written, options)
    height, width = originals[0].shape[:2]
    shown = [each[:height, :width] for each in decoded]
    tenths = len(decoded) // 25
    expected = [originals[min(2, number // (5 * tenths))] for number in range(len(decoded))]
    for number, picture in enumerate(shown):
        nearest = max(range(3), key=lambda each: psnr([originals[each]], [picture]))
        assert originals[nearest] is expected[number]
    assert f"Command: {COMMAND} mp4 --width 219" in comment
    stated = re.search(r"PSNR: ([\d.]+) dB", comment)
    assert stated
    assert float(stated[1]) == pytest.approx(psnr(expected, shown), abs=0.06)


def test_mp4_without_its_encoder_names_the_command(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(NotInstalled, match=re.escape('pip install "stnscope[video]"')):
        exported(record(frame(0)), ExportOptions(format="mp4"))


def test_seconds_are_the_duration_of_all_frames(record: Record) -> None:
    written = record(*[frame(step) for step in range(7)])
    options = ExportOptions(first=0, seconds=2)
    assert plan(Snapshot(written), options).seconds == 2
    with av.open(BytesIO(exported(written, options.model_copy(update={"format": "mp4"})))) as file:
        stream = file.streams.video[0]
        assert stream.frames / float(stream.average_rate or 0) == pytest.approx(2, rel=1e-3)
    wrong: dict[str, Any]
    for wrong in ({"seconds": 2, "fps": 3}, {"seconds": 0.1}):
        with pytest.raises(InvalidInput) as caught:
            exported(written, ExportOptions(first=0, **wrong))
        assert caught.value.field == "seconds"


def test_png_is_a_sheet_of_all_frames_or_the_last_one(record: Record) -> None:
    written = record(*(turned(step) for step in (0, 2, 4)))
    frames = drawn(written, ExportOptions())
    height, width = frames[0].shape[:2]
    with Image.open(BytesIO(exported(written, ExportOptions(format="png")))) as image:
        pixels = np.array(image)
        assert image.text["Title"] == "Run run, steps 0 to 4, seed 7."  # type: ignore[attr-defined]
    assert np.array_equal(pixels[:height, :width], frames[0])
    assert np.array_equal(pixels[-height:, -width:], frames[-1])
    poster = ExportOptions(format="png", still="poster")
    with Image.open(BytesIO(exported(written, poster))) as image:
        assert np.array_equal(np.array(image), frames[-1])


def test_width_is_exact(record: Record) -> None:
    written = record(turned(0), turned(4))
    for layout in ("evolution", "stage", "one"):
        options = ExportOptions(format="png", still="poster", layout=layout, width=777)
        with Image.open(BytesIO(exported(written, options))) as image:
            assert image.width == 777
    refused: list[dict[str, Any]] = [{"width": 3000}, {"width": 400, "scale": 2}]
    for wrong in refused:
        with pytest.raises(InvalidInput) as caught:
            exported(written, ExportOptions(**wrong))
        assert caught.value.field == "width"


def test_svg_has_shapes_and_the_images_own_pixels(record: Record) -> None:
    written = record(turned(0), turned(4))
    root = ElementTree.fromstring(exported(written, ExportOptions(format="svg", samples=2)))
    namespace = "{http://www.w3.org/2000/svg}"
    images = root.findall(f"{namespace}image")
    assert len(images) == 2 * 3
    with Image.open(BytesIO(b64decode(images[0].attrib["href"].partition(",")[2]))) as image:
        assert np.array_equal(np.array(image), PHOTO[0])
    assert all("pixelated" in image.attrib["style"] for image in images)
    # 7 lines each way, an outline, 4 corners, of which one is a square; and the white ground.
    counts = {"polyline": 28, "polygon": 2, "circle": 6, "rect": 3}
    assert {name: len(root.findall(namespace + name)) for name in counts} == counts
    scale = float(images[1].attrib["width"]) / 48
    polygon = root.findall(f"{namespace}polygon")[0].attrib["points"].split()[0]
    x, y = map(float, polygon.split(","))
    left, top = (float(images[1].attrib[axis]) for axis in "xy")
    assert (x - left, y - top) == pytest.approx((8 * scale, 2 * scale), abs=0.01)
    assert root.findtext(f"{namespace}title") == "Run run, step 4, seed 7."


def test_pdf_has_vectors_and_an_embedded_font(record: Record) -> None:
    written = record(turned(0), turned(4))
    data = exported(written, ExportOptions(format="pdf", samples=2, width=300))
    with pypdfium2.PdfDocument(data) as document:
        page = document[0]
        assert page.get_width() == pytest.approx(300)
        assert document.get_metadata_value("Title") == "Run run, step 4, seed 7."
        assert document.get_metadata_value("Subject").startswith(f"{COMMAND} pdf")
        kinds = [each.type for each in page.get_objects(max_depth=3)]
        text = page.get_textpage().get_text_bounded()
        picture = np.asarray(page.render(scale=4).to_pil())
    raw = pypdfium2.raw
    assert kinds.count(raw.FPDF_PAGEOBJ_IMAGE) == 2 * 3
    assert kinds.count(raw.FPDF_PAGEOBJ_PATH) == 2 * (14 + 1 + 4)
    assert "predicted" in text
    assert b"/FontFile2" in data
    assert b"Helvetica" not in data  # a font that is named and not embedded
    orange = (picture == sheet.FIRST_COLOUR).all(axis=2)
    assert orange.sum() > 20


def rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(data.decode())))


def test_tables_have_the_numbers_of_the_frames(record: Record) -> None:
    written = record(turned(0, probes=2), turned(4), turned(4, lap=0))
    table = rows(exported(written, ExportOptions(format="csv")))
    assert len(table) == 3 * 4
    last = table[-1]
    assert (last["run"], last["step"], last["lap"], last["probe"]) == ("run", "4", "0", "3")
    assert float(last["corners.st.top_left.x"]) == 8
    assert np.float32(last["theta.st.5"]) == np.float32(0.4)
    assert last["predicted"] == "no entry"
    # A probe that was added later has no numbers before.
    assert [row["theta.st.0"] for row in table[:4]] == ["0.0", "0.0", "", ""]
    grids = rows(exported(written, ExportOptions(format="csv", table="grids", first=4, probes="1")))
    assert len(grids) == 49
    assert (float(grids[6]["x"]), float(grids[6]["y"])) == (44, 8)
    with pytest.raises(Conflict, match="metrics"):
        exported(written, ExportOptions(format="csv", table="metrics"))
    assert json.loads(table[0]["configuration"])["seed"] == 7
    assert table[0]["command"] == f"{COMMAND} csv"
    assert (last["configuration"], last["command"]) == ("", "")


def test_lines_of_a_figure_end_beside_its_image(record: Record) -> None:
    low, high = np.zeros(2), np.full(2, 10.0)
    assert clip([(1.0, 1.0), (9.0, 1.0), (9.0, 9.0)], low, high) == [
        [(1.0, 1.0), (9.0, 1.0), (9.0, 9.0)]
    ]
    assert clip([(5.0, 5.0), (15.0, 5.0), (15.0, 8.0), (5.0, 8.0)], low, high) == [
        [(5.0, 5.0), (10.0, 5.0)],
        [(10.0, 8.0), (5.0, 8.0)],
    ]
    assert clip([(-5.0, 11.0), (15.0, 11.0)], low, high) == []
    far = ((-90.0, 4.0), (90.0, 4.0), (90.0, 44.0), (-90.0, 44.0))
    figure, described = compute_figure(record(frame(0, corners=far)), ExportOptions(samples=1))
    assert described.title == "Run run, step 0, seed 7."
    images = [shape for shape in figure.shapes if isinstance(shape, FigureImage)]
    lines = [shape for shape in figure.shapes if isinstance(shape, Line)]
    across = [x for line in lines for x, _ in line.points]
    assert min(across) > images[0].x + images[0].width
    assert max(across) < images[2].x


def test_control_points_are_in_a_figure() -> None:
    with Recording.open(example_path("example-spline")) as recording:
        figure, _ = compute_figure(recording, ExportOptions(samples=1))
    dots = [shape for shape in figure.shapes if isinstance(shape, Dot)]
    assert {dot.fill for dot in dots} == {sheet.FIRST_COLOUR, (255, 255, 255), CONTROL_COLOUR}


def test_arrays_load_without_pickle(record: Record) -> None:
    written = record(turned(0, probes=2), turned(4))
    data = exported(written, ExportOptions(format="npz"))
    with np.load(BytesIO(data), allow_pickle=False) as arrays:
        assert arrays["step"].tolist() == [0, 4]
        assert arrays["lap"].tolist() == [-1, -1]
        assert arrays["corners.st"].shape == (2, 4, 4, 2)
        assert np.isnan(arrays["theta.st"][0, 2:]).all()
        assert np.array_equal(arrays["grid.st"][1], turned(4).tensors["grid.st"])
        assert arrays["probabilities"].shape == (2, 4, 2)
        assert str(arrays["command"]).startswith(f"{COMMAND} npz")
        assert json.loads(str(arrays["classes"])) == ["no entry", "stop"]


def test_checkpoint_has_the_weights_alone(record: Record, tmp_path: Any) -> None:
    written = record(frame(0), frame(4), checkpoint=CHECKPOINT)
    data = exported(written, ExportOptions(format="safetensors"))
    assert {name: tensor.tolist() for name, tensor in load(data).items()} == {
        "fc.weight": [[1.0] * 3] * 2
    }
    (tmp_path / "weights").write_bytes(data)
    with safe_open(tmp_path / "weights", "np") as file:
        assert file.metadata()["step"] == "4"
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    assert list(header["__metadata__"]) == sorted(header["__metadata__"]), "equal runs, equal bytes"
    with pytest.raises(NotFound, match="step 4"):
        exported(written, ExportOptions(format="safetensors", last=3))


def test_recording_opens_elsewhere(record: Record, tmp_path: Any) -> None:
    path = tmp_path / "copy.stnscope"
    path.write_bytes(exported(record(frame(0), frame(4)), ExportOptions(format="stnscope")))
    with Recording.open(path) as copy:
        assert [each.step for each in copy.frames()] == [0, 4]


def test_stage_shows_what_is_requested(record: Record) -> None:
    """Each layer changes the picture; an opaque one only where it is drawn."""
    written = record(*(turned(step) for step in (0, 2, 4)))

    def stage(layers: str) -> Pixels:
        return drawn(written, ExportOptions(layout="stage", layers=layers))[-1]

    names = ["dots", "outline", "mesh", "trail", "inverse"]
    pictures = [stage(name) for name in names] + [stage("dots,outline")]
    for one, other in pairwise(pictures):
        assert (one != other).any()
    orange = (pictures[0] == sheet.FIRST_COLOUR).all(axis=2)
    assert orange.sum() == 4 * 36


def test_one_probe_is_large(record: Record) -> None:
    written = record(turned(0), turned(4))
    options = ExportOptions(layout="one", probes="2")
    layout = plan(Snapshot(written), options).layout
    picture = drawn(written, options)[0]
    rows, columns = layout.input_box(0)
    middle = (rows.start + rows.stop) // 2, (columns.start + columns.stop) // 2
    assert layout.input == (288, 288)
    assert tuple(picture[middle]) == tuple(PHOTO[2, 24, 24])
    with pytest.raises(InvalidInput, match="choose one"):
        plan(Snapshot(written), ExportOptions(layout="one", probes="1,2"))


def test_two_runs_are_side_by_side(record: Record) -> None:
    written = record(turned(0), turned(4))
    options = ExportOptions(layout="stage", compare="other")
    cut = Snapshot(written, written)
    (first, _) = (layers.flatten() for layers in draw_frames(cut, plan(cut, options)))
    half = first.shape[1] // 2
    assert np.array_equal(first[:, :half], first[:, half:])
    with pytest.raises(InvalidInput) as caught:
        exported(written, options)
    assert caught.value.field == "compare"


def test_export_begins_again_when_a_frame_of_it_is_dropped(record: Record) -> None:
    """A recording at its limit drops frames while it is exported; the file has those that stay."""
    written = record(*[frame(step) for step in range(6)])
    reported = []

    def thin(done: int, total: int) -> None:
        reported.append(total)
        if len(reported) == 1:
            with sqlite3.connect(written.path) as connection:
                connection.execute("DELETE FROM frames WHERE step IN (1, 3, 5)")

    with Image.open(BytesIO(exported(written, ExportOptions(first=0), thin))) as image:
        assert getattr(image, "n_frames", 1) == 3
    assert reported[-3:] == [3, 3, 3]


def test_later_frames_and_metrics_are_left_out(record: Record) -> None:
    def add_steps(*steps: int) -> None:
        with RecordingWriter.open(written.path) as writer, writer.transaction():
            for step in steps:
                writer.add_step(step, 0, {"loss": 1.0}, {"gradient": 2.0})

    written = record(frame(0), frame(2))
    add_steps(0, 1, 2)
    cut = Snapshot(written)
    record(frame(4))
    add_steps(3, 4)
    assert [entry.step for entry in cut.frames()] == [0, 2]
    assert len(drawn(cut, ExportOptions())) == 2
    for columns in (cut.metrics(), cut.sampled_metrics(100)):
        assert columns["step"] == [0, 1, 2]
        assert columns["loss"] == [1.0] * 3
        assert columns["scalars"] == {"gradient": [2.0] * 3}
    assert written.metrics()["step"] == [0, 1, 2, 3, 4]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_full_disk_ends_an_export_and_leaves_no_file(record: Record, tmp_path: Path) -> None:
    written, target = record(frame(0)), tmp_path / "out" / "run.gif"
    target.parent.mkdir()
    (target.parent / ".run.gif.part").symlink_to("/dev/full")
    with pytest.raises(InsufficientStorage, match="disk is full"):
        export_run(written.path, target, {})
    assert list(target.parent.iterdir()) == []
