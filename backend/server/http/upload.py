"""Uploads, written to disk while they are received: as the whole body, or as part of a form."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import BinaryIO

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect

from stnscope.backend.experiment.errors import InvalidInput

RECORDING_FIELD = "recording"
CHUNK_SIZE = 1024 * 1024
"""Bytes that are gathered before they are written."""

CheckPiece = Callable[[bytes, int], None]


async def receive_file(
    body: AsyncIterator[bytes], content_type: str, target: Path, check: CheckPiece
) -> None:
    """Write the file in a request's body to `target`.

    Args:
        body: the request's body, piece by piece.
        content_type: its content type; a form has the file as its part `RECORDING_FIELD`.
        check: is called in a thread with each piece of the file before it is written, and with the
            number of bytes before it; an exception that it raises ends the upload.

    Raises:
        InvalidInput: the form cannot be read, has no such part, or is incomplete.
    """
    is_form = content_type.lower().startswith("multipart/")
    pieces = _form_file(body, content_type) if is_form else body
    received = 0
    with await asyncio.to_thread(target.open, "xb") as file:
        try:
            async for piece in _chunks(pieces):
                await asyncio.to_thread(_write, file, piece, received, check)
                received += len(piece)
        except ClientDisconnect:
            raise InvalidInput(
                "The connection was closed before the whole file was received."
            ) from None
        await asyncio.to_thread(file.flush)


def _write(file: BinaryIO, piece: bytes, received: int, check: CheckPiece) -> None:
    check(piece, received)
    file.write(piece)


async def _chunks(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the bytes in pieces of at least `CHUNK_SIZE`, except for the last."""
    buffer = bytearray()
    async for piece in pieces:
        buffer += piece
        if len(buffer) >= CHUNK_SIZE:
            yield bytes(buffer)
            buffer.clear()
    yield bytes(buffer)


async def _form_file(body: AsyncIterator[bytes], content_type: str) -> AsyncIterator[bytes]:
    """Yield the content of a form's part `RECORDING_FIELD`, piece by piece."""
    form = _Form()
    boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_header_begin": form.begin_header,
                "on_header_field": form.add_header_name,
                "on_header_value": form.add_header_value,
                "on_header_end": form.end_header,
                "on_part_data": form.add_data,
                "on_part_end": form.end_part,
            },
        )
        async for piece in body:
            parser.write(piece)
            yield form.take_data()
    except FormParserError as error:
        raise InvalidInput(f"This form cannot be read: {error}") from None
    if not form.is_found:
        raise InvalidInput(
            f"Send a recording as the form's file {RECORDING_FIELD!r}, or as the whole body.",
            RECORDING_FIELD,
        )
    if not form.is_complete:
        raise InvalidInput("This form ends before its file does. Send it again.", RECORDING_FIELD)


class _Form:
    """Callbacks for a form's parser that keep the content of the part `RECORDING_FIELD`."""

    def __init__(self) -> None:
        self.is_found = self.is_complete = False
        self._is_inside = False
        self._header = bytearray()
        self._value = bytearray()
        self._data = bytearray()

    def take_data(self) -> bytes:
        """Return the content that was added since the last call."""
        data = bytes(self._data)
        self._data.clear()
        return data

    def begin_header(self) -> None:
        self._header.clear()
        self._value.clear()

    def add_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def add_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def end_header(self) -> None:
        if self._header.lower() == b"content-disposition" and not self.is_found:
            name = parse_options_header(bytes(self._value))[1].get(b"name")
            self.is_found = self._is_inside = name == RECORDING_FIELD.encode()

    def add_data(self, data: bytes, start: int, end: int) -> None:
        if self._is_inside:
            self._data += data[start:end]

    def end_part(self) -> None:
        self.is_complete = self.is_complete or self._is_inside
        self._is_inside = False
