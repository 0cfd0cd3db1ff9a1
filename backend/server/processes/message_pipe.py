"""The messages between a parent and a child process: a JSON object, and its bytes.

On the pipe: the length of the object's text and the number of bytes, each as 4 bytes in
little-endian order; then both.
"""

import asyncio
import json
import struct
from typing import Any, BinaryIO

Head = dict[str, Any]
Message = tuple[Head, bytes]

_LENGTHS = struct.Struct("<II")


def encode_message(head: Head, body: bytes = b"") -> bytes:
    """Return a message as the bytes to write to the pipe."""
    text = json.dumps(head).encode()
    return _LENGTHS.pack(len(text), len(body)) + text + body


def read_message(pipe: BinaryIO) -> Message | None:
    """Wait for a message; return None if the pipe ends, between messages or inside one."""
    lengths = pipe.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    head, body = _LENGTHS.unpack(lengths)
    content = pipe.read(head + body)
    if len(content) < head + body:
        return None
    return json.loads(content[:head]), content[head:]


async def receive_message(pipe: asyncio.StreamReader) -> Message:
    """Wait for a message.

    Raises:
        asyncio.IncompleteReadError: the pipe ended.
    """
    head, body = _LENGTHS.unpack(await pipe.readexactly(_LENGTHS.size))
    return json.loads(await pipe.readexactly(head)), await pipe.readexactly(body)
