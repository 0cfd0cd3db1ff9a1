"""The user's own weights: a folder of safetensors files, each with its card. Without torch."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from stnscope.backend.experiment.errors import Conflict, InvalidInput, NotFound
from stnscope.backend.experiment.limits import MAX_NAME_LENGTH
from stnscope.backend.experiment.os_errors import display_name, translating_os_errors
from stnscope.models.cards import Card, cards

SUFFIX = ".safetensors"
PICKLE_SUFFIXES = frozenset({".pt", ".pth", ".ckpt", ".bin", ".pkl"})
MAX_CARD_BYTES = 1_000_000

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
        if path.stat().st_size > MAX_CARD_BYTES:
            raise InvalidInput(f"{name} is too large for the card of weights.")
        return _CARD.validate_json(path.read_bytes())
    except FileNotFoundError:
        raise InvalidInput(
            f"The weights need their card, {name}, beside them, or --architecture and --dataset."
        ) from None
    except (OSError, ValidationError) as error:
        reason = error.strerror if isinstance(error, OSError) else error.errors()[0]["msg"]
        raise InvalidInput(f"{name} is not the card of weights: {reason}.") from None


def check_is_no_pickle(path: Path) -> None:
    """Refuse a file that torch's `save` wrote: loading one can run any code.

    Raises:
        InvalidInput: it is one; the text says how to convert it.
    """
    is_pickle = path.suffix.lower() in PICKLE_SUFFIXES
    if not is_pickle and path.is_file():
        with path.open("rb") as file:
            # A zip archive or a pickle; a safetensors file begins with the length of its header.
            is_pickle = file.read(4) in (b"PK\x03\x04", b"\x80\x02ctorch"[:4])
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
