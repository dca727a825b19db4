"""How large a paired difference is, apart from how sure one is of it.

Cohen's d_z is the mean of the differences over their standard deviation (Cohen 1988, section 2.3.5; the name is
Lakens's, Frontiers in Psychology 4:863, 2013). It sets the number of users a test needs, not what a user notices. More
seeds average noise away and raise it, so it compares only between rows with the same number of seeds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from research.statistics.pairs import checked


@dataclass(frozen=True)
class Effect:
    """Size of a difference over users.

    Attributes:
        difference: mean, in the units of the metric.
        std: sample standard deviation over users.
        dz: their ratio; 0 when no user differs, infinite when all differ alike.
        better: users for whom the first arm is ahead; ``worse`` behind; ``equal`` neither.
    """

    difference: float
    std: float
    dz: float
    better: int
    worse: int
    equal: int


def effect_size(difference_U: np.ndarray) -> Effect:
    """Cohen's d_z, and how many users gain and lose.

    Raises:
        UserError: fewer than two users, a difference that is not finite.
    """
    difference_U = checked(difference_U)
    mean = float(difference_U.mean())
    # The spread of equal numbers is zero, not a rounding error.
    std = float(np.std(difference_U, ddof=1)) if np.ptp(difference_U) > 0 else 0.0
    better, worse = int(np.count_nonzero(difference_U > 0)), int(np.count_nonzero(difference_U < 0))
    dz = mean / std if std else float(np.copysign(np.inf, mean)) if mean else 0.0
    return Effect(mean, std, dz, better, worse, len(difference_U) - better - worse)
