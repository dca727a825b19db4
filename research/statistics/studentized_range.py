"""The studentized range with infinite degrees of freedom: how far apart do the extremes of k normal numbers lie?

    P(range <= q) = k * integral over z of phi(z) (Phi(z) - Phi(z - q))^(k - 1) dz

z is the largest of the k; the others lie within q below it. The integrand is smooth and vanishes at both ends, so the
trapezoid rule converges to rounding error.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

STEP = 1 / 256
"""A power of two: the step between any two points is exact."""

Z = np.arange(-10.0, 14.0, STEP)
PHI = np.exp(-(Z**2) / 2) / np.sqrt(2 * np.pi)


def upper_tail(q: float, k: int) -> float:
    """P(range of k standard normal numbers > q)."""
    inside = k * float(np.sum(PHI * (ndtr(Z) - ndtr(Z - q)) ** (k - 1))) * STEP
    return min(1.0, max(0.0, 1.0 - inside))


def upper_point(alpha: float, k: int) -> float:
    """The q that the range exceeds with probability alpha, by bisection."""
    low, high = 0.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if upper_tail(middle, k) > alpha else (low, middle)
    return (low + high) / 2
