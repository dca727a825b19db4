"""A run of a study on two devices: a process of its own that starts the second."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import yaml

from research.studies.choice import Choice
from research.studies.executors.local import Local, side_by_side
from research.studies.run_study import orders, prepare_study, run_missing
from research.studies.study import read_study_file
from research.studies.worker import Message

CONTENT = {
    "question": "Is it the same on two devices?",
    "set": [
        "data=simulated",
        "data.n_users=40",
        "data.n_items=30",
        "data.mean_length=10",
        "width=8",
        "max_length=10",
        "batch_size=16",
        "fusion=sum",
        "trainer.max_epochs=1",
        "trainer.threads=1",
        "trainer.accelerator=cpu",
        "trainer.strategy=ddp",
    ],
    # A step below float32's reach leaves the initial weights, so that both must rank alike to the last bit.
    "arms": {
        "one": ["optimizer.lr=1e-60", "trainer.strategy=auto"],
        "two": ["optimizer.lr=1e-60", "trainer.devices=2"],
        "wild": ["optimizer.lr=1e30", "trainer.devices=2"],
    },
    "seeds": [1],
    "metrics": ["ndcg@10"],
}


def test_two_devices_give_the_bytes_of_one_and_a_failure_has_its_reason(tmp_path: Path):
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(CONTENT, sort_keys=False))
    study = read_study_file(str(tmp_path / "s.yaml"))
    standing = prepare_study(study, [f"paths.runs={tmp_path / 'runs'}", f"paths.cache={tmp_path / 'cache'}"])
    assert [order.threads for order in orders(standing, Choice())] == [1, 2, 2]
    assert side_by_side(orders(standing, Choice())) >= 1
    said: list[Message] = []
    assert run_missing(study, standing, executor=Local(workers=1), tell=lambda _, message: said.append(message)) == 1
    ends = {standing.runs[m.index].label: m for m in said if m.ends}
    assert {label: m.kind for label, m in ends.items()} == {"one": "done", "two": "done", "wild": "failed"}
    assert "optimizer.lr" in ends["wild"].content and "Traceback" not in ends["wild"].content
    assert any(m.kind == "progress" and standing.runs[m.index].label == "two" for m in said)
    records = {r["label"]: r for r in (json.loads(p.read_text()) for p in standing.directory.rglob("record.json"))}
    assert records["wild"]["status"] == "failed" and "optimizer.lr" in records["wild"]["reason"]
    assert records["two"]["config"]["trainer"]["devices"] == 2 and records["two"]["arm"] == {"arm": "two"}
    one, two = (standing.directory / records[arm]["cell"] / "seed-1" / "ranks.parquet" for arm in ("one", "two"))
    assert one != two and one.read_bytes() == two.read_bytes()


def test_a_run_ends_with_those_who_asked_for_it(tmp_path: Path):
    words = [["data=simulated", f"paths.runs={tmp_path}"], {"study": "s"}]
    command = [sys.executable, "-m", "research.studies.apart", json.dumps(words)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        process.stdin.close()
        assert process.wait(timeout=120) == 1
    assert not list(tmp_path.rglob("record.json"))
