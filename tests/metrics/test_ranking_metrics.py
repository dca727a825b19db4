"""Ranking metrics: by hand, by enumerating every order of the equals, against scikit-learn, at oracle and at chance."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest
from sklearn.metrics import (
    coverage_error,
    label_ranking_average_precision_score,
    ndcg_score,
    top_k_accuracy_score,
)

from research.errors import UserError
from research.metrics.ranking import METRICS, expected_rank, metric

KINDS = [kind for kind in METRICS if kind != "accuracy"]


def by_definition(kind: str, rank: int, k: int) -> float:
    """The textbook formula over the list of the first k places, one of which may be relevant."""
    relevant = [place == rank for place in range(1, k + 1)]
    precision, recall = sum(relevant) / k, sum(relevant) / 1
    if kind == "precision":
        return precision
    if kind == "f1":
        return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    if kind == "ndcg":
        return sum(1 / math.log2(place + 1) for place, hit in enumerate(relevant, 1) if hit) / (1 / math.log2(2))
    if kind == "mrr":
        return next((1 / place for place, hit in enumerate(relevant, 1) if hit), 0.0)
    if kind == "map":
        return sum(sum(relevant[:place]) / place for place, hit in enumerate(relevant, 1) if hit) / 1
    return recall


def one(name: str, better: int, ties: int) -> float:
    return float(metric(name, np.array([better]), np.array([ties]))[0])


class TestExact:
    @pytest.mark.parametrize(
        ("name", "better", "ties", "value"),
        [
            ("recall@10", 0, 0, 1.0),
            ("recall@10", 9, 0, 1.0),
            ("recall@10", 10, 0, 0.0),
            ("hr@4", 3, 0, 1.0),
            ("hr@3", 3, 0, 0.0),
            ("ndcg@10", 0, 0, 1.0),
            ("ndcg@10", 2, 0, 0.5),  # 1 / log2(4)
            ("ndcg@10", 6, 0, 1 / 3),  # 1 / log2(8)
            ("ndcg@6", 6, 0, 0.0),
            ("mrr@10", 3, 0, 0.25),
            ("map@10", 4, 0, 0.2),
            ("mrr@3", 3, 0, 0.0),
            ("precision@5", 1, 0, 0.2),
            ("f1@9", 1, 0, 0.2),  # precision 1/9, recall 1: 2/10
            ("accuracy@1", 0, 0, 1.0),
            ("accuracy@1", 1, 0, 0.0),
            ("recall@2", 1, 3, 0.25),  # places 2, 3, 4, 5: one of four is in
            ("mrr@2", 0, 1, 0.75),  # 1 or 1/2
            ("ndcg@3", 2, 3, 0.125),  # place 3 of 3, 4, 5, 6
            ("accuracy@1", 0, 3, 0.25),
            ("NDCG@10", 2, 0, 0.5),
        ],
    )
    def test_by_hand(self, name: str, better: int, ties: int, value: float) -> None:
        assert one(name, better, ties) == pytest.approx(value, abs=1e-15)

    @pytest.mark.parametrize("kind", KINDS)
    def test_ties_are_the_mean_over_every_order_of_the_equals(self, kind: str) -> None:
        for better in range(4):
            for ties in range(5):
                ranks = [better + 1 + order.index(0) for order in permutations(range(ties + 1))]
                assert float(expected_rank(np.array([better]), np.array([ties]))[0]) == pytest.approx(np.mean(ranks))
                for k in (1, 2, 3, 5, 20):
                    expected = np.mean([by_definition(kind, rank, k) for rank in ranks])
                    assert one(f"{kind}@{k}", better, ties) == pytest.approx(expected, abs=1e-14), (better, ties, k)

    @pytest.mark.parametrize("kind", KINDS)
    def test_rows_are_values_of_their_own(self, kind: str) -> None:
        better, ties = np.array([0, 7, 2, 300], dtype=np.int32), np.array([0, 2, 9, 0], dtype=np.int32)
        together = metric(f"{kind}@5", better, ties)
        assert together.dtype == np.float64
        assert together.tolist() == [one(f"{kind}@5", b, t) for b, t in zip(better, ties, strict=True)]

    def test_an_oracle_scores_one(self) -> None:
        zeros = np.zeros(7, dtype=np.int64)
        for kind in ("recall", "hr", "ndcg", "mrr", "map"):
            for k in (1, 5, 100):
                assert (metric(f"{kind}@{k}", zeros, zeros) == 1.0).all()
        assert (metric("accuracy@1", zeros, zeros) == 1.0).all()
        assert metric("precision@5", zeros, zeros) == pytest.approx([0.2] * 7)

    @pytest.mark.parametrize(("n_items", "k"), [(50, 10), (3, 10), (7, 1)])
    def test_constant_scores_give_chance(self, n_items: int, k: int) -> None:
        places = range(1, min(k, n_items) + 1)
        chance = {
            "recall": len(places) / n_items,
            "ndcg": sum(1 / math.log2(p + 1) for p in places) / n_items,
            "mrr": sum(1 / p for p in places) / n_items,
            "precision": len(places) / n_items / k,
            "f1": len(places) / n_items * 2 / (k + 1),
        }
        for kind, value in chance.items():
            assert one(f"{kind}@{k}", 0, n_items - 1) == pytest.approx(value), kind
        assert one("accuracy@1", 0, n_items - 1) == pytest.approx(1 / n_items)

    def test_no_rows_no_values(self) -> None:
        assert metric("ndcg@10", np.array([], dtype=int), np.array([], dtype=int)).shape == (0,)


class TestTwin:
    """The same numbers from scikit-learn, which sorts scores."""

    @pytest.fixture
    def drawn(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        random = np.random.default_rng(0)
        score_NI, target_N = random.permuted(np.tile(np.arange(30.0), (200, 1)), axis=1), random.integers(30, size=200)
        target_score_N1 = score_NI[np.arange(200), target_N][:, None]
        return score_NI, target_N, (score_NI > target_score_N1).sum(1), (score_NI == target_score_N1).sum(1) - 1

    @pytest.mark.parametrize("k", [1, 5, 10, 30])
    def test_without_ties(self, drawn: tuple[np.ndarray, ...], k: int) -> None:
        score_NI, target_N, better_N, ties_N = drawn
        right_NI = np.eye(30)[target_N]
        assert metric(f"ndcg@{k}", better_N, ties_N).mean() == pytest.approx(ndcg_score(right_NI, score_NI, k=k))
        if k < 30:
            hits = top_k_accuracy_score(target_N, score_NI, k=k, labels=np.arange(30))
            assert metric(f"recall@{k}", better_N, ties_N).mean() == pytest.approx(hits)

    def test_uncut(self, drawn: tuple[np.ndarray, ...]) -> None:
        score_NI, target_N, better_N, ties_N = drawn
        right_NI = np.eye(30)[target_N]
        assert metric("mrr@30", better_N, ties_N).mean() == pytest.approx(
            label_ranking_average_precision_score(right_NI, score_NI)
        )
        assert expected_rank(better_N, ties_N).mean() == pytest.approx(coverage_error(right_NI, score_NI))

    @pytest.mark.parametrize("k", [1, 5, 10, 30])
    def test_ndcg_with_many_ties(self, drawn: tuple[np.ndarray, ...], k: int) -> None:
        score_NI, target_N, _, _ = drawn
        score_NI = score_NI // 4  # groups of four; scikit-learn averages the gains of a group
        target_score_N1 = score_NI[np.arange(200), target_N][:, None]
        better_N, ties_N = (score_NI > target_score_N1).sum(1), (score_NI == target_score_N1).sum(1) - 1
        assert ties_N.min() >= 1
        expected = ndcg_score(np.eye(30)[target_N], score_NI, k=k)
        assert metric(f"ndcg@{k}", better_N, ties_N).mean() == pytest.approx(expected)


class TestBehaviour:
    def test_random_scores_approach_chance(self) -> None:
        users, n_items, k = 20_000, 50, 10
        score_NI = np.random.default_rng(3).random((users, n_items))
        better_N = (score_NI > score_NI[:, :1]).sum(1)
        values = metric(f"recall@{k}", better_N, np.zeros_like(better_N))
        spread = math.sqrt(k / n_items * (1 - k / n_items) / users)
        assert values.mean() == pytest.approx(k / n_items, abs=4 * spread)
        chance = sum(1 / math.log2(p + 1) for p in range(1, k + 1)) / n_items
        gains = metric(f"ndcg@{k}", better_N, np.zeros_like(better_N))
        assert gains.mean() == pytest.approx(chance, abs=4 * gains.std() / math.sqrt(users))


class TestErrors:
    @pytest.mark.parametrize("name", ["nonsense@10", "@10", "", "recal@5"])
    def test_an_unknown_metric_names_itself_and_the_known_ones(self, name: str) -> None:
        with pytest.raises(UserError) as caught:
            one(name, 0, 0)
        assert repr(name) in str(caught.value)
        for known in METRICS:
            assert f"{known}@k" in str(caught.value)

    @pytest.mark.parametrize("name", ["ndcg", "ndcg@", "ndcg@0", "ndcg@-1", "ndcg@1.5", "ndcg@ten", "ndcg@²"])
    def test_a_bad_cutoff_names_the_metric_and_an_example(self, name: str) -> None:
        with pytest.raises(UserError, match=r"ndcg@10") as caught:
            one(name, 0, 0)
        assert repr(name) in str(caught.value)

    def test_accuracy_is_at_one_only(self) -> None:
        with pytest.raises(UserError, match=r"'accuracy@5'.*recall@5"):
            one("accuracy@5", 0, 0)
