"""Program that runs the Python code in its first argument, as `python -c` does.

Unlike that, it is forked (see `forking.RUN_CODE`).
"""

import sys

if __name__ == "__main__":
    code = sys.argv.pop(1)
    exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})
