"""``research doctor`` as a person types it."""

from __future__ import annotations

import json

import pytest

from research import cli
from research.evaluation.baselines import base

WORDS = ["doctor", "data=simulated", "data.n_users=40", "data.n_items=60", "--json"]


@pytest.fixture
def doctor(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("RESEARCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("WANDB_API_KEY", "very-secret")
    monkeypatch.delenv("HF_TOKEN", raising=False)

    def call(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            cli.main([*words, f"paths.runs={tmp_path / 'runs'}"])
        text = capsys.readouterr()
        return int(stop.value.code or 0), text.out, text.err

    return call


def test_it_says_what_is_there_and_no_secret(doctor):
    code, out, err = doctor(*WORDS)
    said = json.loads(out)
    assert code == 0, err
    assert said["failed"] == 0 and len(said["checks"]["data=simulated"]) == 10
    assert said["secrets"] == {"WANDB_API_KEY": "set", "HF_TOKEN": "not set", "netrc": "absent"}
    assert "very-secret" not in out + err
    assert said["places"]["cache"]["bytes"] is not None and said["places"]["runs"]["free_bytes"] > 0
    assert said["versions"]["torch"] and said["hardware"]["cores"] >= 1


def test_a_failed_check_is_exit_code_1(doctor, monkeypatch):
    count = base.count_better

    def wrong(*arguments, **more):
        better_B, ties_B, candidates_B = count(*arguments, **more)
        return better_B + 1, ties_B, candidates_B

    monkeypatch.setattr(base, "count_better", wrong)
    code, out, err = doctor(*WORDS[:-1])
    assert code == 1 and "FAILS" in out
    assert "research/evaluation/ranks.py" in err and "Undo" in err
