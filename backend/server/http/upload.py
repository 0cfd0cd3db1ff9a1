"""A file on its way in, written to disk as it comes: as the whole body, or as a part of a form."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect

from stnscope.backend.experiment.errors import InvalidInput

RECORDING_FIELD = "recording"
AT_ONCE = 1024 * 1024
"""Bytes that are gathered before they are written."""


async def receive(
    body: AsyncIterator[bytes], kind: str, target: Path, look: Callable[[bytes, int], None]
) -> None:
    """Writes the file in a request's body to `target`.

    Args:
        body: the request's, piece by piece.
        kind: its content type; a form has the file as its part `RECORDING_FIELD`.
        look: is shown each piece of the file before it is written, and how many bytes came before
            it; what it raises ends the transfer.

    Raises:
        InvalidInput: the form cannot be read, has no such part, or breaks off.
    """
    pieces = _of_form(body, kind) if kind.lower().startswith("multipart/") else body
    came = 0
    # The event loop waits for no disk.
    with await asyncio.to_thread(target.open, "xb") as file:
        try:
            async for piece in _gathered(pieces):
                look(piece, came)
                came += len(piece)
                await asyncio.to_thread(file.write, piece)
        except ClientDisconnect:
            raise InvalidInput(
                "The connection broke off before all of the file had come."
            ) from None
        await asyncio.to_thread(file.flush)


async def _gathered(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Pieces of at least `AT_ONCE` bytes each, but for the last."""
    waiting = bytearray()
    async for piece in pieces:
        waiting += piece
        if len(waiting) >= AT_ONCE:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)


async def _of_form(body: AsyncIterator[bytes], kind: str) -> AsyncIterator[bytes]:
    """What a form's part `RECORDING_FIELD` holds, piece by piece."""
    form = _Form()
    boundary = parse_options_header(kind)[1].get(b"boundary", b"")
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_header_begin": form.begin_header,
                "on_header_field": form.hear_header,
                "on_header_value": form.hear_value,
                "on_header_end": form.end_header,
                "on_part_data": form.keep,
                "on_part_end": form.end_part,
            },
        )
        async for piece in body:
            parser.write(piece)
            yield form.taken()
    except FormParserError as error:
        raise InvalidInput(f"This form cannot be read: {error}") from None
    if not form.found:
        raise InvalidInput(
            f"Send a recording as the form's file {RECORDING_FIELD!r}, or as the whole body.",
            RECORDING_FIELD,
        )
    if not form.ended:
        raise InvalidInput("This form ends before its file does. Send it again.", RECORDING_FIELD)


class _Form:
    """The parts of a form as the parser comes to them; keeps what belongs to the one wanted."""

    def __init__(self) -> None:
        self.found = self.ended = False
        self._wanted = False
        self._header = bytearray()
        self._value = bytearray()
        self._kept = bytearray()

    def taken(self) -> bytes:
        """What has been kept since it was last asked for."""
        kept = bytes(self._kept)
        self._kept.clear()
        return kept

    def begin_header(self) -> None:
        self._header.clear()
        self._value.clear()

    def hear_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def hear_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def end_header(self) -> None:
        if self._header.lower() == b"content-disposition" and not self.found:
            named = parse_options_header(bytes(self._value))[1].get(b"name")
            self.found = self._wanted = named == RECORDING_FIELD.encode()

    def keep(self, data: bytes, start: int, end: int) -> None:
        if self._wanted:
            self._kept += data[start:end]

    def end_part(self) -> None:
        self.ended = self.ended or self._wanted
        self._wanted = False
