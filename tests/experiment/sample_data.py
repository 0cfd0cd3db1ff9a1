"""Small generated copies of data sets, in the layouts in which they are distributed."""

import gzip
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

REAL_DATA = Path(__file__).parents[3] / "shared" / "data"
"""The real data sets, where they are available."""

CSV_HEADERS = {
    "official": "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId",
    "kaggle": "Width,Height,Roi.X1,Roi.Y1,Roi.X2,Roi.Y2,ClassId,Path",
}


def encode_idx(array: NDArray[np.uint8]) -> bytes:
    """Encode an array of bytes as an idx file."""
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return header + array.tobytes()


def write_mnist(folder: Path, counts: dict[str, int], *, gzipped: bool = True) -> Path:
    """Write MNIST's four files with random images."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(1)
    for part, count in counts.items():
        images = generator.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        for stem, array in (("images-idx3", images), ("labels-idx1", labels)):
            data = encode_idx(array)
            path = folder / f"{part}-{stem}-ubyte{'.gz' if gzipped else ''}"
            path.write_bytes(gzip.compress(data) if gzipped else data)
    return folder


def write_cluttered(folder: Path, **changed: NDArray[np.generic] | None) -> Path:
    """Write the npz archive of cluttered MNIST, with changed or (None) missing arrays."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(0)
    arrays: dict[str, NDArray[np.generic] | None] = {}
    for part, count in (("train", 30), ("valid", 20)):
        arrays[f"X_{part}"] = generator.random((count, 1600), dtype=np.float32)
        arrays[f"y_{part}"] = np.arange(count, dtype=np.int32)[:, None] % 10
    arrays |= changed
    path = folder / "clutter.npz"
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})  # type: ignore[arg-type]
    return path


def draw_sign_photo(label: int, track: int, kind: str, size: tuple[int, int] = (30, 40)) -> bytes:
    """Draw a rectangle in its class's colour, with a black margin and the track in a corner."""
    image = Image.new("RGB", size)
    image.paste((40 * label + 60, 90, 200), (5, 6, size[0] - 5, size[1] - 6))
    image.putpixel((0, 0), (0, 0, track))
    file = BytesIO()
    image.save(file, kind)
    return file.getvalue()


def make_gtsrb(layout: str, classes: int = 2, tracks: int = 3, frames: int = 2) -> dict[str, bytes]:
    """Make the benchmark's training files by name; a track's images grow from frame to frame."""
    files: dict[str, bytes] = {}
    lines: dict[str, list[str]] = {}
    for label in range(classes):
        for track in range(tracks):
            for frame in range(frames):
                size = (30 + 10 * frame, 40 + 10 * frame)
                box = f"5{{0}}6{{0}}{size[0] - 6}{{0}}{size[1] - 7}"
                if layout == "official":
                    base = f"GTSRB/Final_Training/Images/{label:05}"
                    name, table = f"{track:05}_{frame:05}.ppm", f"{base}/GT-{label:05}.csv"
                    line = f"{name};{size[0]};{size[1]};{box.format(';')};{label}"
                    path = f"{base}/{name}"
                else:
                    path = f"Train/{label}/{label:05}_{track:05}_{frame:05}.png"
                    table = "Train.csv"
                    line = f"{size[0]},{size[1]},{box.format(',')},{label},{path}"
                kind = "PPM" if layout == "official" else "PNG"
                files[path] = draw_sign_photo(label, track, kind, size)
                lines.setdefault(table, [CSV_HEADERS[layout]]).append(line)
    tables = {table: "\r\n".join([*rows, ""]).encode() for table, rows in lines.items()}
    return files | tables


def write_files(files: dict[str, bytes], folder: Path, *, zipped: bool = False) -> Path:
    """Write files into a folder, or into a zip in it."""
    folder.mkdir(parents=True, exist_ok=True)
    if zipped:
        (folder / "archive.zip").write_bytes(make_zip(files))
        return folder
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def make_zip(files: dict[str, bytes], *, deflated: bool = False) -> bytes:
    """Make a zip of files."""
    buffer = BytesIO()
    method = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def write_image_folder(folder: Path, classes: dict[str, int]) -> Path:
    """Write that many images of several shapes and formats into one folder per class."""
    for label, (name, count) in enumerate(classes.items()):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for index in range(count):
            suffix = ("png", "jpg", "bmp")[index % 3]
            image = Image.new("RGB", (60 + 10 * index, 50), (200 * label, 80, 10 * index))
            image.save(folder / name / f"{index:02}.{suffix}")
    return folder
