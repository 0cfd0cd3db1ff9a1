"""Damages data sets at random, and reads them: what is raised is an error of ours.

    python -m tests.experiment.data.mutations [SECONDS] [SEED]

runs it for that long; a few of the same mutations are made in `test_odd_files`.
"""

import json
import os
import random
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from stnscope.backend.experiment.data import availability, mnist
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.errors import StnscopeError
from tests.experiment import sample_data, stored_data

MNIST_COUNTS = {"train": 30, "t10k": 20}
STORED = ("fruit", "parts", "idx", "binary", "parquet", "arrow")
NAMES = ("gtsrb", "gtsrb-regions", "mnist", "cluttered-40", *STORED)


def write_data_sets(data: Path) -> None:
    """Write a small copy of each data set that is read from files."""
    sample_data.write_mnist(data / "mnist", MNIST_COUNTS)
    sample_data.write_cluttered(data / "cluttered_mnist_40")
    sample_data.write_image_folder(data / "fruit", {"apple": 10, "pear": 10})
    for part, count in (("train", 10), ("val", 2)):
        sample_data.write_image_folder(data / "parts" / part, {"apple": count, "pear": count})
    stored_data.write_idx(
        data / "idx" / "raw", "train", stored_data.labels_of(20, 10), gzipped=True
    )
    stored_data.write_cifar(data / "binary", 10)
    table = stored_data.make_table(stored_data.labels_of(20))
    stored_data.write_parquet(data / "parquet" / "data" / "train.parquet", table)
    stored_data.save_to_disk(data / "arrow" / "train", table)
    files = sample_data.make_gtsrb("official", tracks=2, frames=1)
    (data / "gtsrb").mkdir()
    (data / "gtsrb" / "a.zip").write_bytes(sample_data.make_zip(files, deflated=True))
    sample_data.write_files(files, data / "unpacked")


def mutate(whole: Path, data: Path, generator: random.Random) -> None:
    """Copy the data sets, and damage one file of each; use GTSRB's zip or its unpacked files.

    Two of the user's data sets are copied, for speed.
    """
    shutil.rmtree(data, ignore_errors=True)
    omitted = generator.sample(STORED, len(STORED) - 2)
    shutil.copytree(whole, data, ignore=lambda folder, _: omitted if folder == str(whole) else ())
    if generator.random() < 0.5:
        shutil.rmtree(data / "gtsrb")
        (data / "unpacked").rename(data / "gtsrb")
    else:
        shutil.rmtree(data / "unpacked")
    for folder in sorted(data.iterdir()):
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        tables = [path for path in files if path.suffix == ".csv"]
        _damage(generator.choice(tables or files), generator)


def _damage(path: Path, generator: random.Random) -> None:
    data = bytearray(path.read_bytes())
    match generator.randrange(8):
        case 0:
            del data[generator.randrange(len(data) + 1) :]
        case 1:
            path.unlink()
            path.mkdir()
            return
        case 2:
            at = generator.randrange(len(data) + 1)
            data[at:at] = generator.randbytes(generator.choice((1, 50, 2000)))
        case 3:
            os.rename(
                path, os.fsencode(path) + generator.choice((b"\xe4", b".bak", b".part", b"\n"))
            )
            return
        case 4:
            path.write_bytes(generator.choice((b"", b"PK\3\4", b"\x1f\x8b\x08", b"\0" * 1000)))
            return
        case _:
            # Often in the headers, which are at the start, and at the end of a zip.
            for _ in range(generator.choice((1, 3, 40))):
                at = generator.randrange(len(data))
                if generator.random() < 0.5:
                    at = generator.choice((at % 200, -(at % 400) - 1)) % len(data)
                data[at] = generator.randrange(256)
    path.write_bytes(bytes(data))


def read_all(data: Path) -> Iterator[str]:
    """List and load all data sets; yield `read` or `refused` for each.

    What is raised is an error of ours; anything else is raised again.
    """
    entries = availability.list_datasets(data)
    skipped = availability.list_all(data)[1]
    json.dumps([asdict(entry) for entry in entries.values()], ensure_ascii=False).encode()
    json.dumps([asdict(folder) for folder in skipped], ensure_ascii=False).encode()
    for name in NAMES:
        if name in STORED and not (data / name).exists():
            continue
        try:
            availability.inspect_dataset(name, data)
            load(name, data)
        except StnscopeError as error:
            str(error).encode()
            yield "refused"
        else:
            yield "read"


def main() -> None:
    seconds, seed = (int(text) for text in [*sys.argv[1:], "60", "0"][:2])
    generator = random.Random(seed)
    outcomes = {"read": 0, "refused": 0}
    mnist.COUNTS = MNIST_COUNTS
    deadline = time.monotonic() + seconds
    with TemporaryDirectory() as folder:
        write_data_sets(Path(folder) / "whole")
        data = Path(folder) / "data"
        while time.monotonic() < deadline:
            mutate(Path(folder) / "whole", data, generator)
            try:
                for outcome in read_all(data):
                    outcomes[outcome] += 1
            except BaseException:
                with suppress(OSError):
                    shutil.copytree(data, "data.failed", dirs_exist_ok=True)
                raise
    print(outcomes)


if __name__ == "__main__":
    main()
