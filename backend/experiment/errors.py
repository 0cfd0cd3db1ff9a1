"""The exceptions of the program as one tree. The server maps each branch to an HTTP status.

StnscopeError
├── InvalidInput           a value is not accepted; names its field
│   ├── RecordingError     a file is not a recording, or damaged
│   │   ├── LaterVersion       it was made by a later version of the program
│   │   ├── RecordingDenied    this user may not read or write it
│   │   └── RecordingUnavailable   it cannot be read at the moment
│   ├── PictureError       a picture cannot be used
│   └── DatasetError       a data set is not available, or damaged; names the file
├── TooLarge               a limit is exceeded
├── AccessDenied           this user may not read or write a file or a folder
├── NotFound               no such run, step, weights, data set or export
│   └── PictureNotFound    no such picture in the cache: it is to be uploaded again
├── Conflict               not possible in the current status; names what is expected
│   └── LockUnavailable    a file system has no locks
├── InsufficientStorage    a quota or the disk is full; names what to delete or enlarge
├── TrainerTimeout         a request to a trainer took no effect in time
├── NotInstalled           a package that this needs is not installed; names the command
└── Unavailable            temporarily not possible; a later attempt may succeed
    └── OutOfMemory        a device has too little memory; names it and what to do
"""

MAX_REASON_LENGTH = 200
"""Characters of an exception's text that a message repeats."""


def printable(text: str) -> str:
    """Return text with what cannot be encoded as UTF-8 written as escapes, such as `\\xe4`.

    Names of files may have any bytes, and texts in files any surrogates.
    """
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()


def shorten_reason(reason: str) -> str:
    """Return an exception's text as the end of a sentence."""
    text = printable(reason).strip().rstrip(".")
    return text if len(text) <= MAX_REASON_LENGTH else f"{text[:MAX_REASON_LENGTH]}..."


class StnscopeError(Exception):
    """Base of all exceptions whose text is meant for the user, and can be sent and printed."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(printable(detail))


class InvalidInput(StnscopeError):
    """A value is not accepted.

    Args:
        detail: what is wrong and what is expected, as a sentence.
        field: the name of the invalid field, if there is one.
    """

    def __init__(self, detail: str, field: str | None = None) -> None:
        super().__init__(detail)
        self.field = field


class RecordingError(InvalidInput):
    """A file is not a recording, or damaged; the text names it and the reason."""


class LaterVersion(RecordingError):
    """A recording was made by a later version of the program; the text names what is unknown."""


class RecordingDenied(RecordingError):
    """This user may not read or write a recording; the text names the file."""


class RecordingUnavailable(RecordingError):
    """A recording cannot be read at the moment, for instance because another program locks it."""


class PictureError(InvalidInput):
    """A picture cannot be used; the text gives the reason and what to do."""


class DatasetError(InvalidInput):
    """A data set is not available, or damaged; the text names the file and what is wrong."""

    def __init__(self, detail: str, field: str | None = "dataset") -> None:
        super().__init__(detail, field)


class TooLarge(StnscopeError):
    """A limit is exceeded; the text names it."""


class AccessDenied(StnscopeError):
    """This user may not read or write a file or a folder; the text names it."""


class NotFound(StnscopeError):
    """There is no such run, step, weights, data set or export."""


class PictureNotFound(NotFound):
    """There is no such picture in the cache: it is to be uploaded again."""

    field = "picture"


class Conflict(StnscopeError):
    """The request is not possible in the current status; the text names what is expected."""


class LockUnavailable(Conflict):
    """A file system has no locks, so that nothing can be recorded on it."""


class InsufficientStorage(StnscopeError):
    """A quota or the disk is full; the text names which, and what to do."""


class TrainerTimeout(StnscopeError):
    """A request to a trainer took no effect in time; the message has what is known."""


class NotInstalled(StnscopeError):
    """A package that this needs is not installed; the text names the command that installs it."""


class Unavailable(StnscopeError):
    """The request is temporarily not possible; a later attempt may succeed."""


class OutOfMemory(Unavailable):
    """A device has too little memory; the text names it and what to do."""
