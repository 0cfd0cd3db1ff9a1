"""How long a run takes on the server's machine."""

from collections.abc import Mapping
from typing import Any

from stnscope.dashboard.catalog_entries import Entry, by_name

_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"))


def epoch_seconds(catalog: dict[str, Any], dataset: Entry, network: Entry) -> float:
    """Return the duration of an epoch, by this machine's measured throughput."""
    images = dataset["images"] * dataset["repeats"]
    seconds: float = images * network["relative_cost"] / catalog["images_per_second"]
    return seconds


def run_seconds(catalog: dict[str, Any], config: Mapping[str, Any]) -> float:
    """Return the duration of a run whose unset fields have their defaults."""
    datasets, networks = by_name(catalog["datasets"]), by_name(catalog["architectures"])
    dataset = datasets[config.get("dataset", catalog["defaults"]["dataset"])]
    network = networks[config.get("architecture", dataset["architecture"])]
    epochs: int = config.get("epochs", dataset["epochs"][network["name"]])
    return epochs * epoch_seconds(catalog, dataset, network)


def format_duration(seconds: float) -> str:
    """Return an approximate duration in words, such as `about 3 minutes`."""
    for unit, name in _UNITS:
        if seconds >= 1.5 * unit:
            return f"about {round(seconds / unit)} {name}s"
    return "about a second" if seconds < 1.5 else f"about {round(seconds)} seconds"
