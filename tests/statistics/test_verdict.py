"""Verdicts: each outcome on a case of its own, and how often they are wrong, by simulation with noise of seeds."""

from __future__ import annotations

import numpy as np
import pytest

from research.errors import UserError
from research.statistics.claims import Claim
from research.statistics.family import benjamini_hochberg
from research.statistics.interval import Interval
from research.statistics.pairs import Pair
from research.statistics.verdict import Evidence, Verdict, evidence, judge, judge_all

CLAIM = Claim("gated", "sum", "ndcg@10", "gated > sum on ndcg@10")


class Fixed:
    """An interval from ``low`` to ``high`` whatever the level."""

    def __init__(self, low: float, high: float) -> None:
        self.ends = low, high

    def interval(self, level: float = 0.95) -> Interval:
        return Interval(*self.ends, level)


def found(low: float, high: float, p: float = 0.01, seed_noise_known: bool = True) -> Evidence:
    return Evidence((low + high) / 2, p, p / 2, Fixed(low, high), seed_noise_known)


class TestJudge:
    @pytest.mark.parametrize(
        ("case", "adjusted", "outcome"),
        [
            (found(0.01, 0.03), 0.02, "supported"),
            (found(-0.03, -0.01), 0.02, "refuted"),
            (found(0.01, 0.03), 0.06, "undecided at this size"),
            (found(-0.03, -0.01), 0.06, "undecided at this size"),
            (found(-0.01, 0.03), 0.02, "undecided at this size"),
            (found(0.0, 0.03), 0.02, "undecided at this size"),
            (found(0.01, 0.03), 0.05, "supported"),
            (found(0.01, 0.03, seed_noise_known=False), 0.0001, "undecided at this size"),
        ],
    )
    def test_outcomes(self, case: Evidence, adjusted: float, outcome: str) -> None:
        assert judge(CLAIM, case, adjusted, own_alpha=0.01).outcome == outcome

    def test_one_seed_is_given_as_the_reason(self) -> None:
        assert "one seed only" in judge(CLAIM, found(0.01, 0.03, seed_noise_known=False), 0.001, 0.05).reason

    def test_the_interval_has_the_level_of_its_own_test(self) -> None:
        verdict = judge(CLAIM, found(0.01, 0.03), 0.02, own_alpha=0.0125)
        assert verdict.interval == Interval(0.01, 0.03, 1 - 0.0125)
        assert (verdict.p, verdict.p_adjusted, verdict.alpha) == (0.01, 0.02, 0.05)


class TestFamily:
    def test_holm_over_claims_by_hand(self) -> None:
        cases = [found(0.01, 0.03, p) for p in (0.01, 0.04, 0.03, 0.005)]
        verdicts = judge_all([CLAIM] * 4, cases)
        assert [v.p_adjusted for v in verdicts] == pytest.approx([0.03, 0.06, 0.06, 0.02])
        assert [v.outcome for v in verdicts] == [
            "supported", "undecided at this size", "undecided at this size", "supported",
        ]  # fmt: skip
        assert [v.interval.level for v in verdicts] == pytest.approx([1 - 0.05 / 3, 0.975, 0.975, 0.9875])

    def test_other_tests_of_the_family_count(self) -> None:
        alone = judge_all([CLAIM], [found(0.01, 0.03, 0.03)])
        among = judge_all([CLAIM], [found(0.01, 0.03, 0.03)], others=[0.5, 0.9])
        assert (alone[0].outcome, among[0].outcome) == ("supported", "undecided at this size")
        assert among[0].p_adjusted == pytest.approx(0.09)
        assert len(among) == 1

    def test_another_correction(self) -> None:
        cases = [found(0.01, 0.03, p) for p in (0.01, 0.04, 0.03, 0.005)]
        assert {v.outcome for v in judge_all([CLAIM] * 4, cases, correct=benjamini_hochberg)} == {"supported"}

    def test_claims_without_evidence(self) -> None:
        with pytest.raises(UserError, match="2 claims need as many comparisons; got 1"):
            judge_all([CLAIM] * 2, [found(0.01, 0.03)])

    def test_no_claims(self) -> None:
        assert judge_all([], []) == []


def verdict_of(pair: Pair) -> Verdict:
    return judge_all([CLAIM], [evidence(pair, draws=199)])[0]


class TestOnArms:
    def test_a_large_gain_is_supported_and_the_opposite_claim_refuted(self, make_pair) -> None:
        pair = make_pair(np.random.default_rng(0), shift=0.1, seed=0.005)
        turned = Pair(pair.second_RU, pair.first_SU)
        assert (verdict_of(pair).outcome, verdict_of(turned).outcome) == ("supported", "refuted")
        assert verdict_of(pair).difference == -verdict_of(turned).difference

    def test_an_arm_against_itself_is_undecided(self, make_pair) -> None:
        table = make_pair(np.random.default_rng(1)).first_SU
        assert verdict_of(Pair(table, table)).outcome == "undecided at this size"

    def test_one_seed_decides_nothing_unless_it_is_all_there_is(self, make_pair) -> None:
        pair = make_pair(np.random.default_rng(2), seeds=(3, 1), shift=0.5)
        assert verdict_of(pair).outcome == "undecided at this size"
        base = Pair(pair.first_SU, pair.second_RU, second_deterministic=True)
        assert verdict_of(base).outcome == "supported"

    def test_p_is_the_larger_of_the_two(self) -> None:
        for pair in ((0.2, 0.1), (0.1, 0.2)):
            assert Evidence(0.0, *pair, Fixed(0, 1), seed_noise_known=True).p == 0.2

    def test_noise_of_seeds_raises_p(self, make_pair) -> None:
        both = evidence(make_pair(np.random.default_rng(3), shift=0.05, seed=0.1), draws=199)
        assert both.p_users < 0.05 < both.p_seeds_and_users == both.p

    @pytest.mark.parametrize("seed", [0.0, 0.02])
    def test_rarely_wrong_under_no_effect(self, make_pair, chance, seed: float) -> None:
        rng, trials = np.random.default_rng(int(100 * seed)), 1000
        wrong = users_alone = 0
        for _ in range(trials):
            pair = make_pair(rng, users=80, seed=seed)
            wrong += verdict_of(pair).outcome != "undecided at this size"
            users_alone += evidence(pair, draws=199).p_users <= 0.05
        assert wrong <= chance(trials).most(0.05)
        if seed:
            assert users_alone >= chance(trials).least(0.2), "a test over users alone takes seed noise for a finding"

    def test_a_family_is_rarely_wrong_at_all(self, make_pair, chance) -> None:
        """Six arms against one baseline, no effect, strong seed noise: any decision at all is an error."""
        rng, trials = np.random.default_rng(5), 300
        wrong = 0
        for _ in range(trials):
            baseline = make_pair(rng, users=60, seed=0.02)
            pairs = [Pair(make_pair(rng, users=60, seed=0.02).first_SU, baseline.second_RU) for _ in range(6)]
            verdicts = judge_all([CLAIM] * 6, [evidence(pair, draws=199) for pair in pairs])
            wrong += any(v.outcome != "undecided at this size" for v in verdicts)
        assert wrong <= chance(trials).most(0.05)

    def test_decides_for_the_truth_under_an_effect(self, make_pair, chance) -> None:
        rng, trials = np.random.default_rng(6), 300
        outcomes = [verdict_of(make_pair(rng, shift=0.06, seed=0.01, seeds=(5, 5))).outcome for _ in range(trials)]
        assert outcomes.count("supported") >= chance(trials).least(0.9)
        assert outcomes.count("refuted") == 0
