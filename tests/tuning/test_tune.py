"""The loop of an arm: every trial counts, the best on validation is chosen, a killed tuning goes on unchanged."""

from __future__ import annotations

import errno
import json
import os
import pickle
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from research.config import identity
from research.errors import UserError
from research.tuning.arm import Tuning, in_record
from research.tuning.journal import Journal, count
from research.tuning.space import Choice, Range
from research.tuning.tune import note_death, tune


def plain(result: dict) -> list[tuple]:
    """What must not depend on the clock."""
    return [(t["number"], t["state"], t["values"], t["validation"], t["epochs"], t["reason"]) for t in result["tried"]]


def test_the_best_on_validation_is_chosen_and_every_trial_counts(arm, pretend):
    """Curves by hand: the third trial has the best epoch, though another ends higher."""
    curves = iter([[0.1, 0.2], [0.3, 0.25, 0.2], [0.1, 0.4, 0.0], [0.39, 0.39]])
    ran = pretend(lambda config: next(curves))
    tuning = arm()
    result = tune(tuning)
    assert [t["validation"] for t in result["tried"]] == [0.2, 0.3, 0.4, 0.39]
    assert [t["best_epoch"] for t in result["tried"]] == [2, 1, 2, 1]
    assert result["chosen"] == result["tried"][2]["values"] and result["chosen_trial"] == 2
    assert result["validation"] == 0.4 and result["status"] == "finished" and result["seconds"] == 6.0
    assert [c.optimizer.lr for c in ran] == [t["values"]["optimizer.lr"] for t in result["tried"]]
    assert {c.seed for c in ran} == {tuning.run_seed}
    assert json.loads(tuning.result.read_text()) == result
    assert tuning.chosen == result["chosen"]


def test_of_equals_the_first_is_chosen(arm, pretend):
    pretend(lambda config: [0.3])
    assert tune(arm())["chosen_trial"] == 0


def test_a_finished_tuning_is_not_repeated(arm, pretend):
    ran = pretend(lambda config: [config.optimizer.lr])
    first = tune(arm())
    assert tune(arm()) == first and len(ran) == 4


def test_a_failed_trial_counts_and_says_why(arm, pretend):
    outcomes = iter([UserError("the weights diverged"), [0.2], MemoryError("no room"), []])

    def curve(config):
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    pretend(curve)
    result = tune(arm())
    assert [t["state"] for t in result["tried"]] == ["failed", "complete", "failed", "failed"]
    reasons = [t["reason"] for t in result["tried"]]
    assert "the weights diverged" in reasons[0] and "no room" in reasons[2] and "No validation" in reasons[3]
    assert (result["failed"], result["trials"], result["chosen_trial"]) == (3, 4, 1)


def test_values_that_make_no_run_together_are_a_failed_trial(arm, pretend):
    """Each value is fine beside others, so the tuning neither stops there nor stands still when it is started again."""
    ran = pretend(lambda config: [0.1])
    space = {"fusion": Choice(("sum", "initial_state", "gated")), "encoder@short": Choice(("gru", "transformer"))}
    result = tune(arm("encoder@long=user", space=space, trials=6, sampler="grid"))
    failed = [t for t in result["tried"] if t["state"] == "failed"]
    assert [t["values"] for t in failed] == [{"fusion": "initial_state", "encoder@short": "transformer"}]
    assert "encoder@short=gru" in failed[0]["reason"]
    assert len(ran) == 5 and result["status"] == "finished"


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"fusion": Choice(("sum", "gatd", "concat"))}, "Did you mean 'gated'"),
        ({"encoder@short": Choice(("gru", "lstn", "lstm"))}, "no encoder called 'lstn'"),
        ({"long.inner": Choice((8, "wide", 16))}, "a whole number or null"),
    ],
)
def test_a_wrong_word_among_good_ones_is_named_before_any_trial(arm, pretend, space, message):
    ran = pretend(lambda config: [0.1])
    tuning = arm("fusion=sum") if "fusion" not in space else arm()
    with pytest.raises(UserError, match=message):
        tune(replace(tuning, space=space))
    assert not ran and not tuning.directory.exists()


def test_an_arm_without_a_good_trial_fails_and_starts_anew_next_time(arm, pretend):
    def fail(config):
        raise UserError("the weights diverged")

    pretend(fail)
    result = tune(arm())
    assert result["status"] == "failed" and result["chosen"] is None and "the weights diverged" in result["reason"]
    ran = pretend(lambda config: [0.1])
    assert tune(arm())["status"] == "finished" and len(ran) == 4


def test_a_full_disk_is_no_trial(arm, pretend):
    def full(config):
        raise OSError(errno.ENOSPC, "No space left on device")

    pretend(full)
    with pytest.raises(OSError, match="No space"):
        tune(arm())
    assert count(arm().journal) == 0


def test_the_median_prunes(arm, pretend):
    """Two trials run whatever they do; from then on what is below the median of the earlier ones ends.

    Medians by hand over epochs: after trials 1 and 2 (0.5, 0.3) it is 0.4, so 0.45 stays and 0.35 goes, but only
    behind the warm-up of a quarter of 8 epochs.
    """
    flat = iter([0.5, 0.3, 0.45, 0.35])
    ran = pretend(lambda config: [next(flat)] * 8)
    tuning = arm("trainer.max_epochs=8", prune="median")
    result = tune(tuning)
    assert [t["state"] for t in result["tried"]] == ["complete", "complete", "complete", "pruned"]
    assert [t["epochs"] for t in result["tried"]] == [8, 8, 8, 2] and len(ran) == 4
    assert result["pruned"] == 1 and result["tried"][3]["validation"] is None
    flat = iter([0.5, 0.3, 0.45, 0.35])
    assert tune(arm("trainer.max_epochs=8", where="unpruned"))["pruned"] == 0


def test_the_same_run_is_not_trained_twice(arm, pretend):
    """Two values, four trials: at least two are repeats, which take over the outcome and still count."""
    ran = pretend(lambda config: [config.long.dropout])
    result = tune(arm(space={"dropout": Choice((0.1, 0.2))}))
    assert len(ran) == len({c.long.dropout for c in ran})
    assert len(result["tried"]) == 4
    assert all(t["validation"] == t["values"]["dropout"] for t in result["tried"])
    assert [t["same_as"] is None for t in result["tried"]].count(True) == len(ran)


def test_a_broken_last_line_is_dropped(arm, pretend):
    """What a kill leaves in the middle of a write."""
    pretend(lambda config: [config.optimizer.lr])
    whole = tune(arm(where="whole"))
    tuning = arm(where="broken")
    tune(tuning)
    lines = tuning.journal.read_bytes().splitlines(keepends=True)
    tuning.journal.write_bytes(b"".join(lines[:-1]) + lines[-1][: len(lines[-1]) // 2])
    tuning.result.unlink()
    assert count(tuning.journal) == 3
    assert plain(tune(tuning)) == plain(whole)


def test_the_death_of_a_process_is_a_failed_trial_of_the_same_values(arm, pretend):
    pretend(lambda config: [config.optimizer.lr])
    whole = tune(arm(where="whole"))
    tuning = arm()
    tuning.directory.mkdir(parents=True)
    line = note_death(tuning, "The process died (exit code -9)")
    assert "trial 1 of 4: FAILED" in line
    result = tune(tuning)
    assert [t["state"] for t in result["tried"]] == ["failed", *["complete"] * 3]
    assert "exit code -9" in result["tried"][0]["reason"]
    assert [t["values"] for t in result["tried"]] == [t["values"] for t in whole["tried"]]


def test_two_processes_do_not_note_a_trial_twice(arm, pretend):
    pretend(lambda config: [config.optimizer.lr])
    tuning = arm()
    tune(tuning)
    journal = Journal(tuning.journal)
    journal.add(journal.trials()[2])
    assert count(tuning.journal) == 4


DIES = """
import os, pickle, signal, sys
from research.tuning.tune import tune

def report(progress):
    if progress.done > 2 * progress.total / 4:   # in the middle of the third of four trials
        os.kill(os.getpid(), signal.SIGKILL)

tune(pickle.load(open(sys.argv[1], "rb")), report=report)
"""


@pytest.mark.parametrize("prune", ["median", pytest.param(None, marks=pytest.mark.slow)])
def test_a_killed_tuning_ends_with_the_same_trials(arm, tmp_path, prune):
    """SIGKILL within trial 3 of 4, real training, TPE: the rest is proposed and comes out as if nothing happened."""
    words = ("encoder@long=gru", "fusion=long_only")
    asked = {"sampler": "tpe", "prune": prune}
    whole = tune(arm(*words, where="whole", **asked))
    tuning = arm(*words, where="broken", **asked)
    (tmp_path / "arm").write_bytes(pickle.dumps(replace(tuning)))
    dead = subprocess.run([sys.executable, "-c", DIES, str(tmp_path / "arm")], timeout=600, check=False)
    assert dead.returncode == -signal.SIGKILL
    assert count(tuning.journal) == 2 and not tuning.result.exists()
    said: list[str] = []
    result = tune(tuning, announce=said.append)
    assert [line.split(":")[0] for line in said] == ["mine, trial 3 of 4", "mine, trial 4 of 4"]
    assert plain(result) == plain(whole)
    assert result["chosen"] == whole["chosen"]


class TestIdentity:
    def test_what_decides_the_trials_changes_it(self, arm):
        usual = arm().identity
        others = [
            arm("fusion=sum"),
            arm("width=16"),
            arm(trials=5),
            arm(sampler="tpe"),
            arm(seed=8),
            arm(prune="median"),
            arm(space={"optimizer.lr": Range(0.001, 0.2, log=True)}),
        ]
        found = [other.identity for other in others]
        assert usual not in found and len(set(found)) == len(found)

    def test_what_does_not_does_not(self, arm):
        """Where things lie, who logs, the value that is chosen anyway."""
        assert len({arm(*words).identity for words in [(), ("logger=wandb",)]} | {arm(where="b").identity}) == 1
        base = arm()
        assert replace(base, overrides=(*base.overrides, "optimizer.lr=0.5")).identity == base.identity

    def test_the_seed_of_the_trials_is_their_own(self, arm):
        assert arm().run_seed == arm("fusion=sum").run_seed != arm(seed=8).run_seed
        assert arm().run_seed > 1000

    def test_a_record_says_all_but_the_single_trials(self, arm, pretend):
        pretend(lambda config: [config.optimizer.lr])
        said = in_record(tune(arm()))
        assert {"trials", "space", "sampler", "seed", "chosen", "validation", "prune", "metric"} <= set(said)
        assert "tried" not in said

    def test_a_wrong_key_or_value_is_named_before_any_trial(self, arm):
        for space in ({"optimizer.lrr": Choice((0.1,))}, {"dropout": Choice((0.1, "high"))}):
            with pytest.raises(UserError, match=r"Did you mean 'optimizer.lr'|Expected a number"):
                _ = arm(space=space).corners


def test_a_damaged_result_is_named(arm, pretend):
    pretend(lambda config: [0.1])
    tuning = arm()
    tune(tuning)
    tuning.result.write_text("{")
    with pytest.raises(UserError, match="is damaged"):
        tune(tuning)


def test_a_tuning_travels_to_another_process(arm):
    """With or without what it has computed."""
    tuning = arm()
    stem = tuning.stem
    again: Tuning = pickle.loads(pickle.dumps(tuning))
    assert again.stem == stem and identity(again.corners[0]) == identity(tuning.corners[0])
    assert Path(os.fspath(again.result)) == tuning.result
