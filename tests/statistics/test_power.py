"""Plans: a textbook's number, scipy's noncentral t, and the promised power by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from research.errors import UserError
from research.statistics.components import Components
from research.statistics.pairs import Pair
from research.statistics.power import plan, power_at
from research.statistics.seeds_and_users import estimate

USERS_ONLY = Components(user=1.0, seed=(0.0, 0.0), noise=(0.0, 0.0))


def exact_spread(users: int) -> np.ndarray:
    """Numbers with mean 0 and sample variance 1."""
    value = np.random.default_rng(0).normal(size=users)
    return (value - value.mean()) / value.std(ddof=1)


def test_thirty_four_pairs_for_half_a_standard_deviation() -> None:
    """Cohen (1988) and every power program: d_z = .5, two-sided .05, power .8 take 34 pairs."""
    value = exact_spread(20)
    pair = Pair((10 + value)[None], np.full((1, 20), 10.0), first_deterministic=True, second_deterministic=True)
    made = plan(pair, relative=0.05)
    assert made.difference == pytest.approx(0.5)
    assert made.users_needed == 34
    assert made.power == pytest.approx(power_of_t(0.5, 20))
    assert made.seeds_needed is None, "seeds do not help where users are the only noise"


def power_of_t(dz: float, n: int, alpha: float = 0.05) -> float:
    critical, shift = stats.t.isf(alpha / 2, n - 1), dz * n**0.5
    return float(stats.nct.sf(critical, n - 1, shift) + stats.nct.cdf(-critical, n - 1, shift))


@pytest.mark.parametrize(("dz", "n"), [(0.1, 20), (0.5, 34), (1.0, 12), (0.02, 20_000)])
def test_power_against_scipy(dz: float, n: int) -> None:
    assert power_at(USERS_ONLY, dz, n, (1, 1)) == pytest.approx(power_of_t(dz, n), abs=1e-9)
    assert power_at(USERS_ONLY, -dz, n, (1, 1)) == pytest.approx(power_of_t(dz, n), abs=1e-9)


def test_power_without_an_effect_is_alpha() -> None:
    assert power_at(USERS_ONLY, 0.0, 50, (1, 1), alpha=0.01) == pytest.approx(0.01, abs=1e-9)


def test_power_far_out_is_one() -> None:
    for users in (5, 10, 100, 500, 4447, 10**5, 10**8):
        for difference in (10.0, 50.0, 1e4):
            assert power_at(USERS_ONLY, difference, users, (1, 1)) == pytest.approx(1.0, abs=1e-6)


def test_power_grows_with_users_and_with_the_difference() -> None:
    """SciPy's noncentral t has places without an answer; none of them may show."""
    by_users = [power_at(USERS_ONLY, 0.3, n, (1, 1)) for n in np.unique(np.geomspace(2, 1e7, 300).astype(int))]
    by_size = [power_at(USERS_ONLY, d, 40, (1, 1)) for d in np.geomspace(1e-4, 1e3, 300)]
    for power in (by_users, by_size):
        assert np.isfinite(power).all()
        assert np.diff(power).min() >= -1e-9
        assert power[0] < 0.06 < 0.999 < power[-1]


def test_detectable_is_what_the_power_says(make_pair) -> None:
    pair = make_pair(np.random.default_rng(1), seed=0.02)
    made = plan(pair, power=0.9)
    assert power_at(made.components, made.detectable, 100, (3, 3)) == pytest.approx(0.9, abs=1e-6)


def test_the_answer_is_the_smallest(make_pair) -> None:
    made = plan(make_pair(np.random.default_rng(2), seeds=(4, 4), seed=0.01), relative=0.08)
    parts, delta = made.components, made.difference
    assert made.seeds_needed is not None
    assert made.users_needed is not None
    n, u = made.seeds_needed, made.users_needed
    assert power_at(parts, delta, 100, (n, n)) >= 0.8 > power_at(parts, delta, 100, (n - 1, n - 1))
    assert power_at(parts, delta, u, (4, 4)) >= 0.8 > power_at(parts, delta, u - 1, (4, 4))


def test_no_number_of_users_beats_seed_noise_and_no_number_of_seeds_beats_users() -> None:
    seeds = Components(user=0.0, seed=(0.01, 0.01), noise=(0.0, 0.0))
    assert power_at(seeds, 0.05, 10**9, (3, 3)) < 0.2
    arm = np.array([[0.45], [0.5], [0.55]]) + np.zeros(50)
    made = plan(Pair(arm, arm), relative=0.05)
    assert made.users_needed is None
    assert made.seeds_needed == 64, "Cohen's 64 a group: half a standard deviation, two independent groups"


@pytest.mark.parametrize(
    ("users", "seeds", "seed", "short"),
    [(100, (5, 5), 0.01, 0.05), (60, (5, 5), 0.03, 0.05), (60, (10, 10), 0.03, 0.05), (60, (3, 3), 0.03, 0.1)],
)
def test_promised_power_is_kept(make_pair, chance, users, seeds, seed, short) -> None:
    """The plan from the true variances, the test on simulated arms; ``short`` of the promise by as much as stated."""
    rng, trials = np.random.default_rng(users), 1500
    parts = Components(user=0.1**2, seed=(seed**2, seed**2), noise=(0.1**2, 0.1**2))
    shift = 3.1 * parts.variance(users, seeds) ** 0.5
    promised = power_at(parts, shift, users, seeds)
    assert 0.5 < promised < 0.9, "else this example would say little"
    found = sum(estimate(make_pair(rng, users, seeds, shift=shift, seed=seed)).p <= 0.05 for _ in range(trials))
    assert chance(trials).least(promised - short) <= found <= chance(trials).most(promised + 0.03)


class TestRefused:
    def test_one_seed_of_a_trained_arm(self) -> None:
        with pytest.raises(UserError, match="they have 2 and 1"):
            plan(Pair(np.ones((2, 4)), np.ones((1, 4))))

    @pytest.mark.parametrize(("alpha", "power"), [(0.05, 1.0), (0.0, 0.8), (0.5, 0.4)])
    def test_levels(self, make_pair, alpha: float, power: float) -> None:
        with pytest.raises(UserError, match="power above alpha"):
            plan(make_pair(np.random.default_rng(0)), alpha=alpha, power=power)

    def test_no_difference(self, make_pair) -> None:
        with pytest.raises(UserError, match="above zero"):
            plan(make_pair(np.random.default_rng(0)), relative=0.0)
