"""The commands as a person types them: words, exit codes, one clear sentence for a mistake."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from research import cli

TINY = [
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
    "logger=none",
]


@pytest.fixture
def research(capsys, tmp_path, monkeypatch):
    """Run a command in this process; returns exit code, stdout, stderr."""
    monkeypatch.setenv("RESEARCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("RESEARCH_MIRROR", raising=False)

    def call(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            cli.main(list(words))
        text = capsys.readouterr()
        return int(stop.value.code or 0), text.out, text.err

    return call


@pytest.mark.parametrize("command", [[], ["data"], ["train"], ["study"], ["table"], ["report"]])
def test_help_shows_usage_and_an_example_or_commands(research, command):
    code, out, _ = research(*command, "--help")
    assert code == 0
    assert "Usage" in out and len(out) > 200


def test_help_needs_no_heavy_library():
    """Start-up stays quick because nothing heavy is imported before it is needed."""
    probe = (
        "import sys, research.cli; sys.exit(any(m in sys.modules for m in ('torch', 'polars', 'lightning', 'hydra')))"
    )
    assert subprocess.run([sys.executable, "-c", probe], timeout=60).returncode == 0


def test_train_prints_metrics_and_the_place_of_its_record(research, tmp_path):
    code, out, _ = research("train", *TINY, f"paths.runs={tmp_path}", "window=last_k", "window.k=5")
    assert code == 0
    assert "recall" in out and "ndcg" in out
    directory = Path("".join(out.split("Record: ")[1].split("\n")))
    assert (directory / "record.json").exists()


def test_train_json_is_one_object_on_stdout(research, tmp_path):
    code, out, _ = research("train", "--json", *TINY, f"paths.runs={tmp_path}")
    record = json.loads(out)
    assert code == 0 and record["status"] == "finished"
    assert 0 <= record["test"]["ndcg@10"] <= record["test"]["recall@10"] <= 1
    assert Path(record["directory"], "ranks.parquet").exists()


def test_data_prints_the_audit(research):
    code, out, _ = research("data", "simulated", "--json")
    audit = json.loads(out)
    assert code == 0 and audit["users"] == 300
    for key in ("time_ties_share", "repeated_targets", "targets_unseen_in_training", "history_median"):
        assert audit[key] is not None
    code, out, _ = research("data", "simulated", "window.k=3")
    assert code == 0 and "targets unseen in training" in out


def test_study_table_and_report(research, tmp_path):
    study = tmp_path / "mine.yaml"
    words = "\n".join(f"  - {word}" for word in TINY)
    study.write_text(
        f"question: Does it run?\nset:\n{words}\naxes: {{fusion: [long_only, gated]}}\nseeds: [1, 2]\n"
        "baselines: [popularity]\nmetrics: [recall@10, ndcg@10]\nbaseline: {fusion: long_only}\n"
    )
    runs = tmp_path / "runs"
    code, out, err = research("study", str(study), f"paths.runs={runs}", "--workers", "1")
    assert code == 0, err
    assert re.search(r"gated\s+2\s+\.\d{4} ± \.\d{4}", out), out
    assert "[5/5]" in err
    page = (runs / "mine" / "report.html").read_text()
    assert "Does it run?" in page and "<svg" in page
    for form, sign in (("md", "| gated"), ("latex", r"\toprule"), ("csv", "gated,")):
        code, text, _ = research("table", "mine", "--format", form, "--runs", str(runs))
        again = research("table", "mine", "--format", form, "--runs", str(runs))[1]
        assert code == 0 and sign in text and text == again
    code, _, err = research("report", "mine", "--runs", str(runs), "--out", str(tmp_path / "page.html"))
    assert code == 0 and (tmp_path / "page.html").read_text() == page
    code, out, _ = research("study", str(study), f"paths.runs={runs}", "--plan")
    assert code == 0 and "5 of 5 runs are done" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "data=movielens"], "There is no data called 'movielens'. Known: "),
        (["train", "encoder@long=gruu"], "Did you mean 'gru'?"),
        (["train", "encoder=gru"], "encoder@long=... or encoder@short=..."),
        (["train", "window=last"], "Did you mean 'last_k'?"),
        (["train", "window.kk=3"], "Did you mean 'window.k'?"),
        (["train", "window.k=0"], "at least 1 interaction"),
        (["train", "window.k=many"], "Expected a whole number"),
        (["train", "fusion=weighted", "fusion.weight=fix"], "Expected one of fixed, scalar, elementwise"),
        (["train", "trainer.max_epoch=3"], "Did you mean 'trainer.max_epochs'?"),
        (["train", "encoder@short=bert4rec"], "Use objective=masked_item"),
        (["train", "dropout=1.5"], "between 0 and 1"),
        (["data", "ml-100"], "Did you mean 'ml-100k'?"),
        (["study", "quickstar"], "Did you mean 'quickstart'?"),
        (["table", "nothing"], "There is no study"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(research, tmp_path, words, message):
    extra = [f"paths.runs={tmp_path / 'runs'}"] if words[0] == "train" else []
    data = ["data=simulated"] if words[0] == "train" and not any(w.startswith("data=") for w in words) else []
    code, out, err = research(*words, *data, *extra)
    flat = " ".join(err.split())
    assert code == 2 and out == ""
    assert flat.startswith("error: ") and message in flat, err
    assert "Traceback" not in err


def test_an_unwritable_directory_is_named(research, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = research("train", *TINY, f"paths.runs={tmp_path / 'file' / 'runs'}")
    assert code == 2 and "Cannot write records to" in err


def test_no_network_names_every_source(research, tmp_path, monkeypatch):
    """Every origin dead: a closed proxy for the archive, an index that does not exist for the wheel."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    code, _, err = research("data", "ml-100k", "--mirror", str(tmp_path / "empty"))
    assert code == 2
    for source in ("empty", "files.grouplens.org", "recbole", "u.data"):
        assert source in err, err
