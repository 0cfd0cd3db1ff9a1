"""The images that are observed while a network of someone's own trains, as it takes them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset

from stnscope.backend.experiment.config import PictureInput
from stnscope.backend.experiment.frames.frame import Array, Label
from stnscope.backend.experiment.limits import MAX_CLASSES, MAX_NAME_LENGTH, MAX_PROBES
from stnscope.backend.experiment.probes.tensor_pictures import (
    MIN_RANGE,
    reduce,
    to_picture,
    to_uint8,
)
from stnscope.backend.experiment.watching.probe_pass import preserving_random_state

DEFAULT_COUNT = 12
"""Images taken from a data set."""
MAX_SCANNED = 2000
"""Images of a data set that are searched for one of each class."""
MAX_INPUT_SIDE = 256
"""Pixels; the pictures of larger images are reduced."""

IMAGES, LABELS = ("image", "pixel_values", "img", "images"), ("label", "labels")
"""The names of images and of labels in a data set of mappings."""

ToPicture = Callable[[Tensor], Tensor]
"""Converts images (N, C, H, W), as the network takes them, to pictures in [0, 1]."""
FromPicture = Callable[[Tensor], Tensor]
"""Converts pictures (N, C, H, W) in [0, 1] to images as the network takes them."""
MAX_LIGHT_ON_DARK = 0.4
"""The mean of pictures of light strokes on black is below this."""


@dataclass(frozen=True, eq=False)
class ProbeImages:
    """N images, as a network takes them and as pictures.

    Attributes:
        images: (N, C, H, W), on the network's device.
        labels: the index of each image's class, None if unknown.
        classes: names of the classes; empty if unknown.
        picture_tensor: (N, C, H, W) in [0, 1], on the CPU.
        pictures: (N, H', W', 1 or 3) uint8; H' and W' are reduced if H or W is large.
        from_picture: converts further pictures; None if that is not known.
    """

    images: Tensor
    labels: tuple[Label, ...]
    classes: tuple[str, ...]
    picture_tensor: Tensor
    pictures: Array
    from_picture: FromPicture | None = None

    @property
    def picture_input(self) -> PictureInput | None:
        """What a picture is fitted to for the network; None if it takes no single picture."""
        _, channels, height, width = self.picture_tensor.shape
        if self.from_picture is None or channels not in (1, 3):
            return None
        is_light_on_dark = channels == 1 and bool(self.picture_tensor.mean() < MAX_LIGHT_ON_DARK)
        return PictureInput(
            height=height,
            width=width,
            channels=1 if channels == 1 else 3,
            light_on_dark=is_light_on_dark,
        )

    def of_picture(self, picture: Array) -> "ProbeImages":
        """Return a picture as the only probe of the same network.

        Args:
            picture: (H, W, C) uint8, fitted to `picture_input`.
        """
        assert self.from_picture is not None
        unit = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / 255
        with preserving_random_state(self.images.device), torch.no_grad():
            images = self.from_picture(unit.clone()).to(self.images)
        return ProbeImages(
            images=images,
            labels=(None,),
            classes=self.classes,
            picture_tensor=unit,
            pictures=to_uint8(reduce(to_picture(unit), MAX_INPUT_SIDE)),
        )

    @property
    def class_count(self) -> int | None:
        """The number of classes, if their names are known."""
        return len(self.classes) or None


def choose_probes(
    images: Any,
    labels: Any = None,
    *,
    classes: Sequence[str] | None = None,
    count: int | None = None,
    device: torch.device,
    to_pictures: ToPicture | None = None,
    from_pictures: FromPicture | None = None,
) -> ProbeImages:
    """Choose the probes from whatever a training loop has.

    Args:
        images: a tensor or an array (N, C, H, W), one image (C, H, W), a list of either or of
            pictures of PIL, a data set or a data loader.
        labels: indices or names of classes, one for each image; by default those of a data set.
        classes: names of the classes; by default those of a data set that has `classes`, as
            torchvision's do.
        count: number of probes. By default all images of a tensor or list, up to `MAX_PROBES`, and
            `DEFAULT_COUNT` of a data set, one of each class first.
        device: the network's.
        to_pictures: for images that are normalised; by default values outside [0, 1] are scaled by
            the smallest and largest of all probes.
        from_pictures: the inverse, for pictures that are put through the network later; known by
            default where `to_pictures` is not given.

    Raises:
        TypeError: the images are none of these.
        ValueError: there are none, they differ in size, or the labels do not fit.
    """
    with preserving_random_state(device):
        found, found_labels = _load(images, labels, count)
    if not found:
        raise ValueError("There are no images to observe.")
    shapes = sorted({tuple(image.shape) for image in found})
    if len(shapes) > 1:
        raise ValueError(
            f"The images to observe differ in size, {shapes[0]} and {shapes[1]}, so that they make "
            "no batch. Resize them first."
        )
    batch = torch.stack(found)
    given = classes if classes is not None else _classes_of(images)
    names = tuple(str(name)[:MAX_NAME_LENGTH] for name in given)[:MAX_CLASSES]
    indices, names = _index_labels(found_labels, names, len(found))
    with preserving_random_state(device):
        picture_tensor = _to_unit_range(batch.float(), to_pictures)
    return ProbeImages(
        images=batch.to(device),
        labels=indices,
        classes=names,
        picture_tensor=picture_tensor,
        pictures=to_uint8(reduce(to_picture(picture_tensor), MAX_INPUT_SIDE)),
        from_picture=from_pictures or (None if to_pictures else _inverse_of_scaling(batch.float())),
    )


def _classes_of(source: Any) -> Sequence[Any]:
    """Return the names of a data set's classes: torchvision's, Hugging Face's, or none."""
    while isinstance(source, DataLoader | Subset):
        source = source.dataset
    names = getattr(source, "classes", None)
    features = getattr(source, "features", None)
    if names is None and isinstance(features, Mapping):
        names = next(
            (getattr(features[key], "names", None) for key in LABELS if key in features), None
        )
    return names if isinstance(names, list | tuple) else ()


def _load(images: Any, labels: Any, count: int | None) -> tuple[list[Tensor], list[Any]]:
    """Return the chosen images, and their labels; None for a label that is unknown."""
    if isinstance(images, Tensor | np.ndarray) or _is_picture(images):
        batch = _to_tensor(images)
        images = list(batch) if batch.ndim == 4 else [batch]
    if isinstance(images, list | tuple):
        given = _to_list(labels)
        if given is not None and len(given) != len(images):
            raise ValueError(f"There are {len(images)} images and {len(given)} labels.")
        items: Iterator[tuple[Any, Any]] = zip(images, given or [None] * len(images), strict=True)
        limit = min(count or MAX_PROBES, MAX_PROBES)
        chosen = list(items) if len(images) <= limit else _one_of_each_class(items, limit)
    else:
        if labels is not None:
            raise ValueError("The labels of a data set are its own; pass `labels` with a tensor.")
        items = _samples(images)
        chosen = _one_of_each_class(items, min(count or DEFAULT_COUNT, MAX_PROBES))
    return [_to_tensor(image) for image, _ in chosen], [label for _, label in chosen]


def _samples(source: Any) -> Iterator[tuple[Any, Any]]:
    """Iterate over the images of a data set or loader, in order, with their labels."""
    if isinstance(source, DataLoader):
        dataset = source.dataset
        if source.collate_fn is not None and not isinstance(dataset, IterableDataset):
            # One by one, in order: to iterate over the loader would take from its random numbers.
            for index in range(len(dataset)):  # type: ignore[arg-type]
                yield from _unpack_batch(source.collate_fn([dataset[index]]))
            return
        for batch in source:
            yield from _unpack_batch(batch)
    elif isinstance(source, Dataset) and not isinstance(source, IterableDataset):
        yield from (_unpack(source[index]) for index in range(len(source)))  # type: ignore[arg-type]
    elif isinstance(source, Iterable) or hasattr(source, "__getitem__"):
        yield from (_unpack(sample) for sample in source)
    else:
        raise TypeError(
            f"{type(source).__name__} is nothing that images can be taken from. Pass a tensor "
            "(N, C, H, W), a list of pictures, a data set or a data loader."
        )


def _unpack_batch(batch: Any) -> Iterator[tuple[Any, Any]]:
    images, labels = _unpack(batch)
    given = _to_list(labels)
    yield from zip(images, given or [None] * len(images), strict=True)


def _unpack(sample: Any) -> tuple[Any, Any]:
    """Return the image and the label of a sample: a pair, a mapping, or the image alone."""
    if isinstance(sample, Mapping):
        image = next(
            (sample[key] for key in IMAGES if key in sample),
            None,
        )
        if image is None:
            raise TypeError(f"A sample has {', '.join(map(str, sample))}, but no image.")
        return image, next((sample[key] for key in LABELS if key in sample), None)
    if isinstance(sample, tuple | list) and sample:
        return sample[0], sample[1] if len(sample) > 1 else None
    return sample, None


def _one_of_each_class(items: Iterable[tuple[Any, Any]], count: int) -> list[tuple[Any, Any]]:
    """Choose `count` items: the first of each class, then the first of the others."""
    first: dict[Any, tuple[int, tuple[Any, Any]]] = {}
    rest: list[tuple[int, tuple[Any, Any]]] = []
    for position, item in enumerate(islice(items, MAX_SCANNED)):
        key = _class_key(item[1])
        if key is not None and key not in first:
            first[key] = (position, item)
        elif len(rest) < count:
            rest.append((position, item))
        if len(first) >= count or (not first and len(rest) >= count):
            break
    chosen = [*first.values(), *rest][:count]
    return [item for _, item in sorted(chosen, key=lambda pair: pair[0])]


def _class_key(label: Any) -> int | str | None:
    if isinstance(label, Tensor | np.ndarray | np.generic):
        label = label.tolist()
    return label if isinstance(label, int | str) else None


def _is_picture(value: Any) -> bool:
    """Whether a value is a picture of PIL, which need not be installed."""
    return hasattr(value, "convert") and hasattr(value, "getbands")


def _to_tensor(image: Any) -> Tensor:
    """Convert an image to a tensor; pictures and bytes to values in [0, 1], as `ToTensor` does."""
    if isinstance(image, Tensor):
        tensor = image.detach()
    elif _is_picture(image):
        kept = image if image.mode in ("L", "RGB") else image.convert("RGB")
        array = np.array(kept)
        tensor = torch.from_numpy(array if array.ndim == 3 else array[..., None]).permute(2, 0, 1)
    elif isinstance(image, np.ndarray):
        tensor = torch.from_numpy(np.ascontiguousarray(image))
    else:
        raise TypeError(
            f"{type(image).__name__} is not an image: pass tensors, arrays or pictures."
        )
    tensor = tensor.float() / 255 if tensor.dtype == torch.uint8 else tensor
    if tensor.ndim == 2:
        tensor = tensor[None]
    if tensor.ndim not in (3, 4) or 0 in tensor.shape:
        raise ValueError(f"An image of shape {tuple(tensor.shape)} is not (C, H, W).")
    return tensor


def _to_list(labels: Any) -> list[Any] | None:
    if labels is None:
        return None
    return list(labels.tolist() if isinstance(labels, Tensor | np.ndarray) else labels)


def _index_labels(
    labels: Sequence[Any], classes: tuple[str, ...], count: int
) -> tuple[tuple[Label, ...], tuple[str, ...]]:
    """Convert labels to indices of classes; what is neither an index nor a name is left out."""
    plain = [
        label.tolist() if isinstance(label, Tensor | np.ndarray | np.generic) else label
        for label in labels
    ]
    if any(isinstance(label, str) for label in plain):
        names = {label: None for label in plain if isinstance(label, str)}
        classes = classes or tuple(sorted(name[:MAX_NAME_LENGTH] for name in names))
        plain = [classes.index(label) if label in classes else None for label in plain]
    if not all(_is_label(label, classes) for label in plain):
        return (None,) * count, classes
    return tuple(plain), classes


def _is_label(label: Any, classes: Sequence[str]) -> bool:
    if isinstance(label, list):
        return all(label is not None and _is_label(part, classes) for part in label)
    if label is None:
        return True
    limit = len(classes) or MAX_CLASSES
    return isinstance(label, int) and not isinstance(label, bool) and 0 <= label < limit


def _to_unit_range(images: Tensor, to_pictures: ToPicture | None) -> Tensor:
    """Convert images, as a network takes them, to pictures (N, C, H, W) in [0, 1]."""
    images = torch.nan_to_num(images.cpu())
    if to_pictures is not None:
        return to_pictures(images).float().cpu().clamp(0, 1)
    low, high = _range(images)
    return (images - low) / max(high - low, MIN_RANGE)


def _inverse_of_scaling(images: Tensor) -> FromPicture:
    """Return the inverse of what `_to_unit_range` does by default with these images."""
    low, high = _range(torch.nan_to_num(images.cpu()))
    return lambda pictures: pictures * (high - low) + low


def _range(images: Tensor) -> tuple[float, float]:
    """Return the values that represent black and white."""
    low, high = float(images.min()), float(images.max())
    return (0.0, 1.0) if low >= 0 and high <= 1 else (low, high)
