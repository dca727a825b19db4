"""Bootstrap over seeds and users: each draw takes new seeds of both arms and, for all of them, new users.

Every seed ranks the same users, so a draw takes the users once and not for each seed anew (the "pigeonhole" bootstrap;
Owen, Annals of Applied Statistics 1, 2007). Users nested in seeds would treat 5 seeds x 943 users as 4,715 people.

*What departs from the textbook*: of S seeds S - 1 are drawn. The variance of a mean of S draws is (S - 1)/S of what it
should be, a third too little with three seeds; with S - 1 draws it is right (Rao and Wu, JASA 83, 1988). The seeds of
the two arms are drawn independently. The noise of a user with a seed is counted more than once, so without seed noise
the interval is too wide.

Shape legend: U users, S and Q seeds of the arms, R draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from research.errors import UserError
from research.statistics.pairs import Pair
from research.statistics.resample import Resampled, resampled_means


@dataclass(frozen=True, eq=False)
class NestedBootstrap:
    """Both from the same draws.

    Attributes:
        difference: first minus second arm.
        relative: that difference divided by the second arm's mean; .01 is one per cent. None when the second arm's
            mean is zero, in the data or in a draw.
    """

    difference: Resampled
    relative: Resampled | None


def bootstrap_seeds_and_users(pair: Pair, *, draws: int = 10_000, seed: int = 0) -> NestedBootstrap:
    """Bootstrap the difference of two arms over their seeds and their users.

    An arm with one seed keeps it.

    Raises:
        UserError: both arms have one seed, so that there is nothing to draw; no draws.
    """
    if pair.seeds == (1, 1):
        raise UserError(
            "A bootstrap over seeds needs an arm with at least two seeds; both have one. "
            "Run more seeds, or use the bootstrap over users."
        )
    rng = np.random.default_rng([seed, 1])  # not the stream that draws the users
    mean_RC = resampled_means(np.concatenate([pair.first_SU, pair.second_RU]).T, draws, seed)
    first_R = _over_seeds(mean_RC[:, : pair.seeds[0]], rng)
    second_R = _over_seeds(mean_RC[:, pair.seeds[0] :], rng)
    first, second = float(pair.first_SU.mean()), float(pair.second_RU.mean())
    relative = None
    if second != 0 and (second_R != 0).all():
        relative = Resampled(first / second - 1, first_R / second_R - 1)
    return NestedBootstrap(difference=Resampled(first - second, first_R - second_R), relative=relative)


def _over_seeds(mean_RS: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Mean over S - 1 seeds drawn with replacement, anew for each draw of users."""
    draws, seeds = mean_RS.shape
    taken = max(1, seeds - 1)
    times_RS = rng.multinomial(taken, np.full(seeds, 1 / seeds), size=draws)
    return np.sum(mean_RS * times_RS, axis=1) / taken
