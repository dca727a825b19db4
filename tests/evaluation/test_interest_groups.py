"""Interest groups against plain loops, k-means against scikit-learn, and what they are for on simulated tastes.

Shape legend: N points, E numbers of a point, K groups.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.cluster import KMeans

from research.data.prepare import prepare
from research.data.sources.simulated import Simulated
from research.data.split import LeaveOneOut
from research.data.splits.user_cold import UserCold
from research.errors import UserError
from research.evaluation.baselines.base import rank_baseline
from research.evaluation.baselines.interest_groups import InterestGroups
from research.evaluation.baselines.k_means import distances, k_means
from research.evaluation.baselines.popularity import Popularity
from research.evaluation.baselines.profile import company_vectors
from research.metrics.ranking import metric
from tests.evaluation.conftest import feature

# Two tastes: items 1 to 4 and 5 to 8; item 9 belongs to nobody. The last two of each user are not trained on.
USERS = (
    [1, 2, 3, 1, 2],
    [2, 1, 4, 3, 4],
    [1, 3, 2, 4],
    [5, 6, 7, 5, 8],
    [6, 5, 8, 7, 7],
    [9, 9, 5],
)
GENRES = [[1]] * 4 + [[2]] * 4 + [[]]


@pytest.fixture
def histories(make_histories):
    return replace(make_histories(*USERS, n_items=9), item_features={"genre": feature(GENRES)})


@pytest.mark.parametrize("smoothing", [0.0, 3.0])
def test_scores_by_a_loop(histories, smoothing: float) -> None:
    split = LeaveOneOut()(histories)
    baseline = InterestGroups(groups=2, smoothing=smoothing, reads="categories")
    baseline.fit(histories, split.train)
    got = baseline.score(histories, split.test, np.arange(6))
    trained = [user[:-2] for user in USERS]
    total = sum(map(len, trained))
    for user in range(6):
        group = [u for u in range(5) if (u < 3) == (user < 3)]
        for item in range(1, 10):
            share = sum(one.count(item) for one in trained) / total
            # The last user shows nothing that is known: the overall popularity.
            want = sum(trained[u].count(item) for u in group) + smoothing * share if user < 5 else share
            assert got[user, item - 1] == pytest.approx(want, abs=1e-6), (user, item)


def test_one_group_is_popularity(histories) -> None:
    split = LeaveOneOut()(histories)
    one = rank_baseline(InterestGroups(groups=1), histories, split)  # by items, so everybody has a profile
    popular = rank_baseline(Popularity(), histories, split)
    assert one.better.tolist() == popular.better.tolist() and one.ties.tolist() == popular.ties.tolist()


@pytest.mark.parametrize(("numbers", "kept"), [(3, 3), (50, 5)])
def test_vectors_of_items_are_those_of_numpy(histories, numbers: int, kept: int) -> None:
    """Up to a rotation of all of them, which changes no distance: so their cosines are compared."""
    split = LeaveOneOut()(histories)
    x_UI = np.zeros((6, 9))
    for u, user in enumerate(USERS):
        x_UI[u, np.array(user[:-2]) - 1] = 1.0
    _, size, vectors = np.linalg.svd(x_UI)
    want_IE = vectors[:kept].T * size[:kept]
    length_I1 = np.linalg.norm(want_IE, axis=1, keepdims=True)
    # Item 9 was chosen by one user, who chose nothing else: a direction of its own, which is not among the first three.
    assert np.flatnonzero(length_I1 < 1e-9).tolist() == ([8] if kept == 3 else [])
    want_IE = np.where(length_I1 < 1e-9, 0, want_IE / np.maximum(length_I1, 1e-9))
    unit_IE = company_vectors(histories, split.train, numbers)
    assert unit_IE.shape == (9, kept), "one less than users at most"
    np.testing.assert_allclose(unit_IE @ unit_IE.T, want_IE @ want_IE.T, atol=1e-9)


def test_an_item_without_company_has_no_vector(make_histories) -> None:
    histories = make_histories([1, 2, 3, 4, 5], [2, 1, 3, 5, 4], [3, 1, 2, 4, 4], n_items=6)
    unit_IE = company_vectors(histories, LeaveOneOut()(histories).train, 2)
    assert unit_IE[:3].any(axis=1).all() and not unit_IE[3:].any()


@pytest.fixture
def point_NE() -> np.ndarray:
    rng = np.random.default_rng(3)
    return rng.normal(size=(90, 5)) + rng.integers(0, 3, size=(90, 1)) * 2.5


class TestKMeans:
    @pytest.mark.parametrize("groups", [1, 3, 7])
    def test_scikit_learn_would_not_move_them(self, point_NE: np.ndarray, groups: int) -> None:
        centre_KE = k_means(point_NE, groups, seed=0)
        other = KMeans(groups, init=centre_KE, n_init=1, tol=0).fit(point_NE)
        np.testing.assert_allclose(other.cluster_centers_, centre_KE, atol=1e-9)
        best = KMeans(groups, n_init=20, random_state=0).fit(point_NE).inertia_
        assert distances(point_NE, centre_KE).min(axis=1).sum() <= 1.05 * best

    def test_the_best_of_all_groupings(self) -> None:
        point_NE = np.random.default_rng(5).normal(size=(8, 2)) + np.array([[0, 3]] * 3 + [[1, 0]] * 5)

        def cost(group_N: np.ndarray) -> float:
            inside = [point_NE[group_N == k] for k in range(2)]
            return sum(float(((p - p.mean(axis=0)) ** 2).sum()) for p in inside if len(p))

        best = min(cost(np.array(one)) for one in product((0, 1), repeat=8))
        assert distances(point_NE, k_means(point_NE, 2, seed=0)).min(axis=1).sum() == pytest.approx(best)

    def test_sparse_points_and_equal_ones(self, point_NE: np.ndarray) -> None:
        clipped = np.maximum(point_NE, 0)
        np.testing.assert_allclose(k_means(csr_array(clipped), 3, seed=1), k_means(clipped, 3, seed=1), atol=1e-12)
        same = np.ones((4, 2))
        np.testing.assert_array_equal(k_means(same, 3, seed=0), np.ones((3, 2)))

    def test_distances_by_a_loop(self, point_NE: np.ndarray) -> None:
        centre_KE = point_NE[:3] + 0.5
        want = [[((p - c) ** 2).sum() for c in centre_KE] for p in point_NE]
        np.testing.assert_allclose(distances(point_NE, centre_KE), want, atol=1e-9)


@pytest.fixture(scope="module")
def tastes(tmp_path_factory: pytest.TempPathFactory):
    """Users whose taste stays: nothing of the session decides."""
    source = Simulated(n_users=250, n_items=100, mean_length=14.0, share_short=0.0)
    return prepare(source, cache=tmp_path_factory.mktemp("cache"))


@pytest.mark.parametrize("reads", ["items", "categories"])
def test_users_that_training_has_not_met(tastes, reads) -> None:
    split = UserCold(share=0.3)(tastes)
    cold_Q = split.test.cold
    assert cold_Q is not None and cold_Q.sum() > 60

    def ndcg(baseline) -> float:
        ranks = rank_baseline(baseline, tastes, split)
        cold = dict(zip(split.test.user.tolist(), cold_Q.tolist(), strict=True))
        inside = np.array([cold[user] for user in ranks.user.tolist()])
        return metric("ndcg@10", ranks.better[inside], ranks.ties[inside]).mean()

    groups, popular = ndcg(InterestGroups(groups=8, reads=reads, smoothing=10)), ndcg(Popularity())
    assert groups > 1.15 * popular, (groups, popular)


@pytest.mark.parametrize("reads", ["items", "categories"])
def test_equal_on_two_runs_and_other_for_another_seed(tastes, reads) -> None:
    split = LeaveOneOut()(tastes)

    def scores(seed: int) -> np.ndarray:
        baseline = InterestGroups(groups=12, reads=reads, seed=seed)
        baseline.fit(tastes, split.train)
        return baseline.score(tastes, split.test, np.arange(40))

    first = scores(0)
    np.testing.assert_array_equal(first, scores(0))
    assert (first != scores(1)).any()


class TestErrors:
    def test_more_groups_than_users(self, histories) -> None:
        train = LeaveOneOut()(histories).train
        with pytest.raises(UserError, match=r"baseline\.groups=6: 'by hand' has only 5 training users with a profile"):
            InterestGroups(groups=6, reads="categories").fit(histories, train)

    def test_no_categories(self, make_histories) -> None:
        histories = make_histories([1, 2, 3])
        with pytest.raises(UserError, match="have no categories"):
            InterestGroups(reads="categories").fit(histories, LeaveOneOut()(histories).train)

    def test_nobody_to_compare(self, make_histories) -> None:
        histories = make_histories([1, 2, 3])
        with pytest.raises(UserError, match="needs two users and two items, and 'by hand' has 1 and 3"):
            InterestGroups(groups=1).fit(histories, LeaveOneOut()(histories).train)

    @pytest.mark.parametrize(
        ("settings", "text"),
        [
            ({"groups": 0}, r"baseline\.groups=0: at least 1"),
            ({"smoothing": -1.0}, r"baseline\.smoothing=-1\.0: at least 0"),
            ({"numbers": 0}, r"baseline\.numbers=0: at least 1"),
            ({"seed": -1}, r"baseline\.seed=-1: at least 0"),
        ],
    )
    def test_values_out_of_range(self, settings, text: str) -> None:
        with pytest.raises(UserError, match=text):
            InterestGroups(**settings)
