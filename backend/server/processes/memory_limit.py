"""How much memory a process that reads strangers' bytes may take."""

from contextlib import suppress
from pathlib import Path


def limit_memory(more: int) -> None:
    """Lets this process take `more` bytes than it has; what asks for too much gets a MemoryError.

    Where the platform can do that.
    """
    with suppress(ImportError, OSError, ValueError):
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + more
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
