"""Rules of published tables against plain loops: what is a candidate, with which score, and who is asked at all.

Shape legend: B users, I items.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from research.config import compose
from research.data.cold_targets import without_cold_targets
from research.data.split import LeaveOneOut
from research.errors import UserError
from research.evaluation.baselines.base import rank_baseline
from research.evaluation.baselines.popularity import Popularity
from research.evaluation.baselines.popularity_of_all import PopularityOfAll
from research.evaluation.drawn import count_drawn, draw_candidates
from research.evaluation.judge import Judge, judge
from research.evaluation.published import OURS, Published, protocol_of
from research.evaluation.scores import DenseScores
from tests.evaluation.test_count_better import N_ITEMS, B, Case

pytestmark = pytest.mark.usefixtures("one_thread")


def rule(**changes: Any) -> Published:
    """Ours but for these."""
    return replace(OURS, **changes)


def seen_pairs(seen: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    rows = [row for row, items in enumerate(seen) for _ in items]
    return torch.tensor(rows), torch.tensor([item for items in seen for item in items])


class TestSeenAtZero:
    def test_it_is_the_plain_loop(self, make_histories) -> None:
        case = Case(3)
        score_BI = np.round(case.interest @ case.items.T, 1)  # coarse: ties, and exact zeros among them
        expected = []
        for b in range(B):
            score = [0.0 if i in case.seen[b] else float(score_BI[b, i]) for i in range(N_ITEMS)]
            own = score[case.target[b]]
            others = [s for i, s in enumerate(score) if i != case.target[b]]
            expected.append((sum(s > own for s in others), sum(s == own for s in others), N_ITEMS))
        empty = make_histories([1, 2, 3])
        split = LeaveOneOut()(empty)
        judged = Judge(rule(seen="zero"), empty, split.train, split.test)
        counts = judged(
            DenseScores(torch.from_numpy(score_BI)),
            torch.arange(B),
            torch.from_numpy(case.target),
            *seen_pairs(case.seen),
        )
        assert list(zip(*(c.tolist() for c in counts), strict=True)) == expected
        assert expected[1][0] > 0, "user 1 has seen the target, which so scores 0"

    def test_a_seen_item_outranks_what_is_below_zero(self, make_histories) -> None:
        h = make_histories([1, 2, 3])
        split = LeaveOneOut()(h)
        scores = DenseScores(torch.tensor([[-3.0, -2.0, -1.0, 5.0]]))
        asked = (torch.tensor([0]), torch.tensor([2]), torch.tensor([0, 0]), torch.tensor([0, 3]))
        counts = Judge(rule(seen="zero"), h, split.train, split.test)(scores, *asked)
        assert [int(c) for c in counts] == [2, 0, 4]  # items 0 and 3, now both 0, lie above -1


class TestRepeats:
    def test_seen_items_are_candidates_like_others(self, make_histories) -> None:
        case = Case(3)
        score_BI = np.round(case.interest @ case.items.T, 1)
        expected = []
        for b in range(B):
            own = score_BI[b, case.target[b]]
            others = [s for i, s in enumerate(score_BI[b]) if i != case.target[b]]
            expected.append((sum(s > own for s in others), sum(s == own for s in others), N_ITEMS))
        h = make_histories([1, 2, 3])
        split = LeaveOneOut()(h)
        asked = torch.arange(B), torch.from_numpy(case.target), *seen_pairs(case.seen)
        counts = Judge(rule(seen="kept"), h, split.train, split.test)(DenseScores(torch.from_numpy(score_BI)), *asked)
        assert list(zip(*(c.tolist() for c in counts), strict=True)) == expected
        assert case.target[1] in case.seen[1], "user 1 comes back"

    def test_who_comes_back_can_be_right(self, make_histories) -> None:
        """Item 1 is the most popular, and user 0 has it again: last by our rule, first by this one."""
        h = make_histories([1, 2, 3, 1], [1, 4], [1, 4, 1], n_items=4)
        split = LeaveOneOut()(h)
        ours, kept = (rank_baseline(Popularity(), h, split, which) for which in (None, rule(seen="kept")))
        assert (ours.better[0], ours.candidates[0]) == (1, 2) and (kept.better[0], kept.candidates[0]) == (0, 4)


class TestDrawnCandidates:
    def test_counts_are_the_plain_loop(self) -> None:
        case, random = Case(5), np.random.default_rng(0)
        score_BI = np.round(case.interest @ case.items.T, 0)
        drawn_BK = random.integers(N_ITEMS, size=(B, 9))
        drawn_BK[0, 0] = case.target[0]  # drawn as its own rival: a tie
        expected = []
        for b in range(B):
            own, others = score_BI[b, case.target[b]], [score_BI[b, i] for i in drawn_BK[b]]
            expected.append((sum(s > own for s in others), sum(s == own for s in others), 10))
        counts = count_drawn(
            DenseScores(torch.from_numpy(score_BI)), torch.from_numpy(case.target), torch.from_numpy(drawn_BK)
        )
        assert list(zip(*(c.tolist() for c in counts), strict=True)) == expected
        assert expected[0][1] >= 1

    def test_uniform_leaves_out_training_items_alone(self, make_histories) -> None:
        h = make_histories([1, 2, 3, 4, 5], [2, 6], n_items=8)
        split = LeaveOneOut()(h)  # user 0 trains on 1, 2, 3; 4 validates, 5 tests; user 1 is trained on whole
        many = rule(candidates="uniform", negatives=6000)
        drawn_QK = draw_candidates(many, h, split.train, split.test)
        count = Counter((drawn_QK[0] + 1).tolist())
        assert set(count) == {4, 5, 6, 7, 8}, "also the validation item and the target, as in SASRec's code"
        assert all(abs(times / 6000 - 0.2) < 0.03 for times in count.values())
        assert torch.equal(drawn_QK, draw_candidates(many, h, split.train, split.test))
        other = draw_candidates(rule(candidates="uniform", negatives=6000, seed=1), h, split.train, split.test)
        assert not torch.equal(drawn_QK, other)

    def test_popularity_draws_different_items_outside_the_history(self, make_histories) -> None:
        others = [[7, 7, 7, 7, 7, 7, 8, 1, 1]] * 50 + [[9, 9, 9, 1, 1]] * 50
        h = make_histories([1, 2, 3, 4, 5], *others, n_items=10)
        split = LeaveOneOut()(h)
        asked = split.test
        drawn_QK = draw_candidates(rule(candidates="popularity", negatives=3), h, split.train, asked)
        assert {*(drawn_QK[0] + 1).tolist()} == {7, 8, 9}, "what was trained on and is not of the history"
        first = Counter()
        for seed in range(400):
            one = rule(candidates="popularity", negatives=1, seed=seed)
            first[int(draw_candidates(one, h, split.train, asked)[0, 0]) + 1] += 1
        # Training interactions: 300 of item 7, 50 of item 8, 150 of item 9.
        assert (
            abs(first[7] / 400 - 0.6) < 0.08 and abs(first[9] / 400 - 0.3) < 0.08 and abs(first[8] / 400 - 0.1) < 0.05
        )

    def test_too_few_to_draw(self, make_histories) -> None:
        h = make_histories([1, 2, 3, 4], [4, 2, 3], n_items=4)
        split = LeaveOneOut()(h)
        with pytest.raises(UserError, match=r"0 items to draw 2 different ones from"):
            draw_candidates(rule(candidates="popularity", negatives=2), h, split.train, split.test)

    def test_a_baseline_is_ranked_by_the_rule_too(self, make_histories) -> None:
        h = make_histories([1, 2, 3, 4, 5], [5, 6, 7], n_items=7)
        split = LeaveOneOut()(h)
        ranks = rank_baseline(Popularity(), h, split, rule(candidates="uniform", negatives=11))
        assert ranks.candidates.tolist() == [12, 12]
        # Item 5 was trained on once, all that may be drawn for user 0 (4, 5, 6, 7) at most as often.
        assert ranks.better[0] == 0


class TestPopularityOfAll:
    def test_it_counts_what_is_asked_for(self, make_histories) -> None:
        # Trained on: 1 and 2 and 1; test target 4 twice, validation 3 twice.
        h = make_histories([1, 3, 4], [2, 3, 4], [1], n_items=5)
        split = LeaveOneOut()(h)
        assert rank_baseline(Popularity(), h, split).better.tolist() == [1, 1]  # item 2, item 1
        ranks = rank_baseline(PopularityOfAll(), h, split)
        assert (ranks.better.tolist(), ranks.ties.tolist()) == ([0, 0], [0, 1])  # user 1: item 1 has two as well
        said = protocol_of(compose(["data=simulated", "baseline=popularity_of_all"]))
        assert said["counts"] == "all interactions, test items among them"


class TestColdTargets:
    def test_by_hand(self, make_histories) -> None:
        # Trained on: 1 2 3 | 3 1 | 2. Targets: validation 4 2 1, test 2 9 3; item 4 and item 9 are cold.
        h = make_histories([1, 2, 3, 4, 2], [3, 1, 2, 9], [2, 1, 3], n_items=9)
        split = without_cold_targets(h, LeaveOneOut()(h))
        assert h.items[split.validation.target].tolist() == [2, 1]
        assert h.items[split.test.target].tolist() == [2, 3]
        assert split.test.user.tolist() == [0, 2]
        assert h.items[split.dropped.positions].tolist() == [4, 9]
        whole = sorted([*split.train.positions, *split.validation.target, *split.test.target, *split.dropped.positions])
        assert whole == list(range(len(h.items))), "every interaction is one of the four"

    def test_nobody_left(self, make_histories) -> None:
        h = make_histories([1, 2, 3])
        with pytest.raises(UserError, match="leaves no test query"):
            without_cold_targets(h, LeaveOneOut()(h))


class TestWords:
    def test_each_option_is_said_in_the_protocol(self) -> None:
        def said(*words: str) -> dict[str, str]:
            return protocol_of(compose(["data=simulated", *words]))

        honest = {"ranking": "full catalogue", "seen": "filtered"}
        assert said() == honest
        assert said("evaluation=seen_at_zero") == {**honest, "seen": "scored 0"}
        assert said("evaluation=repeats") == {**honest, "seen": "ranked like others"}
        assert said("evaluation=cold_dropped") == {**honest, "cold_targets": "dropped"}
        assert said("evaluation=sampled_uniform")["ranking"] == "100 items drawn uniformly"
        assert said("evaluation=sampled_popularity")["ranking"] == "100 items drawn by popularity"
        assert said("loss=bce", "avoid=training") == honest
        assert said("loss=bce", "avoid=whole") == {**honest, "negatives": "avoid the validation and test item"}

    def test_contradictions(self) -> None:
        with pytest.raises(UserError, match="draws some items"):
            rule(candidates="uniform", seen="zero")
        with pytest.raises(UserError, match="at least 1"):
            rule(candidates="uniform", negatives=0)

    def test_no_rule_is_no_judge(self, make_histories) -> None:
        h = make_histories([1, 2, 3, 1], [2, 3, 1])
        split = LeaveOneOut()(h)
        assert judge(None, h, split.train, split.test) is None
        assert judge(rule(cold_targets="dropped"), h, split.train, split.test) is None
