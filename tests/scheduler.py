"""Which process runs which tests when several run in parallel: `make test`."""

from pathlib import Path

from xdist.scheduler import LoadScopeScheduling

BROWSERS = 3
"""Processes that have a browser, and a server for its page; to start both takes 10 s of a core."""

_MODULES = sorted(Path(__file__).parent.joinpath("dashboard").glob("test_*.py"))
_BROWSER_OF = {module.name: index % BROWSERS for index, module in enumerate(_MODULES)}


class Scheduler(LoadScopeScheduling):  # type: ignore[misc]
    """Gives tests that share a browser, a server or a cluster to one process.

    Modules of tests of the page are divided among a few processes; those of the server and of
    commands are scheduled one by one, as are all other tests. Larger groups go first.
    """

    def _split_scope(self, nodeid: str) -> str:
        module = Path(nodeid.partition("::")[0])
        if module.parent.name == "dashboard":
            return f"browser {_BROWSER_OF[module.name]}"
        has_server = "server" in module.parts or module.parent.name == "tests"
        return str(module) if has_server else nodeid
