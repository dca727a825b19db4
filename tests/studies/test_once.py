"""Two processes never do the same thing at one time, and a process that dies blocks nobody."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from research.errors import UserError
from research.studies.once import BusyError, heed_failure, locked, why_failed

HOLD = """
import sys, time
from pathlib import Path
from research.studies.once import locked
with locked(Path(sys.argv[1]), "it"):
    print("held", flush=True)
    time.sleep(600)
"""


def hold(file: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(file)], stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "held\n"
    return process


def test_another_process_is_told_and_a_killed_one_blocks_nobody(tmp_path):
    file = tmp_path / "run" / ".lock"
    holder = hold(file)
    try:
        with (
            pytest.raises(BusyError, match=r"gated, seed 1 is being done by another process"),
            locked(file, "gated, seed 1"),
        ):
            pytest.fail("both are in")
    finally:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        if holder.stdout:
            holder.stdout.close()
    assert file.exists(), "a killed process could not tidy up"
    with locked(file, "gated, seed 1"):
        assert file.exists()
    assert not list(file.parent.iterdir()), "nothing is left behind"


def test_nobody_is_in_together(tmp_path):
    """Eight threads come and go while the file is made and removed; each opens it anew, so each is one holder."""
    inside: list[int] = []
    most: list[int] = []
    busy: list[int] = []

    def work(number: int) -> None:
        for _ in range(200):
            try:
                with locked(tmp_path / ".lock", "it"):
                    inside.append(number)
                    most.append(len(inside))
                    inside.remove(number)
            except BusyError:
                busy.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) + len(busy) == 8 * 200, "no other error"
    assert max(most) == 1 and len(most) > 8
    assert not list(tmp_path.iterdir())


def test_an_error_within_lets_go(tmp_path):
    with pytest.raises(ValueError, match="oops"), locked(tmp_path / ".lock", "it"):
        raise ValueError("oops")
    with locked(tmp_path / ".lock", "it"):
        pass


def test_a_directory_that_cannot_be_made_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(UserError, match=r"Cannot write records.*paths\.runs"),
        locked(tmp_path / "file" / ".lock", "it"),
    ):
        pass


def test_what_failed_is_left_or_forgotten(tmp_path):
    record = tmp_path / "record.json"
    assert why_failed(tmp_path) is None
    heed_failure(tmp_path, again=False)
    record.write_text(json.dumps({"status": "finished"}))
    assert why_failed(tmp_path) is None
    heed_failure(tmp_path, again=True)
    assert record.exists()
    record.write_text(json.dumps({"status": "failed", "reason": "the loss is NaN"}))
    assert why_failed(tmp_path) == "the loss is NaN"
    with pytest.raises(UserError, match="the loss is NaN"):
        heed_failure(tmp_path, again=False)
    assert record.exists()
    heed_failure(tmp_path, again=True)
    assert not record.exists()
