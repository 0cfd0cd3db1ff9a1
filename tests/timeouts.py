"""The deadline of everything that a test waits for, and the factor that stretches it.

A test that waits longer has failed; no test depends on how much sooner something happens.
`STNSCOPE_TIMEOUT_FACTOR=3 make test` gives a slow machine three times as long.
"""

import os

TIMEOUT_SECONDS = 120 * float(os.environ.get("STNSCOPE_TIMEOUT_FACTOR", "1"))
TIMEOUT_MS = 1000 * TIMEOUT_SECONDS
