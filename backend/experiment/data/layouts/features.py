"""The features of a Hugging Face data set: which columns have the images and the classes.

They are in the metadata of the files' schema, in `dataset_info.json`, or in the YAML at the start
of a data set's card, its README.md. Without torch.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from stnscope.backend.experiment.data.data_errors import requiring
from stnscope.backend.experiment.errors import DatasetError

MAX_CARD_BYTES = 4_000_000
"""Maximum of a file with features; one with a thousand classes has about 50 kB."""
LABELS = ("label", "labels", "fine_label", "class", "target", "digit")
"""Names of the column with the classes: of several, the first of these that there is, and where
no feature identifies them, the only ones."""

Kind = Literal["image", "class", "other"]


@dataclass(frozen=True)
class Feature:
    """What a column has."""

    kind: Kind
    names: tuple[str, ...] | None = None
    """The classes' names, where they are known."""


Features = Mapping[str, Feature]
"""Features by the columns' names."""
ColumnType = Literal["image", "integer", "text", "other"]
"""What a column's values are: an image's file or path, numbers, or texts."""


class DatasetColumns(NamedTuple):
    """The columns that a data set is read from."""

    image: str
    label: str


def parse_features(metadata: object) -> Features:
    """Return the features in what is stored as JSON; none if it has another form."""
    info = metadata.get("info") if isinstance(metadata, Mapping) else None
    features = info.get("features") if isinstance(info, Mapping) else None
    if not isinstance(features, Mapping):
        return {}
    return {str(name): _parse_feature(feature) for name, feature in features.items()}


def _parse_feature(feature: object) -> Feature:
    kind = feature.get("_type") if isinstance(feature, Mapping) else None
    if kind == "Image":
        return Feature("image")
    if kind == "ClassLabel" and isinstance(feature, Mapping):
        return Feature("class", _parse_names(feature.get("names")))
    return Feature("other")


def _parse_names(names: object) -> tuple[str, ...] | None:
    """Return the classes' names, of a list or of a mapping from indices; None if it is neither."""
    if isinstance(names, Mapping):
        by_index = {int(index): str(name) for index, name in names.items()}
        return tuple(by_index.get(index, str(index)) for index in range(len(by_index)))
    if isinstance(names, list) and names:
        return tuple(str(name) for name in names)
    return None


def parse_card(path: Path, configuration: str) -> Features:
    """Return the features in a card's YAML; none if it has none.

    Raises:
        Exception: it cannot be read.
    """
    with path.open("rb") as file:
        text = file.read(MAX_CARD_BYTES).decode(errors="replace")
    if not text.startswith("---"):
        return {}
    content = _load_yaml(text[3:].partition("\n---")[0])
    infos = content.get("dataset_info") if isinstance(content, Mapping) else None
    listed = [info for info in _as_list(infos) if isinstance(info, Mapping)]
    name = configuration or "default"
    named = [info for info in listed if info.get("config_name", name) == name]
    found = [_parse_card_features(info.get("features")) for info in named or listed]
    return found[0] if found else {}


def _parse_card_features(features: object) -> Features:
    return {
        str(each.get("name")): _parse_card_feature(each.get("dtype"))
        for each in _as_list(features)
        if isinstance(each, Mapping)
    }


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _parse_card_feature(kind: object) -> Feature:
    if kind == "image":
        return Feature("image")
    label = kind.get("class_label") if isinstance(kind, Mapping) else None
    if isinstance(label, Mapping):
        return Feature("class", _parse_names(label.get("names")))
    return Feature("other")


def _load_yaml(text: str) -> Any:
    with requiring("pyyaml", "README.md has the names of the classes"):
        import yaml

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        """Reads no references, a few of which expand to any size."""

        def compose_node(self, parent: object, index: object) -> object:
            if self.check_event(yaml.AliasEvent):
                raise ValueError("it has references, which are not read")
            return super().compose_node(parent, index)

    return yaml.load(text, Loader)  # a SafeLoader, which makes no objects of classes


def select_columns(
    features: Features, types: Mapping[str, ColumnType], name: str
) -> DatasetColumns:
    """Return the columns with the images and the classes.

    Args:
        features: what is known of the columns.
        types: what the columns have.
        name: of the data set, for messages.

    Raises:
        DatasetError: there are none.
    """
    listed = ", ".join(list(types)[:8])
    images = [column for column in types if _kind(features, column) == "image"]
    images = images or [column for column in types if types[column] == "image"]
    if not images:
        raise DatasetError(f"{name} has no column with images; it has {listed}.")
    if types[images[0]] not in ("image", "text"):
        raise DatasetError(f"{name} has a column {images[0]} whose values are not images.")
    labels = [column for column in types if _kind(features, column) == "class"]
    labels = _preferred(labels) or labels or _preferred(types)
    labels = [column for column in labels if types[column] in ("integer", "text")]
    if not labels:
        raise DatasetError(
            f"{name} has no column with classes: none has the feature ClassLabel, and none is "
            f"called label; it has {listed}."
        )
    return DatasetColumns(images[0], labels[0])


def _kind(features: Features, column: str) -> Kind:
    return features[column].kind if column in features else "other"


def _preferred(columns: Iterable[str]) -> list[str]:
    return [name for name in LABELS if name in {*columns}]
