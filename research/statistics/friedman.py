"""Do arms differ in their ranks over several data sets? Friedman's test.

Within each data set the arms are ranked, 1 for the best, equal ones sharing their mean rank. Under no difference all
orders are as likely, and with D data sets and A arms

    chi^2 = 12 D / (A (A + 1)) * sum over arms of (mean rank - (A + 1) / 2)^2,   corrected for ties,

has A - 1 degrees of freedom when D is not small. Iman and Davenport's ``F = (D - 1) chi^2 / (D (A - 1) - chi^2)`` with
A - 1 and (A - 1)(D - 1) degrees of freedom is closer to its level; chi^2 rejects too rarely.

Data sets are the replicates here: with three or four of them almost nothing can be shown.

Source: Friedman 1937; Iman and Davenport 1980; Demsar, JMLR 7 (2006) for comparing methods over data sets.

Shape legend: D data sets, A arms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, fdtrc

from research.errors import UserError
from research.statistics.midranks import midranks


@dataclass(frozen=True, eq=False)
class Friedman:
    """The test's result.

    Attributes:
        mean_rank_A: over data sets, 1 is best.
        chi2: with ``arms - 1`` degrees of freedom; ``p`` belongs to it.
        f: Iman and Davenport's statistic; ``f_p`` belongs to it. Prefer it.
    """

    mean_rank_A: np.ndarray
    datasets: int
    chi2: float
    p: float
    f: float
    f_p: float


def friedman_test(score_DA: np.ndarray) -> Friedman:
    """Test that no arm tends to rank above another.

    Args:
        score_DA: one score for each data set and arm, averaged over users and seeds; higher is better.

    Raises:
        UserError: fewer than two data sets or three arms, a missing score.
    """
    score_DA = np.asarray(score_DA, dtype=np.float64)
    if score_DA.ndim != 2 or score_DA.shape[0] < 2 or score_DA.shape[1] < 3:
        raise UserError(
            f"Ranks over data sets need two data sets and three arms at least; got {score_DA.shape} (data sets, arms). "
            "Compare two arms by a paired test over users."
        )
    if not np.isfinite(score_DA).all():
        raise UserError("Ranks over data sets need every arm on every data set. Finish the runs, or leave the arm out.")
    datasets, arms = score_DA.shape
    rank_DA = np.array([midranks(-row) for row in score_DA])
    mean_rank_A = rank_DA.mean(axis=0)
    between = float(np.sum((mean_rank_A - (arms + 1) / 2) ** 2))
    # The mean square of ranks about their middle is A (A + 1) / 12 per data set without ties; ties make it less.
    within = float(np.sum((rank_DA - (arms + 1) / 2) ** 2)) / (datasets * (arms - 1))
    chi2 = datasets * between / within if within else 0.0
    p = float(chdtrc(arms - 1, chi2))
    room = datasets * (arms - 1) - chi2
    if room <= 1e-9 * datasets * arms:  # every data set has the same order
        return Friedman(mean_rank_A, datasets, chi2, p, float(np.inf), 0.0)
    f = (datasets - 1) * chi2 / room
    return Friedman(mean_rank_A, datasets, chi2, p, f, float(fdtrc(arms - 1, (arms - 1) * (datasets - 1), f)))
