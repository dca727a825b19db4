"""Two machines do a share each in directories of their own; copied together it is the whole study."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml

from research import cli

CONTENT = {
    "question": "Is it whole?",
    "set": [
        "data=simulated",
        "data.n_users=40",
        "data.n_items=30",
        "data.mean_length=10",
        "width=8",
        "max_length=10",
        "batch_size=16",
        "trainer.max_epochs=1",
        "trainer.threads=1",
        "trainer.accelerator=cpu",
    ],
    "axes": {"fusion": ["long_only"]},
    "baselines": ["popularity", "recent_popularity", "ease"],
    "seeds": [1],
    "metrics": ["ndcg@10"],
}


@pytest.mark.usefixtures("in_this_process")
def test_shares_copied_together_are_the_study(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(CONTENT, sort_keys=False))

    def research(runs: str, *words: str) -> tuple[int, str]:
        places = [f"paths.runs={tmp_path / runs}", f"paths.cache={tmp_path / 'cache'}"]
        with pytest.raises(SystemExit) as stop:
            cli.main(["study", str(tmp_path / "s.yaml"), *places, "--workers", "1", *words])
        said = capsys.readouterr()
        return int(stop.value.code or 0), said.out + said.err

    code, said = research("first", "--shard", "1/2")
    assert code == 0, said
    assert "[2/2]" in said and set(re.findall(r"\] (\w+), seed 1: NDCG", said)) == {"popularity", "ease"}
    code, said = research("second", "--shard", "2/2")
    assert code == 0 and set(re.findall(r"\] (\w+), seed 1: NDCG", said)) == {"recent_popularity", "long_only"}
    done = {
        runs: {p.parent.parent.name for p in (tmp_path / runs).rglob("record.json")} for runs in ("first", "second")
    }
    assert len(done["first"]) == len(done["second"]) == 2 and not done["first"] & done["second"]
    shutil.copytree(tmp_path / "second", tmp_path / "first", dirs_exist_ok=True)
    code, said = research("first", "--plan")
    assert code == 0 and "4 of 4 runs are done" in said and "Nothing is ahead." in said
    code, said = research("first")
    assert code == 0 and "seed 1:" not in said
    assert all(name in said for name in ("popularity", "recent_popularity", "ease", "long_only"))
