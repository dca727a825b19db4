"""The correlation of two states in one pass: each block of positions leaves a few sums, and the sums merge.

Deviations are taken from a block's own mean and merged by the formula of Chan, Golub and LeVeque (The American
Statistician, 1983), so that nothing cancels here which does not cancel over whole arrays (``branch_correlation``).

Shape legend: N positions, D width.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from research.fusion.collapse import STILL


@dataclass(frozen=True)
class Moments:
    """What some positions tell about the correlation of their long and short states.

    Attributes:
        n: positions.
        long_D, short_D: means of the states.
        long, short: sums of squared deviations, over positions and dimensions.
        both: sum of products of deviations, likewise.
    """

    n: int
    long_D: np.ndarray
    short_D: np.ndarray
    long: float
    short: float
    both: float

    @staticmethod
    def of(long_ND: np.ndarray, short_ND: np.ndarray) -> Moments:
        """Of at least one position."""
        long_ND, short_ND = long_ND.astype(np.float64), short_ND.astype(np.float64)
        long_D, short_D = long_ND.mean(axis=0), short_ND.mean(axis=0)
        far_long_ND, far_short_ND = long_ND - long_D, short_ND - short_D
        # No products of numpy's: its library keeps a thread spinning behind each, beside the threads of torch.
        pairs = ((far_long_ND, far_long_ND), (far_short_ND, far_short_ND), (far_long_ND, far_short_ND))
        return Moments(len(long_ND), long_D, short_D, *(float((a_ND * b_ND).sum()) for a_ND, b_ND in pairs))

    def __add__(self, other: Moments) -> Moments:
        """Of the positions of both."""
        n = self.n + other.n
        long_D, short_D = other.long_D - self.long_D, other.short_D - self.short_D
        between = self.n * other.n / n
        return Moments(
            n,
            self.long_D + long_D * (other.n / n),
            self.short_D + short_D * (other.n / n),
            self.long + other.long + between * float(long_D @ long_D),
            self.short + other.short + between * float(short_D @ short_D),
            self.both + other.both + between * float(long_D @ short_D),
        )

    @property
    def correlation(self) -> float | None:
        """In [-1, 1]; ``None`` where a state is the same at every position."""
        for spread, mean_D in ((self.long, self.long_D), (self.short, self.short_D)):
            if spread <= STILL**2 * (spread + self.n * float(mean_D @ mean_D)):
                return None
        return self.both / float(np.sqrt(self.long) * np.sqrt(self.short))


def correlation_of(blocks: dict[int, Moments]) -> float | None:
    """Correlation over some blocks, whoever measured them: they merge in the order of their keys.

    Args:
        blocks: of each block, by its first query; none where the fusion does not read two states.
    """
    ordered = [blocks[key] for key in sorted(blocks)]
    return sum(ordered[1:], ordered[0]).correlation if ordered else None
