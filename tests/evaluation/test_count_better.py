"""The streamed count against a plain sort: the same integers for any chunk and any company of the users.

Shape legend: B users, D width, I items.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from research.errors import UserError
from research.evaluation.ranks import count_better
from research.evaluation.scores import DenseScores, DotScores
from research.metrics.ranking import metric

pytestmark = pytest.mark.usefixtures("one_thread")

B, N_ITEMS, D = 12, 60, 16


class Case:
    """Random vectors; many items are copies of another, so that many scores are exactly equal."""

    def __init__(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        distinct = random.standard_normal((20, D)).astype(np.float32)
        self.items = distinct[random.integers(20, size=N_ITEMS)]
        self.interest = random.standard_normal((B, D)).astype(np.float32)
        self.target = random.integers(N_ITEMS, size=B)
        # Seen items repeat, user 0 has seen nothing, user 1 has seen the target, user 2 everything but the target.
        self.seen = [random.integers(N_ITEMS, size=random.integers(1, 30)).tolist() for _ in range(B)]
        self.seen = [[i for i in row if i != t] for row, t in zip(self.seen, self.target, strict=True)]
        self.seen[0] = []
        self.seen[1] += [int(self.target[1])] * 2
        self.seen[2] = [i for i in range(N_ITEMS) if i != self.target[2]]

    def scores(self, b: int) -> list[np.float32]:
        """Correctly rounded: the exact sum of the exact products, once rounded."""
        products = [[float(x) * float(y) for x, y in zip(self.interest[b], item, strict=True)] for item in self.items]
        return [np.float32(math.fsum(row)) for row in products]

    def by_sorting(self) -> list[tuple[int, int, int]]:
        """Better, ties and candidates of every user: sort, then walk down to the target."""
        rows = []
        for b in range(B):
            score, target, seen = self.scores(b), int(self.target[b]), set(self.seen[b])
            others = [i for i in range(N_ITEMS) if i not in seen and i != target]
            if target in seen:
                rows.append((len(others), 0, len(others) + 1))
                continue
            better = ties = 0
            for i in sorted(others, key=lambda i: -score[i]):
                if score[i] < score[target]:
                    break
                better, ties = (better, ties + 1) if score[i] == score[target] else (better + 1, ties)
            rows.append((better, ties, len(others) + 1))
        return rows

    def counted(self, users: list[int], chunk: int, *, dense: bool = False) -> list[tuple[int, int, int]]:
        if dense:
            scores = DenseScores(torch.from_numpy(np.stack([self.scores(b) for b in users])))
        else:
            scores = DotScores(torch.from_numpy(self.interest[users]), torch.from_numpy(self.items))
        row = torch.tensor([r for r, b in enumerate(users) for _ in self.seen[b]], dtype=torch.int64)
        item = torch.tensor([i for b in users for i in self.seen[b]], dtype=torch.int64)
        counts = count_better(scores, torch.from_numpy(self.target[users]), row, item, chunk=chunk)
        assert all(c.dtype == torch.int64 for c in counts)
        return list(zip(*(c.tolist() for c in counts), strict=True))


class TestTwin:
    @pytest.mark.parametrize("seed", range(5))
    def test_count_is_what_a_sort_gives(self, seed: int) -> None:
        case = Case(seed)
        expected = case.by_sorting()
        assert sum(ties for _, ties, _ in expected) > 5, "else the example has no ties to speak of"
        assert case.counted(list(range(B)), 4096) == expected
        assert case.counted(list(range(B)), 7, dense=True) == expected

    @pytest.mark.parametrize("chunk", [1, 7, 59, 60, 61, 4096])
    def test_any_chunk(self, chunk: int) -> None:
        case = Case(7)
        assert case.counted(list(range(B)), chunk) == case.by_sorting()

    @pytest.mark.parametrize("size", [1, 2, 5, 11])
    def test_any_company(self, size: int) -> None:
        case = Case(8)
        order = np.random.default_rng(1).permutation(B).tolist()
        rows: dict[int, tuple[int, int, int]] = {}
        for i in range(0, B, size):
            part = order[i : i + size]
            rows.update(zip(part, case.counted(part, 16), strict=True))
        assert [rows[b] for b in range(B)] == case.by_sorting()

    def test_the_order_of_the_catalogue_plays_no_part(self) -> None:
        case = Case(9)
        expected = case.by_sorting()
        place = np.random.default_rng(2).permutation(N_ITEMS)  # item i moves to place[i]
        moved = np.empty_like(case.items)
        moved[place] = case.items
        case.items, case.target = moved, place[case.target]
        case.seen = [[int(place[i]) for i in row] for row in case.seen]
        assert case.counted(list(range(B)), 16) == expected

    # Where the terms of a product cancel, rounding to float32 would keep the noise of float64: the spacing of float32
    # is fine near a small result. The grid is relative to the vectors, not to the score.
    def test_copies_of_the_target_are_equal_even_where_scores_nearly_cancel(self) -> None:
        random = np.random.default_rng(0)
        distinct = random.standard_normal((500, 64)).astype(np.float32)
        distinct -= distinct.mean(axis=1, keepdims=True)  # nearly orthogonal to a constant interest
        items = torch.from_numpy(np.concatenate([distinct, distinct]))
        none = torch.tensor([], dtype=torch.int64)
        for constant in (0.11, 0.37, 0.73):
            _, ties, _ = count_better(DotScores(torch.full((500, 64), constant), items), torch.arange(500), none, none)
            assert (ties >= 1).all(), "every item stands twice in the catalogue"

    def test_held_scores_are_not_written_to(self) -> None:
        score_BI = torch.tensor([[3.0, 2.0, 1.0]])
        none = torch.tensor([], dtype=torch.int64)
        count_better(DenseScores(score_BI), torch.tensor([1]), none, none)
        assert score_BI.tolist() == [[3.0, 2.0, 1.0]]


class TestExact:
    def count(self, score: list[float], target: int, seen: list[int]) -> tuple[int, ...]:
        rows = torch.zeros(len(seen), dtype=torch.int64)
        scores = DenseScores(torch.tensor([score]))
        counts = count_better(scores, torch.tensor([target]), rows, torch.tensor(seen, dtype=torch.int64), chunk=2)
        return tuple(int(c) for c in counts)

    def test_by_hand(self) -> None:
        score = [5.0, 3.0, 3.0, 9.0, 1.0, 3.0]
        assert self.count(score, 1, []) == (2, 2, 6)
        assert self.count(score, 1, [3]) == (1, 2, 5)
        assert self.count(score, 1, [3, 3, 2]) == (1, 1, 4)
        assert self.count(score, 3, []) == (0, 0, 6)
        assert self.count(score, 1, [0, 2, 3, 4, 5]) == (0, 0, 1)

    def test_a_target_that_was_seen_stands_last_without_ties(self) -> None:
        assert self.count([5.0, 3.0, 3.0, 9.0], 3, [3]) == (3, 0, 4)
        assert self.count([5.0, 3.0, 3.0, 9.0], 1, [1, 0]) == (2, 0, 3)

    def test_a_constant_model_gets_chance(self) -> None:
        none = torch.tensor([], dtype=torch.int64)
        scores = DotScores(torch.zeros(N_ITEMS, D), torch.randn(N_ITEMS, D, generator=torch.Generator().manual_seed(0)))
        better, ties, candidates = count_better(scores, torch.arange(N_ITEMS), none, none, chunk=7)
        assert (better == 0).all() and (ties == N_ITEMS - 1).all() and (candidates == N_ITEMS).all()
        assert metric("recall@10", better.numpy(), ties.numpy()).mean() == pytest.approx(10 / N_ITEMS)

    def test_an_oracle_is_always_right(self) -> None:
        none = torch.tensor([], dtype=torch.int64)
        better, ties, _ = count_better(
            DotScores(torch.eye(N_ITEMS), torch.eye(N_ITEMS)), torch.arange(N_ITEMS), none, none
        )
        assert metric("accuracy@1", better.numpy(), ties.numpy()).mean() == 1.0


class TestErrors:
    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
    @pytest.mark.parametrize("which", ["interest", "items"])
    def test_vectors_that_are_not_finite_are_refused(self, which: str, value: float) -> None:
        vectors = {"interest": torch.ones(3, 2), "items": torch.ones(5, 2)}
        vectors[which][1, 1] = value
        with pytest.raises(UserError, match=r"NaN or infinity.*optimizer\.lr"):
            DotScores(vectors["interest"], vectors["items"])
