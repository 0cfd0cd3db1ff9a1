"""docker-compose.yml and Dockerfile as data, so that tests run what they say and nothing else."""

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]

Lines = list[tuple[int, str]]


def services() -> dict[str, Any]:
    """The services of docker-compose.yml by name."""
    found: dict[str, Any] = compose()["services"]
    return found


def compose() -> dict[str, Any]:
    """docker-compose.yml, read by the part of YAML that it is written in.

    Raises:
        ValueError: it uses something else of YAML.
    """
    text = (ROOT / "docker-compose.yml").read_text()
    lines = [(len(line) - len(line.lstrip()), line.strip()) for line in text.splitlines()]
    value, rest = _value([line for line in lines if line[1] and not line[1].startswith("#")])
    if rest or not isinstance(value, dict):
        raise ValueError(f"This is not read here: {rest[:1]}")
    return value


def _value(lines: Lines) -> tuple[Any, Lines]:
    """The mapping or list that begins here, and what follows it."""
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
                raise ValueError(f"{field[1]} stands there twice")
            fields[field[1]], lines = _entry(depth, field[2] or "", lines[1:])
        else:
            raise ValueError(f"This is not read here: {text}")
    if bool(items) == bool(fields):
        raise ValueError("A list or a mapping is expected")
    return items or fields, lines


def _entry(depth: int, text: str, rest: Lines) -> tuple[Any, Lines]:
    """What stands behind a dash or a colon: on the same line, or below and further in."""
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
        raise ValueError(f"This is not read here: {text}")
    return text


def stages() -> dict[str, list[tuple[str, str]]]:
    """The instructions of each stage of the Dockerfile, as (INSTRUCTION, the rest)."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    found: dict[str, list[tuple[str, str]]] = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        name, _, rest = line.partition(" ")
        if name == "FROM":
            stage = rest.split(" AS ")[1]
            found[stage] = []
        found[stage].append((name, rest))
    return found


def image_command(stage: str) -> list[str]:
    """What an image of this stage runs unless told otherwise."""
    [command] = [rest for name, rest in stages()[stage] if name == "CMD"]
    words: list[str] = json.loads(command)
    return words


def image_environment(stage: str) -> dict[str, str]:
    """What the stage itself adds to the environment."""
    settings = " ".join(rest for name, rest in stages()[stage] if name == "ENV")
    return {name: value.strip('"') for name, value in re.findall(r'(\w+)=("[^"]*"|\S+)', settings)}
