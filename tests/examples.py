"""An example that ships with the program, for tests that need any recording."""

from stnscope.backend.server.runs import example_path

EXAMPLE = "example-digits"
EXAMPLE_PATH = example_path(EXAMPLE)
