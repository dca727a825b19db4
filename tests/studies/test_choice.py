"""Which runs one start of a study does: shares of several machines, some arms only, failed runs again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from research.errors import UserError
from research.studies.choice import Choice, read_choice
from research.studies.plan import Planned, plan
from research.studies.study import Study, read_study_file

CONTENT = {
    "question": "Which?",
    "set": ["data=simulated"],
    "arms": {"a": ["width=8"], "b": ["width=16"]},
    "axes": {"fusion": ["long_only", "gated"], "encoder@short": ["gru", "lstm"]},
    "baselines": ["popularity"],
    "seeds": [1, 2],
}


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, list[Planned]]:
    root: Path = tmp_path_factory.mktemp("choice")
    (root / "s.yaml").write_text(yaml.safe_dump(CONTENT, sort_keys=False))
    study = read_study_file(str(root / "s.yaml"))
    return study, plan(study, [f"paths.runs={root}"])


def taken(planned: tuple[Study, list[Planned]], shard: str | None = None, *only: str) -> list[str]:
    choice = read_choice(*planned, shard=shard, only=only, retry_failed=False)
    return [run.title for run in planned[1] if choice.takes(run)]


def test_shares_are_a_division_by_arms(planned):
    everything = [run.title for run in planned[1]]
    assert len(everything) == 1 + 2 * 6, "long_only ignores the short encoder"
    for count in (1, 2, 3, 5, 20):
        shares = [taken(planned, f"{number}/{count}") for number in range(1, count + 1)]
        assert sorted(title for share in shares for title in share) == sorted(everything)
        homes = {}
        for number, share in enumerate(shares):
            for title in share:
                assert homes.setdefault(title.rpartition(", seed")[0], number) == number, "all seeds of an arm together"
    assert {len(taken(planned, f"{number}/3")) for number in (2, 3)} == {4}


def test_shares_do_not_move_when_something_is_done(planned):
    """The number of an arm is its place in the plan, not among what is missing."""
    choice = Choice(shard=(2, 3))
    assert choice.takes(planned[1][1]) and planned[1][1].number == 1
    assert not choice.takes(replace(planned[1][1], number=2))


@pytest.mark.parametrize(
    ("only", "titles"),
    [
        (["popularity"], ["popularity, seed 1"]),
        (["a, long_only"], ["a, long_only, seed 1", "a, long_only, seed 2"]),
        (["fusion=long_only", "popularity"], 1 + 4),
        (["a"], 6),
        (["a", "b"], 12),
        (["fusion=gated"], 8),
        (["fusion=gated,encoder@short=lstm"], 4),
        (["fusion=gated, encoder@short=lstm, arm=b"], ["b, gated, lstm, seed 1", "b, gated, lstm, seed 2"]),
        (["encoder@short=gru"], 4),
        (["fusion=long_only,fusion=gated"], 12),
        (["seed=2"], 6),
        (["seed=2,arm=a,fusion=gated,encoder@short=gru"], ["a, gated, gru, seed 2"]),
    ],
)
def test_only(planned, only, titles):
    found = taken(planned, None, *only)
    assert len(found) == titles if isinstance(titles, int) else found == titles


def test_only_and_shard_narrow_each_other(planned):
    both = taken(planned, "1/2", "fusion=gated")
    assert both == [title for title in taken(planned, "1/2") if title in taken(planned, None, "fusion=gated")] != []


@pytest.mark.parametrize(
    ("shard", "only", "message"),
    [
        ("0/3", [], "--shard 0/3: should be I/N"),
        ("4/3", [], "--shard 4/3: should be I/N"),
        ("1", [], "--shard 1: should be I/N"),
        ("1/0", [], "should be I/N"),
        (None, ["popularty"], "no such arm. Arms: popularity; a, long_only.*Did you mean 'popularity'"),
        (None, ["fusoin=gated"], "no axis 'fusoin'. Axes: arm, fusion, encoder@short, seed. Did you mean 'fusion'"),
        (None, ["fusion=gatd"], "no value 'gatd'. Its values: long_only, gated. Did you mean 'gated'"),
        (None, ["seed=7"], "'seed' has no value '7'"),
        (None, ["fusion=long_only,encoder@short=lstm"], "no arm of the study has that"),
    ],
)
def test_wrong_words_name_the_right_ones(planned, shard, only, message):
    with pytest.raises(UserError, match=message):
        read_choice(*planned, shard=shard, only=only, retry_failed=False)
