"""`research tune` as a person types it, and the sweep file that W&B's agent turns into `research train` words."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from research import cli
from research.config import compose, config_directory
from research.studies.once import locked
from research.tuning.arm import Tuning
from research.tuning.budget import Budget
from research.tuning.space import Choice

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
    "fusion=sum",
]


@pytest.fixture
def research(capsys, tmp_path, monkeypatch):
    """Run a command in this process; returns exit code, stdout, stderr."""
    monkeypatch.setenv("RESEARCH_CACHE", str(tmp_path / "cache"))

    def call(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            cli.main([*words, f"paths.runs={tmp_path / 'runs'}"])
        text = capsys.readouterr()
        return int(stop.value.code or 0), text.out, text.err

    return call


def test_trials_and_the_words_to_paste(research):
    words = ["tune", *TINY, "optimizer.lr=log(0.001,0.1)", "dropout=[0.1,0.2]", "--trials", "2", "--sampler", "random"]
    code, out, err = research(*words)
    assert code == 0, err
    assert "2 trials" in out and err.count(", trial ") == 2
    line = next(line for line in out.splitlines() if line.startswith("research train "))
    config = compose([w for w in line.split()[2:] if not w.startswith("paths.")])
    assert config.dropout in (0.1, 0.2) and 0.001 <= config.optimizer.lr <= 0.1 and config.width == 8
    code, again, err = research(*words)
    assert code == 0 and again == out and "trial" not in err, "nothing is tried twice"


def test_json_is_one_object(research):
    code, out, _ = research("tune", *TINY, "dropout=[0.1,0.2]", "--trials", "1", "--json", "--seed", "3", "--no-prune")
    result = json.loads(out)
    assert code == 0 and result["status"] == "finished"
    assert (result["trials"], result["seed"], result["prune"], result["sampler"]) == (1, 3, None, "tpe")
    assert list(result["space"]) == ["dropout"]


def test_a_file_names_the_space(research, tmp_path):
    (tmp_path / "mine.yaml").write_text("{trials: 1, sampler: random, space: {optimizer.lr: [0.01, 0.02]}}")
    code, out, _ = research("tune", *TINY, "--space", str(tmp_path / "mine.yaml"), "--json")
    assert code == 0 and json.loads(out)["chosen"]["optimizer.lr"] in (0.01, 0.02)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["optimizer.lr=log(1,0.1)"], "less than 'high'"),
        (["optimizer.lrr=log(0.1,1)"], "Did you mean 'optimizer.lr'"),
        (["dropout=0.3"], "the tuning chooses that value"),
        (["dropout=[0.1]", "--sampler", "tep"], "Did you mean 'tpe'"),
        (["dropout=[0.1]", "--sampler", "grid", "--trials", "2"], "1 points, fewer than"),
        (["--space", "nowhere.yaml"], "nowhere.yaml"),
        (["--space", "defualt"], "Did you mean 'default'"),
        (["optimizer.lr=loguniform(0.001,0.1)"], "Did you mean 'uniform'"),
        (["window.k=choice(1,2)"], "a list [a,b,c]"),
        (["loss=[bce,bprr]"], "Did you mean 'bpr'"),
        (["fusion=long_only", "window.k=[5,10]"], "nothing in transformer, long_only depends on"),
        (["baseline=popularity"], "nothing in popularity depends on"),
    ],
)
def test_a_mistake_is_one_sentence(research, words, message):
    code, out, err = research("tune", *TINY, *words)
    assert code == 2 and out == ""
    assert message in " ".join(err.split()), err


def test_a_baseline_has_a_space_of_its_own(research):
    code, out, err = research("tune", *TINY, "baseline=ease", "--trials", "2", "--json")
    result = json.loads(out)
    assert code == 0, err
    assert list(result["space"]) == ["baseline.l2"] and result["kind"] == "baseline"
    assert len({trial["values"]["baseline.l2"] for trial in result["tried"]}) == 2


def test_the_words_survive_a_shell(research):
    """A list in brackets is neither a mark-up of the terminal nor a pattern of the shell."""
    words = ["auxiliary=[decorrelation,label_smoothing]", "dropout=[0.1]", "--trials", "1"]
    code, out, err = research("tune", *TINY, *words)
    assert code == 0, err
    line = next(line for line in out.splitlines() if line.startswith("research train "))
    assert "'auxiliary=[decorrelation,label_smoothing]'" in line
    assert set(compose(shlex.split(line)[2:]).auxiliary) == {"decorrelation", "label_smoothing"}


def test_another_process_is_left_to_it(research, tmp_path):
    words = [*TINY, f"paths.runs={tmp_path / 'runs'}"]
    space, budget = {"dropout": Choice((0.1,))}, Budget(1, "random", 0, "median")
    tuning = Tuning(tuple(words), space, budget, tmp_path / "runs" / "tune" / "tuning", {})
    with locked(tuning.directory / f".{tuning.stem}.lock", "it"):
        code, _, err = research("tune", *TINY, "dropout=[0.1]", "--trials", "1", "--sampler", "random")
    assert code == 2 and "is being done by another process" in " ".join(err.split())


def test_every_trial_failing_is_exit_code_1(research):
    code, out, err = research("tune", *TINY, "optimizer.lr=[1e30]", "--trials", "1", "--sampler", "random")
    assert code == 1 and "research train" not in out
    assert "No trial of the tuning ended well" in err and "diverged" in err


SWEEPS = sorted((config_directory() / "sweep").glob("*.yaml"))


@pytest.mark.parametrize("path", SWEEPS, ids=lambda p: p.stem)
class TestSweep:
    def test_it_calls_research_train(self, path: Path):
        sweep = yaml.safe_load(path.read_text())
        assert sweep["program"] == "research" and sweep["command"][:2] == ["research", "train"]
        assert sweep["command"][-1] == "${args_no_hyphens}" and "logger=wandb" in sweep["command"]

    def test_its_words_compose(self, path: Path):
        """Each value of each key, alone and the last ones together, as W&B's agent writes them: KEY=VALUE."""
        sweep = yaml.safe_load(path.read_text())
        fixed = sweep["command"][2:-1]
        spaces = {key: p.get("values") or [p["min"], p["max"]] for key, p in sweep["parameters"].items()}
        for key, values in spaces.items():
            for value in values:
                compose([*fixed, f"{key}={value}"])
        compose([*fixed, *(f"{key}={values[-1]}" for key, values in spaces.items())])

    def test_wandbs_agent_makes_these_words(self, path: Path):
        """Twin: the agent of the installed W&B fills the command."""
        from wandb.sdk.launch.sweeps.utils import create_sweep_command, create_sweep_command_args

        sweep = yaml.safe_load(path.read_text())
        first = {key: (p.get("values") or [p["min"]])[0] for key, p in sweep["parameters"].items()}
        filled = create_sweep_command_args({"args": {key: {"value": value} for key, value in first.items()}})
        assert filled["args_no_hyphens"] == [f"{key}={value}" for key, value in first.items()]
        assert create_sweep_command(sweep["command"]) == sweep["command"], "nothing in it is filled from elsewhere"

    def test_its_goal_is_what_training_logs(self, path: Path):
        from research.training.module import MONITOR

        assert yaml.safe_load(path.read_text())["metric"] == {"name": MONITOR, "goal": "maximize"}


def test_help_shows_an_example(capsys):
    with pytest.raises(SystemExit):
        cli.main(["tune", "--help"])
    text = capsys.readouterr().out
    assert "Usage" in text and re.search(r"optimizer\.lr=log\(0\.0003,0\.01\)", text)
