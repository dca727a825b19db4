"""Correction for the number of tests in the family that a study declares.

Sorted p_(1) <= ... <= p_(m):

- Holm (1979): ``max over j <= i of (m - j + 1) p_(j)``. The chance of one false finding or more is at most alpha,
  whatever the dependence between tests. For claims.
- Benjamini and Hochberg (1995): ``min over j >= i of m p_(j) / j``. The expected share of false findings among all
  findings is at most alpha, for independent or positively dependent tests. For screening many arms.

Both are cut at 1. Each result also says at which alpha a test was finally taken, so that an interval can be drawn at
the level of its own test. Holm: alpha / (m - tests with a smaller p); tests that are not rejected get the step at
which Holm stopped. BH: alpha x findings / m, which keeps the share of findings whose interval misses the truth at
alpha (Benjamini and Yekutieli, JASA 100, 2005).

Shape legend: M tests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np

from research.errors import UserError


@dataclass(frozen=True)
class Family:
    """Corrected tests, in the order in which they were given.

    Attributes:
        adjusted: p after correction; a finding where it is at most ``alpha``.
        alphas: the alpha at which each single test was taken.
    """

    method: str
    alpha: float
    adjusted: tuple[float, ...]
    alphas: tuple[float, ...]

    @property
    def rejected(self) -> tuple[bool, ...]:
        return tuple(p <= self.alpha for p in self.adjusted)


def correction(name: str) -> Callable[[Sequence[float], float], Family]:
    """The correction that a study file names: ``holm`` or ``benjamini_hochberg``.

    Raises:
        UserError: another name.
    """
    known = {"holm": holm, "benjamini_hochberg": benjamini_hochberg}
    if name not in known:
        near = get_close_matches(str(name), list(known), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UserError(f"There is no correction {name!r}. Known: {', '.join(known)}.{hint}")
    return known[name]


def holm(p: Sequence[float] | np.ndarray, alpha: float = 0.05) -> Family:
    """Holm's step-down correction.

    Raises:
        UserError: a p or an alpha outside of its range.
    """
    p_M, order_M = _sorted(p, alpha)
    m = len(p_M)
    stepped_M = np.minimum(1.0, np.maximum.accumulate((m - np.arange(m)) * p_M[order_M]))
    adjusted_M = _back(stepped_M, order_M)
    findings = int(np.count_nonzero(adjusted_M <= alpha))
    smaller_M = np.searchsorted(p_M[order_M], p_M, side="left")
    alphas_M = alpha / (m - np.minimum(smaller_M, findings).clip(max=m - 1)) if m else np.empty(0)
    return Family("holm", alpha, tuple(adjusted_M.tolist()), tuple(alphas_M.tolist()))


def benjamini_hochberg(p: Sequence[float] | np.ndarray, alpha: float = 0.05) -> Family:
    """Benjamini and Hochberg's step-up correction.

    Raises:
        UserError: a p or an alpha outside of its range.
    """
    p_M, order_M = _sorted(p, alpha)
    m = len(p_M)
    scaled_M = p_M[order_M] * m / np.arange(1, m + 1)
    adjusted_M = _back(np.minimum(1.0, np.minimum.accumulate(scaled_M[::-1])[::-1]), order_M)
    findings = int(np.count_nonzero(adjusted_M <= alpha))
    alphas = (alpha * max(findings, 1) / m,) * m if m else ()
    return Family("benjamini-hochberg", alpha, tuple(adjusted_M.tolist()), alphas)


def _sorted(p: Sequence[float] | np.ndarray, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    p_M = np.asarray(p, dtype=np.float64)
    outside_M = p_M[~((p_M >= 0) & (p_M <= 1))]
    if len(outside_M):
        raise UserError(f"A p lies between 0 and 1; the family has {outside_M[0]}.")
    if not 0 < alpha < 1:
        raise UserError(f"Alpha lies between 0 and 1, such as 0.05; got {alpha}.")
    return p_M, np.argsort(p_M, kind="stable")


def _back(sorted_M: np.ndarray, order_M: np.ndarray) -> np.ndarray:
    value_M = np.empty(len(sorted_M))
    value_M[order_M] = sorted_M
    return value_M
