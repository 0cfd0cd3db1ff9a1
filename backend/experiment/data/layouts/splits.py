"""Which part of a data set a file or a folder has, by the words in its name. Without torch."""

import re
from typing import Literal, get_args

Part = Literal["train", "validation", "test"]

PARTS: tuple[Part, ...] = get_args(Part)
WORDS: dict[str, Part] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation", "t10k"), "test"),
}
"""The words that torchvision, ImageNet and Hugging Face use."""


def find_part(name: str) -> Part | None:
    """Return the part that the last known word in a name means; None if there is none.

    The last one, since data sets have names too: `test-prints-train.arrow`.
    """
    words = re.split(r"[^a-z0-9]+", name.lower())
    return next((WORDS[word] for word in reversed(words) if word in WORDS), None)
