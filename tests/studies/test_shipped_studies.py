"""Every study of configs/study reads, composes, and states its question, its claims and its controls."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from research.config import canonical, option_file, options
from research.statistics.declared import read_claims
from research.studies.plan import plan
from research.studies.study import read_study_file

CONTROLS = {
    "quickstart": {"long_only", "short_only", "sum"},
    "fusion": {"long_only", "short_only", "same_branch_twice", "random_gate", "wide_long", "sum", "concat"},
    "flagship": {"long_only", "short_only", "same_branch_twice", "random_gate", "wide_long", "sum"},
    "encoders": {"long_only", "short_only"},
    "windows": {"long_only", "short_only"},
    "losses": {"long_only"},
    "shuffle": {"long_only", "short_only"},
    "protocol": {"long_only", "short_only", "same_branch_twice", "random_gate", "sum"},
    "length": {"long_only", "short_only"},
}
"""Design section 5: which controls a study has as arms. In long_vs_short they are the shares 0 and 1."""
RUNS = {
    # 4 encoders x 10 fusions and the window alone, over 5 seeds, and 3 rows without training.
    "fusion": 41 * 5 + 3,
    # 12 arms where interactions have times, 10 where not, and 3 rows without training, of three data sets each.
    "flagship": 3 * ((12 + 10) * 3 + 2 * 3),
    # 8 histories, 3 windows, and each with each, over 3 seeds.
    "encoders": (8 + 3 + 24) * 3 + 3,
    "windows": 18 * 3 + 3,
    "losses": 14 * 3 + 3,
    "long_vs_short": (4 * 5 - 2) * 3 + 3,
    "shuffle": 12 * 3 + 3,
    "protocol": 2 * (9 * 3 + 3),
    "length": 12 * 3 + 3,
}


def test_the_promised_studies_are_there() -> None:
    assert {*CONTROLS, *RUNS, "models", "long_vs_short"} <= set(options("study"))


LARGE = ("encoders", "flagship", "fusion", "models", "long_vs_short", "windows")
"""Composing their arms takes most of the time of this file."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in LARGE else ()) for name in options("study")]
)
def test_a_shipped_study_is_ready_to_run(name: str, tmp_path: Path) -> None:
    text, study = option_file("study", name).read_text(), read_study_file(name)
    assert text.startswith(f"# {study.question[:20]}") and text.splitlines()[0].endswith("?")
    assert study.question.endswith("?")
    assert re.search(rf"^# research study {name}( |$)", text, re.MULTILINE)
    runs = plan(study, [f"paths.runs={tmp_path}"])
    labels = list(dict.fromkeys(run.label for run in runs))
    assert len(read_claims({"claims": study.claims, "family": study.family}, labels, name)) == len(study.claims)
    if name in RUNS:
        assert len(runs) == RUNS[name]
    models = [run for run in runs if not run.config.get("baseline")]
    fusions = {run.config.fusion._target_.split(".")[-2] for run in models}
    assert CONTROLS.get(name, set()) <= fusions
    assert study.baseline, "the others are compared with an arm"
    said = {key: str(value) for key, value in study.baseline.items()}
    assert any(said.items() <= run.arm.items() for run in models)
    # All arms get the same budget, and none a seed of its own.
    assert len({str((run.config.trainer, run.config.batch_size, run.config.width)) for run in models}) == 1


def test_what_a_shuffled_arm_changes(tmp_path: Path) -> None:
    """The same runs but for the control."""
    first = {run.label: canonical(run.config) for run in reversed(plan(read_study_file("shuffle"), []))}
    whole = first["in order"]
    assert "shuffle" not in whole
    for name, views in (("window", (False, True)), ("history", (True, False)), ("both", (True, True))):
        for when, training in (("always", True), ("at the test", False)):
            arm = first[f"{name} {when}"]
            control = arm.pop("shuffle")
            assert arm == whole
            assert (control["long"], control["short"], control["training"], control["evaluation"]) == (
                *views,
                training,
                True,
            )
