"""`research reproduce` from end to end on simulated data, with a paper file of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from research import cli
from research.reports.publish import publish

PAPER = """# Is a simulated row reached?
question: Is a simulated row reached?
source: {paper: Nobody 2026, table: Table 1, read: this test, kind: computed}
data: simulated
protocol: {split: leave-one-out, ranking: full catalogue, seen: scored 0, negatives: avoid the validation and test item}
quirks: [seen_at_zero, negatives_avoid_test]
honest: true
set:
  - data.n_users=40
  - data.n_items=30
  - data.mean_length=10
  - width=8
  - max_length=10
  - batch_size=16
  - trainer.max_epochs=1
  - trainer.threads=1
rows:
  bce: {published: {recall@10: 0.99, ndcg@10: 0.98}, set: [model=sasrec, loss=bce]}
  popular: {set: [baseline=popularity]}
seeds: [1, 2]
"""


@pytest.fixture
def research(capsys, tmp_path: Path, monkeypatch):
    (tmp_path / "own" / "paper").mkdir(parents=True)
    (tmp_path / "own" / "paper" / "mine.yaml").write_text(PAPER)
    monkeypatch.setenv("RESEARCH_CONFIGS", str(tmp_path / "own"))
    monkeypatch.setenv("RESEARCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("RESEARCH_MIRROR", raising=False)
    monkeypatch.setattr("research.console.out.width", 200)
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            cli.main(["reproduce", *words])
        text = capsys.readouterr()
        return int(stop.value.code or 0), text.out, text.err

    return call


@pytest.mark.usefixtures("in_this_process")
def test_from_file_to_verdict(research, tmp_path: Path) -> None:
    code, out, err = research("mine", "--plan")
    assert code == 0, err
    assert "0 of 5 runs are done" in out  # bce with and without quirks, two seeds; popularity once
    code, out, err = research("mine", "--workers", "1")
    assert code == 0, err
    assert "missed" in out and "not comparable" in out and "ours alone" in out and "of 2 seeds" not in out
    # By hand: nothing reaches 0.99 in one epoch; the honest twin differs in what it says of seen items.
    assert "bce, honest: not comparable: seen: filtered here, scored 0 there." in " ".join(out.split())
    _, again, _ = research("mine", "--plan")
    assert "5 of 5 runs are done" in again

    code, listed, _ = research("--report", "runs", "--out", "results/table.md")
    assert code == 0
    assert "missed" in listed and "ml-1m-sasrec-ce" in listed and "not run" in listed
    text = (tmp_path / "results" / "table.md").read_text()
    assert text.count("## ") == 1 and "| bce | HR@10 | 0.9900 |" in text

    publish(tmp_path / "runs" / "paper-mine", tmp_path / "published" / "mine")
    code, _, err = research("--report", "published", "--out", "results/again.md")
    assert code == 0, err
    assert (tmp_path / "results" / "again.md").read_text() == text

    code, shown, _ = research("mine", "--report", "runs")
    assert code == 0 and "Quirk in force, negatives_avoid_test" in shown


def test_a_mistake_in_a_file_is_one_sentence(research, tmp_path: Path) -> None:
    (tmp_path / "own" / "paper" / "mine.yaml").write_text(PAPER.replace("kind: computed", "memory: true"))
    code, _, err = research("mine")
    assert code == 2 and "a value from memory is never used" in err
