"""One run in a process of its own, because it uses several devices.

Lightning starts the processes of the other devices with the command line of the first, so that command line must be of
this run and of nothing else. What is to be done stands in it as JSON. Lines of JSON on stdout say how it goes; stdin
says nothing, and its end means that who asked is gone, and then so are all processes of the run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from research.errors import UserError

if TYPE_CHECKING:
    from research.training.callbacks import Report


def run_apart(overrides: list[str], said: dict[str, Any], report: Report, announce: Callable[[str], None]) -> None:
    """Do a run of several devices; its record is in its directory afterwards.

    Args:
        overrides: words that compose it.
        said: further arguments of ``research.training.run.run``, fit for JSON.
        report: listener for progress.
        announce: shows a line of text to the user.

    Raises:
        UserError: what the run raised.
        RuntimeError: any other end but a good one.
    """
    from research.training.callbacks import Progress

    command = [sys.executable, "-m", "research.studies.apart", json.dumps([overrides, said])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        kind, content = "", None
        try:
            for line in process.stdout:
                kind, content = _read(line)
                if kind == "progress":
                    report(Progress(**content))
                elif kind == "note":
                    announce(content)
                elif kind:
                    break
        finally:
            process.stdin.close()
    if kind == "wrong":
        raise UserError(content)
    if kind != "done":
        raise RuntimeError(content if kind == "failed" else f"The process died (exit code {process.returncode}).")


def _read(line: str) -> tuple[str, Any]:
    """What a line says; libraries print lines of their own, which say nothing."""
    try:
        said = json.loads(line)
    except ValueError:
        return "", None
    known = isinstance(said, list) and len(said) == 2 and said[0] in ("progress", "note", "done", "wrong", "failed")
    return (said[0], said[1]) if known else ("", None)


def main() -> None:
    """Do the run of the command line; in the processes of the further devices, their part of it."""
    overrides, said = json.loads(sys.argv[1])
    first = os.environ.get("LOCAL_RANK", "0") == "0"
    threading.Thread(target=_end_with_stdin, daemon=True).start()

    def say(kind: str, content: Any = None) -> None:
        if first:
            sys.stdout.write(json.dumps([kind, content]) + "\n")
            sys.stdout.flush()

    from research.training.lean_imports import import_lightning

    import_lightning()
    from research.config import compose
    from research.training.run import run

    try:
        run(
            compose(overrides),
            **said,
            report=lambda progress: say("progress", asdict(progress)),
            announce=lambda line: say("note", line),
        )
    except UserError as error:
        say("wrong", str(error))
        sys.exit(2)
    except Exception:
        say("failed", traceback.format_exc(limit=-3))
        sys.exit(1)
    say("done")


def _end_with_stdin() -> None:
    os.read(0, 1)
    os._exit(1)


if __name__ == "__main__":
    main()
