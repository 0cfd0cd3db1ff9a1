"""The process that evaluates a committee: it loads torch, answers once, ends.

It reads one line of JSON, `{"recordings": [PATH, ...], "data": PATH}`, and writes one: the verdict,
or what `told_errors` makes of why there is none.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from stnscope.backend.experiment.errors import StnscopeError
from stnscope.backend.experiment.inference.committee import evaluate
from stnscope.backend.server.processes.error_codec import tell


def main() -> int:
    asked = json.loads(sys.stdin.readline())
    try:
        verdict = evaluate([Path(path) for path in asked["recordings"]], Path(asked["data"]))
    except StnscopeError as error:
        print(json.dumps(tell(error)), flush=True)
        return 0
    print(json.dumps(asdict(verdict)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
