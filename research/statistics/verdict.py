"""The verdict on a claim: supported, refuted, or undecided at this size.

A claim is about methods, so it has to hold for other users *and* for other seeds. Its p is the larger of two: the
sign-flip test over users, which assumes no distribution, and the t test over seeds and users, which knows seed noise.
These p are corrected over the family, and the interval is drawn at the level at which the claim's own test was taken.

- supported: corrected p at most alpha, and the whole interval on the claimed side;
- refuted: corrected p at most alpha, and the whole interval on the other side;
- undecided at this size: else. It does not mean that the arms are equal. ``power`` says what size would decide.

A trained arm with one seed leaves its claims undecided, whatever p: nobody knows its seed noise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from research.errors import UserError
from research.statistics.claims import Claim
from research.statistics.family import Family, holm
from research.statistics.interval import HasInterval, Interval
from research.statistics.pairs import Pair
from research.statistics.permutation import sign_flip_test
from research.statistics.seeds_and_users import estimate

Outcome = Literal["supported", "refuted", "undecided at this size"]


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the data say on one claim, before correction; the first arm is the one that is said to be better.

    Attributes:
        p_users: of the sign-flip test; ``p_seeds_and_users`` of the t test.
        spread: states the interval of the difference at any level.
        seed_noise_known: whether each trained arm has two seeds at least.
    """

    difference: float
    p_users: float
    p_seeds_and_users: float
    spread: HasInterval
    seed_noise_known: bool

    @property
    def p(self) -> float:
        """The larger of the two."""
        return max(self.p_users, self.p_seeds_and_users)


@dataclass(frozen=True)
class Verdict:
    """The outcome of one claim.

    Attributes:
        difference: of the arm said to be better minus the other.
        interval: of that difference, at the level of the claim's own test after correction.
        p: before correction; ``p_adjusted`` after it.
        alpha: level of the whole family.
        reason: why, in one sentence.
        seed_noise_known: False where p and interval know the noise of users only, as a trained arm has one seed.
    """

    claim: Claim
    outcome: Outcome
    difference: float
    interval: Interval
    p: float
    p_adjusted: float
    alpha: float
    reason: str
    seed_noise_known: bool = True


def evidence(pair: Pair, *, draws: int = 10_000, seed: int = 0, p_users: float | None = None) -> Evidence:
    """Test one pair, the arm that is said to be better first.

    Args:
        p_users: of the sign-flip test, where it is known already (``sign_flip_tests`` makes many at once).

    Raises:
        UserError: no draws.
    """
    both = estimate(pair)
    if p_users is None:
        p_users = sign_flip_test(pair.difference_U, draws=draws, seed=seed).p
    return Evidence(both.difference, p_users, both.p, both, pair.seed_noise_known)


def judge(claim: Claim, found: Evidence, p_adjusted: float, own_alpha: float, alpha: float = 0.05) -> Verdict:
    """Decide one claim.

    Args:
        p_adjusted: ``found.p`` after correction over the family.
        own_alpha: the level at which this test was taken (``Family.alphas``); sets the interval.
        alpha: level of the family.
    """
    interval = found.spread.interval(1 - own_alpha)
    outcome: Outcome = "undecided at this size"
    if not found.seed_noise_known:
        reason = "A trained arm has one seed only, so the noise between seeds is unknown. Run more seeds."
    elif p_adjusted > alpha:
        reason = "The difference can be noise of users and seeds, after correction for the number of tests."
    elif interval.side > 0:
        outcome, reason = "supported", "Test and interval agree, after correction for the number of tests."
    elif interval.side < 0:
        outcome, reason = (
            "refuted",
            "Test and interval agree on the opposite, after correction for the number of tests.",
        )
    else:
        reason = "The test finds a difference, but its interval covers zero."
    difference, known = found.difference, found.seed_noise_known
    return Verdict(claim, outcome, difference, interval, found.p, p_adjusted, alpha, reason, known)


def judge_all(
    claims: Sequence[Claim],
    found: Sequence[Evidence],
    *,
    others: Sequence[float] = (),
    alpha: float = 0.05,
    correct: Callable[[Sequence[float], float], Family] = holm,
) -> list[Verdict]:
    """Decide all claims of a study as one family.

    Args:
        found: evidence for each claim, in the same order.
        others: p of the family's tests that no claim names.
        correct: ``holm`` or ``benjamini_hochberg``.

    Raises:
        UserError: not as much evidence as claims.
    """
    if len(claims) != len(found):
        raise UserError(f"{len(claims)} claims need as many comparisons; got {len(found)}.")
    family = correct([*(one.p for one in found), *others], alpha)
    each = zip(claims, found, family.adjusted, family.alphas, strict=False)  # the others come last
    return [judge(claim, one, p_adjusted, own, alpha) for claim, one, p_adjusted, own in each]
