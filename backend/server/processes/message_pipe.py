"""Messages on a pipe between two processes of ours: a JSON object, and bytes that belong to it.

On the pipe: the object's length and the bytes' length, 4 bytes each, little-endian; then both.
"""

import asyncio
import json
import struct
from typing import Any, BinaryIO

Message = tuple[dict[str, Any], bytes]

_LENGTHS = struct.Struct("<II")


def pack(head: dict[str, Any], body: bytes = b"") -> bytes:
    """A message as it goes through the pipe."""
    text = json.dumps(head).encode()
    return _LENGTHS.pack(len(text), len(body)) + text + body


def unpack_from(pipe: BinaryIO) -> Message | None:
    """Waits for a message; None where the pipe has ended, between messages or inside one."""
    lengths = pipe.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    head, body = _LENGTHS.unpack(lengths)
    whole = pipe.read(head + body)
    return (json.loads(whole[:head]), whole[head:]) if len(whole) == head + body else None


async def receive(pipe: asyncio.StreamReader) -> Message:
    """Waits for a message.

    Raises:
        asyncio.IncompleteReadError: the pipe has ended.
    """
    head, body = _LENGTHS.unpack(await pipe.readexactly(_LENGTHS.size))
    return json.loads(await pipe.readexactly(head)), await pipe.readexactly(body)
