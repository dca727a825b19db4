"""How much of a difference between two arms is noise of users, of seeds, and of the two together.

Every seed of an arm ranks the same users, so users and seeds are crossed. For one arm

    value_su = mean + user_u + seed_s + noise_su

and the variance of the difference of two arms' means, for U users and S and R seeds, is

    V = user / U + seed_1 / S + noise_1 / (S U) + seed_2 / R + noise_2 / (R U)

where ``user`` is the variance over users of the true difference. The parts are estimated from mean squares (two-way
random effects without replicates; Searle, Casella, McCulloch, Variance Components, 1992, chapter 4). An estimate
below zero counts as zero.

Shape legend: U users, S and R seeds of the arms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from research.statistics.pairs import Pair


@dataclass(frozen=True)
class Components:
    """Variances, in squared units of the metric.

    Attributes:
        user: over users, of the difference that endless seeds would show.
        seed: over seeds, of the mean that endless users would show, per arm; 0 for an arm with one seed.
        noise: of a user with a seed, beyond both, per arm; 0 for an arm with one seed, where it is part of ``user``.
    """

    user: float
    seed: tuple[float, float]
    noise: tuple[float, float]

    def variance(self, users: int, seeds: tuple[int, int]) -> float:
        """V, the variance of the difference of means at a size."""
        over_users = self._over_users(users, seeds)
        return over_users + sum(seed / n for seed, n in zip(self.seed, seeds, strict=True))

    def degrees(self, users: int, seeds: tuple[int, int]) -> float:
        """Degrees of freedom of V (Satterthwaite 1946), each mean square with its own.

        The mean square over seeds holds ``seed + noise / U``; the noise that V does not count twice is left in
        here, so the degrees are rather too few than too many. Infinite when there is no variance at all.
        """
        total = self.variance(users, seeds)
        loss = self._over_users(users, seeds) ** 2 / (users - 1)
        for seed, noise, n in zip(self.seed, self.noise, seeds, strict=True):
            if n > 1:
                loss += ((seed + noise / users) / n) ** 2 / (n - 1)
        return total**2 / loss if loss > 0 else np.inf

    def _over_users(self, users: int, seeds: tuple[int, int]) -> float:
        return (self.user + sum(noise / n for noise, n in zip(self.noise, seeds, strict=True))) / users


def measure(pair: Pair) -> Components:
    """Estimate the components from the values of two arms."""
    (seed_1, noise_1), (seed_2, noise_2) = _arm(pair.first_SU), _arm(pair.second_RU)
    of_difference = float(np.var(pair.difference_U, ddof=1))
    user = max(0.0, of_difference - noise_1 / pair.seeds[0] - noise_2 / pair.seeds[1])
    return Components(user=user, seed=(seed_1, seed_2), noise=(noise_1, noise_2))


def _arm(value_SU: np.ndarray) -> tuple[float, float]:
    """Variance of seeds and of noise within one arm."""
    seeds, users = value_SU.shape
    if seeds == 1:
        return 0.0, 0.0
    mean_S = value_SU.mean(axis=1)
    left_SU = value_SU - mean_S[:, None] - value_SU.mean(axis=0) + mean_S.mean()
    noise = float(np.sum(left_SU**2)) / ((seeds - 1) * (users - 1))
    return max(0.0, float(np.var(mean_S, ddof=1)) - noise / users), noise
