"""What can go wrong, as one tree; the server maps each branch to an HTTP status in one place.

StnscopeError
├── InvalidInput      a value is outside what is accepted; names its field
│   ├── RecordingError    a file that is not a recording of ours
│   ├── PictureError      a picture that cannot be used
│   └── DatasetError      a data set that is not at hand, or damaged; names the file
├── TooLarge          over a stated limit
├── NotFound          no such run, step, weights, data set or export
├── Conflict          does not fit the present status; says what was expected
├── InsufficientStorage            a limit or the disk is reached; says what to make room in
└── Unavailable       cannot be served now; trying again later may work
"""


class StnscopeError(Exception):
    """Base of every error raised on purpose. Its text is shown to the user as it is."""


class InvalidInput(StnscopeError):
    """A value outside what is accepted.

    Args:
        detail: what is wrong and what would be right, as a sentence.
        field: the name of the wrong field, where there is one.
    """

    def __init__(self, detail: str, field: str | None = None) -> None:
        super().__init__(detail)
        self.field = field


class RecordingError(InvalidInput):
    """A file that is not a recording, or one of an unknown version."""


class PictureError(InvalidInput):
    """A picture that cannot be used; the text says why and what to do."""


class DatasetError(InvalidInput):
    """A data set that is not at hand, or damaged; the text names the file and what is wrong."""

    def __init__(self, detail: str, field: str | None = "dataset") -> None:
        super().__init__(detail, field)


class TooLarge(StnscopeError):
    """Over a stated limit."""


class NotFound(StnscopeError):
    """No such run, step, weights, data set or export."""


class Conflict(StnscopeError):
    """Does not fit the present status; the text says what was expected."""


class InsufficientStorage(StnscopeError):
    """A limit of ours or the disk is reached; the text says which, and what to do."""


class Unavailable(StnscopeError):
    """Cannot be served now; trying again later may work."""
