"""`python -m stnscope`: the command line."""

import sys

from stnscope.backend.commands.main import main

if __name__ == "__main__":
    sys.exit(main())
