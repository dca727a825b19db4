"""What the three peers' preparation scripts share: the file, a clock, memory, the answer as one JSON object.

They run inside the peers' environments. The clock starts behind the imports.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

NAMES = ["user_id", "item_id", "rating", "timestamp"]
"""Columns of the file, which has tabs between and no header line."""


def measured(prepare: Callable[[Path], int], packages: list[str], ready: str) -> None:
    """Time ``prepare`` on the file that the command line names, and write the answer.

    Args:
        prepare: returns how many rows it has prepared.
        packages: whose versions are stated.
        ready: what there is when it returns.
    """
    answer, path = os.dup(1), Path(sys.argv[1])
    os.dup2(2, 1)  # whatever a library prints goes to stderr
    sys.argv = sys.argv[:1]  # RecBole reads the command line of whoever hosts it
    begin = time.perf_counter()
    rows = prepare(path)
    seconds = time.perf_counter() - begin
    status = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024
    result = {
        "seconds": seconds,
        "peak_bytes": peak,
        "rows": rows,
        "ready": ready,
        "versions": {name: version(name) for name in packages},
    }
    os.write(answer, (json.dumps(result) + "\n").encode())
