"""Renew the generated parts of docs/: command line, results, layers, messages, scaling.

    python -m tools.docs

The output is the same for each version of Python: `--help` is printed so wide that argparse wraps
nothing, and is laid out here.
"""

import ast
import contextlib
import io
import os
import re
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from pydantic import BaseModel

from benchmarks import scaling
from stnscope.backend.commands.main import EXIT_STATUSES
from stnscope.backend.commands.main import main as run_command
from stnscope.backend.experiment.reproduction.result_tables import build_tables
from stnscope.backend.server.schemas import SERVER_MESSAGES
from stnscope.backend.server.streams.messages import CLIENT_MESSAGES
from tools.results_page import results_page

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
WIDTH = 100
# What a machine's own settings would put into the help.
ENVIRONMENT = {"COLUMNS": "10000", "NO_COLOR": "1", "STNSCOPE_HOME": "HOME"}
UNSET = ("STNSCOPE_DATA", "STNSCOPE_MIRROR", "STNSCOPE_TOKEN", "STNSCOPE_VIEWER_TOKEN")
HEAD = """\
# Command line

Generated from `--help` by `make docs`. After `make run`, the command is `.venv/bin/stnscope`;
`python -m stnscope` is the same command. Runs, and the data sets that were downloaded, lie in the
home folder: `--home`, else `STNSCOPE_HOME`, else your platform's folder for application data.

"""


def command_line() -> str:
    """Return docs/command-line.md."""
    commands = section(help_text(), "commands").partition("\n")[2]  # behind "COMMAND"
    texts = dict(entries(commands))
    pages = [page(name) for name in texts]
    rows = [f"| [`stnscope {name}`](#stnscope-{name}) | {text} |" for name, text in texts.items()]
    table = "\n".join(["| command | does |", "|---|---|", *rows])
    status = EXIT_STATUSES[0].upper() + EXIT_STATUSES[1:] + "."
    return "\n".join([HEAD + textwrap.fill(status, WIDTH) + "\n", table, "", *pages])


def results() -> str:
    """Return docs/results.md."""
    return results_page(build_tables())


def commands() -> dict[str, str]:
    """Return the name of each command and what it does."""
    return dict(entries(section(help_text(), "commands").partition("\n")[2]))  # below "COMMAND"


def page(command: str) -> str:
    """Return the part of the page about one command."""
    text = help_text(command)
    usage, description = text.split("\n\n")[:2]
    # Breaks lines between arguments only: what is in brackets stays together.
    together = re.sub(r"\[.*?\]+", lambda part: part[0].replace(" ", "\0"), usage)
    wrapped = textwrap.fill(
        together.removeprefix("usage: "), WIDTH, subsequent_indent="    ", break_on_hyphens=False
    ).replace("\0", " ")
    rows = [
        f"| `{name}` | {explanation.replace('|', chr(92) + '|')} |"
        for title in ("positional arguments", "options")
        for name, explanation in entries(section(text, title))
        if name != "-h, --help"
    ]
    examples = textwrap.dedent(section(text, "examples")).rstrip()
    return "\n".join(
        [
            f"## stnscope {command}",
            "",
            description,
            "",
            f"```text\n{wrapped}\n```",
            "",
            "| argument | meaning |",
            "|---|---|",
            *rows,
            "",
            f"```text\n{examples}\n```",
            "",
        ]
    )


def help_text(*command: str) -> str:
    """Return what `--help` prints, without the data sets of this machine."""
    printed = io.StringIO()
    with mock.patch.dict(os.environ, ENVIRONMENT), contextlib.redirect_stdout(printed):
        for name in UNSET:
            os.environ.pop(name, None)
        with contextlib.suppress(SystemExit):
            run_command([*command, "--help"])
    text = printed.getvalue().partition("\ndata sets of your own")[0]
    return text.replace("(HOME)", "(your platform's folder for application data)")


def section(text: str, title: str) -> str:
    """Return the lines below a title in a help text; empty if there is no such title."""
    found = re.search(rf"^{title}:\n((?:.+\n)+)", text, re.MULTILINE)
    return found[1] if found else ""


def entries(lines: str) -> Iterator[tuple[str, str]]:
    """Yield each argument in a section of a help text, and its explanation."""
    joined = re.sub(r"\n {6,}", "  ", lines)
    for line in joined.splitlines():
        name, _, explanation = line.strip().partition("  ")
        yield name, explanation.strip()


def with_layers(text: str) -> str:
    """Return docs/architecture.md with the layers that tests hold, Python's and JavaScript's."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = {
        contract["containers"][0]: contract["layers"]
        for contract in contracts["contracts"]
        if contract.get("exhaustive")
    }
    layers["dashboard/assets"] = javascript_layers()
    for name, lines in layers.items():
        title = f"```layers {name}\n"
        block = title + "\n".join(lines) + "\n```"
        text = re.sub(re.escape(title) + r".*?```", block, text, flags=re.DOTALL)
    return text


def javascript_layers() -> list[str]:
    """Return the layers in tests/dashboard/test_modules.py, the highest first."""
    source = (ROOT / "tests" / "dashboard" / "test_modules.py").read_text()
    found = re.search(r"^LAYERS = (\[.*?^\])", source, re.DOTALL | re.MULTILINE)
    assert found, "the test names the layers"
    return [" | ".join(sorted(names)) for names in reversed(ast.literal_eval(found[1]))]


MESSAGES = re.compile(r"(<!-- messages -->\n).*?(<!-- end of messages -->)", re.DOTALL)


def with_messages(text: str) -> str:
    """Return docs/interface.md with the fields of all messages, as their models have them."""
    tables = "".join(
        message_table(model, sender)
        for sender, models in (("client", CLIENT_MESSAGES), ("server", SERVER_MESSAGES))
        for model in models
    )
    return MESSAGES.sub(lambda found: f"{found[1]}\n{tables}{found[2]}", text)


SCALING = re.compile(r"(<!-- scaling -->\n).*?(<!-- end of scaling -->)", re.DOTALL)


def with_scaling(text: str) -> str:
    """Return docs/scaling.md with what was measured, and what is simulated from it."""
    return SCALING.sub(lambda found: f"{found[1]}\n{scaling.tables()}\n\n{found[2]}", text)


def message_table(model: type[BaseModel], sender: str) -> str:
    """Return a title, what the message means, and a table of its fields."""
    schema = model.model_json_schema(mode="serialization")
    fields = dict(schema["properties"])
    title = f"### `{fields.pop('type')['const']}`, from the {sender}"
    description = " ".join(schema.get("description", "").split())
    rows = [
        f"| `{name}` | {type_name(field)} | {field.get('description', '')} |"
        for name, field in fields.items()
    ]
    table = ["| field | type | meaning |", "|---|---|---|", *rows, ""] if rows else []
    return "\n".join([title, "", description, "", *table, ""])


def type_name(schema: dict[str, Any]) -> str:
    """Return a JSON schema's type in words."""
    if "anyOf" in schema:
        return " or ".join(type_name(each) for each in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return " or ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {type_name(schema.get('items', {}))}"
    return str(schema.get("type", "object"))


def main() -> None:
    (DOCS / "command-line.md").write_text(command_line())
    (DOCS / "results.md").write_text(results())
    architecture = DOCS / "architecture.md"
    architecture.write_text(with_layers(architecture.read_text()))
    interface = DOCS / "interface.md"
    interface.write_text(with_messages(interface.read_text()))
    page_on_scaling = DOCS / "scaling.md"
    page_on_scaling.write_text(with_scaling(page_on_scaling.read_text()))


if __name__ == "__main__":
    main()
