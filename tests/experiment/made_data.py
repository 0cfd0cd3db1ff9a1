"""Small made-up copies of data sets, in the layouts in which people have them."""

import gzip
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SHARED = Path(__file__).parents[3] / "shared" / "data"
"""The real ones, where they are at hand."""

HEADS = {
    "official": "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId",
    "kaggle": "Width,Height,Roi.X1,Roi.Y1,Roi.X2,Roi.Y2,ClassId,Path",
}


def idx(array: NDArray[np.uint8]) -> bytes:
    """An idx file of bytes."""
    head = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return head + array.tobytes()


def mnist(folder: Path, counts: dict[str, int], *, packed: bool = True) -> Path:
    """MNIST's four files of so many images."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(1)
    for name, count in counts.items():
        images = draw.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        for stem, array in (("images-idx3", images), ("labels-idx1", labels)):
            data = idx(array)
            path = folder / f"{name}-{stem}-ubyte{'.gz' if packed else ''}"
            path.write_bytes(gzip.compress(data) if packed else data)
    return folder


def photo(label: int, track: int, kind: str, size: tuple[int, int] = (30, 40)) -> bytes:
    """A sign of one colour a class, its track's number in a corner, in a frame of black."""
    image = Image.new("RGB", size)
    image.paste((40 * label + 60, 90, 200), (5, 6, size[0] - 5, size[1] - 6))
    image.putpixel((0, 0), (0, 0, track))
    file = BytesIO()
    image.save(file, kind)
    return file.getvalue()


def gtsrb(layout: str, classes: int = 2, tracks: int = 3, frames: int = 2) -> dict[str, bytes]:
    """The benchmark's training files by name; of each class the second frames are the largest."""
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
                files[path] = photo(label, track, "PPM" if layout == "official" else "PNG", size)
                lines.setdefault(table, [HEADS[layout]]).append(line)
    return files | {table: "\r\n".join([*each, ""]).encode() for table, each in lines.items()}


def written(files: dict[str, bytes], folder: Path, *, packed: bool = False) -> Path:
    """The files in a folder, or in a zip in it."""
    folder.mkdir(parents=True, exist_ok=True)
    if packed:
        (folder / "archive.zip").write_bytes(archive(files))
        return folder
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def archive(files: dict[str, bytes]) -> bytes:
    """The files as a zip."""
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as written:
        for name, data in files.items():
            written.writestr(name, data)
    return made.getvalue()


def own(folder: Path, classes: dict[str, int]) -> Path:
    """Folders of so many pictures each, of different shapes and kinds."""
    for number, (name, count) in enumerate(classes.items()):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for picture in range(count):
            kind = ("png", "jpg", "bmp")[picture % 3]
            image = Image.new("RGB", (60 + 10 * picture, 50), (200 * number, 80, 10 * picture))
            image.save(folder / name / f"{picture:02}.{kind}")
    return folder
