"""Processes that work in turn: never two at once, clocks that stand still, and what happens when one of them ends."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from scripts.bench import turns
from scripts.bench.turns import PARTS, VARIABLE, Said, Turn, give, in_turn

ROOT = Path(__file__).parents[2]
WORKER = """
import sys
from pathlib import Path
from scripts.bench.turns import PARTS, Turn

name, parts, log = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
turn = Turn()
for part in range(parts):
    with log.open("a") as file:
        file.write(name)
    turn.reached((part + 0.5) / PARTS)  # not yet a turn
    turn.reached((part + 1) / PARTS)
print(name, "is done")
"""


def worker(name: str, parts: int, log: Path, text: str = WORKER) -> tuple[list[str], dict[str, str]]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    return [sys.executable, "-c", text, name, str(parts), str(log)], environ


class TestInTurn:
    def test_one_after_the_other_and_whoever_has_ended_is_passed_over(self, tmp_path: Path) -> None:
        log = tmp_path / "log"
        said = in_turn([worker("a", 3, log), worker("b", 1, log), worker("c", 4, log)], ROOT)
        assert log.read_text() == "abc" + "ac" + "ac" + "c"
        assert [s.out for s in said] == ["a is done\n", "b is done\n", "c is done\n"]
        assert {s.code for s in said} == {0}

    def test_one_that_fails_does_not_stop_the_others(self, tmp_path: Path) -> None:
        log = tmp_path / "log"
        fails = worker("b", 2, log, WORKER.replace("    turn.reached((part + 1)", "    sys.exit('no memory')\n#"))
        said = in_turn([worker("a", 2, log), fails], ROOT)
        assert log.read_text() == "aba"
        assert [(s.code, s.err.strip()) for s in said] == [(0, ""), (1, "no memory")]

    def test_alone_there_is_nobody_to_wait_for(self, tmp_path: Path) -> None:
        assert in_turn([worker("a", 2, tmp_path / "log")], ROOT) == [Said(0, "a is done\n", "")]

    def test_what_interrupts_it_ends_the_processes(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        started = []
        start = turns.subprocess.Popen

        def remembered(*words, **rest):
            started.append(start(*words, **rest))
            return started[-1]

        def interrupted(lines: dict) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(turns.subprocess, "Popen", remembered)
        monkeypatch.setattr(turns, "give", interrupted)
        with pytest.raises(KeyboardInterrupt):
            in_turn([worker("a", 2, tmp_path / "log"), worker("b", 2, tmp_path / "log")], ROOT)
        assert len(started) == 2 and all(process.poll() is not None for process in started)


class Line:
    """A turn comes seven seconds after it was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.handed_over, self.answer = 100.0, 0, b"."
        monkeypatch.setattr("time.perf_counter", lambda: self.now)
        monkeypatch.setattr(turns.socket, "socket", lambda fileno: self)
        monkeypatch.setenv(VARIABLE, "3")

    def sendall(self, data: bytes) -> None:
        self.handed_over += 1

    def recv(self, size: int) -> bytes:
        self.now += 7.0
        return self.answer


class TestTurn:
    def test_the_clock_stands_still_while_others_work(self, monkeypatch: pytest.MonkeyPatch) -> None:
        line = Line(monkeypatch)
        turn = Turn()
        assert turn.now() == 100.0, "the first turn was waited for"
        line.now += 2.0
        turn.reached(1 / PARTS)
        assert turn.now() == 102.0 and line.now == 116.0
        line.now += 0.5
        assert turn.now() == 102.5

    def test_a_turn_is_a_part_of_an_epoch_however_often_it_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        line = Line(monkeypatch)
        turn = Turn()
        seen = []
        for epochs in (0.0, 0.4 / PARTS, 1 / PARTS, 1.9 / PARTS, 3.2 / PARTS, 1.0, 1.0):
            turn.reached(epochs)
            seen.append(line.handed_over)
        assert seen == [0, 0, 1, 1, 2, 3, 3]

    def test_without_others_it_never_waits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv(VARIABLE, raising=False)
        monkeypatch.setattr("time.perf_counter", lambda: 100.0)
        turn = Turn()
        turn.reached(3.0)
        assert turn.now() == 100.0

    def test_without_who_gives_turns_it_does_not_work_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        line = Line(monkeypatch)
        turn = Turn()
        line.answer = b""
        with pytest.raises(RuntimeError, match="gives turns has ended"):
            turn.reached(1.0)


def test_turns_are_given_to_nobody_who_has_hung_up_and_its_end_is_waited_for() -> None:
    class Ends:
        waited = False

        def wait(self) -> int:
            self.waited = True
            return 0

    ours, theirs = socket.socketpair()
    theirs.close()
    process = Ends()
    give({ours: process})  # type: ignore[dict-item]
    assert process.waited
    ours.close()
