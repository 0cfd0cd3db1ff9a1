"""The user's own weights: a folder of safetensors files, each with its card. Without torch."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from stnscope.backend.experiment.errors import Conflict, InvalidInput, NotFound
from stnscope.backend.experiment.limits import MAX_CLASSES, MAX_NAME_LENGTH
from stnscope.backend.experiment.os_errors import display_name, translating_os_errors
from stnscope.models.cards import SUFFIX, Card, cards

PICKLE_SUFFIXES = frozenset({".pt", ".pth", ".ckpt", ".bin", ".pkl"})
MAX_CARD_BYTES = 1_000_000

MAX_TEXT_LENGTH = 1000
"""Characters of each text on a card."""

_CARD = TypeAdapter(Card)


class WeightsFolder:
    """The user's own weights.

    Args:
        folder: where they are kept; it need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        """Return where the weights of a name are kept, whether there are any or not.

        Raises:
            NotFound: there can be none of that name.
        """
        if not is_name(name):
            raise NotFound(f"There are no weights {name[:MAX_NAME_LENGTH]!r}.")
        return self.folder / f"{name}{SUFFIX}"

    def cards(self) -> dict[str, Card]:
        """Return the cards of all that can be read, by name."""
        return {name: card for name, card in self._all() if isinstance(card, Card)}

    def faults(self) -> dict[str, str]:
        """Return why a card cannot be read, as a sentence, by name."""
        return {name: card for name, card in self._all() if isinstance(card, str)}

    def card(self, name: str) -> Card:
        """Return the card of weights.

        Raises:
            InvalidInput: it cannot be read.
        """
        path = self.path(name).with_suffix(".json")
        return replace(read_card(path), name=name)

    def add(self, file: Path, card: Card) -> Path:
        """Copy weights into the folder, with their card; return the copy.

        Raises:
            Conflict: there are weights of that name.
            InvalidInput: the name may not be one.
            StnscopeError: they cannot be written.
        """
        if not is_name(card.name):
            raise InvalidInput(
                f"{card.name!r} cannot be a name: use letters, digits, dots, dashes and "
                f"underscores, {MAX_NAME_LENGTH} at most.",
                "name",
            )
        path = self.path(card.name)
        if card.name in cards() or path.exists():
            raise Conflict(f"There are weights {card.name!r} already; choose another --name.")
        with translating_os_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            text = json.dumps(asdict(card), indent=2, ensure_ascii=False)
            with _removed_on_error(path):
                # Complete before it has its name, so that no one reads a part of it.
                draft = path.with_suffix(".new")
                shutil.copyfile(file, draft)
                path.with_suffix(".json").write_text(f"{text}\n", encoding="utf-8")
                draft.rename(path)
        return path

    def remove(self, name: str) -> None:
        """Remove weights and their card.

        Raises:
            NotFound: there are none of that name.
            Conflict: they ship with the program.
        """
        if name in cards():
            raise Conflict(f"The weights {name!r} ship with the program and cannot be removed.")
        path = self.path(name)
        if not path.exists():
            names = ", ".join(each for each, _ in self._all()) or "none"
            raise NotFound(f"There are no weights {name!r} of yours; there are {names}.")
        with translating_os_errors(path):
            path.unlink()
            path.with_suffix(".json").unlink(missing_ok=True)

    def _all(self) -> Iterator[tuple[str, Card | str]]:
        """Return name, and card or the reason why there is none, of each file of weights."""
        try:
            paths = sorted(self.folder.glob(f"*{SUFFIX}"))
        except OSError:
            return
        for path in paths:
            if not is_name(path.stem) or path.stem in cards():
                continue
            try:
                yield path.stem, self.card(path.stem)
            except InvalidInput as error:
                yield path.stem, str(error)


def is_name(text: str) -> bool:
    """Whether a text can be the name of weights: of a file in the folder, and of nothing else."""
    plain = text.replace("-", "").replace("_", "").replace(".", "")
    return plain.isalnum() and plain.isascii() and text[0] != "." and len(text) <= MAX_NAME_LENGTH


def read_card(path: Path) -> Card:
    """Read a card.

    Raises:
        InvalidInput: there is none, or it is damaged.
    """
    name = display_name(path)
    try:
        # To read a pipe, for instance, would wait for ever.
        if path.exists() and not path.is_file():
            raise InvalidInput(f"{name} is not the card of weights: it is not a file.")
        if path.stat().st_size > MAX_CARD_BYTES:
            raise InvalidInput(f"{name} is too large for the card of weights.")
        card = _CARD.validate_json(path.read_bytes())
    except FileNotFoundError:
        raise InvalidInput(
            f"The weights need their card, {name}, beside them, or --architecture and --dataset."
        ) from None
    except (OSError, ValidationError) as error:
        reason = error.strerror if isinstance(error, OSError) else error.errors()[0]["msg"]
        raise InvalidInput(f"{name} is not the card of weights: {reason}.") from None
    if fault := _fault(card):
        raise InvalidInput(f"{name} is not the card of weights: {fault}.")
    return card


def _fault(card: Card) -> str | None:
    """Return what is wrong with a card whose fields have the right types; None if nothing is."""
    texts = [value for value in asdict(card).values() if isinstance(value, str)]
    if any(len(text) > MAX_TEXT_LENGTH or not text.isprintable() for text in texts):
        return f"a text is longer than {MAX_TEXT_LENGTH} characters, or cannot be printed"
    if not 1 <= len(card.classes) <= MAX_CLASSES:
        return f"it has {len(card.classes)} classes, and 1 to {MAX_CLASSES} are possible"
    if any(len(name) > MAX_NAME_LENGTH or not name.isprintable() for name in card.classes):
        return f"a class has a name that cannot be printed, or above {MAX_NAME_LENGTH} characters"
    if card.accuracy is not None and not 0 <= card.accuracy <= 1:
        return "its accuracy is not between 0 and 1"
    numbers = [card.parameters, card.seed or 0, card.steps or 0]
    if not all(0 <= number < 2**53 for number in numbers):
        return "a number is negative or too large"
    return None


def check_is_no_pickle(path: Path) -> None:
    """Refuse a file that torch's `save` wrote: loading one can run any code.

    Raises:
        InvalidInput: it is one; the text explains how to convert it.
    """
    is_pickle = path.suffix.lower() in PICKLE_SUFFIXES
    if not is_pickle and path.is_file():
        with path.open("rb") as file:
            begin = file.read(4)
            # A zip archive, or a pickle of any protocol; a safetensors file begins with the length
            # of its header, which would be above 2 MB.
            is_pickle = begin == b"PK\x03\x04" or (
                begin[:1] == b"\x80" and begin[1:2] in b"\2\3\4\5" and begin[2:3] >= b" "
            )
    if is_pickle:
        raise InvalidInput(
            f"{display_name(path)} is a pickle, which can run any code when it is loaded. Where "
            "you trust it, convert it: safetensors.torch.save_file(model.state_dict(), "
            f'"{path.stem}{SUFFIX}").'
        )


@contextmanager
def _removed_on_error(path: Path) -> Iterator[None]:
    """Remove the files of weights if the body raises."""
    try:
        yield
    except BaseException:
        for suffix in (SUFFIX, ".json", ".new"):
            path.with_suffix(suffix).unlink(missing_ok=True)
        raise
