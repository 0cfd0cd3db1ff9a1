"""Parse docker-compose.yml and Dockerfile, so that tests run the commands in them."""

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]

Lines = list[tuple[int, str]]


def services() -> dict[str, Any]:
    """Return the services of docker-compose.yml by name."""
    by_name: dict[str, Any] = compose()["services"]
    return by_name


def compose() -> dict[str, Any]:
    """Parse docker-compose.yml, which uses a small subset of YAML.

    Raises:
        ValueError: the file uses YAML outside this subset.
    """
    text = (ROOT / "docker-compose.yml").read_text()
    lines = [(len(line) - len(line.lstrip()), line.strip()) for line in text.splitlines()]
    value, rest = _value([line for line in lines if line[1] and not line[1].startswith("#")])
    if rest or not isinstance(value, dict):
        raise ValueError(f"This YAML is not supported: {rest[:1]}")
    return value


def _value(lines: Lines) -> tuple[Any, Lines]:
    """Return the mapping or list in the first lines, and the lines after it."""
    depth = lines[0][0]
    items: list[Any] = []
    fields: dict[str, Any] = {}
    while lines and lines[0][0] == depth:
        text = lines[0][1]
        if text.startswith("- "):
            item, lines = _entry(depth, text[2:], lines[1:])
            items.append(item)
        elif field := re.fullmatch(r"([\w-]+):(?: (.*))?", text):
            if field[1] in fields:
                raise ValueError(f"{field[1]} is defined twice")
            fields[field[1]], lines = _entry(depth, field[2] or "", lines[1:])
        else:
            raise ValueError(f"This YAML is not supported: {text}")
    if bool(items) == bool(fields):
        raise ValueError("A list or a mapping is expected")
    return items or fields, lines


def _entry(depth: int, text: str, rest: Lines) -> tuple[Any, Lines]:
    """Return the value after a dash or a colon: on the same line, or indented below it."""
    if text == "|":
        block = 0
        while block < len(rest) and rest[block][0] > depth:
            block += 1
        margin = rest[0][0]
        return "\n".join(" " * (d - margin) + line for d, line in rest[:block]), rest[block:]
    if text:
        return _scalar(text), rest
    return _value(rest) if rest and rest[0][0] > depth else (None, rest)


def _scalar(text: str) -> Any:
    if text.startswith("["):
        return [_scalar(part.strip()) for part in text[1:-1].split(",")]
    if text.startswith('"'):
        return json.loads(text)
    if text in ("true", "false"):
        return text == "true"
    if re.match(r"[&*!|>{%@`']|.*( #|: )", text) and not text.startswith("${"):
        raise ValueError(f"This YAML is not supported: {text}")
    return text


def stages() -> dict[str, list[tuple[str, str]]]:
    """Return the instructions of each stage of the Dockerfile, as (INSTRUCTION, arguments)."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    instructions: dict[str, list[tuple[str, str]]] = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        name, _, rest = line.partition(" ")
        if name == "FROM":
            stage = rest.split(" AS ")[1]
            instructions[stage] = []
        instructions[stage].append((name, rest))
    return instructions


def image_command(stage: str) -> list[str]:
    """Return the default command of a stage's image."""
    [command] = [rest for name, rest in stages()[stage] if name == "CMD"]
    words: list[str] = json.loads(command)
    return words


def image_environment(stage: str) -> dict[str, str]:
    """Return the environment variables that a stage sets."""
    settings = " ".join(rest for name, rest in stages()[stage] if name == "ENV")
    return {name: value.strip('"') for name, value in re.findall(r'(\w+)=("[^"]*"|\S+)', settings)}
