"""SIGKILL at two moments of a study; started again, it ends with the bytes of one that was left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from research.reports.comma import csv_table
from research.reports.latex import latex_table
from research.reports.markdown import markdown_table
from research.reports.rows import read_study, rows
from research.studies.run_study import prepare_study, run_missing
from research.studies.study import read_study_file
from tests.studies.here import Here

CONTENT = {
    "question": "Does it survive?",
    "set": [
        "data=simulated",
        "data.n_users=40",
        "data.n_items=30",
        "data.mean_length=10",
        "width=8",
        "max_length=10",
        "batch_size=16",
        "trainer.max_epochs=8",
        "trainer.patience=8",
        "trainer.threads=1",
        "trainer.accelerator=cpu",
    ],
    "axes": {"fusion": ["long_only", "gated"]},
    "baselines": ["popularity"],
    "seeds": [1, 2],
    "metrics": ["ndcg@10"],
    "baseline": {"fusion": "long_only"},
    "claims": ["gated > long_only on ndcg@10"],
}
COMMAND = "import sys; from research.cli import main; main(sys.argv[1:])"
WITHOUT_WORKERS = """
import os, sys, time
from pathlib import Path
from research.training.lean_imports import import_lightning
from research.studies.run_study import prepare_study, run_missing
from research.studies.study import read_study_file
from tests.studies.here import Here

study = read_study_file(sys.argv[1])
standing = prepare_study(study, sys.argv[2:])
import_lightning()
place = Path(sys.argv[1]).parent
(place / f"ready-{os.getpid()}").touch()
deadline = time.monotonic() + 300
while len(list(place.glob("ready-*"))) < 2 and time.monotonic() < deadline:
    time.sleep(0.01)
run_missing(study, standing, executor=Here(), tell=lambda what, said: print(what.title, said.kind))
"""


def written(root: Path) -> tuple[str, list[str]]:
    """The study's file, and the words that say where things lie."""
    root.mkdir(exist_ok=True)
    if not (root / "mine.yaml").exists():
        (root / "mine.yaml").write_text(yaml.safe_dump(CONTENT, sort_keys=False))
    return str(root / "mine.yaml"), [f"paths.runs={root / 'runs'}", f"paths.cache={root.parent / 'cache'}"]


def start(root: Path, *words: str) -> subprocess.Popen[str]:
    """A command in a process group of its own, ``research study`` if none is named."""
    file, places = written(root)
    command = [sys.executable, "-c", *(words or (COMMAND, "study", "--workers", "1")), file, *places]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    log = (root / "log.txt").open("a")
    with log:
        return subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True, text=True)


def finish(root: Path) -> None:
    code = start(root).wait(timeout=900)
    assert code == 0, (root / "log.txt").read_text()[-3000:]


def records(root: Path) -> dict[Path, tuple[int, bytes]]:
    found = (root / "runs" / "mine").glob("*/seed-*/record.json")
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in found}


def tables(root: Path) -> dict[str, bytes | str]:
    """What a reader gets: tables and the ranks behind them, without the one column that is a clock's."""
    study = root / "runs" / "mine"
    read = read_study(study)
    still = [replace(row, seconds=None) for row in rows(read)]
    ranks = {str(path.relative_to(study)): path.read_bytes() for path in sorted(study.glob("*/seed-*/ranks.parquet"))}
    return {**ranks, "csv": csv_table(still, read), "md": markdown_table(still, read), "tex": latex_table(still, read)}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("killed")


@pytest.fixture(scope="module")
def undisturbed(place: Path) -> dict[str, bytes | str]:
    """One run after the other in this process."""
    file, places = written(place / "undisturbed")
    study = read_study_file(file)
    assert run_missing(study, prepare_study(study, places), executor=Here(), tell=lambda *_: None) == 0
    found = tables(place / "undisturbed")
    assert len(found) == 5 + 3
    return found


def until(condition: Callable[[], bool], process: subprocess.Popen[str], root: Path) -> None:
    deadline = time.monotonic() + 600
    while not condition():
        assert process.poll() is None, f"it ended too soon: {(root / 'log.txt').read_text()[-3000:]}"
        assert time.monotonic() < deadline
        time.sleep(0.02)


def within_a_run(root: Path) -> bool:
    return any((root / "runs" / "mine").glob("*/seed-*/last.ckpt"))


def three_have_ended(root: Path) -> bool:
    return len(records(root)) >= 3


def test_a_killed_study_ends_as_one_that_was_left_alone(undisturbed, place):
    """Killed twice; what had finished is not touched, and nothing is taken for a run that failed."""
    root = place / "disturbed"
    kept: dict[Path, tuple[int, bytes]] = {}
    for moment, kill in (
        (within_a_run, os.kill),  # the first process alone: its worker sees that nobody listens
        (three_have_ended, os.killpg),
    ):
        process = start(root)
        until(lambda moment=moment: moment(root), process, root)
        kill(process.pid, signal.SIGKILL)
        process.wait()
        time.sleep(1)  # a worker that outlives the first process would write its record now
        assert {path: records(root)[path] for path in kept} == kept
        kept = records(root)
        assert all(b'"status": "finished"' in content for _, content in kept.values())
    assert 3 <= len(kept) < 5
    finish(root)
    after = records(root)
    assert len(after) == 5 and {path: after[path] for path in kept} == kept, "a finished run was done again"
    assert tables(root) == undisturbed


def test_two_starts_at_one_time_do_each_run_once(undisturbed, place):
    """On the same directory: a record that is there is never written anew, and both starts end well."""
    root = place / "both"
    both = [start(root, WITHOUT_WORKERS), start(root, WITHOUT_WORKERS)]
    first_seen: dict[Path, tuple[int, bytes]] = {}
    deadline = time.monotonic() + 900
    while any(process.poll() is None for process in both) and time.monotonic() < deadline:
        first_seen = {**records(root), **first_seen}
        time.sleep(0.02)
    assert [process.wait(timeout=1) for process in both] == [0, 0], (root / "log.txt").read_text()[-3000:]
    assert len(records(root)) == 5 and {**records(root), **first_seen} == records(root)
    assert tables(root) == undisturbed
    said = (root / "log.txt").read_text()
    assert "Traceback" not in said and "skipped" in said, "they never met"
